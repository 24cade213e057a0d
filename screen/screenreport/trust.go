package screenreport

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/screen"
	"github.com/cellsentence/c2s/screen/record"
)

// trust is the controls: of the contexts, the assay, the decoys, the answers.
func trust(in Input) report.Section {
	r := in.Result
	s := report.Section{Title: "Can this be trusted?"}
	fact := func(name, v string) { s.Facts = append(s.Facts, report.Fact{Name: name, Value: v}) }
	sensitive := "no: " + r.Assay.Reason
	if r.Assay.Sensitive {
		sensitive = "yes, by " + r.Assay.Control
	}
	fact("The screen could have seen an effect", sensitive)
	fact("Margin", fmt.Sprintf("%s: %s", value(r.Margin), r.MarginSource))
	if r.Decoys.Estimable {
		fact("False discovery rate by decoys", fmt.Sprintf("%s, by the family %s", value(r.Decoys.FDR), r.Decoys.Family))
	} else {
		fact("False discovery rate by decoys", "not estimable: "+r.Decoys.Reason)
	}
	if r.Panel.Calibrated {
		fact("Known compounds", fmt.Sprintf("AUROC %s, precision of the first %d %s (%d inducers, %d inert)", estimate(r.Panel.AUROC), r.Panel.PrecisionAt, estimate(r.Panel.Precision), r.Panel.Inducers, r.Panel.Inert))
	} else {
		fact("Known compounds", fmt.Sprintf("uncalibrated: %d inducers and %d inert are known", r.Panel.Inducers, r.Panel.Inert))
	}
	fact("Answers without a compound", fmt.Sprintf("%s are cells and %s copy the input in the positive context, %s and %s in the neutral one",
		share(r.VehicleValid[record.Positive]), share(r.VehicleCopies[record.Positive]), share(r.VehicleValid[record.Neutral]), share(r.VehicleCopies[record.Neutral])))
	fact("Program genes that a sentence shows", fmt.Sprintf("%d of %d", r.ProgramSeen, len(r.Program)))

	if len(r.Assay.Controls) > 0 {
		t := report.Table{Caption: "Positive controls", Columns: []report.Column{
			{Name: "control"},
			{Name: "positive", Number: true},
			{Name: "neutral", Number: true},
			{Name: "Z′ positive", Number: true, Help: "1 is a perfect assay, below 0 control and vehicle overlap"},
			{Name: "Z′ neutral", Number: true},
		}}
		for _, c := range r.Assay.Controls {
			t.Rows = append(t.Rows, []string{c.Name, estimate(c.Pos), estimate(c.Neu), value(c.ZPrime[record.Positive]), value(c.ZPrime[record.Neutral])})
		}
		s.Tables = append(s.Tables, t)
	}
	if len(r.Decoys.Families) > 0 {
		t := report.Table{Caption: "Decoys by their making; the worst family counts", Columns: []report.Column{
			{Name: "family"},
			{Name: "decoys", Number: true},
			{Name: "p ≤ 0.05", Number: true, Help: "share with such a p in the positive context: names that mean nothing should have 5 %"},
			{Name: "as good as the last hit", Number: true},
			{Name: "FDR", Number: true},
		}}
		for _, f := range r.Decoys.Families {
			t.Rows = append(t.Rows, []string{f.Name, fmt.Sprint(f.N), share(f.Low), fmt.Sprint(f.Reach), value(f.FDR)})
		}
		s.Tables = append(s.Tables, t)
	}
	for _, c := range in.Checks {
		s.Tables = append(s.Tables, contexts(c))
	}
	return s
}

