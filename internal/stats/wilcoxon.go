package stats

import (
	"math"
	"slices"
	"sort"
)

// Pool is a reference sample that is ready to meet others in the Mann–Whitney
// test. Zeros are counted, not stored, so that sparse samples cost what their
// other values cost.
type Pool struct {
	values []float64 // distinct values other than 0, rising
	upTo   []int     // upTo[i] is the number of members at or below values[i], zeros left out
	n      int       // members, zeros included
	zeros  int
	ties   float64 // Σ t³ − t over the runs of equal members, zeros left out
}

// Reset makes p the pool of n values, of which those not listed are 0. It sorts
// nonzero in place; zeros may be among it, NaN may not. p's memory is used again.
func (p *Pool) Reset(nonzero []float64, n int) {
	slices.Sort(nonzero)
	p.values, p.upTo = p.values[:0], p.upTo[:0]
	p.n, p.zeros, p.ties = n, n-len(nonzero), 0
	below := 0
	runs(nonzero, func(v float64, count int) {
		if v == 0 {
			p.zeros += count
			return
		}
		below += count
		p.values = append(p.values, v)
		p.upTo = append(p.upTo, below)
		p.ties += cube(count)
	})
}

// runs calls do with each distinct value of a sorted slice and its number.
func runs(sorted []float64, do func(v float64, count int)) {
	for i := 0; i < len(sorted); {
		j := i + 1
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		do(sorted[i], j-i)
		i = j
	}
}

// cube is t³ − t, which is exact below 208,063 members; beyond, the rounding is
// that of SciPy.
func cube(t int) float64 {
	f := float64(t)
	return f*f*f - f
}

// MannWhitney is the two-sided test of a sample of n values against the pool, of
// which those not listed in nonzero are 0; nonzero is sorted in place, zeros may
// be among it, NaN may not. u is the statistic of the sample: the number of pairs
// in which its member is the greater, ties counting a half. p is that of the
// normal approximation with tie and continuity correction, at most 1, and NaN if
// either side is empty (H. Mann and D. Whitney, Ann. Math. Stat. 18, 1947).
func (p *Pool) MannWhitney(nonzero []float64, n int) (u, pvalue float64) {
	slices.Sort(nonzero)
	zeros := n - len(nonzero)
	ties := p.ties
	twice := 0 // 2u, a whole number
	negative := sort.SearchFloat64s(p.values, 0)
	negatives := 0
	if negative > 0 {
		negatives = p.upTo[negative-1]
	}
	at := 0
	runs(nonzero, func(v float64, count int) {
		if v == 0 {
			zeros += count
			return
		}
		at = seek(p.values, at, v)
		below, equal := 0, 0
		if at > 0 {
			below = p.upTo[at-1]
		}
		if at < len(p.values) && p.values[at] == v {
			equal = p.upTo[at] - below
			ties -= cube(equal)
		}
		if v > 0 {
			below += p.zeros
		}
		twice += count * (2*below + equal)
		ties += cube(count + equal)
	})
	twice += zeros * (2*negatives + p.zeros)
	ties += cube(zeros + p.zeros)
	u = float64(twice) / 2
	return u, normalP(u, n, p.n, ties)
}

// seek is the first place at or after from whose value is not below v. The steps
// double, since samples are sorted: near places are found at once.
func seek(values []float64, from int, v float64) int {
	step := 1
	hi := from
	for hi < len(values) && values[hi] < v {
		from = hi + 1
		hi += step
		step *= 2
	}
	hi = min(hi, len(values))
	return from + sort.SearchFloat64s(values[from:hi], v)
}

// normalP is the two-sided p of U. All values equal give 1, as SciPy does.
func normalP(u float64, n1, n2 int, ties float64) float64 {
	if n1 == 0 || n2 == 0 {
		return math.NaN()
	}
	a, b := float64(n1), float64(n2)
	n := a + b
	s := math.Sqrt(a * b / 12 * ((n + 1) - ties/(n*(n-1))))
	z := (math.Max(u, a*b-u) - a*b/2 - 0.5) / s
	return math.Min(1, math.Erfc(z/math.Sqrt2))
}
