package stats

import "math"

// exactPairs is the number of differences up to which the distribution of the signed
// ranks is counted out: 200 take 16 million additions.
const exactPairs = 200

// SignedRank is Wilcoxon's test that paired differences are as often above 0 as below,
// with the sum of the ranks of the positive ones (F. Wilcoxon, Biometrics Bulletin 1,
// 1945). Differences of 0 are left out. p is two-sided; up to 200 differences it is
// exact, given the ranks, also where these are tied: the share of the 2ⁿ signs that give
// a sum as far out, doubled. Beyond, it is that of the normal distribution, without
// continuity correction. Without a difference p is NaN. SciPy's wilcoxon gives the same.
func SignedRank(diff []float64) (sum, p float64) {
	var size []float64
	var above []bool
	for _, d := range diff {
		if d != 0 {
			size, above = append(size, math.Abs(d)), append(above, d > 0)
		}
	}
	if len(size) == 0 {
		return 0, math.NaN()
	}
	ranks := Ranks(size)
	total, squares := 0.0, 0.0
	for i, r := range ranks {
		total += r
		squares += r * r
		if above[i] {
			sum += r
		}
	}
	if len(ranks) > exactPairs {
		z := (sum - total/2) / math.Sqrt(squares/4)
		return sum, math.Erfc(math.Abs(z) / math.Sqrt2)
	}
	// Twice a rank is a whole number. ways[s] is the share of signs with twice the sum s.
	ways := make([]float64, int(2*total)+1)
	ways[0] = 1
	most := 0
	for _, r := range ranks {
		step := int(2 * r)
		for s := most; s >= 0; s-- {
			ways[s] /= 2
			ways[s+step] += ways[s]
		}
		most += step
	}
	var below, beyond float64
	for s, w := range ways {
		if s <= int(2*sum) {
			below += w
		}
		if s >= int(2*sum) {
			beyond += w
		}
	}
	return sum, min(1, 2*min(below, beyond))
}

// Holm adjusts p-values so that the chance of any false rejection stays below what they
// are held against (S. Holm, Scand. J. Stat. 6, 1979). NaN stay NaN and are not counted.
func Holm(p []float64) []float64 {
	out := make([]float64, len(p))
	order := rising(p)
	for i := range out {
		out[i] = math.NaN()
	}
	most := 0.0
	for k, i := range order {
		most = max(most, min(1, p[i]*float64(len(order)-k)))
		out[i] = most
	}
	return out
}

// HedgesG is how far the means of two samples are apart, in units of their pooled
// standard deviation, with the exact correction for few values:
// J(ν)·(mean x − mean y)/s, ν = len(x) + len(y) − 2,
// J = Γ(ν/2)/(√(ν/2)·Γ((ν−1)/2)) (L. Hedges, J. Educ. Stat. 6, 1981). It is NaN with
// fewer than two values in a sample, and where neither varies.
func HedgesG(x, y []float64) float64 {
	if len(x) < 2 || len(y) < 2 {
		return math.NaN()
	}
	mx, my := Mean(x), Mean(y)
	squares := 0.0
	for _, v := range x {
		squares += (v - mx) * (v - mx)
	}
	for _, v := range y {
		squares += (v - my) * (v - my)
	}
	df := float64(len(x) + len(y) - 2)
	if squares == 0 {
		return math.NaN()
	}
	top, _ := math.Lgamma(df / 2)
	bottom, _ := math.Lgamma((df - 1) / 2)
	return math.Exp(top-bottom) / math.Sqrt(df/2) * (mx - my) / math.Sqrt(squares/df)
}
