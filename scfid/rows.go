package scfid

import (
	"context"
	"math"
	"sync"
)

// BlockRows is the number of rows that are read and added up at a time. Shards of
// one set start at multiples of it.
const BlockRows = 4096

// Rows is a set of embeddings, one row a cell. Implementations serve several
// goroutines at a time.
type Rows interface {
	// Len is the number of rows.
	Len() int
	// Dim is the length of a row.
	Dim() int
	// ReadRows fills dst, whose length is a multiple of Dim, with the rows from
	// start on.
	ReadRows(ctx context.Context, start int, dst []float64) error
}

// Matrix is embeddings in memory.
type Matrix[T float32 | float64] struct {
	data []T
	dim  int
}

// NewMatrix wraps rows of dim numbers that stand one after another in data, which
// is not copied. A length that is not a multiple of dim is an error.
func NewMatrix[T float32 | float64](data []T, dim int) (*Matrix[T], error) {
	if dim < 1 || len(data)%dim != 0 {
		return nil, badInput("%d numbers are no rows of %d", len(data), dim)
	}
	return &Matrix[T]{data, dim}, nil
}

// Len is the number of rows.
func (m *Matrix[T]) Len() int { return len(m.data) / m.dim }

// Dim is the length of a row.
func (m *Matrix[T]) Dim() int { return m.dim }

// ReadRows copies rows.
func (m *Matrix[T]) ReadRows(_ context.Context, start int, dst []float64) error {
	src := m.data[start*m.dim:][:len(dst)]
	if same, ok := any(src).([]float64); ok {
		copy(dst, same)
		return nil
	}
	for i, v := range src {
		dst[i] = float64(v)
	}
	return nil
}

// selection is some rows of another set.
type selection struct {
	Rows
	index []int
}

// Select is the rows of a set at the given places, in that order.
func Select(rows Rows, index []int) (Rows, error) {
	for _, i := range index {
		if i < 0 || i >= rows.Len() {
			return nil, badInput("row %d of a set of %d", i, rows.Len())
		}
	}
	return pick(rows, index), nil
}

// pick is Select of places that are known to exist. A selection of a selection
// reads from the first set.
func pick(rows Rows, index []int) Rows {
	if s, ok := rows.(selection); ok {
		inner := make([]int, len(index))
		for i, at := range index {
			inner[i] = s.index[at]
		}
		return selection{s.Rows, inner}
	}
	return selection{rows, index}
}

func (s selection) Len() int { return len(s.index) }

func (s selection) ReadRows(ctx context.Context, start int, dst []float64) error {
	d := s.Dim()
	index := s.index[start:][:len(dst)/d]
	for len(index) > 0 {
		run := 1
		for run < len(index) && index[run] == index[0]+run {
			run++
		}
		if err := s.Rows.ReadRows(ctx, index[0], dst[:run*d]); err != nil {
			return err
		}
		index, dst = index[run:], dst[run*d:]
	}
	return nil
}

// blocks calls do with runs of at most size rows in order, while the next run is
// being read. The numbers are do's to change; they are gone at the next call.
func blocks(ctx context.Context, rows Rows, size int, do func(start int, x []float64) error) error {
	n, d := rows.Len(), rows.Dim()
	if n == 0 {
		return nil
	}
	x, err := readBlock(ctx, rows, 0, make([]float64, min(size, n)*d))
	if err != nil {
		return err
	}
	spare := make([]float64, max(0, min(size, n-size))*d)
	for start := 0; start < n; start += size {
		var next []float64
		var failed error
		var wg sync.WaitGroup
		if start+size < n {
			wg.Go(func() { next, failed = readBlock(ctx, rows, start+size, spare) })
		}
		err := do(start, x)
		wg.Wait()
		if err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		x, spare = next, x
	}
	return nil
}

// readBlock reads the rows from start on that buf has room for.
func readBlock(ctx context.Context, rows Rows, start int, buf []float64) ([]float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x := buf[:min(len(buf), (rows.Len()-start)*rows.Dim())]
	return x, rows.ReadRows(ctx, start, x)
}

// load reads all rows.
func load(ctx context.Context, rows Rows) ([]float64, error) {
	x := make([]float64, rows.Len()*rows.Dim())
	if len(x) == 0 {
		return x, nil
	}
	return x, rows.ReadRows(ctx, 0, x)
}

// nonFinite lists the rows that hold NaN or an infinity.
func nonFinite(ctx context.Context, rows Rows) ([]int, error) {
	var bad []int
	err := blocks(ctx, rows, BlockRows, func(start int, x []float64) error {
		bad = appendNonFinite(bad, x, rows.Dim(), start)
		return nil
	})
	return bad, err
}

// appendNonFinite appends those of x, of which the first is row start.
func appendNonFinite(bad []int, x []float64, d, start int) []int {
	for i := 0; i*d < len(x); i++ {
		sum := 0.0 // v−v is 0 for finite v, NaN for all else
		for _, v := range x[i*d:][:d] {
			sum += v - v
		}
		if math.IsNaN(sum) {
			bad = append(bad, start+i)
		}
	}
	return bad
}
