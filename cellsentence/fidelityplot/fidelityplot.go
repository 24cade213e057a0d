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

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/cellsentence/c2s/cellsentence"
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

// The size of a plot. At 96 dots an inch a PNG has 672 × 480.
const (
	width  = 7 * vg.Inch
	height = 5 * vg.Inch
)

// Colours that people with any colour vision tell apart (Okabe and Ito, 2008).
var (
	blue   = color.NRGBA{0, 114, 178, 255}
	orange = color.NRGBA{230, 159, 0, 255}
	green  = color.NRGBA{0, 158, 115, 255}
	purple = color.NRGBA{204, 121, 167, 255}
	black  = color.NRGBA{0, 0, 0, 255}
)

// Write draws a plot in a format: png, svg or pdf. More than 5,000 points become a
// picture within an SVG or PDF, whose size then does not grow with them.
func Write(w io.Writer, kind Kind, p *cellsentence.FidelityPlots, format string) error {
	switch format {
	case "png", "svg", "pdf":
	default:
		return fmt.Errorf("unknown format %q of a plot: choose png, svg or pdf", format)
	}
	plt := plot.New()
	plt.Legend.Top = true
	var err error
	switch kind {
	case Rank:
		err = rank(plt, p)
	case Reconstruction:
		err = reconstruction(plt, p)
	case Residuals:
		err = residuals(plt, p)
	default:
		return fmt.Errorf("unknown plot %q", kind)
	}
	if err != nil {
		return err
	}
	out, err := plt.WriterTo(width, height, format)
	if err != nil {
		return err
	}
	_, err = out.WriteTo(w)
	return err
}

func rank(plt *plot.Plot, p *cellsentence.FidelityPlots) error {
	plt.Title.Text = "Expression by rank"
	plt.X.Label.Text, plt.Y.Label.Text = "log10(1 + rank)", "expression"
	if err := addPoints(plt, "", p.Rank, blue); err != nil {
		return err
	}
	for i, c := range p.Curves {
		if err := addCurve(plt, c, []color.Color{orange, green, purple, black}[i%4]); err != nil {
			return err
		}
	}
	return nil
}

func reconstruction(plt *plot.Plot, p *cellsentence.FidelityPlots) error {
	plt.Title.Text = "Expression decoded from the rank"
	plt.X.Label.Text, plt.Y.Label.Text = "expression", "decoded"
	plt.Legend.Left = true
	most := 0.0
	for _, s := range []struct {
		name   string
		points []cellsentence.Point
		color  color.NRGBA
	}{{"linear", p.Linear, orange}, {"conditional", p.Conditional, blue}} {
		if len(s.points) == 0 {
			continue
		}
		if err := addPoints(plt, s.name, s.points, s.color); err != nil {
			return err
		}
		for _, pt := range s.points {
			most = max(most, pt.X)
		}
	}
	return addCurve(plt, cellsentence.Curve{Label: "equal", Points: []cellsentence.Point{{}, {X: most, Y: most}}}, black)
}

func residuals(plt *plot.Plot, p *cellsentence.FidelityPlots) error {
	plt.Title.Text = "Mean residual by rank"
	plt.X.Label.Text, plt.Y.Label.Text = "log10(1 + rank)", "expression − decoded"
	plt.Add(plotter.NewGrid())
	for i, c := range p.Residuals {
		if err := addCurve(plt, c, []color.Color{orange, blue}[i%2]); err != nil {
			return err
		}
	}
	return nil
}

func addCurve(plt *plot.Plot, c cellsentence.Curve, col color.Color) error {
	if len(c.Points) == 0 {
		return nil
	}
	line, err := plotter.NewLine(points(c.Points))
	if err != nil {
		return err
	}
	line.Color, line.Width = col, vg.Points(1.5)
	plt.Add(line)
	plt.Legend.Add(c.Label, line)
	return nil
}

// points are coordinates for gonum/plot.
type points []cellsentence.Point

func (p points) Len() int                { return len(p) }
func (p points) XY(i int) (x, y float64) { return p[i].X, p[i].Y }
