package score

import (
	"context"
	"math"
	"slices"
)

// distanceMetrics compares the predicted cells of each perturbation with the real
// ones.
func distanceMetrics(ctx context.Context, p *pair) ([]Metric, error) {
	n := p.perts()
	columns := make([][]float64, 4)
	for i := range columns {
		columns[i] = make([]float64, n)
	}
	err := parallel(ctx, p.workers, n, func(k int) error {
		x, y := p.real.cells, p.pred.cells
		if x.size(k+1) == 0 || y.size(k+1) == 0 {
			for i := range columns {
				columns[i][k] = math.NaN()
			}
			return nil
		}
		s := spread{
			between: distances(x, y, k+1, k+1), first: distances(x, x, k+1, k+1), other: distances(y, y, k+1, k+1),
			n: x.size(k + 1), m: y.size(k + 1),
		}
		columns[0][k], columns[1][k] = s.energyU(), s.energyV()
		columns[2][k] = mmd(x, y, k+1)
		columns[3][k] = wasserstein(x, y, k+1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	realVariance, predVariance := p.real.variances(), p.pred.variances()
	return []Metric{
		{Name: "edistance_u", Lower: true, Values: columns[0]},
		{Name: "edistance_v", Lower: true, Values: columns[1]},
		{Name: "mmd", Lower: true, Values: columns[2]},
		{Name: "wasserstein", Lower: true, Values: columns[3]},
		p.each("r2_mean", func(k int) float64 { return r2(p.real.means[k+1], p.pred.means[k+1]) }),
		p.each("r2_variance", func(k int) float64 { return r2(realVariance[k+1], predVariance[k+1]) }),
	}, nil
}

const (
	kernels = 50 // widths that mmd averages over
	nothing = 50 // an exponent beyond which exp(−x) counts as 0
)

// mmd is the squared maximum mean discrepancy of group g with Gaussian kernels
// exp(−γ d²), the cell itself included in the means within, averaged over γ from 10
// to 0.001 in equal steps of the logarithm, as CellOT has it.
func mmd(x, y *Cells, g int) float64 {
	gammas := make([]float64, kernels)
	for i := range gammas {
		gammas[i] = math.Pow(10, 1-4*float64(i)/(kernels-1))
	}
	mean := func(a, b *Cells) float64 {
		total := 0.0
		pairs(a, b, g, g, func(d2 float64) {
			for _, gamma := range gammas {
				if gamma*d2 < nothing {
					total += math.Exp(-gamma * d2)
				}
			}
		})
		return total / kernels / (float64(a.size(g)) * float64(b.size(g)))
	}
	return mean(x, x) + mean(y, y) - 2*mean(x, y)
}

// wasserstein is the distance between the distributions of each gene (order 1),
// averaged over the genes.
func wasserstein(x, y *Cells, g int) float64 {
	a, b := x.group(g), y.group(g)
	total := 0.0
	for j := range x.genes {
		total += earthMover(a[j], x.size(g), b[j], y.size(g))
	}
	return total / float64(len(x.genes))
}

// group is the values of each gene in group g, zeros left out.
func (c *Cells) group(g int) [][]float64 {
	out := make([][]float64, len(c.genes))
	for r := c.start[g]; r < c.start[g+1]; r++ {
		index, value := c.row(r)
		for i, j := range index {
			if value[i] != 0 {
				out[j] = append(out[j], value[i])
			}
		}
	}
	return out
}

// earthMover is ∫ |F − G| of two samples of n and m values of which those not
// listed are 0. It sorts both.
func earthMover(x []float64, n int, y []float64, m int) float64 {
	slices.Sort(x)
	slices.Sort(y)
	all := slices.Concat(x, y, []float64{0})
	slices.Sort(all)
	below := func(sorted []float64, count int, v float64) float64 {
		k, _ := slices.BinarySearchFunc(sorted, v, func(e, t float64) int {
			if e <= t {
				return -1
			}
			return 1
		})
		if v >= 0 {
			k += count - len(sorted)
		}
		return float64(k) / float64(count)
	}
	total := 0.0
	for i := 0; i+1 < len(all); i++ {
		if width := all[i+1] - all[i]; width > 0 {
			total += width * math.Abs(below(x, n, all[i])-below(y, m, all[i]))
		}
	}
	return total
}

// variances is the variance of each gene in each group, with n in the denominator.
func (s *side) variances() [][]float64 {
	c := s.cells
	out := make([][]float64, len(c.groups))
	for g := range out {
		out[g] = make([]float64, len(c.genes))
		n := float64(c.size(g))
		seen := make([]float64, len(c.genes))
		centre := c.centre(g)
		for r := c.start[g]; r < c.start[g+1]; r++ {
			index, value := c.row(r)
			for i, j := range index {
				d := value[i] - centre[j]
				out[g][j] += d * d
				seen[j]++
			}
		}
		for j, m := range centre {
			out[g][j] = (out[g][j] + (n-seen[j])*m*m) / n
		}
	}
	return out
}

// centre is the mean of each gene in group g.
func (c *Cells) centre(g int) []float64 {
	mean := make([]float64, len(c.genes))
	for r := c.start[g]; r < c.start[g+1]; r++ {
		index, value := c.row(r)
		for i, j := range index {
			mean[j] += value[i]
		}
	}
	for j := range mean {
		mean[j] /= float64(c.size(g))
	}
	return mean
}

// r2 is the coefficient of determination, 1 − Σ(y − ŷ)²/Σ(y − ȳ)²; it may be
// negative.
func r2(truth, guess []float64) float64 {
	mean := sum(truth) / float64(len(truth))
	var off, spread float64
	for i, v := range truth {
		off += (v - guess[i]) * (v - guess[i])
		spread += (v - mean) * (v - mean)
	}
	if spread == 0 {
		return math.NaN()
	}
	return 1 - off/spread
}
