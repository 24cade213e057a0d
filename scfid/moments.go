package scfid

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	kernel "github.com/cellsentence/c2s/internal/blas"
)

// Moments is all that the distance needs to know about a set of embeddings.
type Moments struct {
	N    int           // number of cells, 0 if it is not known
	Mean []float64     // one number a dimension
	Cov  *mat.SymDense // covariance, with N − 1 in the denominator
}

// NewMoments takes the mean and the covariance, row by row, of n cells (0 if that
// is not known), as statistics files hold them. A covariance must be symmetric to
// a millionth of its largest element, which numbers kept as float32 are; it is made
// exactly so. Whether it is positive semi-definite is seen in [FromMoments].
func NewMoments(n int, mean, cov []float64) (*Moments, error) {
	d := len(mean)
	switch {
	case d == 0 || len(cov) != d*d:
		return nil, badInput("a mean of %d numbers needs a covariance of %d × %d, not %d numbers", d, d, d, len(cov))
	case n < 0 || n == 1:
		return nil, badInput("%d cells have no covariance", n)
	}
	largest := 0.0
	for _, v := range cov {
		if v-v != 0 {
			return nil, badInput("the covariance holds NaN or an infinity")
		}
		largest = max(largest, v, -v)
	}
	for _, v := range mean {
		if v-v != 0 {
			return nil, badInput("the mean holds NaN or an infinity")
		}
	}
	s := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			u, l := cov[i*d+j], cov[j*d+i]
			if diff := u - l; max(diff, -diff) > 1e-6*largest {
				return nil, badInput("the covariance is not symmetric: [%d,%d] is %g, [%d,%d] is %g", i, j, u, j, i, l)
			}
			s.SetSym(i, j, u+(l-u)/2)
		}
	}
	return &Moments{N: n, Mean: append([]float64(nil), mean...), Cov: s}, nil
}

