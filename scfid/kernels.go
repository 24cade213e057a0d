package scfid

import (
	"context"
	"math"
	"slices"

	kernel "github.com/cellsentence/c2s/internal/blas"
)

// KID is the kernel inception distance: the unbiased squared MMD with the kernel
// (x·y/d + 1)³, over random subsets of equal size of both sides (M. Bińkowski et
// al., "Demystifying MMD GANs", 2018). It may be negative, and is near 0 for equal
// distributions at any number of cells. Std is the population standard deviation
// over the subsets, and missing where a subset is all there is.
type KID struct {
	Mean Value `json:"mean"`
	Std  Value `json:"std"`
}

// MMD is the unbiased squared maximum mean discrepancy with a Gaussian kernel,
// whose bandwidth is the median distance between the cells of both sides, on at
// most Config.SubsetSize cells a side, and the permutation test of it (A. Gretton
// et al., "A Kernel Two-Sample Test", JMLR 13, 2012).
type MMD struct {
	Value     Value `json:"value"`
	Bandwidth Value `json:"bandwidth"`
	// P is (1 + permutations that are at least as far apart)/(1 + permutations).
	P Value `json:"p"`
	N int   `json:"n"` // cells a side
}

// kid draws subsets and averages.
func (e *evaluation) kid(ctx context.Context, real, gen Rows) (KID, error) {
	size := min(real.Len(), gen.Len(), e.cfg.SubsetSize)
	if size < 2 {
		return KID{missing, missing}, nil
	}
	subsets := e.cfg.Subsets
	if size == real.Len() && size == gen.Len() {
		subsets = 1
	}
	values := make([]float64, subsets)
	for k := range values {
		if err := ctx.Err(); err != nil {
			return KID{}, err
		}
		x, err := load(ctx, pick(real, newDraws(e.cfg.Seed, forKernel, 2*k).Sample(real.Len(), size)))
		if err != nil {
			return KID{}, err
		}
		y, err := load(ctx, pick(gen, newDraws(e.cfg.Seed, forKernel, 2*k+1).Sample(gen.Len(), size)))
		if err != nil {
			return KID{}, err
		}
		values[k] = polynomialMMD(x, y, real.Dim(), e.cfg.Workers)
	}
	mean, sd := meanSD(values)
	if subsets == 1 {
		return KID{Value(mean), missing}, nil
	}
	return KID{Value(mean), Value(sd * math.Sqrt(float64(subsets-1)/float64(subsets)))}, nil
}

// polynomialMMD is the unbiased squared MMD of KID's kernel.
func polynomialMMD(x, y []float64, d, workers int) float64 {
	within := func(v []float64) float64 {
		n := len(v) / d
		g := make([]float64, n*n)
		kernel.Multiply(workers, n, n, d, 1/float64(d), kernel.Rows(v, d), kernel.Rows(v, d).T(), g, n, kernel.Upper)
		sum := 0.0
		for i := range n {
			part := 0.0
			for _, k := range g[i*n+i+1 : (i+1)*n] {
				k++
				part += k * k * k
			}
			sum += part
		}
		return 2 * sum / (float64(n) * float64(n-1))
	}
	n, m := len(x)/d, len(y)/d
	g := make([]float64, n*m)
	kernel.Multiply(workers, n, m, d, 1/float64(d), kernel.Rows(x, d), kernel.Rows(y, d).T(), g, m, kernel.All)
	cross := 0.0
	for i := range n {
		part := 0.0
		for _, k := range g[i*m:][:m] {
			k++
			part += k * k * k
		}
		cross += part
	}
	return within(x) + within(y) - 2*cross/(float64(n)*float64(m))
}

