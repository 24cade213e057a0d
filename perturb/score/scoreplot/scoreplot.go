// Package scoreplot draws the results of package score: [Metrics] between their
// anchors, and [Perturbations] of one metric, in the style of internal/figure, which
// writes them.
package scoreplot

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/perturb/score"
)

// The normalised scale is drawn from Lowest to Highest; what lies beyond ends there.
const (
	Lowest  = -1.0
	Highest = 2.0
)

// Most is the number of perturbations that fit a figure.
const Most = 40

// errNothing is what there is to say where nothing is defined.
var errNothing = errors.New("no metric of the result has a normalised score to draw")

// Metrics draws the normalised score of each metric that has one, with its interval,
// between the baseline at 0 and the replicate ceiling at 1.
func Metrics(r *score.Result) (*figure.Figure, error) {
	var values plotter.Values
	var names []string
	var spans figure.Intervals
	for _, m := range slices.Backward(r.Metrics) {
		if math.IsNaN(m.Normalised) {
			continue
		}
		y := float64(len(values))
		values, names = append(values, cut(m.Normalised)), append(names, m.Name)
		if !math.IsNaN(m.Low) {
			spans = append(spans, figure.Interval{Y: y, Low: cut(m.Low), High: cut(m.High)})
		}
	}
	if len(values) == 0 {
		return nil, errNothing
	}
	f := figure.New("Scores between baseline and replicate", "normalised score: 0 baseline, 1 replicate ceiling", "")
	bars, err := plotter.NewBarChart(values, vg.Points(9))
	if err != nil {
		return nil, err
	}
	bars.Horizontal = true
	bars.Color = figure.Sky()
	bars.LineStyle.Width = 0
	f.Plot.Add(bars)
	for i, style := range []draw.LineStyle{
		{Color: figure.Grey(), Width: vg.Points(1)},
		{Color: figure.Green(), Width: vg.Points(1), Dashes: []vg.Length{vg.Points(4), vg.Points(2)}},
	} {
		at := float64(i)
		line, err := plotter.NewLine(plotter.XYs{{X: at, Y: -0.6}, {X: at, Y: float64(len(values)) - 0.4}})
		if err != nil {
			return nil, err
		}
		line.LineStyle = style
		f.Plot.Add(line)
	}
	if len(spans) > 0 {
		f.Plot.Add(spans)
	}
	f.Plot.NominalY(names...)
	f.Plot.X.Min, f.Plot.X.Max = min(f.Plot.X.Min, 0), max(f.Plot.X.Max, 1.05)
	f.Width, f.Height = 7*vg.Inch, vg.Points(80+15*float64(len(values)))
	return f, nil
}

func cut(v float64) float64 { return max(Lowest, min(Highest, v)) }

// Shown is the metric that [Perturbations] draws: the first that has values by
// perturbation and a normalised score, nil if none has.
func Shown(r *score.Result) *score.Anchored {
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Values != nil && !math.IsNaN(m.Normalised) && m.Scored > 1 {
			return m
		}
	}
	return nil
}

// Perturbations draws one metric of each perturbation as a point, and as a line what
// lies between its baseline and its ceiling; the best first. Of more than Most the best
// and the worst are drawn.
func Perturbations(r *score.Result, m *score.Anchored) (*figure.Figure, error) {
	var order []int
	for k, v := range m.Values {
		if !math.IsNaN(v) {
			order = append(order, k)
		}
	}
	if len(order) == 0 {
		return nil, errNothing
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if better(m, m.Values[a], m.Values[b]) {
			return -1
		}
		if better(m, m.Values[b], m.Values[a]) {
			return 1
		}
		return 0
	})
	if len(order) > Most {
		order = slices.Concat(order[:Most/2], order[len(order)-Most/2:])
	}
	slices.Reverse(order)
	f := figure.New(m.Name+" by perturbation", m.Name, "")
	var points, baselines, ceilings plotter.XYs
	var names []string
	for i, k := range order {
		y := float64(i)
		names = append(names, short(r.Perturbations[k]))
		points = append(points, plotter.XY{X: m.Values[k], Y: y})
		low, high := m.BaselineValues[k], m.CeilingValues[k]
		if !math.IsNaN(low) {
			baselines = append(baselines, plotter.XY{X: low, Y: y})
		}
		if !math.IsNaN(high) {
			ceilings = append(ceilings, plotter.XY{X: high, Y: y})
		}
		if !math.IsNaN(low + high) {
			line, err := plotter.NewLine(plotter.XYs{{X: low, Y: y}, {X: high, Y: y}})
			if err != nil {
				return nil, err
			}
			line.LineStyle = draw.LineStyle{Color: figure.Grey(), Width: vg.Points(1)}
			f.Plot.Add(line)
		}
	}
	for _, of := range []struct {
		name  string
		xy    plotter.XYs
		style draw.GlyphStyle
	}{
		{"baseline", baselines, draw.GlyphStyle{Color: figure.Red(), Radius: vg.Points(4), Shape: draw.PlusGlyph{}}},
		{"ceiling", ceilings, draw.GlyphStyle{Color: figure.Green(), Radius: vg.Points(4), Shape: draw.CrossGlyph{}}},
		{"prediction", points, draw.GlyphStyle{Color: figure.Blue(), Radius: vg.Points(3.5), Shape: draw.CircleGlyph{}}},
	} {
		if len(of.xy) == 0 {
			continue
		}
		marks, err := plotter.NewScatter(of.xy)
		if err != nil {
			return nil, err
		}
		marks.GlyphStyle = of.style
		f.Plot.Add(marks)
		f.Plot.Legend.Add(of.name, marks)
	}
	f.Plot.NominalY(names...)
	f.Plot.Y.Max = float64(len(order)) + 2.4 // room for the legend
	f.Width, f.Height = 7*vg.Inch, vg.Points(130+15*float64(len(order)))
	return f, nil
}

func better(m *score.Anchored, a, b float64) bool {
	if m.Lower {
		return a < b
	}
	return a > b
}

func short(s string) string {
	const most = 28
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
