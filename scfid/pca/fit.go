package pca

import (
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// Config says how components are fitted. The zero value is good.
type Config struct {
	// Components is their number; 0 means 50. At most one fewer than cells or genes.
	Components int
	// Passes is how often the iteration reads the cells; 0 means 5. More passes
	// separate components of nearly equal variance better.
	Passes int
	// Target is the total that a cell's counts are scaled to; 0 means 10,000.
	Target float64
	// Logged says that values are log-normalised: they are taken as they are.
	Logged bool
	Seed   uint64
	// Workers is the number of goroutines; 0 means as many as there are processors.
	Workers int
}

// spare is the number of vectors that the iteration carries beside the components
// wanted (Halko et al. recommend 5 to 10).
const spare = 10

// Cells gives the cells from the first on, each time it is called. A batch is not
// used after the next one.
type Cells func(ctx context.Context) iter.Seq2[Batch, error]

// Fit fits components to cells, which it reads Passes + 2 times. Genes must be
// unique; values must be finite and not negative.
func Fit(ctx context.Context, genes []string, cells Cells, cfg Config) (*Model, error) {
	if _, err := positions(genes); err != nil {
		return nil, err
	}
	if cfg.Components == 0 {
		cfg.Components = 50
	}
	if cfg.Passes == 0 {
		cfg.Passes = 5
	}
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	m := &Model{Genes: slices.Clone(genes), Mean: make([]float64, len(genes)), Seed: cfg.Seed}
	if !cfg.Logged {
		if m.Target = cfg.Target; m.Target == 0 {
			m.Target = 10_000
		}
	}
	f := &fit{m: m, cells: cells, workers: cfg.Workers, genes: len(genes)}
	if err := f.moments(ctx); err != nil {
		return nil, err
	}
	most := min(m.Cells-1, len(genes))
	if cfg.Components < 1 || cfg.Components > most {
		return nil, badInput("%d components of %d cells and %d genes: at most %d can be had", cfg.Components, m.Cells, len(genes), most)
	}
	if m.TotalVariance == 0 {
		return nil, badInput("all cells are equal: there is no component")
	}
	return m, f.iterate(ctx, cfg)
}

// fit is the state of a fit.
type fit struct {
	m       *Model
	cells   Cells
	workers int
	genes   int
	values  []float64 // of a batch, normalised
}

// each calls do with each batch, its values normalised.
func (f *fit) each(ctx context.Context, do func(b Batch) error) error {
	for b, err := range f.cells(ctx) {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		f.values = append(f.values[:0], b.Values...)
		for i := range b.Len() {
			row := f.values[b.Indptr[i]:b.Indptr[i+1]]
			total := 0.0
			for _, v := range row {
				if !(v >= 0) {
					return badInput("a cell holds %g: values must be finite and not negative", v)
				}
				total += v
			}
			if math.IsInf(total, 0) {
				return badInput("a cell holds values that are not finite")
			}
			if f.m.Target == 0 {
				continue
			}
			scale := 1.0
			if total > 0 {
				scale = f.m.Target / total
			}
			for j, v := range row {
				row[j] = normalise(v, scale)
			}
		}
		if err := do(Batch{b.Indptr, b.Indices, f.values}); err != nil {
			return err
		}
	}
	return nil
}

// moments fills in the mean, the number of cells and the total variance.
func (f *fit) moments(ctx context.Context) error {
	squares := make([]float64, f.genes)
	err := f.each(ctx, func(b Batch) error {
		for j, g := range b.Indices {
			if g < 0 || int(g) >= f.genes {
				return badInput("gene number %d of %d", g, f.genes)
			}
			f.m.Mean[g] += b.Values[j]
			squares[g] += float64(b.Values[j] * b.Values[j])
		}
		f.m.Cells += b.Len()
		return nil
	})
	switch {
	case err != nil:
		return err
	case f.m.Cells < 2:
		return badInput("%d cells: components need two", f.m.Cells)
	}
	n := float64(f.m.Cells)
	for g := range squares {
		f.m.Mean[g] /= n
		f.m.TotalVariance += max(0, squares[g]-float64(n*f.m.Mean[g]*f.m.Mean[g])) / (n - 1)
	}
	return nil
}

// iterate finds the leading eigenvectors of the covariance: it is applied to an
// orthonormal block of vectors Passes times, and once more for the final rotation
// (Rayleigh and Ritz).
func (f *fit) iterate(ctx context.Context, cfg Config) error {
	w := min(cfg.Components+spare, f.genes)
	q := make([]float64, f.genes*w)
	for g := range f.genes { // a source of its own for each gene
		r := rand.New(rand.NewPCG(cfg.Seed, uint64(g)))
		for k := range w {
			q[g*w+k] = r.NormFloat64()
		}
	}
	orthonormal(q, f.genes, w)
	var z []float64
	for pass := range cfg.Passes + 1 {
		var err error
		if z, err = f.apply(ctx, q, w); err != nil {
			return err
		}
		if pass < cfg.Passes {
			q = z
			orthonormal(q, f.genes, w)
		}
	}
	small := make([]float64, w*w)
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, general(q, f.genes, w), general(z, f.genes, w), 0, general(small, w, w))
	sym := blas64.Symmetric{N: w, Stride: w, Data: small, Uplo: blas.Upper}
	values, work := make([]float64, w), make([]float64, 64*w)
	if !lapack64.Syev(lapack.EVCompute, sym, values, work, len(work)) {
		return badInput("the components do not converge")
	}
	for k := range cfg.Components {
		col := w - 1 - k
		axis, largest := make([]float64, f.genes), 0.0
		for g := range axis {
			for j, v := range q[g*w:][:w] {
				axis[g] += float64(v * small[j*w+col])
			}
			if math.Abs(axis[g]) > math.Abs(largest) {
				largest = axis[g]
			}
		}
		if largest < 0 {
			for g := range axis {
				axis[g] = -axis[g]
			}
		}
		f.m.Components = append(f.m.Components, axis)
		f.m.Variance = append(f.m.Variance, max(0, values[col])/float64(f.m.Cells-1))
	}
	return nil
}