// Summarise reads rows once and gives their moments, on up to workers goroutines
// (0 means as many as there are processors). Memory is two blocks of rows and at
// most log2(rows/BlockRows) + 2 covariances.
func Summarise(ctx context.Context, rows Rows, workers int) (*Moments, error) {
	acc := NewAccumulator(rows.Dim(), 0, workers)
	err := blocks(ctx, rows, BlockRows, func(_ int, x []float64) error {
		acc.block(x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return acc.Moments()
}

// Accumulator adds up moments. Blocks of BlockRows rows, counted from the start of
// the whole set, are summed about their own means and joined along a fixed binary
// tree, so that a large mean does not eat the covariance, and so that shards that
// are merged in order give the same bytes as one run over the whole.
type Accumulator struct {
	dim, workers int
	first        int // block at which this shard starts
	next         int // block to come
	partial      bool
	pending      []float64 // rows that do not fill a block yet
	nodes        []node    // in order; no two are siblings
	free         [][]float64
}

// node is the moments of blocks [index·2^level, (index+1)·2^level).
type node struct {
	level, index int
	n            int
	mean, low    []float64 // their sum is the mean: one float64 is too coarse beside a small spread
	scatter      []float64 // Σ (x−mean)(x−mean)ᵀ, upper triangle of dim × dim
}

// NewAccumulator starts at row start of the whole set, which must be a multiple of
// BlockRows: it is rounded down to one.
func NewAccumulator(dim, start, workers int) *Accumulator {
	b := start / BlockRows
	return &Accumulator{dim: dim, workers: workers, first: b, next: b}
}

// Add adds the rows that stand one after another in x.
func (a *Accumulator) Add(x []float64) error {
	if len(x)%a.dim != 0 {
		return badInput("%d numbers are no rows of %d", len(x), a.dim)
	}
	if a.partial {
		return fmt.Errorf("rows after the end of the set")
	}
	full := BlockRows * a.dim
	for len(x) > 0 {
		n := min(len(x), full-len(a.pending))
		a.pending = append(a.pending, x[:n]...)
		x = x[n:]
		if len(a.pending) == full {
			a.block(a.pending)
			a.pending = a.pending[:0]
		}
	}
	return nil
}

// Merge appends the rows of b, which must start where a ends; with none it changes
// nothing. b is used up.
func (a *Accumulator) Merge(b *Accumulator) error {
	a.flush()
	b.flush()
	switch {
	case a.dim != b.dim:
		return badInput("shards of %d and %d dimensions", a.dim, b.dim)
	case len(b.nodes) == 0:
		return nil
	case a.partial:
		return fmt.Errorf("a shard that ends within a block of %d rows must be the last", BlockRows)
	case a.next != b.first:
		return fmt.Errorf("the shard starts at row %d, expected %d", b.first*BlockRows, a.next*BlockRows)
	}
	for _, n := range b.nodes {
		a.push(n)
	}
	a.next, a.partial = b.next, b.partial
	b.nodes = nil
	return nil
}

// Moments is the mean and covariance of what was added; no rows may follow.
func (a *Accumulator) Moments() (*Moments, error) {
	a.flush()
	if len(a.nodes) == 0 {
		return nil, badInput("no rows: a covariance needs two")
	}
	whole := a.whole()
	if whole.n < 2 {
		return nil, badInput("1 row: a covariance needs two")
	}
	for j := range whole.mean {
		whole.mean[j] += whole.low[j]
	}
	for i := range whole.scatter {
		whole.scatter[i] /= float64(whole.n - 1)
	}
	cov := mat.NewSymDense(a.dim, nil)
	cov.SetRawSymmetric(blas64.Symmetric{N: a.dim, Stride: a.dim, Data: whole.scatter, Uplo: blas.Upper})
	return &Moments{whole.n, whole.mean, cov}, nil
}

// whole joins all nodes, of which there must be one, and leaves none.
func (a *Accumulator) whole() node {
	whole := a.nodes[0]
	for _, n := range a.nodes[1:] {
		whole = a.join(whole, n)
	}
	a.nodes = a.nodes[:0]
	return whole
}

func (a *Accumulator) flush() {
	if len(a.pending) > 0 {
		a.block(a.pending)
		a.pending = nil
	}
}

// block adds one block, whose numbers it changes.
func (a *Accumulator) block(x []float64) {
	n, d := len(x)/a.dim, a.dim
	mean, low := centre(x, d, a.workers)
	scatter := a.matrix()
	v := kernel.Rows(x, d)
	kernel.Multiply(a.workers, d, d, n, 1, v.T(), v, scatter, d, kernel.Upper)
	a.push(node{0, a.next, n, mean, low, scatter})
	a.next++
	a.partial = n < BlockRows
}

// centre takes the mean of rows away from them and gives it, in two parts. It is
// summed as the distance from the first row, so that a large mean costs no digits.
// Strips of rows are shared out to workers; their sums are joined in order.
func centre(x []float64, d, workers int) (mean, low []float64) {
	n := float64(len(x) / d)
	mean = append([]float64(nil), x[:d]...)
	for j, v := range stripSums(x, d, workers, func(row, sum []float64) {
		for j, v := range row {
			sum[j] += v - mean[j]
		}
	}) {
		mean[j] += v / n
	}
	low = stripSums(x, d, workers, func(row, sum []float64) {
		for j, m := range mean {
			v := row[j] - m
			row[j] = v
			sum[j] += v
		}
	})
	for j := range low {
		low[j] /= n
	}
	return mean, low
}

// stripSums is the sum of what add adds up for each row of x.
func stripSums(x []float64, d, workers int, add func(row, sum []float64)) []float64 {
	const strip = 256
	n := len(x) / d
	strips := (n + strip - 1) / strip
	sums := make([]float64, strips*d)
	kernel.Share(workers, strips, func(_, k int) {
		sum := sums[k*d:][:d]
		for i := k * strip; i < min(n, (k+1)*strip); i++ {
			add(x[i*d:][:d], sum)
		}
	})
	for k := 1; k < strips; k++ {
		for j, v := range sums[k*d:][:d] {
			sums[j] += v
		}
	}
	return sums[:d]
}

func (a *Accumulator) push(n node) {
	a.nodes = append(a.nodes, n)
	for k := len(a.nodes); k >= 2; k = len(a.nodes) {
		l, r := a.nodes[k-2], a.nodes[k-1]
		if l.level != r.level || l.index&1 != 0 || r.index != l.index+1 {
			return
		}
		j := a.join(l, r)
		j.level, j.index = l.level+1, l.index/2
		a.nodes = append(a.nodes[:k-2], j)
	}
}

// join is the moments of two sets (T. Chan, G. Golub and R. LeVeque, "Updating
// formulae and a pairwise algorithm for computing sample variances", 1979). It
// takes the matrices of both.
func (a *Accumulator) join(l, r node) node {
	n := l.n + r.n
	share := float64(r.n) / float64(n)
	delta, mean, low := make([]float64, a.dim), make([]float64, a.dim), make([]float64, a.dim)
	for j := range delta {
		delta[j] = (r.mean[j] - l.mean[j]) + (r.low[j] - l.low[j])
		step := float64(delta[j] * share)
		mean[j] = l.mean[j] + step
		low[j] = (l.mean[j] - mean[j] + step) + l.low[j]
	}
	weight := float64(l.n) * share
	for i := range a.dim {
		f := weight * delta[i]
		to, from := l.scatter[i*a.dim:][:a.dim], r.scatter[i*a.dim:][:a.dim]
		for j := i; j < a.dim; j++ {
			to[j] += from[j] + float64(f*delta[j])
		}
	}
	a.free = append(a.free, r.scatter)
	return node{n: n, mean: mean, low: low, scatter: l.scatter}
}

// matrix is an empty dim × dim matrix.
func (a *Accumulator) matrix() []float64 {
	if k := len(a.free); k > 0 {
		m := a.free[k-1]
		a.free = a.free[:k-1]
		clear(m)
		return m
	}
	return make([]float64, a.dim*a.dim)
}
