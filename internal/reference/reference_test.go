package reference

import (
	"maps"
	"slices"
	"testing"

	"github.com/spf13/cobra"
)

// manual is a small program with what is awkward: characters that Markdown and troff
// take for their own, lines that stand as they are, a command that is hidden.
func manual() Manual {
	run := func(*cobra.Command, []string) {}
	root := &cobra.Command{Use: "tool", Short: "Do things", Long: "tool does things.", Run: run}
	root.PersistentFlags().StringP("out", "o", "", "write to `PATH`")
	root.AddGroup(&cobra.Group{ID: "all", Title: "All:"})
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true})
	sub := &cobra.Command{
		Use: "sub FILE", Short: "Do a|b with c_d", GroupID: "all", Run: run,
		Long: `sub takes --top-k of
a_b and <c>:

  a   one
    b two

.start and \n stay.`,
		Example: "  tool sub x -o y\n  tool sub y",
	}
	sub.Flags().String("delimiter", " ", "text `A|B`")
	sub.Flags().Int("n", 3, "`N` of them")
	root.AddCommand(sub, &cobra.Command{Use: "hidden", Hidden: true, Run: run})
	return Manual{Root: root, Version: "1.0-dev", ExitCodes: "0 good, 2 wrong usage"}
}

func TestMarkdown(t *testing.T) {
	pages := manual().Markdown()
	if got := slices.Sorted(maps.Keys(pages)); !slices.Equal(got, []string{"README.md", "tool-sub.md"}) {
		t.Fatal(got)
	}
	const sub = "<!-- Made of the commands by go generate ./cmd/c2s. -->\n" + `# tool sub

Do a|b with c\_d.

` + "```" + `
tool sub FILE [flags]
` + "```" + `

sub takes ` + "`--top-k`" + ` of a\_b and \<c\>:

` + "```" + `
a   one
  b two
` + "```" + `

.start and \\n stay.

## Example

` + "```sh" + `
tool sub x -o y
tool sub y
` + "```" + `

## Flags

| flag | what | default |
|---|---|---|
| ` + "`--delimiter A\\|B`" + ` | text A\|B | ` + "`\" \"`" + ` |
| ` + "`--n N`" + ` | N of them | ` + "`3`" + ` |

Flags and exit codes of all commands: [tool](README.md#flags-of-all-commands).
`
	if got := pages["tool-sub.md"]; got != sub {
		t.Errorf("%s\nexpected\n%s", got, sub)
	}
	const root = "<!-- Made of the commands by go generate ./cmd/c2s. -->\n" + `# tool

Do things.

` + "```" + `
tool COMMAND [flags]
` + "```" + `

tool does things.

## All

| command | what |
|---|---|
| [` + "`tool sub`" + `](tool-sub.md) | Do a\|b with c\_d |

## Flags of all commands

| flag | what | default |
|---|---|---|
| ` + "`-o`, `--out PATH`" + ` | write to PATH |  |

## Exit codes

| code | meaning |
|---|---|
| 0 | good |
| 2 | wrong usage |
`
	if got := pages["README.md"]; got != root {
		t.Errorf("%s\nexpected\n%s", got, root)
	}
}

func TestMan(t *testing.T) {
	pages := manual().Man()
	if got := slices.Sorted(maps.Keys(pages)); !slices.Equal(got, []string{"tool-sub.1", "tool.1"}) {
		t.Fatal(got)
	}
	const sub = `.TH TOOL\-SUB 1 "" "tool 1.0\-dev" "tool manual"
.nh
.ad l
.SH NAME
tool\-sub \- Do a|b with c_d
.SH SYNOPSIS
tool sub FILE [flags]
.SH DESCRIPTION
.PP
sub takes \-\-top\-k of a_b and <c>:
.PP
.nf
.RS 4
a   one
  b two
.RE
.fi
.PP
\&.start and \en stay.
.SH EXAMPLE
.PP
.nf
.RS 4
tool sub x \-o y
tool sub y
.RE
.fi
.SH OPTIONS
.TP
\fB\-\-delimiter\fR \fIA|B\fR
text A|B (default " ")
.TP
\fB\-\-n\fR \fIN\fR
N of them (default 3)
.SH GLOBAL OPTIONS
.TP
\fB\-o\fR, \fB\-\-out\fR \fIPATH\fR
write to PATH
.SH EXIT STATUS
.TP
.B 0
good
.TP
.B 2
wrong usage
.SH SEE ALSO
tool(1)
`
	if got := pages["tool-sub.1"]; got != sub {
		t.Errorf("%s\nexpected\n%s", got, sub)
	}
}