// apply is Σ (x−mean)(x−mean)ᵀq over the cells. The sums of a vector are taken in
// the order of the cells: workers share rows, then vectors.
func (f *fit) apply(ctx context.Context, q []float64, w int) ([]float64, error) {
	z, sums, offset := make([]float64, f.genes*w), make([]float64, w), make([]float64, w)
	for g, m := range f.m.Mean {
		for k, v := range q[g*w:][:w] {
			offset[k] += float64(m * v)
		}
	}
	var p []float64
	err := f.each(ctx, func(b Batch) error {
		n := b.Len()
		p = slices.Grow(p[:0], n*w)[:n*w]
		f.share(n, func(from, to int) {
			for i := from; i < to; i++ {
				out := p[i*w:][:w]
				for k, v := range offset {
					out[k] = -v
				}
				for j := b.Indptr[i]; j < b.Indptr[i+1]; j++ {
					v := b.Values[j]
					for k, x := range q[int(b.Indices[j])*w:][:w] {
						out[k] += float64(v * x)
					}
				}
			}
		})
		f.share(w, func(from, to int) {
			for i := range n {
				in := p[i*w+from : i*w+to]
				for k, v := range in {
					sums[from+k] += v
				}
				for j := b.Indptr[i]; j < b.Indptr[i+1]; j++ {
					v := b.Values[j]
					out := z[int(b.Indices[j])*w+from:][:len(in)]
					for k, x := range in {
						out[k] += float64(v * x)
					}
				}
			}
		})
		return nil
	})
	for g, m := range f.m.Mean {
		for k, s := range sums {
			z[g*w+k] -= float64(m * s)
		}
	}
	return z, err
}

// share cuts [0, n) into as many runs as there are workers.
func (f *fit) share(n int, do func(from, to int)) {
	var wg sync.WaitGroup
	for i := range f.workers {
		if from, to := i*n/f.workers, (i+1)*n/f.workers; from < to {
			wg.Go(func() { do(from, to) })
		}
	}
	wg.Wait()
}

// orthonormal replaces the columns of the n × w matrix x by an orthonormal basis of
// what they span (Householder).
func orthonormal(x []float64, n, w int) {
	a := general(x, n, w)
	tau, work := make([]float64, w), make([]float64, 64*w)
	lapack64.Geqrf(a, tau, work, len(work))
	lapack64.Orgqr(a, tau, work, len(work))
}

func general(x []float64, n, w int) blas64.General {
	return blas64.General{Rows: n, Cols: w, Stride: w, Data: x}
}
