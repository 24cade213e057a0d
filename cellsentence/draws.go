package cellsentence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/mt19937"
)

// drawing is the state of TiesPython between cells.
type drawing struct {
	enc    *Encoder
	stream *mt19937.Source
	begun  bool
	next   int // the row whose draws come next
}

func (d *drawing) draw(ctx context.Context, j *job) error {
	if !d.begun {
		d.begun = true
		if err := d.skip(ctx); err != nil {
			return err
		}
	}
	b := &j.batch
	if b.Start != d.next {
		return fmt.Errorf("python ties: the batch starts at row %d, not %d: its ties depend on all cells before it, "+
			"in order; encode from row 0, or use random ties", b.Start, d.next)
	}
	d.next += b.NObs()
	j.draws, j.sizes = j.draws[:0], j.sizes[:0]
	for i := range b.NObs() {
		lo, hi := b.Indptr[i], b.Indptr[i+1]
		n := d.enc.words.included(b.Indices[lo:hi])
		at := len(j.draws)
		j.draws = slices.Grow(j.draws, n)[:at+n]
		d.stream.Draws(j.draws[at:])
		j.sizes = append(j.sizes, n)
	}
	return nil
}

// skip makes the draws of the cells before the source.
func (d *drawing) skip(ctx context.Context) error {
	if d.enc.cfg.Before == nil {
		return nil
	}
	for n := range d.enc.cfg.Before {
		if n < 0 || n > len(d.enc.words.list) {
			return fmt.Errorf("python ties: row %d is said to have %d stored values, of %d genes", d.next, n, len(d.enc.words.list))
		}
		if d.next++; d.next%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		d.stream.Skip(n)
	}
	return nil
}

// included counts the columns that are not excluded.
func (w *words) included(cols []int32) int {
	if w.role == nil {
		return len(cols)
	}
	n := 0
	for _, c := range cols {
		if uint32(c) >= uint32(len(w.role)) || w.role[c] != excluded {
			n++
		}
	}
	return n
}

// permute sets r.perm to the collected genes in the order into which the draws
// bring the cell's stored values. Those without a word take part in it like the
// others and are left out afterwards.
func (r *ranker) permute(draws []uint32) {
	const none = math.MaxUint32
	r.perm = slices.Grow(r.perm[:0], len(draws))
	next := uint32(0)
	for _, h := range r.holes {
		for ; next < h; next++ {
			r.perm = append(r.perm, next)
		}
		r.perm = append(r.perm, none)
	}
	for ; next < uint32(r.n); next++ {
		r.perm = append(r.perm, next)
	}
	mt19937.Swap(r.perm, draws)
	if len(r.holes) > 0 {
		r.perm = slices.DeleteFunc(r.perm, func(i uint32) bool { return i == none })
	}
}
