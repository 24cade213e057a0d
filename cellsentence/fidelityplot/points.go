package fidelityplot

import (
	"image"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cellsentence/c2s/cellsentence"
)

const (
	// maxVectors is how many points are drawn as shapes: one takes 125 bytes of SVG.
	maxVectors = 5000
	// dotsPerInch is the resolution of those that become a picture.
	dotsPerInch = 150
	radius      = vg.Length(1)
)

// addPoints adds points, as shapes or as a picture.
func addPoints(plt *plot.Plot, name string, p []cellsentence.Point, col color.NRGBA) error {
	if len(p) == 0 {
		return nil
	}
	scatter, err := plotter.NewScatter(points(p))
	if err != nil {
		return err
	}
	scatter.GlyphStyle = draw.GlyphStyle{Color: col, Radius: radius, Shape: draw.CircleGlyph{}}
	if len(p) > maxVectors {
		plt.Add(&raster{points(p), col})
	} else {
		plt.Add(scatter)
	}
	if name != "" {
		plt.Legend.Add(name, scatter)
	}
	return nil
}

// raster draws points as a picture. It implements [plot.Plotter] and
// [plot.DataRanger].
type raster struct {
	points points
	color  color.NRGBA
}

// Plot implements [plot.Plotter].
func (r *raster) Plot(c draw.Canvas, plt *plot.Plot) {
	size := c.Rectangle.Size()
	w, h := int(size.X.Dots(dotsPerInch)), int(size.Y.Dots(dotsPerInch))
	if w < 1 || h < 1 {
		return
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	// Where points lie over each other the picture becomes denser.
	dot := r.color
	dot.A = 96
	for _, p := range r.points {
		x := int(plt.X.Norm(p.X) * float64(w-1))
		y := int((1 - plt.Y.Norm(p.Y)) * float64(h-1))
		for dx := range 2 {
			for dy := range 2 {
				darken(img, x+dx, y+dy, dot)
			}
		}
	}
	c.DrawImage(c.Rectangle, img)
}

// darken lays a dot over a pixel.
func darken(img *image.NRGBA, x, y int, dot color.NRGBA) {
	if !(image.Point{X: x, Y: y}.In(img.Rect)) {
		return
	}
	at := img.NRGBAAt(x, y)
	a := int(at.A) + (255-int(at.A))*int(dot.A)/255
	img.SetNRGBA(x, y, color.NRGBA{dot.R, dot.G, dot.B, uint8(a)})
}

// DataRange implements [plot.DataRanger].
func (r *raster) DataRange() (xmin, xmax, ymin, ymax float64) { return plotter.XYRange(r.points) }
