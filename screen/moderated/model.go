package moderated

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Model is what all compounds together say about one.
type Model struct {
	Shape Shape
	// Learnt is false where there were too few compounds to tell the shape, which is
	// then [Round].
	Learnt bool
	Prior  Prior
}

// Learn finds the model of compounds from their donor means. Compounds whose effects
// do not vary over donors teach nothing.
func Learn(list []Effects) Model {
	var m Model
	m.Shape, m.Learnt = FitShape(list)
	var s2, df []float64
	for _, e := range list {
		if f := m.Fit(e); !f.Flat {
			s2 = append(s2, f.S2)
			df = append(df, f.DF)
		}
	}
	m.Prior = FitPrior(s2, df)
	return m
}

// Fit is a compound's means and their scatter.
type Fit struct {
	// Mean is of the positive and of the neutral context; NaN where no donor has an
	// effect.
	Mean [2]float64
	// Cov is the covariance of Mean for a residual variance of 1.
	Cov [2][2]float64
	// S2 is the residual variance, with DF degrees of freedom: NaN and 0 where there is
	// nothing to tell it from.
	S2, DF float64
	// N is the number of donors.
	N [2]int
	// Flat says that the effects do not vary over donors, as those of a model that
	// copies its input: such effects have no error, and no test.
	Flat bool
}

// Fit finds the means of a compound by generalised least squares.
func (m Model) Fit(e Effects) Fit {
	s := m.Shape
	det := s.Pos*s.Neu - s.Cov*s.Cov
	inverse := [2][2]float64{{s.Neu / det, -s.Cov / det}, {-s.Cov / det, s.Pos / det}}
	var a [2][2]float64 // the normal equations a·mean = b
	var b [2]float64
	var f Fit
	donors := max(len(e.Pos), len(e.Neu))
	for d := range donors {
		p, hasP := at(e.Pos, d)
		n, hasN := at(e.Neu, d)
		switch {
		case hasP && hasN:
			for i := range 2 {
				for j := range 2 {
					a[i][j] += inverse[i][j]
				}
				b[i] += inverse[i][0]*p + inverse[i][1]*n
			}
			f.N[0]++
			f.N[1]++
		case hasP:
			a[0][0] += 1 / s.Pos
			b[0] += p / s.Pos
			f.N[0]++
		case hasN:
			a[1][1] += 1 / s.Neu
			b[1] += n / s.Neu
			f.N[1]++
		}
	}
	f.solve(a, b)
	f.DF = 0
	for _, n := range f.N {
		f.DF += float64(max(n-1, 0))
	}
	r := residuals{}
	for d := range donors {
		p, hasP := at(e.Pos, d)
		n, hasN := at(e.Neu, d)
		p -= f.Mean[0]
		n -= f.Mean[1]
		switch {
		case hasP && hasN:
			r.pp += p * p
			r.nn += n * n
			r.pn += p * n
		case hasP:
			r.pp1 += p * p
		case hasN:
			r.nn1 += n * n
		}
	}
	f.S2 = math.NaN()
	if f.DF > 0 {
		f.S2 = s.distance(&r) / f.DF
		f.Flat = negligible(r.pp+r.nn+r.pp1+r.nn1, f.DF, f.Mean[0], f.Mean[1])
	}
	return f
}

// solve takes the means and their covariance from the normal equations.
func (f *Fit) solve(a [2][2]float64, b [2]float64) {
	nan := math.NaN()
	f.Mean = [2]float64{nan, nan}
	f.Cov = [2][2]float64{{nan, nan}, {nan, nan}}
	if f.N[0] > 0 && f.N[1] > 0 {
		det := a[0][0]*a[1][1] - a[0][1]*a[1][0]
		f.Cov = [2][2]float64{{a[1][1] / det, -a[0][1] / det}, {-a[1][0] / det, a[0][0] / det}}
		for i := range 2 {
			f.Mean[i] = f.Cov[i][0]*b[0] + f.Cov[i][1]*b[1]
		}
		return
	}
	for i := range 2 {
		if f.N[i] > 0 {
			f.Cov[i][i] = 1 / a[i][i]
			f.Mean[i] = b[i] / a[i][i]
		}
	}
}

// Contrast weighs the positive and the neutral context.
type Contrast [2]float64

// Positive is the effect in the positive context.
func Positive() Contrast { return Contrast{1, 0} }

// Neutral is the effect in the neutral context.
func Neutral() Contrast { return Contrast{0, 1} }

// Split is by how much the first exceeds the second.
func Split() Contrast { return Contrast{1, -1} }

// Estimate is a contrast of a compound with its moderated error.
type Estimate struct {
	Value float64
	// SE is the standard error, with DF degrees of freedom; NaN where the compound has
	// no residual variance of its own to judge the contrast by: fewer than two donors in
	// a context that counts.
	SE, DF float64
	// Flat is that of the fit: all p-values are 1, and there is no interval.
	Flat bool
}

// Estimate gives a contrast of a compound.
func (m Model) Estimate(f Fit, c Contrast) Estimate {
	e := Estimate{SE: math.NaN(), DF: math.NaN(), Flat: f.Flat}
	variance, testable := 0.0, true
	for i, w := range c {
		if w == 0 {
			continue
		}
		e.Value += w * f.Mean[i]
		testable = testable && f.N[i] >= 2
		for j, v := range c {
			if v != 0 {
				variance += w * v * f.Cov[i][j]
			}
		}
	}
	if !testable || f.Flat {
		return e
	}
	s2, df := m.Prior.Squeeze(f.S2, f.DF)
	e.SE, e.DF = math.Sqrt(variance*s2), df
	return e
}

// T is the moderated t-statistic against a value; NaN where there is no error.
func (e Estimate) T(against float64) float64 { return (e.Value - against) / e.SE }

// Greater is the one-sided p-value against the contrast being at most the value.
func (e Estimate) Greater(than float64) float64 { return e.tail(-e.T(than)) }

// Less is the one-sided p-value against the contrast being at least the value.
func (e Estimate) Less(than float64) float64 { return e.tail(e.T(than)) }

// Within is the p-value of two one-sided tests against the contrast being as far as
// the margin from 0, or farther.
func (e Estimate) Within(margin float64) float64 {
	return max(e.Greater(-margin), e.Less(margin))
}

// tail is the probability of a t-statistic below t.
func (e Estimate) tail(t float64) float64 {
	switch {
	case e.Flat:
		return 1
	case math.IsNaN(t):
		return math.NaN()
	}
	return distuv.StudentsT{Sigma: 1, Nu: e.DF}.CDF(t)
}

// Interval is the interval of a level, such as 0.9: the values that one-sided tests
// at half of what is left do not reject. NaN where there is no error.
func (e Estimate) Interval(level float64) (lo, hi float64) {
	if math.IsNaN(e.SE) {
		return math.NaN(), math.NaN()
	}
	w := e.SE * distuv.StudentsT{Sigma: 1, Nu: e.DF}.Quantile((1+level)/2)
	return e.Value - w, e.Value + w
}
