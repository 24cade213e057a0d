package main

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/internal/report"
)

// junkSection shows the two scores.
func junkSection(r *auditReport, svg []byte) report.Section {
	j := &r.Junk
	s := report.Section{
		Title: "Junk scores",
		Text: []string{
			"Two scores judge each row apart from each other, and above 1 they say junk: one from cheap signals (length, complexity, genes that all cells have), one from whether label and genes agree. Rows that both call junk are the safest to remove.",
		},
		Facts: []report.Fact{
			{Name: "By cheap signals", Value: plural(j.Cheap, "row")},
			{Name: "By content", Value: fmt.Sprintf("%s of %s that have a score", plural(j.Content, "row"), grouped(j.Scored))},
			{Name: "By both", Value: plural(j.Both, "row")},
		},
		Figures: []report.Figure{{
			SVG: svg, Caption: "Rows by junk score; what lies right of the line is junk. Each step upwards is ten times the rows.",
			Alt: junkAlt(j),
		}},
	}
	if j.Kappa != nil {
		s.Facts = append(s.Facts, report.Fact{Name: "Agreement beyond chance", Value: fmt.Sprintf("Cohen's κ %.2f", *j.Kappa)})
	}
	return s
}

// junkAlt is the figure in words.
func junkAlt(j *dataset.JunkReport) string {
	text := func(h []int64) string {
		var parts []string
		for i, n := range h {
			parts = append(parts, fmt.Sprintf("%s: %d", stepName(i, len(h)), n))
		}
		return strings.Join(parts, ", ")
	}
	return "Rows by junk score. Cheap signals: " + text(j.CheapHistogram) + ". Content: " + text(j.ContentHistogram) + "."
}

// step is the width of a bar.
const step = 0.25

func stepName(i, n int) string {
	if i == n-1 {
		return fmt.Sprintf("≥ %g", step*float64(i))
	}
	return fmt.Sprintf("%g–%g", step*float64(i), step*float64(i+1))
}

// junkFigure draws the histograms of the scores beside each other. Counts are on a
// scale of log10(1 + n), as junk is rare.
func junkFigure(j *dataset.JunkReport) (*figure.Figure, error) {
	f := figure.New("Junk scores", "score", "rows")
	f.Height = 4 * vg.Inch
	n := len(j.CheapHistogram)
	most := 0.0
	width := vg.Points(16)
	for k, h := range []struct {
		name   string
		counts []int64
		colour color.NRGBA
	}{{"cheap signals", j.CheapHistogram, figure.Blue()}, {"label against genes", j.ContentHistogram, figure.Orange()}} {
		values := make(plotter.Values, len(h.counts))
		for i, c := range h.counts {
			values[i] = math.Log10(1 + float64(c))
			most = math.Max(most, values[i])
		}
		bars, err := plotter.NewBarChart(values, width)
		if err != nil {
			return nil, err
		}
		bars.Color, bars.LineStyle.Width, bars.Offset = h.colour, 0, width*vg.Length(k)-width/2
		f.Plot.Add(bars)
		f.Plot.Legend.Add(h.name, bars)
	}
	// Scores above 1 begin between two bars.
	at := 1/step - 0.5
	if err := f.Line("junk begins", [][2]float64{{at, 0}, {at, most * 1.15}}, figure.Grey()); err != nil {
		return nil, err
	}
	var names []string
	for i := range n {
		names = append(names, stepName(i, n))
	}
	f.Plot.NominalX(names...)
	f.Plot.Y.Min, f.Plot.Y.Max = 0, most*1.15
	ticks := []plot.Tick{{Value: 0, Label: "0"}}
	for v := 1.0; math.Log10(1+v) <= f.Plot.Y.Max; v *= 10 {
		ticks = append(ticks, plot.Tick{Value: math.Log10(1 + v), Label: grouped(int64(v))})
	}
	f.Plot.Y.Tick.Marker = plot.ConstantTicks(ticks)
	return f, nil
}

