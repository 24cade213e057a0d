package score

import (
	"context"
	"math"
	"slices"
)

// anchors is the metrics of predictions whose worth is known.
type anchors struct {
	control []Metric   // cells drawn from the real control
	mean    []Metric   // the mean response of the other perturbations; nil with one perturbation
	halves  [][]Metric // one half of the real cells against the other, a list a split
}

// anchor scores the anchors of real cells with a preset.
func anchor(ctx context.Context, recipe recipe, truth *side, cfg Config) (a anchors, err error) {
	c := truth.cells
	against := func(rows [][]int, means [][]float64) ([]Metric, error) {
		s, err := recipe.side(ctx, c.pick(rows), cfg.Workers)
		if err != nil {
			return nil, err
		}
		if means != nil {
			s.means = means
		}
		return recipe.metrics(ctx, newPair(truth, s, cfg.Workers))
	}
	if a.control, err = against(pasted(c, cfg.Seed), nil); err != nil {
		return a, err
	}
	if len(c.groups) > 2 {
		if a.mean, err = against(pooled(c, cfg.Seed), leaveOneOut(truth.means)); err != nil {
			return a, err
		}
	}
	for split := range cfg.Splits {
		first, second := halves(c, cfg.Seed, split)
		x, err := recipe.side(ctx, c.pick(first), cfg.Workers)
		if err != nil {
			return a, err
		}
		y, err := recipe.side(ctx, c.pick(second), cfg.Workers)
		if err != nil {
			return a, err
		}
		m, err := recipe.metrics(ctx, newPair(x, y, cfg.Workers))
		if err != nil {
			return a, err
		}
		for i := range m {
			for k := range m[i].Values {
				if c.size(k+1) < 2 { // no cell for one of the halves
					m[i].Values[k] = math.NaN()
				}
			}
		}
		a.halves = append(a.halves, m)
	}
	return a, nil
}

// whole lists the rows of each group.
func (c *Cells) whole() [][]int {
	rows := make([][]int, len(c.groups))
	for g := range rows {
		for r := c.start[g]; r < c.start[g+1]; r++ {
			rows[g] = append(rows[g], r)
		}
	}
	return rows
}

// pasted gives each perturbation as many control cells as it has cells, drawn with
// replacement.
func pasted(c *Cells, seed uint64) [][]int {
	rows := c.whole()
	for g := 1; g < len(rows); g++ {
		d := newDraws(seed, forControl, g)
		for i := range rows[g] {
			rows[g][i] = d.Below(i, c.size(0))
		}
	}
	return rows
}

// pooled gives each perturbation as many cells as it has, drawn from the other
// perturbations, each of which is equally likely.
func pooled(c *Cells, seed uint64) [][]int {
	rows := c.whole()
	others := len(rows) - 2
	for g := 1; g < len(rows); g++ {
		d := newDraws(seed, forMeanResponse, g)
		for i := range rows[g] {
			from := 1 + d.Below(2*i, others)
			if from >= g {
				from++
			}
			rows[g][i] = c.start[from] + d.Below(2*i+1, c.size(from))
		}
	}
	return rows
}

// leaveOneOut replaces each perturbation's profile by the mean of the others', which
// does not count how many cells they have.
func leaveOneOut(means [][]float64) [][]float64 {
	total := make([]float64, len(means[0]))
	for _, m := range means[1:] {
		for j, v := range m {
			total[j] += v
		}
	}
	out := [][]float64{means[0]}
	others := float64(len(means) - 2)
	for _, m := range means[1:] {
		rest := make([]float64, len(m))
		for j, v := range m {
			rest[j] = (total[j] - v) / others
		}
		out = append(out, rest)
	}
	return out
}

// halves is two disjoint halves of each group, as large as each other.
func halves(c *Cells, seed uint64, split int) (first, second [][]int) {
	for g, rows := range c.whole() {
		order := newDraws(seed, forHalves, split*len(c.groups)+g).Order(len(rows))
		n := len(rows) / 2
		var x, y []int
		for _, i := range order[:n] {
			x = append(x, rows[i])
		}
		for _, i := range order[n : 2*n] {
			y = append(y, rows[i])
		}
		slices.Sort(x)
		slices.Sort(y)
		first, second = append(first, x), append(second, y)
	}
	return first, second
}

// ceiling is one metric of the halves, averaged over the splits; a correlation is
// raised to what whole samples would reach.
func ceiling(splits [][]Metric, at int) *Metric {
	if len(splits) == 0 {
		return nil
	}
	one := splits[0][at]
	m := &Metric{Name: one.Name, Lower: one.Lower, Correlation: one.Correlation}
	raise := func(r float64) float64 {
		if !one.Correlation {
			return r
		}
		return spearmanBrown(r)
	}
	if one.panel != nil {
		m.panel = func(perts []int) float64 {
			sum := 0.0
			for _, s := range splits {
				sum += s[at].panel(perts)
			}
			return raise(sum / float64(len(splits)))
		}
		return m
	}
	m.Values = make([]float64, len(one.Values))
	for k := range m.Values {
		sum, n := 0.0, 0
		for _, s := range splits {
			if v := s[at].Values[k]; !math.IsNaN(v) {
				sum += v
				n++
			}
		}
		m.Values[k] = raise(sum / float64(n))
	}
	return m
}

// spearmanBrown is the reliability of a whole whose halves correlate with r; it is
// undefined unless r is positive.
func spearmanBrown(r float64) float64 {
	if !(r > 0) {
		return math.NaN()
	}
	return 2 * r / (1 + r)
}
