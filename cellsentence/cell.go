package cellsentence

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/h5ad"
)

// encodeJob makes the sentences of a batch.
func (e *Encoder) encodeJob(ctx context.Context, r *ranker, j *job) error {
	switch v := j.batch.Values.(type) {
	case []float32:
		return encodeCells(ctx, e, r, j, v)
	case []float64:
		return encodeCells(ctx, e, r, j, v)
	case []int8:
		return encodeCells(ctx, e, r, j, v)
	case []int16:
		return encodeCells(ctx, e, r, j, v)
	case []int32:
		return encodeCells(ctx, e, r, j, v)
	case []int64:
		return encodeCells(ctx, e, r, j, v)
	case []uint8:
		return encodeCells(ctx, e, r, j, v)
	case []uint16:
		return encodeCells(ctx, e, r, j, v)
	case []uint32:
		return encodeCells(ctx, e, r, j, v)
	case []uint64:
		return encodeCells(ctx, e, r, j, v)
	}
	return errValues
}

// checkEvery is how many cells are encoded between two looks at the context.
const checkEvery = 64

func encodeCells[T h5ad.Number](ctx context.Context, e *Encoder, r *ranker, j *job, vals []T) error {
	b, w := &j.batch, e.words
	j.out.reset(b.Start)
	j.out.reserve(w, len(vals), b.NObs(), e.cfg.TopK)
	j.stats = Stats{}
	clear(j.lost)
	mask := r.colMask()
	sizes, draws := j.sizes, j.draws
	for i := range b.NObs() {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		row := b.Start + i
		cols, cell := b.Indices[b.Indptr[i]:b.Indptr[i+1]], vals[b.Indptr[i]:b.Indptr[i+1]]
		if len(cell) > len(w.list) {
			return fmt.Errorf("row %d has %d stored values, but the matrix has %d genes", row, len(cell), len(w.list))
		}
		r.begin(len(cell))
		if at := collect(r, w, cols, cell); at >= 0 {
			return w.badEntry(row, int(cols[at]), float64(cell[at]))
		}
		switch r.ties {
		case TiesRandom:
			r.stream = tieStream(e.cfg.Seed, row)
		case TiesPython:
			r.permute(draws[:sizes[i]])
			draws = draws[sizes[i]:]
		}
		j.out.add(w, r.rank(e.cfg.TopK), mask)
		j.out.NGenes = append(j.out.NGenes, int32(r.n))
		j.out.Total = append(j.out.Total, r.total)
		j.tally(w, r, len(cell), e.cfg.TopK)
	}
	return nil
}

// reserve makes room for the sentences of some cells, going by the mean length
// of a word. Growing piece by piece would copy the text several times.
func (s *Sentences) reserve(w *words, stored, cells, topK int) {
	n := stored
	if topK < n/max(cells, 1) {
		n = topK * cells
	}
	if size := int(float64(n) * w.mean); cap(s.Text) < size {
		s.Text = make([]byte, 0, size+size/8)
	}
}

// add appends the sentence of one cell.
func (s *Sentences) add(w *words, order []uint64, mask uint64) {
	s.Text = w.write(s.Text, order, mask)
	s.Ends = append(s.Ends, len(s.Text))
}

// badEntry makes the error for a stored value at which a collector stopped.
func (w *words) badEntry(row, col int, v float64) error {
	if col < 0 || col >= len(w.names) {
		return fmt.Errorf("row %d has a value in column %d of a matrix of %s", row, col, plural(len(w.names), "gene"))
	}
	return badValue(row, col, w.names[col], v)
}