// leadsSection shows what the first words are.
func leadsSection(r *auditReport) report.Section {
	t := report.Table{Filter: len(r.Leads) > 20, FilterBy: "kind", Columns: []report.Column{
		{Name: "kind"},
		{Name: "label"},
		{Name: "rows", Number: true, Help: "with words enough"},
		{Name: "median", Number: true, Help: "share of the first 50 words, the first counting most"},
		{Name: "limit", Number: true, Help: "beyond which a row is flagged; – where none can be"},
		{Name: "most", Number: true, Help: "the highest share"},
		{Name: "flagged", Number: true},
	}}
	share := func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
	for _, l := range r.Leads {
		if l.Most < 0.001 {
			continue // there is no such gene among the first
		}
		limit := "–"
		if l.Limit < 1 {
			limit = share(l.Limit)
		}
		t.Rows = append(t.Rows, []string{l.Kind, l.Label, fmt.Sprint(l.Rows), share(l.Median), limit, share(l.Most), fmt.Sprint(l.Flagged)})
	}
	if len(t.Rows) == 0 {
		return report.Section{}
	}
	slices.SortStableFunc(t.Rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return report.Section{
		Title:  "What sentences begin with",
		Text:   []string{fmt.Sprintf("Ribosomal genes lead healthy sentences, too, and how much hangs on the cell type: rows are compared with others of their label, and flagged more than %g MADs above the median.", r.Settings.MADs)},
		Tables: []report.Table{t},
	}
}

// lineagesSection counts mixtures.
func lineagesSection(r *auditReport) report.Section {
	t := report.Table{Columns: []report.Column{{Name: "markers of"}, {Name: "in cells of"}, {Name: "rows", Number: true}}}
	for _, l := range r.Lineages {
		of := l.Of
		if of == "" {
			of = "no lineage"
		}
		t.Rows = append(t.Rows, []string{l.Name, of, fmt.Sprint(l.Rows)})
	}
	return report.Section{Title: "Cells with the markers of two lineages", Tables: []report.Table{t}}
}

// unknownSection lists words that are no genes.
func unknownSection(r *auditReport) report.Section {
	t := report.Table{Columns: []report.Column{{Name: "word"}, {Name: "times", Number: true}}}
	for _, w := range r.Unknown.Most {
		t.Rows = append(t.Rows, []string{printable(w.Word), fmt.Sprint(w.Count)})
	}
	return report.Section{
		Title:  "Words outside the vocabulary",
		Text:   []string{fmt.Sprintf("%s in %s; the most frequent:", plural(r.Unknown.Words, "word"), plural(r.Unknown.Rows, "row"))},
		Tables: []report.Table{t},
	}
}

// examplesSection shows rows to look at.
func examplesSection(r *auditReport) report.Section {
	t := report.Table{Filter: true, FilterBy: "flag", Columns: []report.Column{
		{Name: "flag"},
		{Name: "dataset"},
		{Name: "row", Number: true, Help: "counted from 0"},
		{Name: "cell"},
		{Name: "label"},
		{Name: "next label", Help: "the label that fits best beside its own"},
		{Name: "genes", Number: true},
		{Name: "cheap", Number: true, Help: "the first junk score"},
		{Name: "content", Number: true, Help: "the second"},
		{Name: "begins with"},
	}}
	for _, e := range r.Examples {
		content := "–"
		if e.Content != nil {
			content = fmt.Sprintf("%.2f", *e.Content)
		}
		t.Rows = append(t.Rows, []string{
			e.Flag, e.Input, fmt.Sprint(e.Row), printable(e.Name), printable(e.Label), printable(e.Rival),
			fmt.Sprint(e.Words), fmt.Sprintf("%.2f", e.Cheap), content, printable(e.Begins),
		})
	}
	return report.Section{
		Title:  "Rows to look at",
		Text:   []string{fmt.Sprintf("Up to %d of each flag.", r.Settings.Examples)},
		Tables: []report.Table{t},
	}
}
