package scfid

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// Named is a generated set with the name it is reported under.
type Named struct {
	Name string
	Side
}

// Ranked is a generated set in the order of its distance.
type Ranked struct {
	Name string `json:"name"`
	// FD is the distance to all real cells of Comparison.N generated ones.
	FD       Value `json:"fd"`
	MeanTerm Value `json:"mean_term"`
	CovTerm  Value `json:"cov_term"`
	// CI is a 95 % interval of the distance without its bias, nil where there is
	// none (see Scores.CI).
	CI *[2]float64 `json:"ci"`
}

// Pair is the difference between two sets, of the distances without bias.
type Pair struct {
	Nearer     string `json:"nearer"` // the set with the smaller FD
	Farther    string `json:"farther"`
	Difference Value  `json:"difference"` // FD of the farther less that of the nearer
	// CI covers the differences of all pairs together with 95 % (Bonferroni).
	CI *[2]float64 `json:"ci"`
	// Apart is whether CI excludes 0; false where there is no interval.
	Apart bool `json:"apart"`
}

// Comparison ranks generated sets.
type Comparison struct {
	N        int      `json:"n"` // generated cells of each set: those of the smallest
	NReal    int      `json:"n_real"`
	Ranking  []Ranked `json:"ranking"`
	Pairs    []Pair   `json:"pairs"`
	Warnings []string `json:"warnings"`
}

// Compare ranks generated sets by their distance to the same real cells, at equal
// numbers of cells so that bias favours none, and says which pairs cannot be told
// apart. Real cells are common to all sets: their error largely cancels in a
// difference, which the intervals take into account.
func Compare(ctx context.Context, real Side, gens []Named, cfg Config) (*Comparison, error) {
	e := &evaluation{cfg: cfg.withDefaults(), warnings: []string{}}
	real, _, err := e.clean(ctx, "real", real)
	if err != nil {
		return nil, err
	}
	out := &Comparison{N: math.MaxInt, NReal: real.Len()}
	sides := make([]Side, len(gens))
	for i, g := range gens {
		if sides[i], _, err = e.clean(ctx, g.Name, g.Side); err != nil {
			return nil, err
		}
		if real.Rows == nil || sides[i].Rows == nil {
			return nil, badInput("%s: sets are compared by their cells, not by statistics", g.Name)
		}
		if sides[i].dim() != real.dim() {
			return nil, badInput("%s has %d dimensions, the real cells %d", g.Name, sides[i].dim(), real.dim())
		}
		out.N = min(out.N, sides[i].Len())
	}
	if len(gens) < 2 {
		return nil, badInput("%d generated sets: a comparison needs two", len(gens))
	}
	if n := out.N; n < intervalFactor*real.dim() || real.Len() < intervalFactor*real.dim() {
		e.warn("%d real and %d generated cells in %d dimensions, fewer than four a dimension: no intervals", real.Len(), n, real.dim())
	}
	a, err := Prepare(ctx, real.Rows, cfg.Workers)
	if err != nil {
		return nil, fmt.Errorf("real: %w", err)
	}
	poolR, err := e.pool(ctx, real.Rows, forRealPool)
	if err != nil {
		return nil, err
	}
	models := make([]model, len(gens))
	for i, g := range gens {
		side := sides[i].part(newDraws(cfg.Seed, forEqualN, i).Sample(sides[i].Len(), out.N))
		if models[i], err = e.model(ctx, g.Name, real, poolR, side, a); err != nil {
			return nil, fmt.Errorf("%s: %w", g.Name, err)
		}
	}
	slices.SortStableFunc(models, func(a, b model) int { return cmp.Compare(a.FD, b.FD) })
	for _, m := range models {
		out.Ranking = append(out.Ranking, m.Ranked)
	}
	out.Pairs = pairs(models, real.Donors)
	out.Warnings = e.warnings
	return out, nil
}

// model is a set and what its differences are computed from.
type model struct {
	Ranked
	est *estimate
}

func (e *evaluation) model(ctx context.Context, name string, real Side, poolR *pool, gen Side, a *Sample) (model, error) {
	b, err := Prepare(ctx, gen.Rows, e.cfg.Workers)
	if err != nil {
		return model{}, err
	}
	f, err := Distance(ctx, a, b)
	if err != nil {
		return model{}, err
	}
	m := model{Ranked: Ranked{name, Value(f.Value), Value(f.MeanTerm), Value(f.CovTerm), nil}}
	poolG, err := e.pool(ctx, gen.Rows, forGenPool)
	if err != nil {
		return m, err
	}
	if m.est, err = e.influence(ctx, poolR, poolG, a, b, f.Value, gen.Donors); err != nil || m.est == nil {
		return m, err
	}
	test, err := e.mmd(ctx, real.Rows, gen.Rows, real.Donors, gen.Donors)
	if err != nil {
		return m, err
	}
	if test.P > 0.05 {
		e.warn("%s: the permutation test does not tell it from the real cells (p = %.3g): no interval", name, float64(test.P))
		return m, nil
	}
	m.CI, _ = m.est.interval(real.Donors)
	return m, nil
}

// pairs compares all sets with all, which are in rising order of distance.
func pairs(models []model, realDonors []string) []Pair {
	k := len(models)
	z := math.Sqrt2 * math.Erfinv(1-0.05/float64(k*(k-1)/2))
	var out []Pair
	for i, a := range models {
		for _, b := range models[i+1:] {
			p := Pair{Nearer: a.Name, Farther: b.Name, Difference: b.FD - a.FD}
			if a.est != nil && b.est != nil {
				psi := make([]float64, len(a.est.real))
				for r := range psi {
					psi[r] = b.est.real[r] - a.est.real[r]
				}
				se := math.Sqrt(variance(psi, realDonors) + a.est.genShare + b.est.genShare)
				diff := b.est.centre - a.est.centre
				p.Difference = Value(diff)
				if !math.IsNaN(se) {
					p.CI = &[2]float64{diff - z*se, diff + z*se}
					p.Apart = p.CI[0] > 0 || p.CI[1] < 0
				}
			}
			out = append(out, p)
		}
	}
	return out
}
