package figure

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Interval is from Low to High at the height Y.
type Interval struct{ Y, Low, High float64 }

// Intervals draws horizontal lines with ends. It implements plot.Plotter and
// plot.DataRanger.
type Intervals []Interval

// Plot implements plot.Plotter.
func (s Intervals) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.LineStyle{Color: color.Black, Width: vg.Points(1)}
	const tick = vg.Length(3)
	for _, l := range s {
		lo, hi, at := x(l.Low), x(l.High), y(l.Y)
		c.StrokeLine2(style, lo, at, hi, at)
		c.StrokeLine2(style, lo, at-tick, lo, at+tick)
		c.StrokeLine2(style, hi, at-tick, hi, at+tick)
	}
}

// DataRange implements plot.DataRanger.
func (s Intervals) DataRange() (xmin, xmax, ymin, ymax float64) {
	if len(s) == 0 {
		return 0, 0, 0, 0
	}
	xmin, xmax, ymin, ymax = s[0].Low, s[0].High, s[0].Y, s[0].Y
	for _, l := range s {
		xmin, xmax, ymin, ymax = min(xmin, l.Low), max(xmax, l.High), min(ymin, l.Y), max(ymax, l.Y)
	}
	return xmin, xmax, ymin, ymax
}
