package main

import (
	"fmt"
	"image/color"
	"math"
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
