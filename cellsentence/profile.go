package cellsentence

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/cellsentence/c2s/h5ad"
)

// Opener opens a source at its first row. Fidelity reads its cells several times
// rather than keep them.
type Opener func(ctx context.Context) (Source, error)

// profiles calls visit for each cell with its row and its stored values above
// zero, in stored order, which visit may reorder.
func profiles(ctx context.Context, genes []string, open Opener, visit func(row int, values []float64) error) error {
	src, err := open(ctx)
	if err != nil {
		return err
	}
	w := &words{names: genes}
	var b h5ad.Batch
	var values []float64
	for {
		switch err := src.Next(ctx, &b); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := checkBatch(&b); err != nil {
			return err
		}
		for i := range b.NObs() {
			if i%checkEvery == 0 && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			var bad int
			var v float64
			if values, bad, v = positive(values[:0], &b, i, len(genes)); bad >= 0 {
				return w.badEntry(b.Start+i, int(b.Indices[b.Indptr[i]+int64(bad)]), v)
			}
			if err := visit(b.Start+i, values); err != nil {
				return err
			}
		}
	}
}

// positive appends the values above zero of cell i to dst. bad is the place of
// the first value v that cannot be right, or -1.
func positive(dst []float64, b *h5ad.Batch, i, genes int) (out []float64, bad int, v float64) {
	lo, hi := b.Indptr[i], b.Indptr[i+1]
	cols := b.Indices[lo:hi]
	switch all := b.Values.(type) {
	case []float32:
		return positiveOf(dst, cols, all[lo:hi], genes)
	case []float64:
		return positiveOf(dst, cols, all[lo:hi], genes)
	case []int8:
		return positiveOf(dst, cols, all[lo:hi], genes)
	case []int16:
		return positiveOf(dst, cols, all[lo:hi], genes)
	case []int32:
		return positiveOf(dst, cols, all[lo:hi], genes)
	case []int64:
		return positiveOf(dst, cols, all[lo:hi], genes)
	case []uint8:
		return positiveOf(dst, cols, all[lo:hi], genes)
	case []uint16:
		return positiveOf(dst, cols, all[lo:hi], genes)
	case []uint32:
		return positiveOf(dst, cols, all[lo:hi], genes)
	case []uint64:
		return positiveOf(dst, cols, all[lo:hi], genes)
	}
	return dst, -1, 0 // checkBatch knows the types
}

func positiveOf[T h5ad.Number](dst []float64, cols []int32, vals []T, genes int) (out []float64, bad int, v float64) {
	for k, x := range vals {
		f := float64(x)
		if uint32(cols[k]) >= uint32(genes) || !(f >= 0) || !finite(f) {
			return dst, k, f
		}
		if f > 0 {
			dst = append(dst, f)
		}
	}
	return dst, -1, 0
}

// falling sorts values from the highest to the lowest.
func falling(values []float64) {
	slices.Sort(values)
	slices.Reverse(values)
}
