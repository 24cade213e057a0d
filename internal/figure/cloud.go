package figure

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// maxShapes is the number of points above which a cloud is a picture: a point
// takes some 125 bytes of SVG.
const maxShapes = 5000

// Points is a set of points of one colour. Its legend says the name, if it has one.
type Points struct {
	Name   string
	XY     [][2]float64
	Colour color.NRGBA
}

// Cloud draws sets of points, in turn, so that none hides the others. More than
// 5,000 become a picture within the plot, whose size then does not grow with them.
// It implements [plot.Plotter] and [plot.DataRanger].
type Cloud struct {
	sets  []Points
	total int
}

// AddCloud adds sets of points and their legend to a figure.
func (f *Figure) AddCloud(sets ...Points) {
	c := &Cloud{sets: sets}
	for _, s := range sets {
		c.total += len(s.XY)
	}
	if c.total == 0 {
		return
	}
	f.Plot.Add(c)
	for _, s := range sets {
		if s.Name != "" && len(s.XY) > 0 {
			f.Plot.Legend.Add(s.Name, dot(s.Colour))
		}
	}
}

// dot is a point of the legend.
type dot color.NRGBA

// Thumbnail implements [plot.Thumbnailer].
func (d dot) Thumbnail(c *draw.Canvas) {
	c.DrawGlyph(draw.GlyphStyle{Color: color.NRGBA(d), Radius: vg.Points(3), Shape: draw.CircleGlyph{}}, c.Center())
}

// Plot implements [plot.Plotter].
func (c *Cloud) Plot(canvas draw.Canvas, p *plot.Plot) {
	if c.total > maxShapes {
		c.picture(canvas, p)
		return
	}
	x, y := p.Transforms(&canvas)
	c.each(func(v [2]float64, colour color.NRGBA) {
		at := vg.Point{X: x(v[0]), Y: y(v[1])}
		if canvas.Contains(at) {
			colour.A = 160
			canvas.DrawGlyphNoClip(draw.GlyphStyle{Color: colour, Radius: vg.Points(1.3), Shape: draw.CircleGlyph{}}, at)
		}
	})
}

// each calls fn with the points of all sets in turn.
func (c *Cloud) each(fn func(v [2]float64, colour color.NRGBA)) {
	most := 0
	for _, s := range c.sets {
		most = max(most, len(s.XY))
	}
	for i := range most {
		for _, s := range c.sets {
			if i < len(s.XY) {
				fn(s.XY[i], s.Colour)
			}
		}
	}
}

func (c *Cloud) picture(canvas draw.Canvas, p *plot.Plot) {
	size := canvas.Size()
	w, h := int(size.X.Dots(resolution)), int(size.Y.Dots(resolution))
	if w < 1 || h < 1 {
		return
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	c.each(func(v [2]float64, colour color.NRGBA) {
		x, y := p.X.Norm(v[0])*float64(w-1), (1-p.Y.Norm(v[1]))*float64(h-1)
		if math.IsNaN(x) || math.IsNaN(y) || x < 0 || y < 0 {
			return
		}
		colour.A = 96
		for dx := range 2 {
			for dy := range 2 {
				lay(img, int(x)+dx, int(y)+dy, colour)
			}
		}
	})
	canvas.DrawImage(canvas.Rectangle, img)
}

// lay lays a see-through colour over a pixel: where points lie over each other the
// picture becomes denser.
func lay(img *image.NRGBA, x, y int, c color.NRGBA) {
	if !(image.Point{X: x, Y: y}).In(img.Rect) {
		return
	}
	old := img.NRGBAAt(x, y)
	a := float64(c.A) / 255
	under := float64(old.A) / 255 * (1 - a)
	alpha := a + under
	mix := func(top, below uint8) uint8 { return uint8((float64(top)*a + float64(below)*under) / alpha) }
	img.SetNRGBA(x, y, color.NRGBA{mix(c.R, old.R), mix(c.G, old.G), mix(c.B, old.B), uint8(255*alpha + 0.5)})
}

// DataRange implements [plot.DataRanger].
func (c *Cloud) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range c.sets {
		for _, v := range s.XY {
			xmin, xmax, ymin, ymax = min(xmin, v[0]), max(xmax, v[0]), min(ymin, v[1]), max(ymax, v[1])
		}
	}
	return xmin, xmax, ymin, ymax
}

// Line adds a line through points, with its legend if it has a name.
func (f *Figure) Line(name string, xy [][2]float64, colour color.NRGBA) error {
	pts := make(plotter.XYs, len(xy))
	for i, v := range xy {
		pts[i] = plotter.XY{X: v[0], Y: v[1]}
	}
	line, err := plotter.NewLine(pts)
	if err != nil {
		return err
	}
	line.Color, line.Width = colour, vg.Points(1.5)
	f.Plot.Add(line)
	if name != "" {
		f.Plot.Legend.Add(name, line)
	}
	return nil
}
