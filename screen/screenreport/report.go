// Package screenreport makes the page of a dual-context screen, for the biologist who
// decides what is tested in the lab.
//
// Start with [Page], which takes what package screen/analysis found and what the run
// knows beside it. The page is of internal/report: one file that needs no network.
package screenreport

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/screen"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
	"github.com/cellsentence/c2s/screen/screenplot"
)

// Disclaimer is what q is not; it stands on every report of a screen.
const Disclaimer = "q measures how consistent the model's answers are over donors, not the probability that the drug works."

// Input is what a report is made of.
type Input struct {
	// Title is that of the screen.
	Title  string
	Result *analysis.Result
	// Checks say whether the contexts are what they are called; nil if nobody looked.
	Checks []*screen.Check
	// Examples are cells before and after, by compound.
	Examples map[string][]Example
	// Notice, such as that of the demo model, stands before everything.
	Notice string
	// Validation is what the lab should run, under its headings.
	Validation [][]string
	// Files can be saved from the page.
	Files []report.Download
	// Made says how the page came to be.
	Made []report.Fact
	// Cards is the number of compounds that get a card, hits first (0: 60).
	Cards int
}

// Example is a cell as a sentence, and what the model made of it.
type Example struct {
	Context, Donor, CellType string
	Before, After            string
}

// Page makes the report, with the quadrant plot in it.
func Page(in Input) (*report.Page, error) {
	if in.Cards == 0 {
		in.Cards = 60
	}
	r := in.Result
	p := &report.Page{
		Title: in.Title, Lead: lead(r), Made: in.Made, Downloads: in.Files,
		Warnings: append([]string{Disclaimer}, r.Warnings...),
	}
	if p.Title == "" {
		p.Title = "A dual-context screen"
	}
	if in.Notice != "" {
		p.Warnings = append([]string{"Every result is of a " + in.Notice + "."}, p.Warnings...)
	}
	if r.Panel.Banner != "" && !slices.Contains(r.Warnings, r.Panel.Banner) {
		p.Warnings = append(p.Warnings, r.Panel.Banner)
	}
	overview, err := overview(r)
	if err != nil {
		return nil, err
	}
	cards, err := in.cards()
	if err != nil {
		return nil, err
	}
	p.Sections = append(p.Sections, overview, in.table(), trust(in), lab(in), methods(in), cards)
	return p, nil
}

// lead is the answer.
func lead(r *analysis.Result) string {
	n := r.Calls[analysis.ContextSelective]
	switch {
	case r.Calls[analysis.Uninterpretable] > 0:
		return "The screen says nothing about its compounds: " + r.Assay.Reason + "."
	case n == 0:
		return fmt.Sprintf("None of %s is shown to raise the program in the positive context alone.", count(len(r.Hits), "compound"))
	}
	var names []string
	for _, c := range r.Hits {
		if c.Call == analysis.ContextSelective && len(names) < 6 {
			names = append(names, c.Name)
		}
	}
	list := strings.Join(names, ", ")
	if n > len(names) {
		list += fmt.Sprintf(" and %d more", n-len(names))
	}
	return fmt.Sprintf("%d of %s %s the program in the positive context and leave it unmoved in the neutral one (q ≤ %s): %s.",
		n, count(len(r.Hits), "compound"), map[bool]string{true: "raises", false: "raise"}[n == 1], number(r.Config.FDR), list)
}

// overview is the calls and the quadrant plot.
func overview(r *analysis.Result) (report.Section, error) {
	s := report.Section{
		Title: "All compounds",
		Text: []string{
			"Up is the effect where the program should rise, to the right that where it should not; both are the change of the score against many draws without a compound. The band is the margin within which an effect counts as none. Names that mean nothing, the decoys, show what the model says about any name.",
		},
	}
	for _, call := range []analysis.Call{
		analysis.ContextSelective, analysis.Both, analysis.NeutralOnly, analysis.Suppressor,
		analysis.Inert, analysis.Undetermined, analysis.Unreliable, analysis.Uninterpretable,
	} {
		if n := r.Calls[call]; n > 0 {
			s.Facts = append(s.Facts, report.Fact{Name: string(call), Value: count(n, "compound")})
		}
	}
	f, err := Quadrant(r)
	if err != nil {
		return s, err
	}
	fig, err := picture(f, fmt.Sprintf("Effect in both contexts, with %s intervals of hits and positive controls. Grey points are decoys.", percent(r.Config.Level)))
	s.Figures = []report.Figure{fig}
	return s, err
}

