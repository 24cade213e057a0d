package h5ad

import (
	"context"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// openDense reads a dense matrix in batches that are a multiple of its chunks'
// rows, so that each chunk is decoded once.
func (r *RowReader) openDense() error {
	step := max(1, min(r.opts.MaxRows, r.opts.MaxValues/max(1, r.m.NVars)))
	if c := r.m.data.Chunk(); c != nil && c[0] < uint64(r.m.NObs) {
		k := int(c[0])
		step = max(1, step/k) * k
	}
	r.cut = func(lo int) int { return (lo/step + 1) * step }
	t := r.m.data.Type
	if t.Class == hdf5.ClassEnum {
		t = t.Base
	}
	switch {
	case t.Class == hdf5.ClassFloat && t.Size <= 4:
		denseAs[float32](r)
	case t.Class == hdf5.ClassFloat && t.Size == 8:
		denseAs[float64](r)
	case t.Class == hdf5.ClassFloat:
		return r.m.file.fail(r.m.key, errFloat128)
	case t.Signed && t.Size == 1:
		denseAs[int8](r)
	case t.Signed && t.Size == 2:
		denseAs[int16](r)
	case t.Signed && t.Size == 4:
		denseAs[int32](r)
	case t.Signed:
		denseAs[int64](r)
	case t.Size == 1:
		denseAs[uint8](r)
	case t.Size == 2:
		denseAs[uint16](r)
	case t.Size == 4:
		denseAs[uint32](r)
	default:
		denseAs[uint64](r)
	}
	return nil
}

// denseAs makes a loader that keeps the values that are not zero; NaN is not.
func denseAs[T Number](r *RowReader) {
	var buf []T
	width := r.m.NVars
	r.load = func(ctx context.Context, lo, hi int, b *Batch) error {
		b.Indptr = append(b.Indptr[:0], 0)
		b.Indices = b.Indices[:0]
		values, _ := b.Values.([]T)
		values = values[:0]
		err := hdf5.Visit(ctx, r.m.data, uint64(lo), uint64(hi), &buf, func(v []T) error {
			for range hi - lo {
				row := v[:width]
				v = v[width:]
				for c, x := range row {
					if x != 0 {
						b.Indices = append(b.Indices, int32(c))
						values = append(values, x)
					}
				}
				b.Indptr = append(b.Indptr, int64(len(b.Indices)))
			}
			return nil
		})
		b.Values = values
		return err
	}
}