// mmd computes the Gaussian MMD and its permutation test. Labels are exchanged
// within donors where both sides have them: cells of one donor are alike whatever
// made them.
func (e *evaluation) mmd(ctx context.Context, real, gen Rows, realDonors, genDonors []string) (MMD, error) {
	n := min(real.Len(), gen.Len(), e.cfg.SubsetSize)
	if n < 2 {
		return MMD{missing, missing, missing, n}, nil
	}
	d := real.Dim()
	chosenR := newDraws(e.cfg.Seed, forMMD, 0).Sample(real.Len(), n)
	chosenG := newDraws(e.cfg.Seed, forMMD, 1).Sample(gen.Len(), n)
	x, err := load(ctx, pick(real, chosenR))
	if err != nil {
		return MMD{}, err
	}
	y, err := load(ctx, pick(gen, chosenG))
	if err != nil {
		return MMD{}, err
	}
	k := squaredDistances(append(x, y...), d, e.cfg.Workers)
	all := 2 * n
	off := make([]float64, 0, all*(all-1)/2)
	for i := range all {
		off = append(off, k[i*all+i+1:(i+1)*all]...)
	}
	middle := median(off)
	if middle == 0 {
		return MMD{missing, 0, missing, n}, nil
	}
	for i, v := range k {
		k[i] = math.Exp(-v / (2 * middle))
	}
	strata := make([]string, all)
	if realDonors != nil && genDonors != nil {
		for i := range n {
			strata[i], strata[n+i] = realDonors[chosenR[i]], genDonors[chosenG[i]]
		}
	}
	value, p := e.permute(k, n, strata)
	return MMD{Value(value), Value(math.Sqrt(middle)), Value(p), n}, ctx.Err()
}

// permute gives the unbiased MMD² of the kernel matrix k of 2n cells, the first n
// of which are real, and the p-value of its permutation test within strata.
func (e *evaluation) permute(k []float64, n int, strata []string) (value, p float64) {
	all, runs := 2*n, e.cfg.Permutations+1
	// Row r of mark holds 1 where run r calls a cell real; run 0 is the truth.
	mark := make([]float64, runs*all)
	groups := map[string][]int{}
	for i, s := range strata {
		groups[s] = append(groups[s], i)
	}
	for r := range runs {
		row := mark[r*all:][:all]
		for i := range n {
			row[i] = 1
		}
		if r == 0 {
			continue
		}
		draw := newDraws(e.cfg.Seed, forPermutation, r)
		for _, cells := range groups {
			// Fisher and Yates within the stratum; a cell's own number keys its draw.
			for i := len(cells) - 1; i > 0; i-- {
				j := draw.Below(cells[i], i+1)
				a, b := cells[i], cells[j]
				row[a], row[b] = row[b], row[a]
			}
		}
	}
	// Sums over pairs follow from mark·k: the numbers of cells a side stay.
	sums := make([]float64, runs*all)
	kernel.Multiply(e.cfg.Workers, runs, all, all, 1, kernel.Rows(mark, all), kernel.Rows(k, all), sums, all, kernel.All)
	total, rowSums := 0.0, make([]float64, all)
	for i := range all {
		for j, v := range k[i*all:][:all] {
			if i != j {
				rowSums[i] += v
			}
		}
		total += rowSums[i]
	}
	stat := func(r int) float64 {
		var inside, marked float64
		for i, m := range mark[r*all:][:all] {
			if m == 1 {
				inside += sums[r*all+i] - k[i*all+i]
				marked += rowSums[i]
			}
		}
		cross := marked - inside
		rest := total - inside - 2*cross
		pairs := float64(n) * float64(n-1)
		return (inside+rest)/pairs - 2*cross/(float64(n)*float64(n))
	}
	value = stat(0)
	far := 1
	for r := 1; r < runs; r++ {
		// Runs that mark the same cells differ by rounding only.
		if stat(r) >= value-1e-12 {
			far++
		}
	}
	return value, float64(far) / float64(runs)
}

// squaredDistances is the matrix of squared Euclidean distances between rows. The
// mean is taken away first, so that it does not eat the digits.
func squaredDistances(x []float64, d, workers int) []float64 {
	centre(x, d, workers)
	n := len(x) / d
	norms := squaredNorms(x, d)
	k := make([]float64, n*n)
	kernel.Multiply(workers, n, n, d, -2, kernel.Rows(x, d), kernel.Rows(x, d).T(), k, n, kernel.Upper)
	for i := range n {
		k[i*n+i] = 0
		for j := i + 1; j < n; j++ {
			v := max(0, norms[i]+norms[j]+k[i*n+j])
			k[i*n+j], k[j*n+i] = v, v
		}
	}
	return k
}

func squaredNorms(x []float64, d int) []float64 {
	norms := make([]float64, len(x)/d)
	for i := range norms {
		for _, v := range x[i*d:][:d] {
			norms[i] += float64(v * v)
		}
	}
	return norms
}

// median is the middle value; x is sorted.
func median(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}
