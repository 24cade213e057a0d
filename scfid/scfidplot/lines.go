package scfidplot

import (
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/scfid"
)

// Extrapolation draws the distance of random parts against 1/n_real + 1/n_gen and
// the line to FD∞, at 0.
func Extrapolation(s *scfid.Scores) (*figure.Figure, error) {
	e := s.Extrapolation
	if e.Value.Missing() || len(e.Points) == 0 {
		return nil, errNothing("extrapolation")
	}
	f := figure.New("Extrapolation to infinitely many cells", "1/n_real + 1/n_gen", "FD")
	p := f.Plot
	var points plotter.XYs
	last := 0.0
	for _, q := range e.Points {
		x := 1/float64(q.NReal) + 1/float64(q.NGen)
		last = max(last, x)
		points = append(points, plotter.XY{X: x, Y: float64(q.FD)})
	}
	line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: float64(e.Value)}, {X: last, Y: float64(e.Value) + float64(e.Slope)*last}})
	if err != nil {
		return nil, err
	}
	line.Color, line.Width = figure.Grey(), vg.Points(1)
	scatter, err := plotter.NewScatter(points)
	if err != nil {
		return nil, err
	}
	scatter.GlyphStyle = draw.GlyphStyle{Color: figure.Blue(), Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
	end, err := plotter.NewScatter(plotter.XYs{{X: 0, Y: float64(e.Value)}})
	if err != nil {
		return nil, err
	}
	end.GlyphStyle = draw.GlyphStyle{Color: figure.Red(), Radius: vg.Points(4), Shape: draw.RingGlyph{}}
	p.Add(line, scatter, end)
	f.LegendLeft()
	p.Legend.Add("parts of the cells", scatter)
	p.Legend.Add("FD∞", end)
	p.X.Min = 0
	p.Y.Min = min(p.Y.Min, 0)
	f.Width, f.Height = 6*vg.Inch, 4*vg.Inch
	return f, nil
}
