package h5ad

import (
	"context"
	"fmt"
	"slices"
)

// cscPass is a range of rows of a CSC matrix, transposed into memory.
type cscPass struct {
	lo, hi  int
	ptr     []int64
	indices []int32
	values  any
}

// openCSC plans passes over a CSC matrix. The rows are counted once; a pass
// then takes as many rows as the budget holds and reads the whole matrix.
func (r *RowReader) openCSC(ctx context.Context) error {
	m := r.m
	p, err := m.pointers(ctx)
	if err != nil {
		return err
	}
	counts := make([]int64, m.NObs)
	var rows []int32
	err = m.columns(ctx, p, func(lo, hi int64, _, _ int) (err error) {
		if rows, err = m.readIndices(ctx, lo, hi, rows); err != nil {
			return err
		}
		for _, i := range rows {
			if uint32(i) >= uint32(m.NObs) {
				return fmt.Errorf("row index %d, but there are %d rows", i, m.NObs)
			}
			counts[i]++
		}
		return nil
	})
	if err != nil {
		return m.file.fail(m.index.Path(), err)
	}
	perValue := int64(4 + m.data.Type.Size)
	end := func(lo int) int {
		hi, used := lo, int64(0)
		for hi < r.opts.End && (hi == lo || used+counts[hi]*perValue <= r.opts.Budget) {
			used += counts[hi] * perValue
			hi++
		}
		return hi
	}
	r.cut = func(lo int) int {
		hi, used := lo, int64(0)
		var limit int
		if r.pass != nil && lo < r.pass.hi {
			limit = r.pass.hi
		} else {
			limit = end(lo)
		}
		for hi < limit && hi-lo < r.opts.MaxRows && (hi == lo || used+counts[hi] <= int64(r.opts.MaxValues)) {
			used += counts[hi]
			hi++
		}
		return hi
	}
	r.load = func(ctx context.Context, lo, hi int, b *Batch) error {
		if r.pass == nil || lo >= r.pass.hi {
			if r.pass == nil {
				r.pass = new(cscPass)
			}
			r.pass.lo, r.pass.hi = lo, end(lo)
			if err := r.pass.fill(ctx, m, p, counts); err != nil {
				return err
			}
		}
		s := r.pass
		from, to := s.ptr[lo-s.lo], s.ptr[hi-s.lo]
		b.Indptr = grow(b.Indptr, hi-lo+1)
		for i := range b.Indptr {
			b.Indptr[i] = s.ptr[lo-s.lo+i] - from
		}
		b.Indices = append(b.Indices[:0], s.indices[from:to]...)
		b.Values = window(s.values, b.Values, from, to)
		return r.check(b)
	}
	return nil
}

// columns calls fn for runs of whole columns of about a million values.
func (m *Matrix) columns(ctx context.Context, p []int64, fn func(lo, hi int64, first, last int) error) error {
	for first := 0; first < len(p)-1; {
		if err := ctx.Err(); err != nil {
			return err
		}
		last := first + 1
		for last < len(p)-1 && p[last+1]-p[first] <= 1<<20 {
			last++
		}
		if err := fn(p[first], p[last], first, last); err != nil {
			return err
		}
		first = last
	}
	return nil
}

// fill reads the matrix and keeps the rows of the pass; columns come in order,
// so that the rows end up sorted.
func (s *cscPass) fill(ctx context.Context, m *Matrix, p, counts []int64) error {
	// The memory of the pass before is used again.
	s.ptr = grow(s.ptr, s.hi-s.lo+1)
	s.ptr[0] = 0
	for i := range s.hi - s.lo {
		s.ptr[i+1] = s.ptr[i] + counts[s.lo+i]
	}
	total := s.ptr[len(s.ptr)-1]
	s.indices = grow(s.indices, int(total))
	at := slices.Clone(s.ptr)
	var rows []int32
	// A matrix without columns still has values of a type.
	values, err := m.readValues(ctx, 0, 0, nil)
	if err != nil {
		return err
	}
	s.values = scatter(s.values, values, nil, total)
	var to []int64
	return m.columns(ctx, p, func(lo, hi int64, first, last int) (err error) {
		if rows, err = m.readIndices(ctx, lo, hi, rows); err != nil {
			return err
		}
		if values, err = m.readValues(ctx, lo, hi, values); err != nil {
			return err
		}
		// Where each value goes, −1 for another pass.
		to = grow(to, len(rows))
		for c := first; c < last; c++ {
			for k := p[c] - lo; k < p[c+1]-lo; k++ {
				i := int(rows[k])
				if i < s.lo || i >= s.hi {
					to[k] = -1
					continue
				}
				to[k] = at[i-s.lo]
				s.indices[at[i-s.lo]] = int32(c)
				at[i-s.lo]++
			}
		}
		s.values = scatter(s.values, values, to, total)
		return nil
	})
}

// scatter puts values at their places in dst, which it makes total elements long.
func scatter(dst, values any, to []int64, total int64) any {
	switch v := values.(type) {
	case []float32:
		return spread(dst, v, to, total)
	case []float64:
		return spread(dst, v, to, total)
	case []int8:
		return spread(dst, v, to, total)
	case []int16:
		return spread(dst, v, to, total)
	case []int32:
		return spread(dst, v, to, total)
	case []int64:
		return spread(dst, v, to, total)
	case []uint8:
		return spread(dst, v, to, total)
	case []uint16:
		return spread(dst, v, to, total)
	case []uint32:
		return spread(dst, v, to, total)
	case []uint64:
		return spread(dst, v, to, total)
	}
	return dst
}

func spread[T any](dst any, v []T, to []int64, total int64) any {
	out, _ := dst.([]T)
	out = grow(out, int(total))
	for i, k := range to {
		if k >= 0 {
			out[k] = v[i]
		}
	}
	return out
}

// window copies src[from:to] into the memory of dst.
func window(src, dst any, from, to int64) any {
	switch v := src.(type) {
	case []float32:
		return copied(v[from:to], dst)
	case []float64:
		return copied(v[from:to], dst)
	case []int8:
		return copied(v[from:to], dst)
	case []int16:
		return copied(v[from:to], dst)
	case []int32:
		return copied(v[from:to], dst)
	case []int64:
		return copied(v[from:to], dst)
	case []uint8:
		return copied(v[from:to], dst)
	case []uint16:
		return copied(v[from:to], dst)
	case []uint32:
		return copied(v[from:to], dst)
	case []uint64:
		return copied(v[from:to], dst)
	}
	return dst
}

func copied[T any](src []T, dst any) any {
	old, _ := dst.([]T)
	return append(old[:0], src...)
}
