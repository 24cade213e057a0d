package scaling

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Margin is the difference in A between runs of one recipe: three runs of the paper lay
// within ±.015, and ±.02 is its margin of error.
const Margin = 0.02

// Config is how a run is fitted; the zero value takes all points.
type Config struct {
	// R0 is the reward of the initial policy; nil takes that of the point with compute 0.
	R0 *float64
	// From and To bound the compute of the points that are fitted; To 0 is no bound. The
	// paper drops the first 1.5k GPU-hours, about an epoch. Points above To are what the
	// forecast is verified with.
	From, To float64
	// At are computes to forecast, beside that of the last point.
	At        []float64
	Level     float64 // of the intervals; 0 takes 0.95
	Resamples int     // of the bootstrap; 0 takes 400
	Seed      uint64
}

// Interval is a range at the level of the configuration.
type Interval [2]float64

// Forecast is a reward that a fit foretells.
type Forecast struct {
	Compute float64  `json:"compute"`
	Reward  float64  `json:"reward"`
	CI      Interval `json:"ci"` // of the curve, by bootstrap
}

// Verification compares a forecast with the points beyond those that were fitted.
type Verification struct {
	N        int     `json:"n"`
	MeanBias float64 `json:"mean_bias"` // measured − forecast
	MAE      float64 `json:"mae"`
	Worst    float64 `json:"worst"` // the largest absolute error
	Within   float64 `json:"within_margin"`
}

// Fit is a fitted run.
type Fit struct {
	Curve
	N        int      `json:"n"`        // points fitted
	Residual float64  `json:"residual"` // standard deviation of a point, with n − 3
	Level    float64  `json:"level"`
	AProfile Interval `json:"a_profile"` // of A, by the profile of the sum of squares
	ABoot    Interval `json:"a_bootstrap"`
	BBoot    Interval `json:"b_bootstrap"`
	MidBoot  Interval `json:"c_mid_bootstrap"`
	// Lag1 is the correlation of neighbouring residuals. Both intervals take points as
	// independent: where it is well above 0 they are too narrow.
	Lag1         float64       `json:"lag1"`
	Forecasts    []Forecast    `json:"forecasts"`
	Verification *Verification `json:"verification"` // nil without points beyond To
	Warnings     []string      `json:"warnings"`

	boot []Curve
}

// minPoints is the least for three parameters and an error.
const minPoints = 6

// maxPoints bounds the work on a file that is no run.
const maxPoints = 100_000

// Run fits the curve to the points of a run.
func Run(ctx context.Context, points []Point, cfg Config) (*Fit, error) {
	r0, used, later, err := choose(points, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Level == 0 {
		cfg.Level = 0.95
	}
	if cfg.Resamples == 0 {
		cfg.Resamples = 400
	}
	if !(cfg.Level > 0 && cfg.Level < 1) || cfg.Resamples < 20 {
		return nil, badInput("level %g must be between 0 and 1, and %d resamples at least 20", cfg.Level, cfg.Resamples)
	}
	p := &problem{points: used, r0: r0, a: math.NaN()}
	best, sum := p.solve()
	f := &Fit{Curve: p.curve(best), N: len(used), Level: cfg.Level}
	f.Residual = math.Sqrt(sum / float64(len(used)-3))
	r := make([]float64, len(used))
	p.residuals(best, r)
	f.Lag1 = lag1(r)
	f.AProfile = p.profile(best, sum, f.A, cfg.Level)
	if err := f.bootstrap(ctx, p, best, r, cfg); err != nil {
		return nil, err
	}
	for _, c := range append(slices.Clone(cfg.At), max(used[len(used)-1].Compute, lastOf(later))) {
		f.Forecasts = append(f.Forecasts, f.Forecast(c))
	}
	f.verify(later)
	f.warn(used)
	return f, nil
}

// Forecast is what the curve says of a compute, with its interval by bootstrap.
func (f *Fit) Forecast(c float64) Forecast {
	return Forecast{c, f.At(c), f.interval(func(k Curve) float64 { return k.At(c) })}
}

// choose checks and sorts the points and takes those to be fitted.
func choose(points []Point, cfg Config) (r0 float64, used, later []Point, err error) {
	if len(points) > maxPoints {
		return 0, nil, nil, badInput("%d points: more than %d are no run", len(points), maxPoints)
	}
	for i, v := range points {
		if !(v.Compute >= 0) || math.IsInf(v.Compute, 0) || math.IsNaN(v.Reward) || math.IsInf(v.Reward, 0) {
			return 0, nil, nil, badInput("point %d: compute %g and reward %g must be finite, and compute not negative", i+1, v.Compute, v.Reward)
		}
		if v.Reward < 0 || v.Reward > 1 {
			return 0, nil, nil, badInput("point %d: the reward %g is not between 0 and 1: the curve is one of pass rates; rescale it", i+1, v.Reward)
		}
	}
	for _, c := range cfg.At {
		if !(c > 0) || math.IsInf(c, 0) {
			return 0, nil, nil, badInput("the compute %g to forecast must be positive and finite", c)
		}
	}
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.Compute, b.Compute) })
	switch {
	case cfg.R0 != nil:
		r0 = *cfg.R0
	case len(points) > 0 && points[0].Compute == 0:
		r0 = points[0].Reward
	default:
		return 0, nil, nil, badInput("no point has compute 0: give the reward of the initial policy")
	}
	if !(r0 >= 0 && r0 < 1) {
		return 0, nil, nil, badInput("the reward %g of the initial policy is not from 0 to below 1", r0)
	}
	for _, v := range points {
		switch {
		case v.Compute == 0 || v.Compute < cfg.From:
		case cfg.To > 0 && v.Compute > cfg.To:
			later = append(later, v)
		default:
			used = append(used, v)
		}
	}
	if len(used) < minPoints {
		return 0, nil, nil, badInput("%d points to fit, at least %d are needed", len(used), minPoints)
	}
	if used[0].Compute == used[len(used)-1].Compute {
		return 0, nil, nil, badInput("all points have the compute %g", used[0].Compute)
	}
	return r0, used, later, nil
}

