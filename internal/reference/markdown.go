package reference

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// Markdown returns a page for each command by file name; README.md is that of the root.
func (m Manual) Markdown() map[string]string {
	pages := map[string]string{}
	for _, c := range m.commands() {
		pages[file(c)] = m.markdown(c)
	}
	return pages
}

// file is the name of a command's page.
func file(c *cobra.Command) string {
	if !c.HasParent() {
		return "README.md"
	}
	return name(c) + ".md"
}

func (m Manual) markdown(c *cobra.Command) string {
	var b strings.Builder
	b.WriteString("<!-- Made of the commands by go generate ./cmd/c2s. -->\n")
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n```\n%s\n```\n", c.CommandPath(), prose(c.Short), synopsis(c))
	for _, part := range blocks(c.Long) {
		if part.asIs {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", part.text)
		} else {
			fmt.Fprintf(&b, "\n%s\n", prose(part.text))
		}
	}
	m.markdownChildren(&b, c)
	if c.HasExample() {
		fmt.Fprintf(&b, "\n## Example\n\n```sh\n%s\n```\n", example(c))
	}
	if c.HasParent() {
		markdownFlags(&b, "Flags", flags(c.NonInheritedFlags()))
		fmt.Fprintf(&b, "\nFlags and exit codes of all commands: [%s](README.md#flags-of-all-commands).\n", m.Root.Name())
		return b.String()
	}
	markdownFlags(&b, "Flags of all commands", flags(c.PersistentFlags()))
	b.WriteString("\n## Exit codes\n\n| code | meaning |\n|---|---|\n")
	for _, code := range m.codes() {
		fmt.Fprintf(&b, "| %s | %s |\n", code[0], prose(code[1]))
	}
	return b.String()
}

// markdownChildren lists the commands below c, in the groups of its help.
func (m Manual) markdownChildren(b *strings.Builder, c *cobra.Command) {
	list := children(c)
	if len(list) == 0 {
		return
	}
	table := func(title, group string) {
		fmt.Fprintf(b, "\n## %s\n\n| command | what |\n|---|---|\n", title)
		for _, child := range list {
			if child.GroupID == group {
				fmt.Fprintf(b, "| [`%s`](%s) | %s |\n", child.CommandPath(), file(child), cell(prose(child.Short)))
			}
		}
	}
	groups := c.Groups()
	for _, g := range groups {
		table(strings.TrimSuffix(g.Title, ":"), g.ID)
	}
	if len(groups) == 0 {
		table("Commands", list[0].GroupID)
	}
}

func markdownFlags(b *strings.Builder, title string, list []flag) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n| flag | what | default |\n|---|---|---|\n", title)
	for _, f := range list {
		label := "`--" + f.long
		if f.value != "" {
			label += " " + f.value
		}
		label += "`"
		if f.short != "" {
			label = "`-" + f.short + "`, " + label
		}
		preset := ""
		if f.preset != "" {
			preset = "`" + f.preset + "`"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", cell(label), cell(prose(f.usage)), cell(preset))
	}
}

// cell is a text as a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

var (
	special = regexp.MustCompile("[\\\\`*_<>\\[\\]]")
	// flagWord is a flag in a text: --top-k or --weight-bits=4.
	flagWord = regexp.MustCompile(`(^|[\s(])(--[a-z][a-z0-9-]*)`)
)

// prose is plain text as Markdown, with flags as code.
func prose(s string) string {
	s = special.ReplaceAllString(s, `\$0`)
	return flagWord.ReplaceAllString(s, "$1`$2`")
}
