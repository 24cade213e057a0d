// Package compareplot draws comparisons of runs. Start with [Ranking], [Frontier] and
// [Doses].
package compareplot

import (
	"cmp"
	"errors"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/perturb/compare"
)

var errNothing = errors.New("there is nothing to draw")

// Ranking draws the overall score of each run with its interval, the best on top. Lines
// stand at the baseline and at the replicate.
func Ranking(r *compare.Result) (*figure.Figure, error) {
	f := figure.New("Overall score", "0: the baseline, 1: a replicate of the real cells", "")
	p := f.Plot
	var names []string
	var marks errorPoints
	n := len(r.Ranking)
	for i := range r.Ranking {
		run := &r.Ranking[n-1-i]
		names = append(names, short(run.Name))
		if run.Overall.Missing() {
			continue
		}
		at := float64(run.Overall)
		low, high := at, at
		if !run.Low.Missing() {
			low, high = float64(run.Low), float64(run.High)
		}
		marks.add(at, float64(i), at-low, high-at)
	}
	if len(marks.XYs) == 0 {
		return nil, errNothing
	}
	for _, at := range []float64{0, 1} {
		line, err := plotter.NewLine(plotter.XYs{{X: at, Y: -0.5}, {X: at, Y: float64(n) - 0.5}})
		if err != nil {
			return nil, err
		}
		line.Color, line.Dashes = figure.Grey(), []vg.Length{vg.Points(3), vg.Points(2)}
		p.Add(line)
	}
	bars, err := plotter.NewXErrorBars(marks)
	if err != nil {
		return nil, err
	}
	bars.Color, bars.Width = figure.Blue(), vg.Points(1.2)
	points, err := scatter(marks.XYs, figure.Blue())
	if err != nil {
		return nil, err
	}
	p.Add(bars, points)
	p.NominalY(names...)
	p.Y.Min, p.Y.Max = -0.5, float64(n)-0.5
	f.Width, f.Height = 6*vg.Inch, vg.Points(90+20*float64(n))
	return f, nil
}

// Frontier draws score over cost: the runs by name, and the line from the origin over
// those that no mix of others beats.
func Frontier(r *compare.Frontier) (*figure.Figure, error) {
	if len(r.Points) == 0 {
		return nil, errNothing
	}
	f := figure.New("Score over cost", r.Unit, "overall score")
	p := f.Plot
	hull := plotter.XYs{{}}
	var on, off, all plotter.XYs
	var names []string
	right := 0.0
	for _, q := range frontierOrder(r.Points) {
		at := plotter.XY{X: q.Cost, Y: q.Score}
		right = max(right, q.Cost)
		all, names = append(all, at), append(names, short(q.Name))
		if q.On {
			hull, on = append(hull, at), append(on, at)
		} else {
			off = append(off, at)
		}
	}
	line, err := plotter.NewLine(hull)
	if err != nil {
		return nil, err
	}
	line.Color, line.Width = figure.Blue(), vg.Points(1.5)
	p.Add(line)
	p.Legend.Add("frontier", line)
	for _, s := range []struct {
		xy     plotter.XYs
		colour color.NRGBA
	}{{on, figure.Blue()}, {off, figure.Grey()}} {
		if len(s.xy) == 0 {
			continue
		}
		points, err := scatter(s.xy, s.colour)
		if err != nil {
			return nil, err
		}
		p.Add(points)
	}
	for i, offset := range apart(all, right) {
		label, err := plotter.NewLabels(plotter.XYLabels{XYs: all[i : i+1], Labels: names[i : i+1]})
		if err != nil {
			return nil, err
		}
		style := &label.TextStyle[0]
		style.Font.Variant, style.Font.Size, style.YAlign = "Sans", labelSize, draw.YCenter
		label.Offset = vg.Point{X: vg.Points(5), Y: offset}
		p.Add(label)
	}
	p.X.Min, p.X.Max = 0, right*1.35 // room for the names
	p.Legend.Top = false
	p.Legend.YOffs = vg.Points(4)
	f.Width, f.Height = 6*vg.Inch, 4*vg.Inch
	return f, nil
}

