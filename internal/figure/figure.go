// Package figure is how plots of c2s look: sizes, fonts, colours that people with
// any colour vision tell apart, PNG and SVG files, and clouds of points that become
// a picture where there are many.
//
// Start with [New], add to its Plot, and write it with [Figure.PNG] or [Figure.SVG].
package figure

import (
	"bytes"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours of Okabe and Ito ("Color Universal Design", 2008).

// Blue is the first colour of a plot.
func Blue() color.NRGBA { return color.NRGBA{0, 114, 178, 255} }

// Orange is the colour beside blue.
func Orange() color.NRGBA { return color.NRGBA{230, 159, 0, 255} }

// Green is the third colour.
func Green() color.NRGBA { return color.NRGBA{0, 158, 115, 255} }

// Purple is the fourth colour.
func Purple() color.NRGBA { return color.NRGBA{204, 121, 167, 255} }

// Red is the colour of what is to be seen first.
func Red() color.NRGBA { return color.NRGBA{213, 94, 0, 255} }

// Sky is the colour of areas and of many points.
func Sky() color.NRGBA { return color.NRGBA{86, 180, 233, 255} }

// Black is the colour of references.
func Black() color.NRGBA { return color.NRGBA{0, 0, 0, 255} }

// Grey is the colour of what stays behind.
func Grey() color.NRGBA { return color.NRGBA{128, 128, 128, 255} }

// resolution is the dots per inch of PNG files.
const resolution = 144

// Figure is a plot and the size at which it is drawn.
type Figure struct {
	Plot          *plot.Plot
	Width, Height vg.Length
}

// New is a figure of 7 × 5 inches with its title and the labels of its axes.
func New(title, x, y string) *Figure {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	for _, f := range []*draw.TextStyle{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		f.Font.Variant = "Sans"
	}
	p.Title.Padding = vg.Points(6)
	p.X.Padding, p.Y.Padding = vg.Points(4), vg.Points(4)
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(2)
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(-8), vg.Points(-4)
	return &Figure{p, 7 * vg.Inch, 5 * vg.Inch}
}

// LegendLeft moves the legend to the left.
func (f *Figure) LegendLeft() {
	f.Plot.Legend.Left = true
	f.Plot.Legend.XOffs = vg.Points(8)
}

// margin is the space around the plot, which what is at the edge runs over.
const margin = 8

func (f *Figure) draw(c vg.CanvasSizer) {
	f.Plot.Draw(draw.Crop(draw.New(c), margin, -2*margin, margin, -margin))
}

// PNG writes the figure as PNG, at 144 dots an inch.
func (f *Figure) PNG(w io.Writer) error {
	c := vgimg.NewWith(vgimg.UseWH(f.Width, f.Height), vgimg.UseDPI(resolution))
	f.draw(c)
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// SVG writes the figure as SVG.
func (f *Figure) SVG(w io.Writer) error {
	c := vgsvg.New(f.Width, f.Height)
	f.draw(c)
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	// Fonts of the same widths, for machines without the one that was measured with.
	_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arimo,Arial,Helvetica,sans-serif")))
	return err
}
