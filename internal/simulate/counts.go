package simulate

import "math"

const (
	// inversionLimit is the mean up to which counts are found by summing the
	// probabilities of 0, 1, 2 …: about as many steps as the mean.
	inversionLimit = 32
	// poissonLimit is the dispersion below which a count is taken as Poisson. The
	// variance is then wrong by less than 1e-6 of the squared mean.
	poissonLimit = 1e-6
	// maxCount bounds a count, so that it fits 32 bits whatever the settings.
	maxCount = math.MaxInt32
)

// negativeBinomial returns the count that the random word x picks from the
// negative binomial distribution of mean mu and variance mu + phi mu². Up to
// inversionLimit it is the quantile function, so that of two means the larger
// one never gets the smaller count from the same word.
func negativeBinomial(x uint64, mu, phi float64) int32 {
	// P(count > 0) ≤ mu, Markov's inequality: most genes of a cell end here.
	u := uniform(x)
	if !(u < mu) {
		return 0
	}
	if mu > inversionLimit {
		s := stream{mix(x ^ golden), golden}
		return int32(min(gammaPoisson(&s, mu, phi), maxCount))
	}
	var p, step, r float64
	if phi < poissonLimit {
		p, step = exp(-mu), mu
	} else {
		// Of r = 1/phi: p(0) = (1 + mu/r)^-r, p(k+1) = p(k) (r+k)/(k+1) mu/(r+mu).
		r = 1 / phi
		p = exp(float64(-r * Log(1+float64(mu*phi))))
		step = mu / (r + mu)
	}
	below, v := p, 1-u
	for k := 1.0; ; k++ {
		if v <= below {
			return int32(k - 1)
		}
		if r > 0 {
			p = float64(p*step) * ((r + k - 1) / k)
		} else {
			p = float64(p*step) / k
		}
		// The sum stops short of one by its rounding errors.
		if k > mu && p < 0x1p-60 {
			return int32(k - 1)
		}
		below += p
	}
}

// gammaPoisson is a Poisson count whose mean is gamma distributed with mean mu
// and squared coefficient of variation phi: a negative binomial of any mean.
func gammaPoisson(s *stream, mu, phi float64) float64 {
	if phi >= poissonLimit {
		r := 1 / phi
		mu *= gamma(s, r) / r
	}
	return poisson(s, mu)
}

// gamma is a gamma deviate of the given shape and scale 1 (G. Marsaglia and W. W.
// Tsang, A Simple Method for Generating Gamma Variables, ACM TOMS 26:363, 2000).
func gamma(s *stream, shape float64) float64 {
	boost := 1.0
	if shape < 1 {
		boost = exp(Log(1-uniform(s.next())) / shape)
		shape++
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(float64(9*d))
	for {
		z := normal(s.next())
		v := 1 + float64(c*z)
		if v <= 0 {
			continue
		}
		v = float64(v*v) * v
		accept := float64(float64(0.5*z)*z) + d - float64(d*v) + float64(d*Log(v))
		if Log(1-uniform(s.next())) < accept {
			return d * v * boost
		}
	}
}

// poisson is a Poisson deviate of the given mean (W. Hörmann, The Transformed
// Rejection Method for Generating Poisson Random Variables, Insurance: Mathematics
// and Economics 12:39, 1993: PTRS).
func poisson(s *stream, mean float64) float64 {
	if mean < 10 {
		return float64(negativeBinomial(s.next(), mean, 0))
	}
	logMean := Log(mean)
	b := 0.931 + float64(2.53*math.Sqrt(mean))
	a := float64(0.02483*b) - 0.059
	logInvAlpha := Log(1.1239 + 1.1328/(b-3.4))
	vr := 0.9277 - 3.6224/(b-2)
	for {
		u := uniform(s.next()) - 0.5
		v := 1 - uniform(s.next())
		us := 0.5 - math.Abs(u)
		if us == 0 {
			continue
		}
		k := math.Floor(float64((2*a/us+b)*u) + mean + 0.43)
		if us >= 0.07 && v <= vr {
			return k
		}
		if k < 0 || us < 0.013 && v > us {
			continue
		}
		if Log(v)+logInvAlpha-Log(a/float64(us*us)+b) <= float64(k*logMean)-mean-logFactorial(k) {
			return k
		}
	}
}
