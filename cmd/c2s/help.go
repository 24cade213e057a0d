package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// exitCodes is what a script may rely on.
const exitCodes = "0 good, 1 failed, 2 wrong usage, 3 bad input, 4 backend unreachable or not named, 130 interrupted"

// usageTemplate is cobra's, but ends with what is looked for most: an example to
// copy, and the exit codes.
const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND [flags]{{$all := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $all}}{{if and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"c2s help {{if .HasParent}}{{slice .CommandPath 4}} {{end}}COMMAND" explains a command.{{end}}{{if .HasExample}}

Example:
{{.Example}}{{end}}

Exit codes: ` + exitCodes + "\n"

// newHelp is cobra's help command, but knows when it was asked for nonsense.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Explain a command", GroupID: groupOther,
		Long:    "help explains a command: what it does, its flags, an example and the exit codes.",
		Example: "  c2s help encode",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if len(args) == 0 {
				for _, c := range cmd.Root().Commands() {
					if c.IsAvailableCommand() {
						names = append(names, c.Name()+"\t"+c.Short)
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil {
				return &usageError{err, "c2s"}
			}
			if len(rest) > 0 {
				return unknownCommand(topic, rest[0])
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
	}
}

// unknownCommand is the error for a name that is no command below parent.
func unknownCommand(parent *cobra.Command, name string) error {
	err := fmt.Errorf("unknown command %q", name)
	if near := parent.SuggestionsFor(name); len(near) > 0 {
		err = fmt.Errorf("%w, did you mean %q?", err, near[0])
	}
	return &usageError{err, parent.CommandPath()}
}

// badFlag is the error for a flag that cannot be parsed.
func badFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
			err = fmt.Errorf("%w, did you mean --%s?", err, near)
		}
	}
	return &usageError{err, cmd.CommandPath()}
}

// nearest is the first of names that word begins or that is at most two changes
// away, the closest first; or empty.
func nearest(word string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		d := changes(word, name)
		if len(word) >= 3 && strings.HasPrefix(name, word) {
			d = min(d, 1)
		}
		// A word that is changed all through is another word.
		if d < least && d < len(word) {
			best, least = name, d
		}
	}
	return best
}

// changes is the Levenshtein distance in bytes.
func changes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d++
			}
			diagonal = row[j+1]
			row[j+1] = min(d, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// only checks that there is one argument and that it is one of names.
func only(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := need(1, 1)(cmd, args); err != nil {
			return err
		}
		if !slices.Contains(names, args[0]) {
			return &usageError{fmt.Errorf("%q is none of %s", args[0], strings.Join(names, ", ")), cmd.CommandPath()}
		}
		return nil
	}
}
