// Package fidelityplot draws the plots of package cellsentence's fidelity:
// expression over rank with the rank models, expression as decoded over
// expression as measured, and what is left between them by rank.
//
// Start with [Write]. The first two are the plots that the reference package
// cell2sentence writes, under the same names.
package fidelityplot

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot/plotter"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/internal/figure"
)

// Kind is one of the plots. Its string is the file name of the reference package
// without the ending.
type Kind string

// The plots.
const (
	Rank           Kind = "normalized_expression_vs_log_rank"
	Reconstruction Kind = "reconstructed_expression"
	Residuals      Kind = "residual_by_rank"
)

// Kinds lists the plots.
func Kinds() []Kind { return []Kind{Rank, Reconstruction, Residuals} }

// Write draws a plot in a format: png or svg. More than 5,000 points become a picture
// within an SVG, whose size then does not grow with them.
func Write(w io.Writer, kind Kind, p *cellsentence.FidelityPlots, format string) error {
	var f *figure.Figure
	var err error
	switch kind {
	case Rank:
		f, err = rank(p)
	case Reconstruction:
		f, err = reconstruction(p)
	case Residuals:
		f, err = residuals(p)
	default:
		return fmt.Errorf("unknown plot %q", kind)
	}
	if err != nil {
		return err
	}
	switch format {
	case "png":
		return f.PNG(w)
	case "svg":
		return f.SVG(w)
	}
	return fmt.Errorf("unknown format %q of a plot: choose png or svg", format)
}

func rank(p *cellsentence.FidelityPlots) (*figure.Figure, error) {
	f := figure.New("Expression by rank", "log10(1 + rank)", "expression")
	f.AddCloud(figure.Points{XY: coordinates(p.Rank), Colour: figure.Sky()})
	colours := []color.NRGBA{figure.Orange(), figure.Green(), figure.Purple(), figure.Black()}
	return f, lines(f, p.Curves, colours)
}

func reconstruction(p *cellsentence.FidelityPlots) (*figure.Figure, error) {
	f := figure.New("Expression decoded from the rank", "expression", "decoded")
	f.LegendLeft()
	f.AddCloud(
		figure.Points{Name: "linear", XY: coordinates(p.Linear), Colour: figure.Orange()},
		figure.Points{Name: "conditional", XY: coordinates(p.Conditional), Colour: figure.Blue()},
	)
	most := 0.0
	for _, points := range [][]cellsentence.Point{p.Linear, p.Conditional} {
		for _, pt := range points {
			most = max(most, pt.X)
		}
	}
	return f, f.Line("equal", [][2]float64{{0, 0}, {most, most}}, figure.Black())
}

func residuals(p *cellsentence.FidelityPlots) (*figure.Figure, error) {
	f := figure.New("Mean residual by rank", "log10(1 + rank)", "expression − decoded")
	f.Plot.Add(plotter.NewGrid())
	return f, lines(f, p.Residuals, []color.NRGBA{figure.Orange(), figure.Blue()})
}

func lines(f *figure.Figure, curves []cellsentence.Curve, colours []color.NRGBA) error {
	for i, c := range curves {
		if len(c.Points) == 0 {
			continue
		}
		if err := f.Line(c.Label, coordinates(c.Points), colours[i%len(colours)]); err != nil {
			return err
		}
	}
	return nil
}

func coordinates(p []cellsentence.Point) [][2]float64 {
	xy := make([][2]float64, len(p))
	for i, v := range p {
		xy[i] = [2]float64{v.X, v.Y}
	}
	return xy
}
