package moderated

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Prior is what the variances of all compounds say about that of one: it is
// distributed as S2 times DF over a χ² of DF degrees of freedom.
type Prior struct {
	// DF is +Inf where all variances are alike; 0 is no prior.
	DF float64
	S2 float64
	// Pooled is the sum of the degrees of freedom that the prior was learnt from: no
	// variance is known better than that.
	Pooled float64
}

// FitPrior finds the prior from variances and their degrees of freedom by the method
// of moments of their logarithms, Smyth's section 6.2, as limma's fitFDist does. What
// has no degree of freedom does not count. Fewer than two variances make no prior.
func FitPrior(s2, df []float64) Prior {
	var x, d []float64
	for i, v := range s2 {
		if df[i] > 0 && v >= 0 {
			x = append(x, v)
			d = append(d, df[i])
		}
	}
	n := float64(len(x))
	if n < 2 {
		return Prior{}
	}
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	median := (sorted[(len(x)-1)/2] + sorted[len(x)/2]) / 2
	if !(median > 0) {
		return Prior{}
	}
	var p Prior
	logs := make([]float64, len(x))
	centre, spread, own, pool := 0.0, 0.0, 0.0, 0.0
	for i, v := range x {
		v = max(v, 1e-5*median) // as limma does: a zero has no logarithm
		logs[i] = math.Log(v) - mathext.Digamma(d[i]/2) + math.Log(d[i]/2)
		centre += logs[i] / n
		own += trigamma(d[i]/2) / n
		pool += v * d[i]
		p.Pooled += d[i]
	}
	for _, l := range logs {
		spread += (l - centre) * (l - centre) / (n - 1)
	}
	if spread <= own {
		p.DF, p.S2 = math.Inf(1), pool/p.Pooled
		return p
	}
	p.DF = 2 * trigammaInverse(spread-own)
	p.S2 = math.Exp(centre + mathext.Digamma(p.DF/2) - math.Log(p.DF/2))
	return p
}

// Squeeze joins a variance with the prior: the mean of both by degrees of freedom.
func (p Prior) Squeeze(s2, df float64) (float64, float64) {
	switch {
	case p.DF == 0:
		return s2, df
	case math.IsInf(p.DF, 1):
		return p.S2, max(p.Pooled, df)
	}
	total := p.DF + df
	return (p.DF*p.S2 + df*s2) / total, max(min(total, p.Pooled), df)
}

// trigamma is the derivative of the digamma function, Hurwitz's ζ(2, x).
func trigamma(x float64) float64 { return mathext.Zeta(2, x) }

// trigammaInverse solves trigamma(y) = x for x > 0, by Newton's method on 1/trigamma,
// which is nearly straight: Smyth's appendix.
func trigammaInverse(x float64) float64 {
	switch {
	case x > 1e7:
		return 1 / math.Sqrt(x)
	case x < 1e-6:
		return 1 / x
	}
	y := 0.5 + 1/x
	const steps = 50
	for range steps {
		tri := trigamma(y)
		step := tri * (1 - tri/x) / (-2 * mathext.Zeta(3, y))
		y += step
		if -step/y < 1e-12 {
			break
		}
	}
	return y
}
