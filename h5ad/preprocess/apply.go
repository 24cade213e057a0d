package preprocess

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/h5ad"
)

// Batches gives batches of cells in the order of their rows, as a
// [h5ad.RowReader] does; io.EOF ends them.
type Batches interface {
	Next(ctx context.Context, b *h5ad.Batch) error
}

// Source applies a plan to batches. Its own batches have the kept cells and
// genes only, both numbered anew; Start is the first one's place among the kept
// cells. Values are float32 if the plan changes them, else as they were. A batch of
// which no cell is kept is passed over.
type Source struct {
	plan *Plan
	src  Batches
	in   h5ad.Batch
	cols []int32 // the new number of each gene, −1 if it is dropped
}

// Source returns the plan's result for batches of the rows for which it was made,
// or of some of them.
func (p *Plan) Source(src Batches) *Source {
	s := &Source{plan: p, src: src, cols: make([]int32, p.NVars)}
	n := int32(0)
	for i := range s.cols {
		if s.cols[i] = -1; p.Genes.Has(i) {
			s.cols[i] = n
			n++
		}
	}
	return s
}

// Next fills b, whose slices it reuses, with the next batch; io.EOF ends them. It
// serves one goroutine at a time.
func (s *Source) Next(ctx context.Context, b *h5ad.Batch) error {
	for {
		if err := s.src.Next(ctx, &s.in); err != nil {
			return err
		}
		first := s.in.Start - s.plan.Start
		if first < 0 || first+s.in.NObs() > s.plan.NObs {
			return fmt.Errorf("rows [%d, %d) are not of the plan, which has [%d, %d)",
				s.in.Start, s.in.Start+s.in.NObs(), s.plan.Start, s.plan.Start+s.plan.NObs)
		}
		if err := s.fill(b); err != nil {
			return err
		}
		if b.NObs() > 0 {
			b.Start = s.plan.Cells.below(first)
			return nil
		}
	}
}

// fill applies the plan to the batch that was read.
func (s *Source) fill(b *h5ad.Batch) error {
	switch v := s.in.Values.(type) {
	case []float32:
		return fillAs(s, b, v)
	case []float64:
		return fillAs(s, b, v)
	case []int8:
		return fillAs(s, b, v)
	case []int16:
		return fillAs(s, b, v)
	case []int32:
		return fillAs(s, b, v)
	case []int64:
		return fillAs(s, b, v)
	case []uint8:
		return fillAs(s, b, v)
	case []uint16:
		return fillAs(s, b, v)
	case []uint32:
		return fillAs(s, b, v)
	case []uint64:
		return fillAs(s, b, v)
	}
	return errValues
}

func fillAs[T h5ad.Number](s *Source, b *h5ad.Batch, all []T) error {
	if s.plan.Config.changes() {
		out, _ := b.Values.([]float32)
		out = slices.Grow(out[:0], len(all))
		err := fillWith(s, b, all, func(vals []T) error {
			var err error
			out, err = normalise(s.plan, out, vals)
			return err
		})
		b.Values = out
		return err
	}
	out, _ := b.Values.([]T)
	out = slices.Grow(out[:0], len(all))
	err := fillWith(s, b, all, func(vals []T) error {
		out = append(out, vals...)
		return nil
	})
	b.Values = out
	return err
}

// fillWith sets all of b but its values, which take receives cell by cell, those
// of dropped genes left out.
func fillWith[T h5ad.Number](s *Source, b *h5ad.Batch, all []T, take func([]T) error) error {
	in := &s.in
	b.Indptr, b.Indices = append(b.Indptr[:0], 0), b.Indices[:0]
	for i := range in.NObs() {
		if !s.plan.Keeps(in.Start + i) {
			continue
		}
		lo := in.Indptr[i]
		cols, vals := in.Indices[lo:in.Indptr[i+1]], all[lo:in.Indptr[i+1]]
		n := 0
		for k, c := range cols {
			if c = s.cols[c]; c >= 0 {
				b.Indices = append(b.Indices, c)
				vals[n] = vals[k]
				n++
			}
		}
		if err := take(vals[:n]); err != nil {
			return fmt.Errorf("row %d: %w", in.Start+i, err)
		}
		b.Indptr = append(b.Indptr, int64(len(b.Indices)))
	}
	return nil
}

// Normalise changes the values of a batch, which has kept cells and genes alone, to
// []float32 as the plan has it. A plan that changes none leaves it as it is.
func (p *Plan) Normalise(b *h5ad.Batch) error {
	if !p.Config.changes() {
		return nil
	}
	switch v := b.Values.(type) {
	case []float32:
		return normaliseAll(p, b, v)
	case []float64:
		return normaliseAll(p, b, v)
	case []int8:
		return normaliseAll(p, b, v)
	case []int16:
		return normaliseAll(p, b, v)
	case []int32:
		return normaliseAll(p, b, v)
	case []int64:
		return normaliseAll(p, b, v)
	case []uint8:
		return normaliseAll(p, b, v)
	case []uint16:
		return normaliseAll(p, b, v)
	case []uint32:
		return normaliseAll(p, b, v)
	case []uint64:
		return normaliseAll(p, b, v)
	}
	return errValues
}

func normaliseAll[T h5ad.Number](p *Plan, b *h5ad.Batch, all []T) error {
	out := make([]float32, 0, len(all))
	var err error
	for i := range b.NObs() {
		if out, err = normalise(p, out, all[b.Indptr[i]:b.Indptr[i+1]]); err != nil {
			return fmt.Errorf("cell %d: %w", b.Start+i, err)
		}
	}
	b.Values = out
	return nil
}

// normalise appends the values of a cell, scaled and with logarithms taken, in
// float64 and rounded once.
func normalise[T h5ad.Number](p *Plan, dst []float32, vals []T) ([]float32, error) {
	scale := 1.0
	total := 0.0
	for _, v := range vals {
		if !(v >= 0) || float64(v) > math.MaxFloat64 {
			return dst, badInput("the value %g cannot be normalised: choose counts with --layer NAME or --raw", float64(v))
		}
		total += float64(v)
	}
	if p.Target > 0 && total > 0 {
		scale = p.Target / total
	}
	if p.Config.Log == LogNone {
		for _, v := range vals {
			dst = append(dst, float32(float64(v)*scale))
		}
		return dst, nil
	}
	per := p.Config.Log.per()
	// Counts repeat: a logarithm is taken once for each small one of a cell.
	var known [256]float32
	for _, v := range vals {
		small := uint8(v)
		if T(small) != v {
			dst = append(dst, float32(math.Log1p(float64(v)*scale)*per))
			continue
		}
		if known[small] == 0 {
			known[small] = float32(math.Log1p(float64(v)*scale) * per)
		}
		dst = append(dst, known[small])
	}
	return dst, nil
}
