package figure

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// resolution is the dots per inch of PNG files.
const resolution = 144

var (
	blue = color.RGBA{0x44, 0x77, 0xaa, 0xff}
	red  = color.RGBA{0xee, 0x66, 0x77, 0xff}
	grey = color.RGBA{0x88, 0x88, 0x88, 0xff}
)

// Figure is a plot and the size that it is drawn at.
type Figure struct {
	Plot          *plot.Plot
	Width, Height vg.Length
}

// PNG writes a figure as PNG.
func PNG(w io.Writer, f *Figure) error {
	c := vgimg.NewWith(vgimg.UseWH(f.Width, f.Height), vgimg.UseDPI(resolution))
	f.Plot.Draw(draw.New(c))
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// SVG writes a figure as SVG.
func SVG(w io.Writer, f *Figure) error {
	c := vgsvg.New(f.Width, f.Height)
	f.Plot.Draw(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

// short is a name that fits beside an axis.
func short(s string) string {
	const most = 28
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

func errNothing(what string) error { return fmt.Errorf("no %s to draw", what) }
