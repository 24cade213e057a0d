package score

import (
	"context"
	"math"
)

const (
	perCell  = 1e6 // total to which a cell is scaled before differential expression
	perGroup = 5e4 // total to which the sum of a group is scaled for its profile
	maxTotal = 1e6 // a cell beyond this is no cell
)

// counts checks that the values are counts.
func (c *Cells) counts() (*Cells, error) {
	for r := range c.rows() {
		index, value := c.row(r)
		for i, v := range value {
			if v < 0 || v != math.Trunc(v) {
				return nil, badInput("%s: gene %s of %s: %g is no count; this preset takes raw counts, not logarithms or normalised values", c.name, c.genes[index[i]], c.labelOf(r), v)
			}
		}
		if t := sum(value); t > maxTotal {
			return nil, badInput("%s: a cell of %s has %g counts, more than %g", c.name, c.labelOf(r), t, maxTotal)
		}
	}
	return c, nil
}

// perMillion is log(1 + x) of the cells scaled to the same total, in the steps of
// cell-eval2: which values of different cells tie, as 2 of 1,000 and 3 of 1,500 counts
// should, depends on them. Empty cells stay empty.
func (c *Cells) perMillion() *Cells {
	return c.transform(func(_ int, in, out []float64) {
		scale := sum(in) / perCell
		for i, v := range in {
			out[i] = math.Log1p(v / scale)
		}
	})
}

// profiles is log(1 + x) of each group's summed counts at one total.
func (c *Cells) profiles() [][]float64 {
	sums := c.sums()
	for _, s := range sums {
		if t := sum(s); t > 0 {
			for j, v := range s {
				s[j] = math.Log1p(perGroup * v / t)
			}
		}
	}
	return sums
}

// jackknife is how far, in variance, chance moves each gene of each profile: the
// delete-one-cell jackknife (n−1)/n Σ (v_i − v̄)², 0 for a group of one cell.
func (c *Cells) jackknife(ctx context.Context, workers int) ([][]float64, error) {
	out := make([][]float64, len(c.groups))
	err := parallel(ctx, workers, len(c.groups), func(g int) error {
		out[g] = make([]float64, len(c.genes))
		n := c.size(g)
		if n < 2 {
			return nil
		}
		total := make([]float64, len(c.genes))
		for r := c.start[g]; r < c.start[g+1]; r++ {
			index, value := c.row(r)
			for i, j := range index {
				total[j] += value[i]
			}
		}
		all := sum(total)
		// Deviations from the profile itself, which is near the mean of the v.
		middle := make([]float64, len(total))
		for j, t := range total {
			middle[j] = logShare(t, all)
		}
		first, second := make([]float64, len(total)), make([]float64, len(total))
		cell := make([]float64, len(total))
		for r := c.start[g]; r < c.start[g+1]; r++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			index, value := c.row(r)
			for i, j := range index {
				cell[j] = value[i]
			}
			rest := all - sum(value)
			for j, t := range total {
				if t == 0 {
					continue
				}
				d := logShare(t-cell[j], rest) - middle[j]
				first[j] += d
				second[j] += d * d
			}
			for _, j := range index {
				cell[j] = 0
			}
		}
		for j := range total {
			out[g][j] = max(0, second[j]-first[j]*first[j]/float64(n)) * float64(n-1) / float64(n)
		}
		return nil
	})
	return out, err
}

// logShare is a gene's entry in a profile.
func logShare(count, total float64) float64 {
	if total <= 0 {
		return 0
	}
	return math.Log1p(perGroup * count / total)
}
