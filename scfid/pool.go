package scfid

import (
	"context"
	"math"

	"github.com/cellsentence/c2s/internal/draws"
)

// Many distances between random parts of the same sets are needed. Where parts have
// more rows than dimensions, each set is cut once, at random, into poolParts parts,
// whose moments are added up once; larger parts are joined from those, at the cost
// of dim × dim and not of a pass over the rows.
const (
	poolParts  = 16
	poolMemory = 768 << 20 // bytes of moments of one set, beyond which rows are read each time
)

// pool is a set that random parts are drawn from.
type pool struct {
	rows    Rows
	workers int
	parts   []node // nil where rows are read each time
}

func (e *evaluation) pool(ctx context.Context, rows Rows, what purpose) (*pool, error) {
	n, d := rows.Len(), rows.Dim()
	p := &pool{rows: rows, workers: e.cfg.Workers}
	if n/2 <= d || n < poolParts*2 || d > int(math.Sqrt(poolMemory/(8*poolParts))) {
		return p, nil
	}
	part := make([]int, n) // of each row
	for i, row := range newDraws(e.cfg.Seed, what, 0).Order(n) {
		part[row] = i % poolParts
	}
	for k := range poolParts {
		var index []int
		for row, of := range part {
			if of == k {
				index = append(index, row)
			}
		}
		acc := NewAccumulator(d, 0, e.cfg.Workers)
		err := blocks(ctx, pick(rows, index), BlockRows, func(_ int, x []float64) error {
			acc.block(x)
			return nil
		})
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, acc.whole())
	}
	return p, nil
}

// split draws two disjoint parts of about a and b rows; b may be 0, which gives nil.
func (p *pool) split(ctx context.Context, from draws.Draws, a, b int) (first, second *Sample, err error) {
	n := p.rows.Len()
	// A part that is small, or hardly larger than the dimensions, is read as rows.
	if p.parts == nil || b > 0 && b < max(n/poolParts, 2*p.rows.Dim()) {
		i, j := from.Split(n, a, b)
		if first, err = Prepare(ctx, pick(p.rows, i), p.workers); err != nil || b == 0 {
			return first, nil, err
		}
		second, err = Prepare(ctx, pick(p.rows, j), p.workers)
		return first, second, err
	}
	order := from.Order(poolParts)
	k := (2*poolParts*a + n) / (2 * n) // rounded
	if first, err = p.join(ctx, order[:k]); err != nil || b == 0 {
		return first, nil, err
	}
	second, err = p.join(ctx, order[k:min(poolParts, k+(2*poolParts*b+n)/(2*n))])
	return first, second, err
}

// join prepares the union of parts.
func (p *pool) join(ctx context.Context, parts []int) (*Sample, error) {
	acc := NewAccumulator(p.rows.Dim(), 0, p.workers)
	for _, k := range parts {
		part := p.parts[k]
		part.scatter = append(acc.matrix()[:0], part.scatter...)
		acc.nodes = append(acc.nodes, part)
		acc.nodes = append(acc.nodes[:0], acc.whole())
	}
	m, err := acc.Moments()
	if err != nil {
		return nil, err
	}
	return FromMoments(ctx, m, p.workers)
}
