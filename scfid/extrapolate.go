package scfid

import (
	"context"
	"math"
)

// Point is the distance between random parts of both sides.
type Point struct {
	NReal int   `json:"n_real"`
	NGen  int   `json:"n_gen"`
	FD    Value `json:"fd"`
}

// Extrapolation is the distance at infinitely many cells, FD∞: the intercept of a
// line through the distances of random parts of both sides, from a half to all
// cells, against 1/n_real + 1/n_gen (M. Chong and D. Forsyth, "Effectively Unbiased
// FID and Inception Score and Where to Find Them", CVPR 2020, who take 1/n).
type Extrapolation struct {
	Value  Value   `json:"value"`
	SE     Value   `json:"se"`    // of the line alone: parts share their cells
	Slope  Value   `json:"slope"` // of the bias, against 1/n_real + 1/n_gen
	Points []Point `json:"points"`
}

func (e *evaluation) extrapolate(ctx context.Context, real, gen *pool) (Extrapolation, error) {
	out := Extrapolation{Value: missing, SE: missing, Slope: missing}
	k := e.cfg.Sizes
	var x, y []float64
	for i := range k {
		share := 0.5 + 0.5*float64(i)/float64(k-1)
		n, m := int(math.Round(share*float64(real.rows.Len()))), int(math.Round(share*float64(gen.rows.Len())))
		if n < 2 || m < 2 {
			return out, nil
		}
		a, _, err := real.split(ctx, newDraws(e.cfg.Seed, forSizes, 2*i), n, 0)
		if err != nil {
			return out, err
		}
		b, _, err := gen.split(ctx, newDraws(e.cfg.Seed, forSizes, 2*i+1), m, 0)
		if err != nil {
			return out, err
		}
		f, err := Distance(ctx, a, b)
		if err != nil {
			return out, err
		}
		x, y = append(x, inverseSum(a.n, b.n)), append(y, f.Value)
		out.Points = append(out.Points, Point{a.n, b.n, Value(f.Value)})
	}
	intercept, slope, se := line(x, y)
	out.Value, out.Slope, out.SE = Value(intercept), Value(slope), Value(se)
	return out, nil
}

// line is the least squares line through points, and the standard error of its
// intercept.
func line(x, y []float64) (intercept, slope, se float64) {
	n := float64(len(x))
	mx, _ := meanSD(x)
	my, _ := meanSD(y)
	var sxx, sxy float64
	for i := range x {
		sxx += float64((x[i] - mx) * (x[i] - mx))
		sxy += float64((x[i] - mx) * (y[i] - my))
	}
	slope = sxy / sxx
	intercept = my - slope*mx
	rss := 0.0
	for i := range x {
		r := y[i] - intercept - slope*x[i]
		rss += r * r
	}
	return intercept, slope, math.Sqrt(rss / (n - 2) * (1/n + mx*mx/sxx))
}
