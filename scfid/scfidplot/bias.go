package scfidplot

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cellsentence/c2s/internal/figure"
)

// BiasPoint is what a simulation gave for two sets of N cells.
type BiasPoint struct {
	N              int
	FD, FDInfinity float64
	KID            float64
}

// Simulated is how FD, FD∞ and KID behave for two sets of one distribution, as an
// example: normal in 512 dimensions with the variances 1, 1/2, 1/3 …, whose sum is
// 6.82; means of 10 repeats up to 500 cells a side, 5 up to 2,000 and 3 beyond.
func Simulated() (points []BiasPoint, dim int) {
	return []BiasPoint{
		{50, 5.814, 4.277, -0.000021},
		{100, 4.378, 2.940, -0.000062},
		{200, 2.984, 1.686, 0.000006},
		{500, 1.447, 0.331, -0.000009},
		{1000, 0.725, 0.002, 0.000026},
		{2000, 0.356, -0.005, -0.000004},
		{5000, 0.144, 0.002, -0.000009},
	}, 512
}

// Bias draws how the distance of sets of one distribution grows as they get
// smaller, and where the extrapolation stops helping: at few cells a dimension.
func Bias(points []BiasPoint, dim int) (*figure.Figure, error) {
	if len(points) == 0 {
		return nil, errNothing("points")
	}
	f := figure.New("Equal distributions: the distance is bias", "cells a side", "FD")
	p := f.Plot
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = plot.LogTicks{Prec: -1}
	var fd, infinity plotter.XYs
	top := 0.0
	for _, q := range points {
		fd = append(fd, plotter.XY{X: float64(q.N), Y: q.FD})
		infinity = append(infinity, plotter.XY{X: float64(q.N), Y: q.FDInfinity})
		top = max(top, q.FD)
	}
	for _, s := range []struct {
		name  string
		xy    plotter.XYs
		style draw.GlyphStyle
	}{
		{"FD", fd, draw.GlyphStyle{Color: figure.Blue(), Radius: vg.Points(3), Shape: draw.CircleGlyph{}}},
		{"FD∞", infinity, draw.GlyphStyle{Color: figure.Red(), Radius: vg.Points(3), Shape: draw.RingGlyph{}}},
	} {
		line, marks, err := plotter.NewLinePoints(s.xy)
		if err != nil {
			return nil, err
		}
		marks.GlyphStyle, line.Color = s.style, s.style.Color
		p.Add(line, marks)
		p.Legend.Add(s.name, line, marks)
	}
	for _, factor := range []int{2, 4} {
		at := float64(factor * dim)
		line, err := plotter.NewLine(plotter.XYs{{X: at, Y: 0}, {X: at, Y: 0.7 * top}})
		if err != nil {
			return nil, err
		}
		line.Color, line.Dashes = figure.Grey(), []vg.Length{vg.Points(float64(factor)), vg.Points(2)}
		p.Add(line)
		p.Legend.Add(fmt.Sprintf("%d cells a dimension", factor), line)
	}
	f.Width, f.Height = 6*vg.Inch, 4*vg.Inch
	return f, nil
}
