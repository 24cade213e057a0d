// Package reference turns a tree of commands into its reference: Markdown pages for the
// web, and manual pages for man(1).
//
// Start with a [Manual], and write what [Manual.Markdown] or [Manual.Man] returns. Both
// say what the help of a command says, and nothing else. Cobra's own generator reads a
// command's description as Markdown, which ours is not: it is plain text, with blank
// lines between paragraphs and indented lines for what stands as it is.
package reference

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Manual is the commands of a program, and what is true of all of them.
type Manual struct {
	Root      *cobra.Command
	Version   string
	ExitCodes string // "0 good, 1 failed, …": a code, a blank, its meaning
}

// commands are all commands with a page, parents before children, in the order in which
// help shows them.
func (m Manual) commands() []*cobra.Command {
	var list []*cobra.Command
	var add func(c *cobra.Command)
	add = func(c *cobra.Command) {
		list = append(list, c)
		for _, child := range children(c) {
			add(child)
		}
	}
	add(m.Root)
	return list
}

func children(c *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() || child.Name() == "help" && child.Runnable() {
			list = append(list, child)
		}
	}
	return list
}

// name is the name of a command's page: c2s-dataset-build.
func name(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// codes are the exit codes and their meanings.
func (m Manual) codes() [][2]string {
	var list [][2]string
	for part := range strings.SplitSeq(m.ExitCodes, ", ") {
		code, meaning, _ := strings.Cut(part, " ")
		list = append(list, [2]string{code, meaning})
	}
	return list
}

// block is a part of a description: a paragraph, or lines that stand as they are.
type block struct {
	text string
	asIs bool
}

// blocks takes a description apart.
func blocks(text string) []block {
	if text == "" {
		return nil
	}
	var list []block
	for part := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		lines := strings.Split(strings.Trim(part, "\n"), "\n")
		// A paragraph may go over into indented lines without a blank line.
		at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "  ") })
		if at < 0 {
			at = len(lines)
		}
		if at > 0 {
			list = append(list, block{text: strings.Join(lines[:at], " ")})
		}
		if at < len(lines) {
			list = append(list, block{text: unindent(lines[at:]), asIs: true})
		}
	}
	return list
}

// unindent takes off the blanks that all lines begin with.
func unindent(lines []string) string {
	least := -1
	for _, l := range lines {
		if trimmed := strings.TrimLeft(l, " "); trimmed != "" {
			if n := len(l) - len(trimmed); least < 0 || n < least {
				least = n
			}
		}
	}
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(l[min(len(l), max(0, least)):])
	}
	return b.String()
}

// flag is a flag as help shows it.
type flag struct {
	short, long, value string // "o", "out", "PATH"; "" for none
	usage, preset      string
}

// flags are those of a set but help's own.
func flags(set *pflag.FlagSet) []flag {
	var list []flag
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		one := flag{short: f.Shorthand, long: f.Name, value: value, usage: usage}
		switch f.DefValue {
		case "", "0", "false", "[]", "0s":
		default:
			one.preset = f.DefValue
			if f.Value.Type() == "string" {
				one.preset = strconv.Quote(f.DefValue) // it may be a blank
			}
		}
		list = append(list, one)
	})
	return list
}

// example is the lines of a command's example.
func example(c *cobra.Command) string {
	return unindent(strings.Split(strings.Trim(c.Example, "\n"), "\n"))
}

// synopsis is how a command is called.
func synopsis(c *cobra.Command) string {
	if c.HasAvailableSubCommands() {
		return c.CommandPath() + " COMMAND [flags]"
	}
	return c.UseLine()
}
