package screenplot

import (
	"errors"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cellsentence/c2s/internal/figure"
)

// Effect is an estimate with its interval; the interval is NaN where there is none.
type Effect struct{ Value, Low, High float64 }

func (e Effect) bounded() bool { return !math.IsNaN(e.Low) && !math.IsNaN(e.High) }

// Compound is a point of the quadrant plot.
type Compound struct {
	Name              string
	Positive, Neutral Effect
	// Hit draws the point with its intervals and, where there is room, its name.
	Hit bool
	// Decoy does nothing by construction, Control raises the program in both contexts.
	Decoy, Control bool
}

// Quadrant draws the effect in the positive context (up) against that in the neutral
// one (to the right). What is looked for lies at the top of the band, ± margin, within
// which an effect in the neutral context counts as none; a margin of 0 draws no band.
// Compounds are given best first: names that would hide others are left out from the
// end on.
func Quadrant(list []Compound, margin float64) (*figure.Figure, error) {
	groups := []struct {
		name   string
		colour color.NRGBA
		in     func(c *Compound) bool
	}{
		{"decoys", figure.Grey(), func(c *Compound) bool { return c.Decoy }},
		{"compounds", figure.Sky(), func(c *Compound) bool { return !c.Decoy && !c.Control && !c.Hit }},
		{"positive controls", figure.Black(), func(c *Compound) bool { return c.Control }},
		{"context-selective", figure.Red(), func(c *Compound) bool { return c.Hit && !c.Control }},
	}
	f := figure.New("Effect on the program, by context", "neutral context", "positive context")
	f.Width, f.Height = 7*vg.Inch, 6*vg.Inch
	// Where a compound rises in the neutral context and falls in the other: rarely.
	f.Plot.Legend.Top = false
	f.Plot.Legend.YOffs = vg.Points(8)
	var sets []figure.Points
	var named []Compound
	drawn := 0
	for _, g := range groups {
		s := figure.Points{Name: g.name, Colour: g.colour}
		for i := range list {
			c := &list[i]
			if !g.in(c) || !finite(c.Positive.Value) || !finite(c.Neutral.Value) {
				continue
			}
			s.XY = append(s.XY, [2]float64{c.Neutral.Value, c.Positive.Value})
			if c.Hit || c.Control {
				named = append(named, *c)
			}
		}
		drawn += len(s.XY)
		sets = append(sets, s)
	}
	if drawn == 0 {
		return nil, errors.New("no compound has an effect to draw")
	}
	if margin > 0 {
		f.Plot.Add(band(margin))
	}
	f.Plot.Add(axes(true))
	f.AddCloud(sets...)
	f.Plot.Add(marks(named))
	return f, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// band is what counts as no effect in the neutral context.
type band float64

// Plot implements [plot.Plotter].
func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	lo, hi := max(x(-float64(b)), c.Min.X), min(x(float64(b)), c.Max.X)
	if lo >= hi {
		return
	}
	c.FillPolygon(color.NRGBA{0, 158, 115, 36}, []vg.Point{{X: lo, Y: c.Min.Y}, {X: hi, Y: c.Min.Y}, {X: hi, Y: c.Max.Y}, {X: lo, Y: c.Max.Y}})
}

// DataRange implements [plot.DataRanger]: the band is always in sight.
func (b band) DataRange() (xmin, xmax, ymin, ymax float64) {
	return -1.2 * float64(b), 1.2 * float64(b), 0, 0
}

// axes are the lines of no effect, the vertical one too if true.
type axes bool

// Plot implements [plot.Plotter].
func (a axes) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.LineStyle{Color: figure.Grey(), Width: vg.Points(0.5)}
	if at := x(0); bool(a) && at >= c.Min.X && at <= c.Max.X {
		c.StrokeLine2(style, at, c.Min.Y, at, c.Max.Y)
	}
	if at := y(0); at >= c.Min.Y && at <= c.Max.Y {
		c.StrokeLine2(style, c.Min.X, at, c.Max.X, at)
	}
}

// marks are the compounds with intervals and names.
type marks []Compound

// Plot implements [plot.Plotter].
func (m marks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	text := p.Legend.TextStyle
	text.Font.Size = vg.Points(8)
	text.YAlign = draw.YCenter
	var taken []vg.Rectangle
	for i := range m {
		at := vg.Point{X: x(m[i].Neutral.Value), Y: y(m[i].Positive.Value)}
		const r = 3
		taken = append(taken, vg.Rectangle{Min: vg.Point{X: at.X - r, Y: at.Y - r}, Max: vg.Point{X: at.X + r, Y: at.Y + r}})
	}
	for i := range m {
		e := &m[i]
		at := vg.Point{X: x(e.Neutral.Value), Y: y(e.Positive.Value)}
		colour := figure.Red()
		if e.Control {
			colour = figure.Black()
		}
		line := draw.LineStyle{Color: color.NRGBA{colour.R, colour.G, colour.B, 110}, Width: vg.Points(0.8)}
		if e.Neutral.bounded() {
			c.StrokeLine2(line, x(e.Neutral.Low), at.Y, x(e.Neutral.High), at.Y)
		}
		if e.Positive.bounded() {
			c.StrokeLine2(line, at.X, y(e.Positive.Low), at.X, y(e.Positive.High))
		}
		c.DrawGlyph(draw.GlyphStyle{Color: colour, Radius: vg.Points(2.5), Shape: draw.CircleGlyph{}}, at)
		if place, corner, ok := room(at, text.Rectangle(short(e.Name)).Size(), c.Rectangle, taken); ok {
			taken = append(taken, place)
			text.XAlign = corner
			anchor := place.Min.X
			if corner == draw.XRight {
				anchor = place.Max.X
			}
			c.FillText(text, vg.Point{X: anchor, Y: (place.Min.Y + place.Max.Y) / 2}, short(e.Name))
		}
	}
}

