package pairs

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// Matching names how a perturbed cell gets its control, among those of its group and its
// side.
type Matching string

// The matchings.
const (
	// MatchRandom takes any: every control is used once before one is used twice.
	MatchRandom Matching = "random"
	// MatchNearest takes the nearest by Euclidean distance that is not used up: no control
	// has more than its share of the perturbed cells of a perturbation, rounded up.
	// Perturbed cells choose in random order.
	MatchNearest Matching = "nearest"
	// MatchTransport draws from the entropic transport plan between all controls and all
	// cells of the perturbation, see [Transport].
	MatchTransport Matching = "ot"
)

// Matchings lists them.
func Matchings() []Matching { return []Matching{MatchRandom, MatchNearest, MatchTransport} }

// MatchConfig says how cells are paired. The zero value is good.
type MatchConfig struct {
	// Matching is how ("": random).
	Matching Matching
	// Seed keys all that is random, with the place of the cell.
	Seed uint64
	// Budget is the memory in bytes for a transport plan (0: 1 GiB).
	Budget int64
}

// Pair is a perturbed cell and its control, by their places.
type Pair struct {
	Control, Perturbed int
	Test               bool
}

// Report counts what became of the cells.
type Report struct {
	Train         int `json:"train"` // pairs
	Test          int `json:"test"`
	ControlsTrain int `json:"controls_train"` // control cells that are used
	ControlsTest  int `json:"controls_test"`
	// SharedControls counts control cells on both sides, which must be 0.
	SharedControls int `json:"shared_controls"`
	// Unlabelled cells, and perturbed cells of groups without a control, or with too few
	// for both sides, are in no pair; nor are idle controls.
	Unlabelled   int `json:"unlabelled"`
	NoControl    int `json:"no_control"`
	IdleControls int `json:"idle_controls"`
	// Distance is the mean distance of the pairs, RandomDistance what random controls of
	// the same groups and sides would have; NaN without points.
	Distance       float64 `json:"-"`
	RandomDistance float64 `json:"-"`
}

// Match pairs each perturbed cell with a control of its group. The controls of a group
// are split between the sides by the number of perturbed cells there. Pairs are in the
// order of the perturbed cells.
func Match(ctx context.Context, c *Cells, h *Held, cfg MatchConfig) ([]Pair, *Report, error) {
	if cfg.Matching == "" {
		cfg.Matching = MatchRandom
	}
	if cfg.Budget == 0 {
		cfg.Budget = 1 << 30
	}
	if !slices.Contains(Matchings(), cfg.Matching) {
		return nil, nil, fmt.Errorf("unknown matching %q", cfg.Matching)
	}
	if cfg.Matching != MatchRandom && c.Points == nil {
		return nil, nil, fmt.Errorf("the matching %s needs points", cfg.Matching)
	}
	m := &matcher{c: c, cfg: cfg, report: &Report{}}
	groups := m.groups(h)
	if m.report.IdleControls == 0 && m.report.NoControl == 0 && len(groups) == 0 {
		return nil, nil, badInput("", "no cell has a label")
	}
	for _, name := range sorted(groups) {
		if err := ctx.Err(); err != nil {
			return nil, nil, context.Cause(ctx)
		}
		if err := m.group(ctx, groups[name]); err != nil {
			return nil, nil, err
		}
	}
	if len(m.pairs) == 0 {
		return nil, nil, badInput("match fewer columns", "no perturbed cell has a control in its group: %d have none", m.report.NoControl)
	}
	slices.SortFunc(m.pairs, func(a, b Pair) int { return a.Perturbed - b.Perturbed })
	m.count()
	return m.pairs, m.report, nil
}

type matcher struct {
	c      *Cells
	cfg    MatchConfig
	pairs  []Pair
	random float64 // sum of the distances of random controls
	report *Report
}

// members is the cells of a group; the perturbed ones by side and perturbation.
type members struct {
	controls  []int
	perturbed [2]map[int][]int
	n         [2]int
}

func (m *matcher) groups(h *Held) map[string]*members {
	out := map[string]*members{}
	for cell, p := range m.c.Of {
		if p < 0 {
			m.report.Unlabelled++
			continue
		}
		g := out[m.c.Groups[cell]]
		if g == nil {
			g = &members{perturbed: [2]map[int][]int{{}, {}}}
			out[m.c.Groups[cell]] = g
		}
		if m.c.control(cell) {
			g.controls = append(g.controls, cell)
			continue
		}
		side := 0
		if h.Test[cell] {
			side = 1
		}
		g.perturbed[side][p] = append(g.perturbed[side][p], cell)
		g.n[side]++
	}
	return out
}

// group pairs the cells of a group.
func (m *matcher) group(ctx context.Context, g *members) error {
	for side, controls := range m.sides(g) {
		if g.n[side] == 0 {
			continue
		}
		if len(controls) == 0 {
			m.report.NoControl += g.n[side]
			continue
		}
		perturbations := make([]int, 0, len(g.perturbed[side]))
		for p := range g.perturbed[side] {
			perturbations = append(perturbations, p)
		}
		slices.Sort(perturbations)
		for _, p := range perturbations {
			cells := g.perturbed[side][p]
			chosen, err := m.choose(ctx, controls, cells)
			if err != nil {
				return err
			}
			for i, cell := range cells {
				m.pairs = append(m.pairs, Pair{chosen[i], cell, side == 1})
				if m.c.Points != nil {
					any := controls[of(m.cfg.Seed+3, cell)%uint64(len(controls))]
					m.random += math.Sqrt(m.squared(cell, any))
				}
			}
		}
	}
	return nil
}