// labelSize is the height of the names beside points.
const labelSize = vg.Length(9)

// apart moves the names of points that lie close upwards and downwards, so that none
// covers another: an offset for each point, given that the plot is some 220 points high.
func apart(xy plotter.XYs, right float64) []vg.Length {
	low, high := 0.0, 0.0
	order := make([]int, len(xy))
	for i, v := range xy {
		low, high = min(low, v.Y), max(high, v.Y)
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(xy[b].Y, xy[a].Y) })
	scale := 220 / max(high-low, 1e-300)
	at := make([]float64, len(xy)) // heights of the names
	for k, i := range order {
		at[i] = xy[i].Y * scale
		for _, j := range order[:k] {
			if math.Abs(xy[i].X-xy[j].X) < 0.3*right {
				at[i] = min(at[i], at[j]-float64(labelSize)-1)
			}
		}
	}
	out := make([]vg.Length, len(xy))
	for i := range out {
		out[i] = vg.Length(at[i] - xy[i].Y*scale)
	}
	return out
}

// frontierOrder is the points by rising cost, so that the line of the frontier runs from
// left to right.
func frontierOrder(points []compare.Point) []compare.Point {
	out := slices.Clone(points)
	slices.SortStableFunc(out, func(a, b compare.Point) int {
		return cmp.Or(cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.Score, b.Score))
	})
	return out
}

// Doses draws score over the dose of junk, with intervals over perturbations.
func Doses(t *compare.Trend) (*figure.Figure, error) {
	f := figure.New("Score and junk", "junk among the training tokens, %", t.Metric)
	var marks errorPoints
	for _, d := range t.Doses {
		if d.Score.Missing() {
			continue
		}
		at := float64(d.Score)
		low, high := at, at
		if !d.Low.Missing() {
			low, high = float64(d.Low), float64(d.High)
		}
		marks.add(float64(d.Dose), at, at-low, high-at)
	}
	if len(marks.XYs) == 0 {
		return nil, errNothing
	}
	line, err := plotter.NewLine(marks.XYs)
	if err != nil {
		return nil, err
	}
	line.Color = figure.Blue()
	bars, err := plotter.NewYErrorBars(upright{marks})
	if err != nil {
		return nil, err
	}
	bars.Color, bars.Width = figure.Blue(), vg.Points(1.2)
	points, err := scatter(marks.XYs, figure.Blue())
	if err != nil {
		return nil, err
	}
	f.Plot.Add(line, bars, points)
	f.Plot.X.Min, f.Plot.X.Max = -2, 102
	f.Width, f.Height = 6*vg.Inch, 4*vg.Inch
	return f, nil
}

func scatter(xy plotter.XYs, colour color.NRGBA) (*plotter.Scatter, error) {
	s, err := plotter.NewScatter(xy)
	if err != nil {
		return nil, err
	}
	s.GlyphStyle = draw.GlyphStyle{Color: colour, Radius: vg.Points(3.2), Shape: draw.CircleGlyph{}}
	return s, nil
}

// errorPoints are points with lengths to either side, as gonum's error bars want them.
type errorPoints struct {
	plotter.XYs
	sides []struct{ Low, High float64 }
}

func (e *errorPoints) add(x, y, low, high float64) {
	e.XYs = append(e.XYs, plotter.XY{X: x, Y: y})
	e.sides = append(e.sides, struct{ Low, High float64 }{low, high})
}

// XError implements [plotter.XErrorer].
func (e errorPoints) XError(i int) (low, high float64) { return e.sides[i].Low, e.sides[i].High }

// upright has the lengths below and above.
type upright struct{ errorPoints }

// YError implements [plotter.YErrorer].
func (u upright) YError(i int) (low, high float64) { return u.XError(i) }

// short cuts a long name at its front, since ends tell runs apart.
func short(name string) string {
	const most = 28
	name = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, name)
	if r := []rune(name); len(r) > most {
		return "…" + string(r[len(r)-most+1:])
	}
	return name
}
