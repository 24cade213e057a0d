package reference

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Man returns a manual page of section 1 for each command by file name, in the macros
// of man(7), which man and mandoc read. Pages hold no date, so that the same commands
// give the same bytes.
func (m Manual) Man() map[string]string {
	pages := map[string]string{}
	for _, c := range m.commands() {
		pages[name(c)+".1"] = m.man(c)
	}
	return pages
}

func (m Manual) man(c *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"%s %s\" \"%s manual\"\n", strings.ToUpper(roff(name(c))), m.Root.Name(), roff(m.Version), m.Root.Name())
	// Lines stay as they are cut: flags and names are no words to hyphenate.
	b.WriteString(".nh\n.ad l\n")
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name(c)), roff(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n%s\n", roff(synopsis(c)))
	if c.Long != "" {
		b.WriteString(".SH DESCRIPTION\n")
	}
	for _, part := range blocks(c.Long) {
		if part.asIs {
			manAsIs(&b, part.text)
		} else {
			fmt.Fprintf(&b, ".PP\n%s\n", roff(part.text))
		}
	}
	if list := children(c); len(list) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, child := range list {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(name(child)+"(1)"), roff(child.Short))
		}
	}
	if c.HasExample() {
		b.WriteString(".SH EXAMPLE\n")
		manAsIs(&b, example(c))
	}
	if c.HasParent() {
		manFlags(&b, "OPTIONS", flags(c.NonInheritedFlags()))
	}
	manFlags(&b, "GLOBAL OPTIONS", flags(m.Root.PersistentFlags()))
	b.WriteString(".SH EXIT STATUS\n")
	for _, code := range m.codes() {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", code[0], roff(code[1]))
	}
	if c.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", roff(name(c.Parent())+"(1)"))
	}
	return b.String()
}

func manAsIs(b *strings.Builder, text string) {
	fmt.Fprintf(b, ".PP\n.nf\n.RS 4\n%s\n.RE\n.fi\n", roff(text))
}

func manFlags(b *strings.Builder, title string, list []flag) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	for _, f := range list {
		label := `\fB` + roff("--"+f.long) + `\fR`
		if f.short != "" {
			label = `\fB` + roff("-"+f.short) + `\fR, ` + label
		}
		if f.value != "" {
			label += ` \fI` + roff(f.value) + `\fR`
		}
		usage := f.usage
		if f.preset != "" {
			usage += " (default " + f.preset + ")"
		}
		fmt.Fprintf(b, ".TP\n%s\n%s\n", label, roff(usage))
	}
}

// roff is plain text with what troff would read as its own made harmless: the escape
// character, hyphens that must stay ASCII, and lines that begin as a request does.
func roff(s string) string {
	s = strings.ReplaceAll(s, `\`, `\e`)
	s = strings.ReplaceAll(s, "-", `\-`)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