// Quadrant is the plot of all compounds in both contexts.
func Quadrant(r *analysis.Result) (*figure.Figure, error) {
	var list []screenplot.Compound
	for _, c := range append(append([]*analysis.Compound{}, r.Hits...), r.Others...) {
		list = append(list, screenplot.Compound{
			Name: c.Name, Positive: effect(c.Pos), Neutral: effect(c.Neu),
			Hit: c.Call == analysis.ContextSelective, Decoy: c.Kind == record.Decoy, Control: c.Kind == record.Control,
		})
	}
	return screenplot.Quadrant(list, float64(r.Margin))
}

func effect(e analysis.Estimate) screenplot.Effect {
	return screenplot.Effect{Value: float64(e.Value), Low: float64(e.Lo), High: float64(e.Hi)}
}

// picture is a figure for the page.
func picture(f *figure.Figure, caption string) (report.Figure, error) {
	var b bytes.Buffer
	err := f.SVG(&b)
	return report.Figure{SVG: b.Bytes(), Caption: caption}, err
}

// table is the compounds by rank.
func (in *Input) table() report.Section {
	r := in.Result
	t := report.Table{
		Caption: "Compounds by rank", Filter: true, FilterBy: "call", Links: map[string]string{},
		Columns: []report.Column{
			{Name: "compound"},
			{Name: "call", Help: "what all of its tests together show"},
			{Name: "rank", Number: true},
			{Name: "positive", Number: true, Help: "effect in the positive context"},
			{Name: "interval", Number: true},
			{Name: "neutral", Number: true, Help: "effect in the neutral context"},
			{Name: "neutral interval", Number: true},
			{Name: "split", Number: true, Help: "positive less neutral"},
			{Name: "p", Number: true, Help: "of the context-selective call: the largest of its parts"},
			{Name: "q", Number: true, Help: Disclaimer},
			{Name: "decoy FDR", Number: true, Help: "false discovery rate of a list that ends here, by the family of decoys that does best"},
			{Name: "baseline", Number: true, Help: "the split that a mean shift without a language model gives"},
			{Name: "with interferon", Number: true, Help: "what the compound adds to low interferon beyond its own effect"},
			{Name: "synergy, bits", Number: true, Help: "information that compound and context have together only; descriptive"},
			{Name: "valid", Number: true, Help: "share of answers that are cells"},
			{Name: "copies", Number: true, Help: "share of answers that repeat the input"},
			{Name: "mechanism"},
			{Name: "known"},
		},
	}
	for i, c := range r.Hits {
		if i < in.Cards {
			t.Links[c.Name] = id(c)
		}
		t.Rows = append(t.Rows, []string{
			c.Name, string(c.Call), fmt.Sprint(c.Rank), value(c.Pos.Value), interval(c.Pos), value(c.Neu.Value), interval(c.Neu), value(c.Split.Value),
			probability(c.P), probability(c.Q), probability(c.DecoyFDR), value(c.BaselineSplit), value(c.Excess.Value), value(c.Synergy),
			share(c.ValidRate), share(c.CopyRate), dash(c.Mechanism), dash(strings.TrimSpace(c.Known + " " + c.Evidence)),
		})
	}
	return report.Section{Title: "Ranked list", Text: []string{"Sort by a heading, search for a name or a mechanism, or pick a call."}, Tables: []report.Table{withoutEmpty(t)}}
}

// withoutEmpty leaves out columns in which nothing stands.
func withoutEmpty(t report.Table) report.Table {
	out := t
	out.Columns, out.Rows = nil, make([][]string, len(t.Rows))
	for k, c := range t.Columns {
		filled := k < 2
		for _, row := range t.Rows {
			filled = filled || row[k] != "–"
		}
		if !filled {
			continue
		}
		out.Columns = append(out.Columns, c)
		for i, row := range t.Rows {
			out.Rows[i] = append(out.Rows[i], row[k])
		}
	}
	return out
}
