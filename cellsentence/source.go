package cellsentence

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cellsentence/c2s/h5ad"
)

// Source gives batches of cells in the order of their rows. The row reader of
// package h5ad is one; [SliceSource] is one in memory.
//
// Next fills b, whose slices it may reuse, and returns io.EOF when no cell is
// left, with b unfilled. It is called by one goroutine at a time, with another b
// each time, and must return soon after ctx is done. Batches are the grain in
// which work is shared out: one of some 100 to 10,000 cells is best.
type Source interface {
	Next(ctx context.Context, b *h5ad.Batch) error
}

// SliceSource is a [Source] over a matrix in memory.
type SliceSource struct {
	matrix h5ad.Batch
	cells  int
	next   int
}

// NewSliceSource returns a source that cuts m, which may start at any row, into
// batches of the given number of cells (0: 1,024). It reads m's slices and does
// not change them.
func NewSliceSource(m h5ad.Batch, cells int) *SliceSource {
	if cells <= 0 {
		cells = 1024
	}
	return &SliceSource{matrix: m, cells: cells}
}

// Next implements [Source].
func (s *SliceSource) Next(ctx context.Context, b *h5ad.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.next == 0 {
		if err := checkBatch(&s.matrix); err != nil {
			return err
		}
	}
	n := min(s.cells, s.matrix.NObs()-s.next)
	if n <= 0 {
		return io.EOF
	}
	ptr := s.matrix.Indptr[s.next : s.next+n+1]
	lo, hi := ptr[0], ptr[n]
	b.Start = s.matrix.Start + s.next
	b.Indptr = b.Indptr[:0]
	for _, p := range ptr {
		b.Indptr = append(b.Indptr, p-lo)
	}
	b.Indices = append(b.Indices[:0], s.matrix.Indices[lo:hi]...)
	b.Values = copyValues(b.Values, s.matrix.Values, lo, hi)
	s.next += n
	return nil
}

// copyValues returns src[lo:hi] in the memory of dst where that has the type and
// the room.
func copyValues(dst, src any, lo, hi int64) any {
	switch src := src.(type) {
	case []float32:
		return refill(dst, src[lo:hi])
	case []float64:
		return refill(dst, src[lo:hi])
	case []int8:
		return refill(dst, src[lo:hi])
	case []int16:
		return refill(dst, src[lo:hi])
	case []int32:
		return refill(dst, src[lo:hi])
	case []int64:
		return refill(dst, src[lo:hi])
	case []uint8:
		return refill(dst, src[lo:hi])
	case []uint16:
		return refill(dst, src[lo:hi])
	case []uint32:
		return refill(dst, src[lo:hi])
	case []uint64:
		return refill(dst, src[lo:hi])
	}
	return nil
}

func refill[T any](dst any, src []T) any {
	d, _ := dst.([]T)
	return append(d[:0], src...)
}

// errValues is returned for a batch whose Values are of no type that package
// h5ad names.
var errValues = errors.New("values are not a slice of a plain number type")

// checkBatch makes sure that every cell of b lies within its slices.
func checkBatch(b *h5ad.Batch) error {
	n, err := lenValues(b.Values)
	if err != nil {
		return fmt.Errorf("batch at row %d: %w (%T)", b.Start, err, b.Values)
	}
	if b.Start < 0 {
		return fmt.Errorf("batch at row %d: rows count from 0", b.Start)
	}
	n = min(n, len(b.Indices))
	prev := int64(0)
	for i, p := range b.Indptr {
		if p < prev || p > int64(n) || i == 0 && p != 0 {
			return fmt.Errorf("batch at row %d: entry %d of indptr is %d, after %d and with %d stored values", b.Start, i, p, prev, n)
		}
		prev = p
	}
	return nil
}

func lenValues(v any) (int, error) {
	switch v := v.(type) {
	case []float32:
		return len(v), nil
	case []float64:
		return len(v), nil
	case []int8:
		return len(v), nil
	case []int16:
		return len(v), nil
	case []int32:
		return len(v), nil
	case []int64:
		return len(v), nil
	case []uint8:
		return len(v), nil
	case []uint16:
		return len(v), nil
	case []uint32:
		return len(v), nil
	case []uint64:
		return len(v), nil
	}
	return 0, errValues
}