// sides splits the controls of a group, in random order, by the perturbed cells of each
// side. A side with perturbed cells gets at least one, training first.
func (m *matcher) sides(g *members) [2][]int {
	controls := slices.Clone(g.controls)
	slices.SortFunc(controls, func(a, b int) int { return cmp.Or(cmp.Compare(of(m.cfg.Seed, a), of(m.cfg.Seed, b)), a-b) })
	n := len(controls)
	switch {
	case g.n[1] == 0:
		return [2][]int{controls, nil}
	case g.n[0] == 0:
		return [2][]int{nil, controls}
	case n < 2:
		return [2][]int{controls, nil}
	}
	test := some(n, float64(g.n[1])/float64(g.n[0]+g.n[1]))
	return [2][]int{controls[test:], controls[:test]}
}

// choose gives each of the cells of a perturbation a control.
func (m *matcher) choose(ctx context.Context, controls, cells []int) ([]int, error) {
	switch m.cfg.Matching {
	case MatchNearest:
		return m.nearest(controls, cells), nil
	case MatchTransport:
		return m.transport(ctx, controls, cells)
	}
	// Walk over the controls from a place that differs between perturbations.
	out := make([]int, len(cells))
	at := m.randomOrder(cells)
	start := int(of(m.cfg.Seed, cells[0]) % uint64(len(controls)))
	for k, i := range at {
		out[i] = controls[(start+k)%len(controls)]
	}
	return out, nil
}

// randomOrder is the places of cells in random order.
func (m *matcher) randomOrder(cells []int) []int {
	at := make([]int, len(cells))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int { return cmp.Compare(of(m.cfg.Seed+1, cells[i]), of(m.cfg.Seed+1, cells[j])) })
	return at
}

func (m *matcher) nearest(controls, cells []int) []int {
	left := make([]int, len(controls))
	for i := range left {
		left[i] = (len(cells) + len(controls) - 1) / len(controls)
	}
	out := make([]int, len(cells))
	for _, i := range m.randomOrder(cells) {
		best, least := -1, math.Inf(1)
		for k, c := range controls {
			if d := m.squared(cells[i], c); left[k] > 0 && (d < least || d == least && c < controls[best]) {
				best, least = k, d
			}
		}
		left[best]--
		out[i] = controls[best]
	}
	return out
}

// squared is the squared distance of two cells.
func (m *matcher) squared(a, b int) float64 {
	sum := 0.0
	y := m.c.Points[b]
	for i, x := range m.c.Points[a] {
		d := float64(x) - float64(y[i])
		sum += d * d
	}
	return sum
}

func (m *matcher) transport(ctx context.Context, controls, cells []int) ([]int, error) {
	if need := 8 * int64(len(controls)) * int64(len(cells)); need > m.cfg.Budget {
		return nil, badInput("match more columns, take fewer cells, allow more with --memory, or take the matching nearest",
			"the transport plan of %d control and %d perturbed cells needs %d bytes", len(controls), len(cells), need)
	}
	cost := make([][]float64, len(cells))
	for i, cell := range cells {
		cost[i] = make([]float64, len(controls))
		for k, c := range controls {
			cost[i][k] = m.squared(cell, c)
		}
	}
	plan, err := Transport(ctx, cost)
	if err != nil {
		return nil, err
	}
	out := make([]int, len(cells))
	for i, cell := range cells {
		// A number between 0 and the row's sum picks a control.
		total := 0.0
		for _, v := range plan[i] {
			total += v
		}
		u := float64(of(m.cfg.Seed+2, cell)>>11) / (1 << 53) * total
		out[i] = controls[len(controls)-1]
		for k, v := range plan[i] {
			if u -= v; u < 0 {
				out[i] = controls[k]
				break
			}
		}
	}
	return out, nil
}

// count fills the report, and looks whether the sides are apart.
func (m *matcher) count() {
	sides := map[int]int{}
	sum := 0.0
	for _, p := range m.pairs {
		if p.Test {
			m.report.Test++
			sides[p.Control] |= 2
		} else {
			m.report.Train++
			sides[p.Control] |= 1
		}
		if m.c.Points != nil {
			sum += math.Sqrt(m.squared(p.Perturbed, p.Control))
		}
	}
	for _, s := range sides {
		if s&1 != 0 {
			m.report.ControlsTrain++
		}
		if s&2 != 0 {
			m.report.ControlsTest++
		}
		if s == 3 {
			m.report.SharedControls++
		}
	}
	for cell := range m.c.Of {
		if m.c.control(cell) && sides[cell] == 0 {
			m.report.IdleControls++
		}
	}
	m.report.Distance, m.report.RandomDistance = math.NaN(), math.NaN()
	if m.c.Points != nil {
		n := float64(len(m.pairs))
		m.report.Distance, m.report.RandomDistance = sum/n, m.random/n
	}
}