// lastOf is the compute of the last point, or 0.
func lastOf(points []Point) float64 {
	if len(points) == 0 {
		return 0
	}
	return points[len(points)-1].Compute
}

// profile is the A between which the sum of squares, minimised over B and Mid, stays
// within what Student's t allows. A cannot leave [R0, 1].
func (p *problem) profile(best shape, sum, a, level float64) Interval {
	free := float64(len(p.points) - 3)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: free}.Quantile((1 + level) / 2)
	limit := sum * (1 + t*t/free)
	side := func(end float64) float64 {
		in, out, at := a, end, best
		held := &problem{points: p.points, r0: p.r0}
		// inside says whether a ceiling is in the interval, and moves the shape along.
		inside := func(v float64) bool {
			held.a = v
			// From the shape of the last ceiling inside; a long step may fail from there,
			// and is tried from the best shape.
			for _, start := range []shape{at, best} {
				if s, got := held.refine(start); got <= limit {
					at = s
					return true
				}
			}
			return false
		}
		if inside(out) {
			return out
		}
		for range 16 { // to 1/65,536 of the range
			if mid := (in + out) / 2; inside(mid) {
				in = mid
			} else {
				out = mid
			}
		}
		return in
	}
	return Interval{side(p.r0), side(1)}
}

// bootstrap fits the curve to itself with residuals drawn anew, widened for the three
// parameters that they were fitted with.
func (f *Fit) bootstrap(ctx context.Context, p *problem, best shape, r []float64, cfg Config) error {
	n := len(r)
	wide := math.Sqrt(float64(n) / float64(n-3))
	q := &problem{points: slices.Clone(p.points), r0: p.r0, a: math.NaN()}
	for b := range cfg.Resamples {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range q.points {
			q.points[i].Reward = f.At(q.points[i].Compute) + wide*r[draw(cfg.Seed, b, i, n)]
		}
		s, _ := q.refine(best)
		f.boot = append(f.boot, q.curve(s))
	}
	f.ABoot = f.interval(func(k Curve) float64 { return k.A })
	f.BBoot = f.interval(func(k Curve) float64 { return k.B })
	f.MidBoot = f.interval(func(k Curve) float64 { return k.Mid })
	return nil
}

// interval is the percentiles of a quantity over the bootstrap.
func (f *Fit) interval(of func(Curve) float64) Interval {
	v := make([]float64, len(f.boot))
	for i, k := range f.boot {
		v[i] = of(k)
	}
	return percentiles(v, f.Level)
}

func percentiles(v []float64, level float64) Interval {
	slices.Sort(v)
	at := func(p float64) float64 {
		x := p * float64(len(v)-1)
		i := min(int(x), len(v)-2)
		return v[i] + (x-float64(i))*(v[i+1]-v[i])
	}
	return Interval{at((1 - level) / 2), at((1 + level) / 2)}
}

// draw is a number below n for place i of resample b: SplitMix64's output function (G.
// Steele, D. Lea and C. Flood, OOPSLA 2014) of the seed and two counters.
func draw(seed uint64, b, i, n int) int {
	const golden = 0x9e3779b97f4a7c15
	mix := func(z uint64) uint64 {
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	hi, _ := bits.Mul64(mix(mix(mix(seed+golden)^uint64(b)*golden)+uint64(i+1)*golden), uint64(n))
	return int(hi)
}

func lag1(r []float64) float64 {
	num, den := 0.0, 0.0
	for i, v := range r {
		den += v * v
		if i > 0 {
			num += v * r[i-1]
		}
	}
	if den == 0 {
		return 0
	}
	return num / den
}

// verify holds the curve against the points beyond those fitted.
func (f *Fit) verify(later []Point) {
	if len(later) == 0 {
		return
	}
	v := &Verification{N: len(later)}
	n := float64(len(later))
	for _, p := range later {
		e := p.Reward - f.At(p.Compute)
		v.MeanBias += e / n
		v.MAE += math.Abs(e) / n
		v.Worst = max(v.Worst, math.Abs(e))
		if math.Abs(e) <= Margin {
			v.Within += 1 / n
		}
	}
	f.Verification = v
}

func (f *Fit) warn(used []Point) {
	last := used[len(used)-1].Compute
	if f.Mid > last {
		f.Warnings = append(f.Warnings, "the half of the gain lies beyond the last point: the ceiling is extrapolated and hardly known")
	}
	if f.A == 1 {
		f.Warnings = append(f.Warnings, "the ceiling is at its bound 1: these points show no saturation")
	}
	if f.A <= f.R0 {
		f.Warnings = append(f.Warnings, "the ceiling is not above the initial policy: these points show no gain")
	}
	// Twice the standard error of a correlation of 0.
	if f.Lag1 > 2/math.Sqrt(float64(f.N)) {
		f.Warnings = append(f.Warnings, "neighbouring points are correlated: the intervals are too narrow")
	}
}
