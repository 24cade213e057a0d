package scfidplot

import (
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/scfid"
)

// bar is one line of a bar chart.
type bar struct {
	name         string
	value, floor scfid.Value
	ci           *[2]float64
}

// Groups draws the distance of all cells, and of each group, as a bar with its
// interval; a mark shows the bias floor, what equal distributions would reach.
func Groups(r *scfid.Result) (*figure.Figure, error) {
	bars := []bar{{"all cells", r.FD, r.BiasFloor, r.CI}}
	for _, g := range r.Groups {
		bars = append(bars, bar{g.Key, g.FD, g.BiasFloor, g.CI})
	}
	return chart(bars, "Fréchet distance by group", "FD (bar), 95 % interval without bias (line), bias floor (mark)")
}

// Ranking draws the distance of each generated set of a comparison.
func Ranking(c *scfid.Comparison) (*figure.Figure, error) {
	var bars []bar
	for _, m := range c.Ranking {
		bars = append(bars, bar{m.Name, m.FD, scfid.Value(0), m.CI})
	}
	if len(bars) == 0 {
		return nil, errNothing("sets")
	}
	return chart(bars, "Fréchet distance to the real cells, equal numbers of cells", "FD (bar), 95 % interval without bias (line)")
}

// chart is a chart of horizontal bars, the first on top.
func chart(bars []bar, title, label string) (*figure.Figure, error) {
	f := figure.New(title, label, "")
	p := f.Plot
	var values plotter.Values
	var names []string
	var floors plotter.XYs
	var lines figure.Intervals
	for i := range bars {
		b := bars[len(bars)-1-i]
		v := float64(b.value)
		if b.value.Missing() {
			v = 0
		}
		values, names = append(values, v), append(names, short(b.name))
		if !b.floor.Missing() && b.floor > 0 {
			floors = append(floors, plotter.XY{X: float64(b.floor), Y: float64(i)})
		}
		if b.ci != nil {
			lines = append(lines, figure.Interval{Y: float64(i), Low: b.ci[0], High: b.ci[1]})
		}
	}
	drawn, err := plotter.NewBarChart(values, vg.Points(10))
	if err != nil {
		return nil, err
	}
	drawn.Horizontal = true
	drawn.Color = figure.Sky()
	drawn.LineStyle.Width = 0
	p.Add(drawn)
	if len(lines) > 0 {
		p.Add(lines)
	}
	if len(floors) > 0 {
		marks, err := plotter.NewScatter(floors)
		if err != nil {
			return nil, err
		}
		marks.GlyphStyle = draw.GlyphStyle{Color: figure.Red(), Radius: vg.Points(5), Shape: draw.PlusGlyph{}}
		p.Add(marks)
	}
	p.NominalY(names...)
	p.X.Min = 0
	f.Width, f.Height = 6*vg.Inch, vg.Points(90+18*float64(len(bars)))
	return f, nil
}
