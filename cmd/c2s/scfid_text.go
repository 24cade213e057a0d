package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/cellsentence/c2s/scfid"
)

// text prints the results for people.
func (r *scfidResult) text(w io.Writer) error {
	var b strings.Builder
	if r.Comparison != nil {
		r.ranking(&b)
	}
	for i, s := range r.Sets {
		if i > 0 || r.Comparison != nil {
			b.WriteByte('\n')
		}
		s.text(&b)
	}
	// File names and labels may hold anything.
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, printable(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}

func (r *scfidResult) ranking(b *strings.Builder) {
	fmt.Fprintln(b, flat(r.Verdict))
	fmt.Fprintln(b)
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "set\tFD\twithout bias, 95 %")
	for _, m := range r.Comparison.Ranking {
		fmt.Fprintf(t, "%s\t%s\t%s\n", flat(m.Name), figures(m.FD), span(m.CI))
	}
	fmt.Fprintln(t, "\t\t\npair\tdifference\t95 % for all pairs together")
	for _, p := range r.Comparison.Pairs {
		fmt.Fprintf(t, "%s – %s\t%s\t%s\n", flat(p.Farther), flat(p.Nearer), figures(p.Difference), span(p.CI)+apart(p))
	}
	_ = t.Flush() // a strings.Builder takes everything
}

// apart is a remark on a pair.
func apart(p scfid.Pair) string {
	if p.Apart {
		return ""
	}
	return "  cannot be told apart"
}

func (s *scfidSet) text(b *strings.Builder) {
	fmt.Fprintf(b, "%s against %s\n%s\n\n", flat(s.Gen), flat(s.Real), flat(s.Verdict))
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, f := range scoreFacts(&s.Scores) {
		fmt.Fprintf(t, "%s\t%s\n", f.Name, f.Value)
	}
	if !s.MeanOverGroups.Missing() {
		fmt.Fprintf(t, "mean over groups\t%s (scFID), %s weighted by the real cells\n", figures(s.MeanOverGroups), figures(s.WeightedMeanOverGroups))
	}
	_ = t.Flush()
	if len(s.Groups) == 0 {
		return
	}
	fmt.Fprintln(b)
	t = tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "group\treal\tgenerated\tFD\twithout bias, 95 %\tbias floor\tp\teffect")
	for _, g := range s.Groups {
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", flat(g.Key), g.NReal, g.NGen, figures(g.FD), span(g.CI), figures(g.BiasFloor), figures(g.PermutationP), figures(g.Effect))
	}
	_ = t.Flush()
	for _, only := range []struct {
		side string
		keys []string
	}{{"real", s.OnlyReal}, {"generated", s.OnlyGen}} {
		if len(only.keys) > 0 {
			fmt.Fprintf(b, "only among the %s cells: %s\n", only.side, flat(strings.Join(only.keys, ", ")))
		}
	}
}

// flat keeps a name from breaking a table.
func flat(s string) string {
	return strings.NewReplacer("\t", " ", "\n", " ", "\v", " ", "\f", " ").Replace(s)
}

// figures prints a number with four significant digits, – if it is missing.
func figures(v scfid.Value) string {
	if v.Missing() {
		return "–"
	}
	return strconv.FormatFloat(float64(v), 'g', 4, 64)
}

// span prints an interval, – if there is none.
func span(ci *[2]float64) string {
	if ci == nil {
		return "–"
	}
	return fmt.Sprintf("[%s, %s]", figures(scfid.Value(ci[0])), figures(scfid.Value(ci[1])))
}

// give prints an estimate with its standard deviation or error, if it has one.
func give(v, sd scfid.Value) string {
	if sd.Missing() {
		return figures(v)
	}
	return figures(v) + " ± " + figures(sd)
}
