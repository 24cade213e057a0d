package cellsentence

import (
	"math"
	"slices"
)

// moments is the sums from which all measures of a view are made. They add up
// over cells, which makes resampling cells a matter of weights.
type moments [numMoments]float64

const (
	mCells = iota
	mN
	mY // y is the expression, f what a model says
	mYY
	mF
	mFF
	mYF
	mRR   // squared residuals
	mAbs  // absolute residuals
	mCutY // y of the genes that are not in the sentence
	mCutYY
	numMoments
)

// of sums up one cell, of whose values the first k are in the sentence.
func (m *moments) of(y, f []float64, k int) {
	*m = moments{mCells: 1}
	m.kept(y[:k], f[:k])
	for _, v := range y[k:] {
		m[mCutY] += v
		m[mCutYY] += v * v
	}
}

func (m *moments) kept(y, f []float64) {
	f = f[:len(y)]
	var sy, syy, sf, sff, syf, srr, sabs float64
	for i, v := range y {
		p := f[i]
		d := v - p
		sy += v
		syy += v * v
		sf += p
		sff += p * p
		syf += v * p
		srr += d * d
		sabs += math.Abs(d)
	}
	m[mN] += float64(len(y))
	m[mY] += sy
	m[mYY] += syy
	m[mF] += sf
	m[mFF] += sff
	m[mYF] += syf
	m[mRR] += srr
	m[mAbs] += sabs
}

func (m *moments) add(o *moments, w float64) {
	for i := range m {
		m[i] += w * o[i]
	}
}

// r2 is 1 − residual / total sum of squares over the words.
func (m *moments) r2() float64 {
	return 1 - m[mRR]/(m[mYY]-m[mY]*m[mY]/m[mN])
}

// r2All is the same over all genes of the matrix, of which those without a word
// are decoded as 0.
func (m *moments) r2All(genes int) float64 {
	y, yy := m[mY]+m[mCutY], m[mYY]+m[mCutYY]
	return 1 - (m[mRR]+m[mCutYY])/(yy-y*y/(m[mCells]*float64(genes)))
}

// share is the part of the sum of all values that is in the words.
func (m *moments) share() float64 { return m[mY] / (m[mY] + m[mCutY]) }

func (m *moments) mae() float64 { return m[mAbs] / m[mN] }

// pearson is the correlation of y and f.
func (m *moments) pearson() float64 {
	n := m[mN]
	yy, ff := m[mYY]-m[mY]*m[mY]/n, m[mFF]-m[mF]*m[mF]/n
	return (m[mYF] - m[mY]*m[mF]/n) / math.Sqrt(yy*ff)
}

// resampled is moments with those of the bootstrap.
type resampled struct {
	all  moments
	boot []moments
}

func newResampled(n int) resampled { return resampled{boot: make([]moments, n)} }

// add adds a cell with its weights.
func (r *resampled) add(m *moments, weights []uint8) {
	r.all.add(m, 1)
	for b, w := range weights {
		if w > 0 {
			r.boot[b].add(m, float64(w))
		}
	}
}

// estimate is a statistic and its 95 % interval, the resamples in which it is
// undefined left out.
func (r *resampled) estimate(statistic func(*moments) float64) (Stat, Interval) {
	var v []float64
	for b := range r.boot {
		if s := statistic(&r.boot[b]); finite(s) {
			v = append(v, s)
		}
	}
	value := statistic(&r.all)
	if !finite(value) {
		value = math.NaN()
	}
	if len(v) == 0 {
		return Stat(value), Interval{Stat(math.NaN()), Stat(math.NaN())}
	}
	slices.Sort(v)
	return Stat(value), Interval{Stat(quantile(v, 0.025)), Stat(quantile(v, 0.975))}
}

// quantile interpolates linearly between sorted values.
func quantile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	i := int(at)
	if i == len(v)-1 {
		return v[i]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// poisson fills weights with draws from Poisson(1), one for each resample.
func poisson(weights []uint8, stream uint64) {
	for b := range weights {
		stream += golden
		u := float64(mix64(stream)>>11) / (1 << 53)
		w, p := uint8(0), math.Exp(-1)
		for u >= p && w < 20 { // beyond 20 lies 1e-20 of the probability
			u -= p
			w++
			p /= float64(w)
		}
		weights[b] = w
	}
}

// valueClasses counts values in classes that are 0.2 % wide, from which ranks
// are made without keeping the values.
type valueClasses []int64

const (
	classBits  = 9               // of the mantissa
	classLeast = 127 - 16        // exponent of the smallest class, 2^-16
	numClasses = 32 << classBits // on each side of zero
)

func newClasses() valueClasses { return make(valueClasses, 2*numClasses) }

// classOf rises with v.
func classOf(v float64) int {
	c := int(math.Float32bits(float32(math.Abs(v)))>>(23-classBits)) - classLeast<<classBits
	c = min(max(c, 0), numClasses-1)
	if v < 0 {
		return numClasses - 1 - c
	}
	return numClasses + c
}

// ranks gives each class the mean rank of its values, as a fraction of all.
func (c valueClasses) ranks() []float64 {
	total := int64(0)
	for _, n := range c {
		total += n
	}
	out := make([]float64, len(c))
	before := int64(0)
	for i, n := range c {
		out[i] = (float64(before) + float64(n)/2) / float64(total)
		before += n
	}
	return out
}
