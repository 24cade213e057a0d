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
		defer cfg.step()
		return recipe.compare(ctx, newPair(truth, s, cfg.Workers))
	}
	if a.control, err = against(pasted(c, cfg.Seed), nil); err != nil {
		return a, err
	}
	if len(c.groups) > 2 {
		if a.mean, err = against(pooled(c, cfg.Seed), leaveOneOut(truth.means)); err != nil {
			return a, err
		}
	}
	for split := range c.kin.halves {
		m, err := replica(ctx, recipe, truth, cfg, split)
		cfg.step()
		if err != nil {
			return a, err
		}
		if m != nil {
			a.halves = append(a.halves, m)
		}
	}
	return a, nil
}

// replica is the metrics of one half of the real cells against the other; nil if a half
// has no control, or none of the perturbations. Perturbations that a half lacks are
// undefined, and no rival to the others.
func replica(ctx context.Context, recipe recipe, truth *side, cfg Config, split int) ([]Metric, error) {
	c := truth.cells
	first, second := c.kin.halves[split].rows(c)
	var kept []int
	for g := range c.groups {
		if len(first[g]) > 0 && len(second[g]) > 0 {
			kept = append(kept, g)
		}
	}
	if len(kept) < 2 || kept[0] != 0 {
		return nil, nil
	}
	half := func(rows [][]int) (*side, error) {
		cells := c.pick(rows)
		cells.kin.split = split
		return recipe.side(ctx, cells.only(kept), cfg.Workers)
	}
	x, err := half(first)
	if err != nil {
		return nil, err
	}
	y, err := half(second)
	if err != nil {
		return nil, err
	}
	p := newPair(x, y, cfg.Workers)
	if truth.de != nil {
		p.whole = &side{}
		for _, g := range kept[1:] {
			p.whole.de = append(p.whole.de, truth.de[g-1])
		}
	}
	m, err := recipe.compare(ctx, p)
	for i := range m {
		m[i] = m[i].among(kept, len(c.groups)-1)
	}
	return m, err
}

// only is the cells of some groups, the control among them.
func (c *Cells) only(groups []int) *Cells {
	if len(groups) == len(c.groups) {
		return c
	}
	rows := c.whole()
	var list [][]int
	var names []string
	for _, g := range groups {
		list, names = append(list, rows[g]), append(names, c.groups[g])
	}
	out := c.pick(list)
	out.groups = names
	return out
}

// among is a metric of some groups as one of perts perturbations.
func (m Metric) among(groups []int, perts int) Metric {
	if len(groups)-1 == perts {
		return m
	}
	place := slices.Repeat([]int{-1}, perts)
	for i, g := range groups[1:] {
		place[g-1] = i
	}
	if inner := m.panel; inner != nil {
		m.panel = func(list []int) float64 {
			var kept []int
			for _, k := range list {
				if place[k] >= 0 {
					kept = append(kept, place[k])
				}
			}
			return inner(kept)
		}
		return m
	}
	values := slices.Repeat([]float64{math.NaN()}, perts)
	for k, i := range place {
		if i >= 0 {
			values[k] = m.Values[i]
		}
	}
	m.Values = values
	return m
}

// donorSplits is how many splits of n donors are worth a try: two have one, fewer none.
func donorSplits(n int) int {
	switch {
	case n < 2:
		return 0
	case n == 2:
		return 1
	}
	return math.MaxInt
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

// halving says of each row in which half it is: 1, 2, or 0 for neither.
type halving []uint8

// rows lists the rows of both halves by group.
func (h halving) rows(c *Cells) (first, second [][]int) {
	first, second = make([][]int, len(c.groups)), make([][]int, len(c.groups))
	for g := range c.groups {
		for r := c.start[g]; r < c.start[g+1]; r++ {
			switch h[r] {
			case 1:
				first[g] = append(first[g], r)
			case 2:
				second[g] = append(second[g], r)
			}
		}
	}
	return first, second
}

// halvings draws the halves of all splits: cells of each group, or donors where they are
// known.
func halvings(c *Cells, cfg Config) []halving {
	splits := cfg.Splits
	if c.donor != nil {
		splits = min(splits, donorSplits(len(c.donors())))
	}
	out := make([]halving, splits)
	for split := range out {
		out[split] = make(halving, c.rows())
		first, second := halves(c, cfg.Seed, split)
		for half, rows := range [][][]int{first, second} {
			for _, list := range rows {
				for _, r := range list {
					out[split][r] = uint8(half + 1)
				}
			}
		}
	}
	return out
}

// halves is two disjoint halves of each group, as large as each other.
func halves(c *Cells, seed uint64, split int) (first, second [][]int) {
	if c.donor != nil {
		return donorHalves(c, seed, split)
	}
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

// donorHalves is the cells of one half of the donors, and of the other.
func donorHalves(c *Cells, seed uint64, split int) (first, second [][]int) {
	names := c.donors()
	inFirst := map[string]bool{}
	for _, i := range newDraws(seed, forDonors, split).Order(len(names))[:len(names)/2] {
		inFirst[names[i]] = true
	}
	for _, rows := range c.whole() {
		var x, y []int
		for _, r := range rows {
			switch d := c.donor[r]; {
			case d == "":
			case inFirst[d]:
				x = append(x, r)
			default:
				y = append(y, r)
			}
		}
		first, second = append(first, x), append(second, y)
	}
	return first, second
}

// ceiling is one metric of the halves, averaged over the splits; a correlation is
// raised to what whole samples would reach. Of several perturbations their mean is
// raised: each for itself would drop those whose halves do not correlate.
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
		m.Values[k] = sum / float64(n)
	}
	if one.Correlation {
		m.panel = func(perts []int) float64 {
			plain := Metric{Values: m.Values}
			return raise(plain.Total(perts))
		}
	}
	return m
}

// raised is the ceilings of the perturbations one by one.
func (m *Metric) raised() []float64 {
	if !m.Correlation {
		return m.Values
	}
	out := make([]float64, len(m.Values))
	for k, r := range m.Values {
		out[k] = spearmanBrown(r)
	}
	return out
}

// spearmanBrown is the reliability of a whole whose halves correlate with r; it is
// undefined unless r is positive.
func spearmanBrown(r float64) float64 {
	if !(r > 0) {
		return math.NaN()
	}
	return 2 * r / (1 + r)
}
