package h5ad

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"golang.org/x/sync/errgroup"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// RowOptions says how a matrix is cut into batches. The zero value is good.
type RowOptions struct {
	// Start and End are the rows to read, [Start, End); End 0 means all.
	Start, End int
	// MaxRows is the most cells of a batch; 0 means 4,096.
	MaxRows int
	// MaxValues is about how many stored values a batch holds; 0 means 512 Ki. A
	// batch has at least one cell.
	MaxValues int
	// Budget is the memory in bytes that a CSC matrix may take, which is read in
	// passes; 0 means 512 MiB.
	Budget int64
}

// RowReader reads a matrix batch by batch, in the order of its rows. It serves
// one goroutine at a time; several readers of one matrix do not disturb each
// other.
type RowReader struct {
	m    *Matrix
	opts RowOptions
	at   int
	load func(ctx context.Context, lo, hi int, b *Batch) error
	cut  func(lo int) int // end of the batch that begins at lo

	stamp  []int32 // by column: the last row, plus one, that used it
	pass   *cscPass
	picked []int32 // reused by narrow
}

// Rows opens a reader of row batches.
func (m *Matrix) Rows(ctx context.Context, opts RowOptions) (*RowReader, error) {
	if opts.End == 0 {
		opts.End = m.NObs
	}
	if opts.Start < 0 || opts.End > m.NObs || opts.Start > opts.End {
		return nil, m.file.fail(m.key, fmt.Errorf("rows [%d, %d) of %d", opts.Start, opts.End, m.NObs))
	}
	if opts.MaxRows <= 0 {
		opts.MaxRows = 4096
	}
	if opts.MaxValues <= 0 {
		opts.MaxValues = 512 << 10
	}
	if opts.Budget <= 0 {
		opts.Budget = 512 << 20
	}
	r := &RowReader{m: m, opts: opts, at: opts.Start}
	var err error
	switch m.Encoding {
	case CSR:
		err = r.openCSR(ctx)
	case CSC:
		err = r.openCSC(ctx)
	default:
		err = r.openDense()
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// All streams the batches. The batch is reused: it is valid until the next one.
func (m *Matrix) All(ctx context.Context, opts RowOptions) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		r, err := m.Rows(ctx, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		var b Batch
		for {
			err := r.Next(ctx, &b)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&b, nil) {
				return
			}
		}
	}
}

// Next fills b with the next batch, reusing its memory; io.EOF ends the rows.
func (r *RowReader) Next(ctx context.Context, b *Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.at >= r.opts.End {
		return io.EOF
	}
	hi := min(r.cut(r.at), r.opts.End)
	b.Start = r.at
	if err := r.load(ctx, r.at, hi, b); err != nil {
		return r.m.file.fail(r.m.key, err)
	}
	if r.m.keep != nil {
		r.picked = b.narrow(nil, r.m.keep, r.picked)
	}
	r.at = hi
	return nil
}

func (r *RowReader) openCSR(ctx context.Context) error {
	p, err := r.m.pointers(ctx)
	if err != nil {
		return err
	}
	r.cut = func(lo int) int {
		hi := lo + 1
		for hi < len(p)-1 && hi-lo < r.opts.MaxRows && p[hi+1]-p[lo] <= int64(r.opts.MaxValues) {
			hi++
		}
		return hi
	}
	r.load = func(ctx context.Context, lo, hi int, b *Batch) error {
		b.Indptr = grow(b.Indptr, hi-lo+1)
		for i := range b.Indptr {
			b.Indptr[i] = p[lo+i] - p[lo]
		}
		g, gctx := errgroup.WithContext(ctx)
		g.Go(func() (err error) {
			b.Indices, err = r.m.readIndices(gctx, p[lo], p[hi], b.Indices)
			return err
		})
		g.Go(func() (err error) {
			b.Values, err = r.m.readValues(gctx, p[lo], p[hi], b.Values)
			return err
		})
		if err := g.Wait(); err != nil {
			return err
		}
		return r.check(b)
	}
	return nil
}

