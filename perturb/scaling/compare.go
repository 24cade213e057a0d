package scaling

import (
	"context"
	"math"
)

// Comparison sets a run against another by the rule of the paper: the higher ceiling
// wins; where the ceilings agree within [Margin], both are fitted again with the mean of
// the two and the steeper one is the more efficient.
type Comparison struct {
	DeltaA    float64  `json:"delta_a"` // second − first
	DeltaACI  Interval `json:"delta_a_ci"`
	SameA     bool     `json:"same_a"`     // the ceilings agree within the margin
	CommonA   float64  `json:"common_a"`   // their mean; 0 where they differ
	FirstB    float64  `json:"first_b"`    // with CommonA; 0 where the ceilings differ
	SecondB   float64  `json:"second_b"`   // with CommonA; 0 where the ceilings differ
	DeltaBCI  Interval `json:"delta_b_ci"` // of SecondB − FirstB, by bootstrap
	Ambiguous bool     `json:"ambiguous"`  // the interval of what was compared includes 0
}

// Compare fits two runs and compares them. The points of both are chosen by cfg.
func Compare(ctx context.Context, first, second []Point, cfg Config) (a, b *Fit, c *Comparison, err error) {
	if a, err = Run(ctx, first, cfg); err != nil {
		return nil, nil, nil, err
	}
	// Runs are independent: their bootstraps must not share draws.
	other := cfg
	other.Seed = ^cfg.Seed
	if b, err = Run(ctx, second, other); err != nil {
		return nil, nil, nil, err
	}
	c = &Comparison{DeltaA: b.A - a.A}
	n := min(len(a.boot), len(b.boot))
	d := make([]float64, n)
	for i := range d {
		d[i] = b.boot[i].A - a.boot[i].A
	}
	c.DeltaACI = percentiles(d, a.Level)
	c.Ambiguous = c.DeltaACI[0] <= 0 && c.DeltaACI[1] >= 0
	if math.Abs(c.DeltaA) > Margin {
		return a, b, c, nil
	}
	c.SameA, c.CommonA = true, (a.A+b.A)/2
	fa, err := a.slopes(ctx, first, cfg, c.CommonA)
	if err != nil {
		return nil, nil, nil, err
	}
	fb, err := b.slopes(ctx, second, other, c.CommonA)
	if err != nil {
		return nil, nil, nil, err
	}
	c.FirstB, c.SecondB = fa[0], fb[0]
	for i := range d {
		d[i] = fb[1+i] - fa[1+i]
	}
	c.DeltaBCI = percentiles(d, a.Level)
	c.Ambiguous = c.DeltaBCI[0] <= 0 && c.DeltaBCI[1] >= 0
	return a, b, c, nil
}

// slopes are B with the ceiling held: first of the points, then of resamples.
func (f *Fit) slopes(ctx context.Context, points []Point, cfg Config, a float64) ([]float64, error) {
	r0, used, _, err := choose(points, cfg)
	if err != nil {
		return nil, err
	}
	p := &problem{points: used, r0: r0, a: a}
	best, _ := p.solve()
	r := make([]float64, len(used))
	p.residuals(best, r)
	k := p.curve(best)
	out := []float64{k.B}
	wide := math.Sqrt(float64(len(r)) / float64(len(r)-2))
	q := &problem{points: append([]Point(nil), used...), r0: r0, a: a}
	for b := range len(f.boot) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i := range q.points {
			q.points[i].Reward = k.At(q.points[i].Compute) + wide*r[draw(cfg.Seed, b, i, len(r))]
		}
		s, _ := q.refine(best)
		out = append(out, q.curve(s).B)
	}
	return out, nil
}
