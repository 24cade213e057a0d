// Package scalingplot draws runs with the curves that were fitted to them. Start with
// [Write].
package scalingplot

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/perturb/scaling"
)

// Run is a run and its fit.
type Run struct {
	Name   string
	Points []scaling.Point
	Fit    *scaling.Fit
}

// Write draws runs as "svg" or "png": reward over the logarithm of compute, the curves,
// thin lines for their intervals, and the ceilings.
func Write(w io.Writer, runs []Run, format string) error {
	f := figure.New("Reward over compute", "log10 of compute", "reward")
	f.LegendLeft()
	colours := []color.NRGBA{figure.Blue(), figure.Orange(), figure.Green(), figure.Purple()}
	for i, r := range runs {
		if err := draw(f, r, colours[i%len(colours)]); err != nil {
			return err
		}
	}
	switch format {
	case "svg":
		return f.SVG(w)
	case "png":
		return f.PNG(w)
	}
	return fmt.Errorf("plot format %q is neither svg nor png", format)
}

// steps is the number of places at which a curve is drawn.
const steps = 120

func draw(f *figure.Figure, r Run, colour color.NRGBA) error {
	var points [][2]float64
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range r.Points {
		if p.Compute > 0 {
			x := math.Log10(p.Compute)
			points = append(points, [2]float64{x, p.Reward})
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	for _, c := range r.Fit.Forecasts {
		hi = max(hi, math.Log10(c.Compute))
	}
	if len(points) == 0 {
		return nil
	}
	f.AddCloud(figure.Points{XY: points, Colour: colour})
	var curve, below, above [][2]float64
	for i := range steps {
		x := lo + (hi-lo)*float64(i)/(steps-1)
		c := r.Fit.Forecast(math.Pow(10, x))
		curve = append(curve, [2]float64{x, c.Reward})
		below, above = append(below, [2]float64{x, c.CI[0]}), append(above, [2]float64{x, c.CI[1]})
	}
	pale := colour
	pale.A = 90
	for _, line := range []struct {
		name   string
		xy     [][2]float64
		colour color.NRGBA
	}{
		{r.Name, curve, colour},
		{"", below, pale},
		{"", above, pale},
		{"", [][2]float64{{lo, r.Fit.A}, {hi, r.Fit.A}}, figure.Grey()},
	} {
		if err := f.Line(line.name, line.xy, line.colour); err != nil {
			return err
		}
	}
	return nil
}
