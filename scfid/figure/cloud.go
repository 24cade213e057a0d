package figure

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cellsentence/c2s/scfid"
)

// MaxVectorPoints is the number of points above which a cloud is a picture: a point
// takes some 125 bytes of SVG.
const MaxVectorPoints = 5000

// Projection draws real and generated cells on the first principal components of
// the real ones.
func Projection(q *scfid.Projection) (*Figure, error) {
	if len(q.Real)+len(q.Gen) == 0 {
		return nil, errNothing("cells")
	}
	p := plot.New()
	p.Title.Text = "Cells on the principal components of the real ones"
	p.X.Label.Text = fmt.Sprintf("PC1 (%.1f %% of the variance)", 100*q.Explained[0])
	p.Y.Label.Text = fmt.Sprintf("PC2 (%.1f %%)", 100*q.Explained[1])
	p.Legend.Top = true
	sets := []struct {
		name   string
		points [][2]float64
		colour color.RGBA
	}{{"real", q.Real, blue}, {"generated", q.Gen, red}}
	raster := len(q.Real)+len(q.Gen) > MaxVectorPoints
	if raster {
		box := bounds(q.Real, q.Gen)
		p.Add(plotter.NewImage(paint(box, q), box[0], box[1], box[2], box[3]))
	}
	for _, s := range sets {
		var xy plotter.XYs
		for _, v := range s.points {
			xy = append(xy, plotter.XY{X: v[0], Y: v[1]})
		}
		if len(xy) == 0 {
			continue
		}
		scatter, err := plotter.NewScatter(xy)
		if err != nil {
			return nil, err
		}
		c := s.colour
		scatter.GlyphStyle = draw.GlyphStyle{Color: color.NRGBA{c.R, c.G, c.B, 0xa0}, Radius: vg.Points(1.3), Shape: draw.CircleGlyph{}}
		if !raster {
			p.Add(scatter)
		}
		p.Legend.Add(fmt.Sprintf("%s (%d)", s.name, len(s.points)), scatter)
	}
	return &Figure{p, 6 * vg.Inch, 5 * vg.Inch}, nil
}

// bounds is xmin, ymin, xmax, ymax of all points, never empty.
func bounds(sets ...[][2]float64) [4]float64 {
	b := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, s := range sets {
		for _, v := range s {
			b = [4]float64{min(b[0], v[0]), min(b[1], v[1]), max(b[2], v[0]), max(b[3], v[1])}
		}
	}
	for k := range 2 {
		if pad := 0.02 * (b[k+2] - b[k]); pad > 0 {
			b[k], b[k+2] = b[k]-pad, b[k+2]+pad
		} else {
			b[k], b[k+2] = b[k]-1, b[k+2]+1
		}
	}
	return b
}

// paint draws the points of both sets in turn, so that neither hides the other.
func paint(box [4]float64, q *scfid.Projection) image.Image {
	const width, height = 1200, 1000
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	dot := func(v [2]float64, c color.RGBA) {
		x := int((v[0] - box[0]) / (box[2] - box[0]) * (width - 1))
		y := int((box[3] - v[1]) / (box[3] - box[1]) * (height - 1))
		for dx := -2; dx <= 2; dx++ {
			for dy := -2; dy <= 2; dy++ {
				if dx*dx+dy*dy <= 5 {
					blend(img, x+dx, y+dy, c)
				}
			}
		}
	}
	for i := range max(len(q.Real), len(q.Gen)) {
		if i < len(q.Real) {
			dot(q.Real[i], blue)
		}
		if i < len(q.Gen) {
			dot(q.Gen[i], red)
		}
	}
	return img
}

// blend lays a half transparent colour over a pixel.
func blend(img *image.NRGBA, x, y int, c color.RGBA) {
	if !(image.Point{X: x, Y: y}).In(img.Rect) {
		return
	}
	old := img.NRGBAAt(x, y)
	if old.A == 0 {
		img.SetNRGBA(x, y, color.NRGBA{c.R, c.G, c.B, 0x80})
		return
	}
	mean := func(a, b uint8) uint8 { return uint8((int(a) + int(b)) / 2) }
	img.SetNRGBA(x, y, color.NRGBA{mean(old.R, c.R), mean(old.G, c.G), mean(old.B, c.B), mean(old.A, 0xff)})
}
