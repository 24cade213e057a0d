package scfid

import (
	"context"
	"math"
	"math/rand/v2"

	kernel "github.com/cellsentence/c2s/internal/blas"
)

// Projection is real and generated cells on the first two principal components of
// the real ones.
type Projection struct {
	Real, Gen [][2]float64
	// Explained is the share of the real cells' variance on each axis.
	Explained [2]float64
}

// Project computes a projection of at most limit cells a side, drawn at random from
// the seed; 0 means 5,000. Of them, rows with NaN or infinite values are left out.
func Project(ctx context.Context, real, gen Rows, limit int, seed uint64) (*Projection, error) {
	if real.Dim() != gen.Dim() {
		return nil, badInput("embeddings of %d and of %d dimensions have no common projection", real.Dim(), gen.Dim())
	}
	if limit <= 0 {
		limit = 5000
	}
	d := real.Dim()
	x, err := load(ctx, pick(real, newDraws(seed, forProjection, 0).Sample(real.Len(), limit)))
	if err != nil {
		return nil, err
	}
	y, err := load(ctx, pick(gen, newDraws(seed, forProjection, 1).Sample(gen.Len(), limit)))
	if err != nil {
		return nil, err
	}
	if x, y = finite(x, d), finite(y, d); len(x) == 0 {
		return nil, badInput("no real cells to project")
	}
	mean, _ := centre(x, d, 0)
	for i := range y {
		y[i] -= mean[i%d]
	}
	axes, values, err := leading(ctx, x, d, min(2, d), seed)
	if err != nil {
		return nil, err
	}
	out := &Projection{Real: onto(x, d, axes), Gen: onto(y, d, axes)}
	total := 0.0
	for _, v := range x {
		total += float64(v * v)
	}
	for k, v := range values {
		if total > 0 {
			out.Explained[k] = v / total
		}
	}
	return out, nil
}

// finite is the rows without NaN and infinities, in the memory of x.
func finite(x []float64, d int) []float64 {
	out := x[:0]
	for ; len(x) > 0; x = x[d:] {
		sum := 0.0
		for _, v := range x[:d] {
			sum += v - v
		}
		if !math.IsNaN(sum) {
			out = append(out, x[:d]...)
		}
	}
	return out
}

// leading gives the first k principal axes of centred rows, one after another, and
// the squared singular values, by subspace iteration: enough for a picture. The
// sign of an axis is that of its largest loading.
func leading(ctx context.Context, x []float64, d, k int, seed uint64) (axes [][]float64, values []float64, err error) {
	const (
		spare  = 8  // further vectors that the iteration carries along
		rounds = 20 // each squares the separation from what was left out
	)
	w := min(d, k+spare)
	r := rand.New(rand.NewPCG(seed, uint64(forProjection)))
	v := make([]float64, d*w)
	for i := range v {
		v[i] = r.NormFloat64()
	}
	n := len(x) / d
	y := make([]float64, n*w)
	for range rounds {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		orthonormal(v, d, w)
		clear(y)
		kernel.Multiply(0, n, w, d, 1, kernel.Rows(x, d), kernel.Rows(v, w), y, w, kernel.All)
		clear(v)
		kernel.Multiply(0, d, w, n, 1, kernel.Rows(x, d).T(), kernel.Rows(y, w), v, w, kernel.All)
	}
	orthonormal(v, d, w)
	clear(y)
	kernel.Multiply(0, n, w, d, 1, kernel.Rows(x, d), kernel.Rows(v, w), y, w, kernel.All)
	gram := make([]float64, w*w)
	kernel.Multiply(0, w, w, n, 1, kernel.Rows(y, w).T(), kernel.Rows(y, w), gram, w, kernel.Upper)
	all, err := eigenvectors(gram, w)
	if err != nil {
		return nil, nil, err
	}
	for a := range k {
		col := w - 1 - a
		axis := make([]float64, d)
		largest := 0.0
		for i := range axis {
			for j := range w {
				axis[i] += float64(v[i*w+j] * gram[j*w+col])
			}
			if math.Abs(axis[i]) > math.Abs(largest) {
				largest = axis[i]
			}
		}
		if largest < 0 {
			for i := range axis {
				axis[i] = -axis[i]
			}
		}
		axes, values = append(axes, axis), append(values, all[col])
	}
	return axes, values, nil
}

// orthonormal makes the w columns of v so (modified Gram and Schmidt, twice).
// Columns that depend on others become zero.
func orthonormal(v []float64, d, w int) {
	dot := func(a, b int) float64 {
		s := 0.0
		for i := 0; i < d*w; i += w {
			s += float64(v[i+a] * v[i+b])
		}
		return s
	}
	for k := range w {
		before := math.Sqrt(dot(k, k))
		for range 2 {
			for j := range k {
				p := dot(k, j)
				for i := 0; i < d*w; i += w {
					v[i+k] -= float64(p * v[i+j])
				}
			}
		}
		scale := 0.0
		if after := math.Sqrt(dot(k, k)); after > 1e-12*before {
			scale = 1 / after
		}
		for i := 0; i < d*w; i += w {
			v[i+k] *= scale
		}
	}
}

// onto is the rows on the axes; a missing second axis is 0.
func onto(x []float64, d int, axes [][]float64) [][2]float64 {
	out := make([][2]float64, len(x)/d)
	for i := range out {
		for k, axis := range axes {
			for j, v := range x[i*d:][:d] {
				out[i][k] += float64(v * axis[j])
			}
		}
	}
	return out
}
