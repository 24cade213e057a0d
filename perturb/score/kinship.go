package score

import (
	"context"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/blas"
)

// kinship is where cells come from. Distances to the control cost by far the most of
// all scores, and the anchors are made of cells whose distances are known.
type kinship struct {
	parent *Cells // nil: none
	origin []int  // the parent's row of each row
	split  int    // these are half of the parent, in this split of its halves; else -1
	halves []halving
	sums   *rowSums // once someone asked
}

// picked is the kinship of some rows of c.
func (c *Cells) picked(rows [][]int) kinship {
	k := kinship{parent: c, split: -1}
	if c.kin.parent != nil {
		k.parent, k.split = c.kin.parent, c.kin.split
	}
	for _, list := range rows {
		for _, r := range list {
			if c.kin.parent != nil {
				r = c.kin.origin[r]
			}
			k.origin = append(k.origin, r)
		}
	}
	return k
}

// rowSums is sums of Euclidean distances, of each row: to the control cells and to the
// cells of its own group; and of each split to those that are in the same half.
type rowSums struct {
	control, group []float64
	half           []struct{ control, group []float64 }
}

// fromControl is the spread of each perturbation and the control.
func (c *Cells) fromControl(ctx context.Context, workers int) ([]spread, error) {
	within, between := make([]float64, len(c.groups)), make([]float64, len(c.groups))
	from := c
	if k := c.kin; k.parent != nil && (k.split >= 0 || k.wholeControl(c.size(0))) {
		from = k.parent
	}
	if from.kin.sums == nil {
		sums, err := from.rowSums(ctx, workers)
		if err != nil {
			return nil, err
		}
		from.kin.sums = sums
	}
	control, group := from.kin.sums.control, from.kin.sums.group
	if split := c.kin.split; from != c && split >= 0 {
		control, group = from.kin.sums.half[split].control, from.kin.sums.half[split].group
	}
	err := parallel(ctx, workers, len(c.groups), func(g int) error {
		for r := c.start[g]; r < c.start[g+1]; r++ {
			at := r
			if from != c {
				at = c.kin.origin[r]
			}
			between[g] += control[at]
			within[g] += group[at]
		}
		if from == c || c.kin.split >= 0 {
			return nil
		}
		if n := c.times(g); n > 0 {
			within[g] *= float64(n)
		} else {
			within[g] = distances(c, c, g, g)
		}
		return nil
	})
	var out []spread
	for g := 1; g < len(c.groups); g++ {
		out = append(out, spread{between[g], within[g], within[0], c.size(g), c.size(0)})
	}
	return out, err
}

// times is how often group g holds each cell of the parent's group g, 0 if it is not
// made of them all equally.
func (c *Cells) times(g int) int {
	parent := c.kin.parent
	count := make([]int, parent.size(g))
	for r := c.start[g]; r < c.start[g+1]; r++ {
		at := c.kin.origin[r] - parent.start[g]
		if at < 0 || at >= len(count) {
			return 0
		}
		count[at]++
	}
	for _, n := range count {
		if n != count[0] {
			return 0
		}
	}
	if len(count) == 0 {
		return 0
	}
	return count[0]
}

// wholeControl reports that the first rows are the n control cells of the parent, once
// each and in order.
func (k kinship) wholeControl(n int) bool {
	if n != k.parent.size(0) {
		return false
	}
	for r, at := range k.origin[:n] {
		if r != at {
			return false
		}
	}
	return true
}

// The blocks in which distances are computed.
const (
	blockRows = 256
	blockCols = 512
)

// rowSums measures the distances of all cells, block by block, as products of dense
// matrices: √(x² + y² − 2xy).
func (c *Cells) rowSums(ctx context.Context, workers int) (*rowSums, error) {
	n := c.rows()
	s := &rowSums{control: make([]float64, n), group: make([]float64, n)}
	s.half = make([]struct{ control, group []float64 }, len(c.kin.halves))
	for i := range s.half {
		s.half[i].control, s.half[i].group = make([]float64, n), make([]float64, n)
	}
	norm := make([]float64, n)
	var blocks [][2]int
	for g := range c.groups {
		for from := c.start[g]; from < c.start[g+1]; from += blockRows {
			blocks = append(blocks, [2]int{from, min(from+blockRows, c.start[g+1])})
		}
	}
	for r := range norm {
		_, value := c.row(r)
		norm[r] = squares(value)
	}
	err := parallel(ctx, workers, len(blocks), func(i int) error {
		from, to := blocks[i][0], blocks[i][1]
		genes := len(c.genes)
		x, y, product := make([]float64, blockRows*genes), make([]float64, blockCols*genes), make([]float64, blockRows*blockCols)
		c.dense(x, from, to)
		against := func(start, end int, whole []float64, half func(split int) []float64) error {
			for at := start; at < end; at += blockCols {
				if err := ctx.Err(); err != nil {
					return err
				}
				stop := min(at+blockCols, end)
				c.dense(y, at, stop)
				clear(product)
				blas.Multiply(1, to-from, stop-at, genes, -2, blas.Rows(x, genes), blas.Rows(y, genes).T(), product, blockCols, blas.All)
				for r := from; r < to; r++ {
					row := product[(r-from)*blockCols:][:stop-at]
					for k, d := range row {
						row[k] = math.Sqrt(max(0, norm[r]+norm[at+k]+d))
					}
					if at <= r && r < stop {
						row[r-at] = 0 // of a cell to itself, exactly
					}
					whole[r] += sum(row)
					for split, h := range c.kin.halves {
						if h[r] == 0 {
							continue
						}
						sums := half(split)
						for k, d := range row {
							if h[at+k] == h[r] {
								sums[r] += d
							}
						}
					}
				}
			}
			return nil
		}
		if err := against(0, c.size(0), s.control, func(split int) []float64 { return s.half[split].control }); err != nil {
			return err
		}
		g := c.groupOf(from)
		return against(c.start[g], c.start[g+1], s.group, func(split int) []float64 { return s.half[split].group })
	})
	return s, err
}

// groupOf is the group of row r.
func (c *Cells) groupOf(r int) int {
	g, _ := slices.BinarySearch(c.start, r+1) // the first start beyond r
	return g - 1
}

// dense writes rows [from, to) to x, a row after the other.
func (c *Cells) dense(x []float64, from, to int) {
	genes := len(c.genes)
	clear(x[:(to-from)*genes])
	for r := from; r < to; r++ {
		index, value := c.row(r)
		row := x[(r-from)*genes:][:genes]
		for i, j := range index {
			row[j] = value[i]
		}
	}
}
