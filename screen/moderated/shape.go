package moderated

import "math"

// Effects are the donor means of one compound, one list a context, in the same order
// of donors; NaN where a donor has none.
type Effects struct{ Pos, Neu []float64 }

// Shape is the covariance of a donor's two effects, up to a factor: variances in the
// positive and in the neutral context, of mean 1, and their covariance.
type Shape struct {
	Pos float64 `json:"positive"`
	Neu float64 `json:"neutral"`
	Cov float64 `json:"covariance"`
}

// Round is the shape of equal variances and no correlation.
func Round() Shape { return Shape{Pos: 1, Neu: 1} }

// Correlation is that of a donor's two effects.
func (s Shape) Correlation() float64 { return s.Cov / math.Sqrt(s.Pos*s.Neu) }

const (
	// enough is the number of residual degrees of freedom in each context below which a
	// shape is not learnt: its error would be a quarter or more (√(2/30)).
	enough = 30
	// steepest keeps the shape invertible where a model answers alike in both contexts.
	steepest = 0.98
)

// FitShape finds the shape that all compounds share, by maximum likelihood with a
// scale of each compound's own: the estimator of D. E. Tyler ("A distribution-free
// M-estimator of multivariate scatter", Ann. Stat. 15, 1987), for groups of residuals.
// Neither compounds with large variances nor those with large effects count more than
// others. ok is false, and the shape [Round], where there is too little to tell.
func FitShape(list []Effects) (s Shape, ok bool) {
	s = Round()
	groups := make([]residuals, 0, len(list))
	var pos, neu, both float64 // degrees of freedom
	for _, e := range list {
		r := newResiduals(e)
		if r.pos+r.neu <= 0 || r.flat {
			continue
		}
		groups = append(groups, r)
		pos += r.pos
		neu += r.neu
		both += r.both
	}
	if pos < enough || neu < enough {
		return s, false
	}
	const steps = 200
	for range steps {
		var next Shape
		for i := range groups {
			g := &groups[i]
			w := (g.pos + g.neu) / s.distance(g)
			next.Pos += w * (g.pp + g.pp1)
			next.Neu += w * (g.nn + g.nn1)
			next.Cov += w * g.pn
		}
		next.Pos /= pos
		next.Neu /= neu
		if both < enough {
			next.Cov = 0 // too few donors are in both contexts
		} else {
			next.Cov /= both
		}
		mean := (next.Pos + next.Neu) / 2
		if !(next.Pos > 0 && next.Neu > 0) {
			return Round(), false // all scores of a context are equal
		}
		next.Pos /= mean
		next.Neu /= mean
		most := steepest * math.Sqrt(next.Pos*next.Neu)
		next.Cov = max(-most, min(most, next.Cov/mean))
		done := math.Abs(next.Pos-s.Pos)+math.Abs(next.Cov-s.Cov) < 1e-12
		if s = next; done {
			break
		}
	}
	return s, true
}

// residuals are sums of products of a compound's residuals.
type residuals struct {
	pp, nn, pn     float64 // of donors in both contexts
	pp1, nn1       float64 // of donors in one
	pos, neu, both float64 // degrees of freedom
	flat           bool
}

func newResiduals(e Effects) residuals {
	var r residuals
	mp, np := mean(e.Pos)
	mn, nn := mean(e.Neu)
	pairs := 0
	for d := range max(len(e.Pos), len(e.Neu)) {
		p, hasP := at(e.Pos, d)
		n, hasN := at(e.Neu, d)
		p -= mp
		n -= mn
		switch {
		case hasP && hasN:
			pairs++
			r.pp += p * p
			r.nn += n * n
			r.pn += p * n
		case hasP:
			r.pp1 += p * p
		case hasN:
			r.nn1 += n * n
		}
	}
	r.pos = float64(max(np-1, 0))
	r.neu = float64(max(nn-1, 0))
	r.both = float64(max(pairs-1, 0))
	r.flat = negligible(r.pp+r.nn+r.pp1+r.nn1, r.pos+r.neu, mp, mn)
	return r
}

// distance is the sum of squared residuals in units of the shape.
func (s Shape) distance(r *residuals) float64 {
	det := s.Pos*s.Neu - s.Cov*s.Cov
	return (s.Neu*r.pp+s.Pos*r.nn-2*s.Cov*r.pn)/det + r.pp1/s.Pos + r.nn1/s.Neu
}

// negligible says that residuals are rounding: scores are of single precision, with
// errors of 6e-8 of their size. A deviation of 1e-6 of a score's range is none.
func negligible(sum, df, meanPos, meanNeu float64) bool {
	scale := 1.0
	for _, m := range []float64{meanPos, meanNeu} {
		if m = math.Abs(m); m > scale { // not for NaN
			scale = m
		}
	}
	return df > 0 && math.Sqrt(sum/df) <= 1e-6*scale
}

// mean is the mean of what is not NaN, and its number.
func mean(x []float64) (float64, int) {
	sum, n := 0.0, 0
	for _, v := range x {
		if v == v {
			sum += v
			n++
		}
	}
	return sum / float64(n), n
}

func at(x []float64, i int) (float64, bool) {
	if i >= len(x) || math.IsNaN(x[i]) {
		return 0, false
	}
	return x[i], true
}