// check holds the columns of a batch against the number of genes, and finds
// columns that occur twice in a row.
func (r *RowReader) check(b *Batch) error {
	width := int32(r.m.width())
	for i := range b.NObs() {
		row := b.Indices[b.Indptr[i]:b.Indptr[i+1]]
		last, sorted := int32(-1), true
		for _, c := range row {
			if uint32(c) >= uint32(width) {
				return fmt.Errorf("row %d has the column index %d, but there are %d columns", b.Start+i, c, width)
			}
			sorted = sorted && c > last
			last = c
		}
		if sorted {
			continue
		}
		if r.stamp == nil {
			r.stamp = make([]int32, width)
		}
		mark := int32(b.Start+i-r.opts.Start) + 1
		for _, c := range row {
			if r.stamp[c] == mark {
				return fmt.Errorf("row %d has the column %d twice; sum the duplicates first (X.sum_duplicates() in Python)", b.Start+i, c)
			}
			r.stamp[c] = mark
		}
	}
	return nil
}

// width is the number of columns as stored.
func (m *Matrix) width() int {
	if m.keep != nil {
		return len(m.keep)
	}
	return m.NVars
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// readIndices reads column indices of any integer type as int32.
func (m *Matrix) readIndices(ctx context.Context, lo, hi int64, buf []int32) ([]int32, error) {
	buf = grow(buf, int(hi-lo))
	return buf, hdf5.ReadInto(ctx, m.index, uint64(lo), uint64(hi), buf)
}

// readValues reads stored values in their own type.
func (m *Matrix) readValues(ctx context.Context, lo, hi int64, buf any) (any, error) {
	t := m.data.Type
	if t.Class == hdf5.ClassEnum {
		t = t.Base
	}
	d := m.data
	switch {
	case t.Class == hdf5.ClassFloat && t.Size <= 4:
		return readAs[float32](ctx, d, lo, hi, buf)
	case t.Class == hdf5.ClassFloat && t.Size == 8:
		return readAs[float64](ctx, d, lo, hi, buf)
	case t.Class == hdf5.ClassFloat:
		return nil, errFloat128
	}
	switch {
	case t.Signed && t.Size == 1:
		return readAs[int8](ctx, d, lo, hi, buf)
	case t.Signed && t.Size == 2:
		return readAs[int16](ctx, d, lo, hi, buf)
	case t.Signed && t.Size == 4:
		return readAs[int32](ctx, d, lo, hi, buf)
	case t.Signed:
		return readAs[int64](ctx, d, lo, hi, buf)
	case t.Size == 1:
		return readAs[uint8](ctx, d, lo, hi, buf)
	case t.Size == 2:
		return readAs[uint16](ctx, d, lo, hi, buf)
	case t.Size == 4:
		return readAs[uint32](ctx, d, lo, hi, buf)
	}
	return readAs[uint64](ctx, d, lo, hi, buf)
}

func readAs[T Number](ctx context.Context, d *hdf5.Dataset, lo, hi int64, buf any) (any, error) {
	old, _ := buf.([]T)
	n := hi - lo
	for _, w := range d.Space.Dims[1:] {
		n *= int64(w)
	}
	old = grow(old, int(n))
	return old, hdf5.ReadInto(ctx, d, uint64(lo), uint64(hi), old)
}

// gather keeps the values at the given positions, in place.
func gather(values any, at []int32) any {
	switch v := values.(type) {
	case []float32:
		return pick(v, at)
	case []float64:
		return pick(v, at)
	case []int8:
		return pick(v, at)
	case []int16:
		return pick(v, at)
	case []int32:
		return pick(v, at)
	case []int64:
		return pick(v, at)
	case []uint8:
		return pick(v, at)
	case []uint16:
		return pick(v, at)
	case []uint32:
		return pick(v, at)
	case []uint64:
		return pick(v, at)
	}
	return values
}

// pick writes only to positions that it has read: at rises.
func pick[T any](v []T, at []int32) []T {
	for i, j := range at {
		v[i] = v[j]
	}
	return v[:len(at)]
}