// contexts is the interferon of the input cells.
func contexts(c *screen.Check) report.Table {
	verdict := "the contexts differ as they should"
	if !c.Passed {
		verdict = "the contexts do not differ enough"
	}
	t := report.Table{
		Caption: fmt.Sprintf("%s in the input cells, by donor: %s (%d of %d pairs of donors are half a standard deviation, %s, apart; %d genes)",
			c.Program, verdict, c.Above, c.Pairs, number(c.SD/2), c.Genes),
		Columns: []report.Column{{Name: "donor"}, {Name: "context"}, {Name: "cells", Number: true}, {Name: "mean", Number: true}, {Name: "SD", Number: true}},
	}
	for x, name := range []string{"positive", "neutral"} {
		for _, d := range c.Donors[x] {
			t.Rows = append(t.Rows, []string{d.Name, name, fmt.Sprint(d.Cells), number(d.Mean), number(d.SD)})
		}
	}
	return t
}

// lab is what should be run next.
func lab(in Input) report.Section {
	s := report.Section{Title: "What to run in the lab", Text: []string{"A screen of a model nominates. These experiments would show whether a nomination holds: both contexts, the compound with and without a little interferon, three doses, and a stress control."}}
	if len(in.Validation) < 2 {
		s.Text = []string{"No compound is nominated, and nothing is to be run."}
		return s
	}
	t := report.Table{Caption: "validation.tsv", Filter: len(in.Validation) > 12}
	for _, name := range in.Validation[0] {
		t.Columns = append(t.Columns, report.Column{Name: strings.ReplaceAll(name, "_", " ")})
	}
	for _, row := range in.Validation[1:] {
		cells := slices.Clone(row)
		for i, c := range cells {
			if v, err := strconv.ParseFloat(c, 64); err == nil {
				cells[i] = number(v)
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	s.Tables = []report.Table{t}
	return s
}

// methods is a paragraph with the numbers that a paper needs.
func methods(in Input) report.Section {
	r := in.Result
	var types []string
	for name, w := range r.CellTypes {
		types = append(types, fmt.Sprintf("%s %s", name, percent(w)))
	}
	slices.Sort(types)
	donors := "different donors in the two contexts, compared as two samples"
	if r.Shared > 0 {
		donors = fmt.Sprintf("%d of them in both contexts and compared with themselves", r.Shared)
	}
	text := []string{
		fmt.Sprintf("%s predicted %s of %d cells of %d donors in the positive context and %d cells of %d donors in the neutral one (%s). Scores are %s of %d genes (%s), of which sentences show %d.",
			r.Predictor, count(r.Predictions, "perturbed cell"), r.Cells[record.Positive], r.Clusters[record.Positive], r.Cells[record.Neutral], r.Clusters[record.Neutral], donors,
			map[string]string{"u": "UCell's U statistic", "expr": "the mean z of decoded expression"}[string(r.Config.Score)], len(r.Program), strings.Join(r.Program, ", "), r.ProgramSeen),
		fmt.Sprintf("The effect on a cell is its score with the compound less the mean of %s draws of the same cell without one; effects are averaged within cell types, over cell types at common weights (%s), and by donor. Tests are moderated t-tests over donor means (Smyth 2004; prior variance %s with %s degrees of freedom), intervals are at %s. \"Unmoved\" is shown by two one-sided tests against a margin of %s (%s). A call takes the largest p of its parts and is adjusted over the compounds after Benjamini and Hochberg; the limit is %s.",
			value(r.VehicleDraws), strings.Join(types, ", "), value(r.Model.PriorS2), infinite(value(r.Model.PriorDF)), percent(r.Config.Level), value(r.Margin), r.MarginSource, number(r.Config.FDR)),
		fmt.Sprintf("Design: %s. Plan %s.", r.Design, short(r.Plan)),
	}
	for _, key := range slices.Sorted(maps.Keys(r.Notes)) {
		if r.Notes[key] != Disclaimer { // which stands at the top
			text = append(text, r.Notes[key])
		}
	}
	return report.Section{Title: "For the methods section", Text: text}
}

func infinite(s string) string {
	if s == "–" {
		return "infinitely many"
	}
	return s
}

// short is the beginning of a digest.
func short(s string) string { return s[:min(len(s), 19)] }