// room finds a place for a name beside a point, which hides no other name or point.
func room(at, size vg.Point, within vg.Rectangle, taken []vg.Rectangle) (vg.Rectangle, draw.XAlignment, bool) {
	const gap = 5
	for _, d := range []vg.Length{0, 7, -7, 13, -13} {
		for _, align := range []draw.XAlignment{draw.XLeft, draw.XRight} {
			left := at.X + gap
			if align == draw.XRight {
				left = at.X - gap - size.X
			}
			place := vg.Rectangle{
				Min: vg.Point{X: left, Y: at.Y + d - size.Y/2},
				Max: vg.Point{X: left + size.X, Y: at.Y + d + size.Y/2},
			}
			if place.Min.X < within.Min.X || place.Max.X > within.Max.X || place.Min.Y < within.Min.Y || place.Max.Y > within.Max.Y {
				continue
			}
			free := true
			for _, t := range taken {
				if place.Min.X < t.Max.X && t.Min.X < place.Max.X && place.Min.Y < t.Max.Y && t.Min.Y < place.Max.Y {
					free = false
					break
				}
			}
			if free {
				return place, align, true
			}
		}
	}
	return vg.Rectangle{}, 0, false
}

// short cuts a name to what fits beside a point.
func short(name string) string {
	const most = 24
	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return name
}

// DataRange implements [plot.DataRanger].
func (m marks) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, ymin = math.Inf(1), math.Inf(1)
	xmax, ymax = math.Inf(-1), math.Inf(-1)
	for i := range m {
		for _, v := range []float64{m[i].Neutral.Value, m[i].Neutral.Low, m[i].Neutral.High} {
			if finite(v) {
				xmin, xmax = min(xmin, v), max(xmax, v)
			}
		}
		for _, v := range []float64{m[i].Positive.Value, m[i].Positive.Low, m[i].Positive.High} {
			if finite(v) {
				ymin, ymax = min(ymin, v), max(ymax, v)
			}
		}
	}
	return xmin, xmax, ymin, ymax
}

// Donor is what a compound does in one donor, NaN in a context without cells of it.
type Donor struct {
	Name              string
	Positive, Neutral float64
}

// Donors draws the effect of one compound in each donor: the positive context beside
// the neutral one, joined by a line where the donor is in both.
func Donors(compound string, list []Donor) (*figure.Figure, error) {
	f := figure.New(short(compound), "", "effect")
	f.Width, f.Height = 3.2*vg.Inch, 2.6*vg.Inch
	f.Plot.Title.TextStyle.Font.Size = vg.Points(10)
	f.Plot.Y.Label.TextStyle.Font.Size = vg.Points(9)
	f.Plot.NominalX("neutral", "positive")
	f.Plot.X.Min, f.Plot.X.Max = -0.5, 1.5
	f.Plot.Add(axes(false))
	var neutral, positive plotter.XYs
	for _, d := range list {
		if finite(d.Neutral) && finite(d.Positive) {
			l, err := plotter.NewLine(plotter.XYs{{X: 0, Y: d.Neutral}, {X: 1, Y: d.Positive}})
			if err != nil {
				return nil, err
			}
			l.Color, l.Width = figure.Grey(), vg.Points(0.7)
			f.Plot.Add(l)
		}
		if finite(d.Neutral) {
			neutral = append(neutral, plotter.XY{X: 0, Y: d.Neutral})
		}
		if finite(d.Positive) {
			positive = append(positive, plotter.XY{X: 1, Y: d.Positive})
		}
	}
	if len(neutral)+len(positive) == 0 {
		return nil, errors.New("no donor has an effect to draw")
	}
	for _, s := range []struct {
		xy     plotter.XYs
		colour color.NRGBA
	}{{neutral, figure.Blue()}, {positive, figure.Red()}} {
		if len(s.xy) == 0 {
			continue
		}
		points, err := plotter.NewScatter(s.xy)
		if err != nil {
			return nil, err
		}
		points.GlyphStyle = draw.GlyphStyle{Color: s.colour, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
		f.Plot.Add(points)
	}
	return f, nil
}
