package cellsentence

import "math"

// measurement gathers the second half of the cells, in two passes: the values
// themselves, then their ranks among all, which only the first pass tells.
type measurement struct {
	cfg   *FidelityConfig
	model *RankModel
	genes int

	scopes    []*scope // whole sentences, then by TopK
	groups    map[string]*scope
	residuals []residualSums
	points    pointSample

	cells     int64
	predictor *predictor
	lines     []float64    // the line at each rank
	known     []float64    // conditional, of this cell
	autos     []*predictor // by TopK
	auto      []float64
	yRank     []float64
	fRank     []float64
	weights   []uint8
}

// scope is a set of points: the first k genes of some cells, or all.
type scope struct {
	k     int   // 0: all
	cut   int64 // cells with more
	y     valueClasses
	views []*view // linear, conditional, and of cut sentences conditional with n unknown
	yRank []float64
}

// view is a scope seen through a model.
type view struct {
	f     valueClasses
	value resampled
	rank  resampled
	fRank []float64
}

const (
	viewLinear = iota
	viewConditional
	viewAuto
)

func newScope(k, views, resamples int) *scope {
	s := &scope{k: k, y: newClasses()}
	for range views {
		s.views = append(s.views, &view{f: newClasses(), value: newResampled(resamples), rank: newResampled(resamples)})
	}
	return s
}

func newMeasurement(cfg *FidelityConfig, model *RankModel, genes int, pointShare float64) *measurement {
	m := &measurement{
		cfg: cfg, model: model, genes: genes, groups: map[string]*scope{},
		points:    pointSample{seed: cfg.Seed, share: pointShare},
		predictor: newPredictor(model), weights: make([]uint8, cfg.Resamples),
	}
	m.scopes = append(m.scopes, newScope(0, viewConditional+1, cfg.Resamples))
	for _, k := range cfg.TopK {
		m.scopes = append(m.scopes, newScope(k, viewAuto+1, cfg.Resamples))
		m.autos = append(m.autos, newPredictor(model))
	}
	return m
}

// predict makes the models' values for a cell of n expressed genes.
func (m *measurement) predict(row, n int) {
	for r := len(m.lines); r < n; r++ {
		m.lines = append(m.lines, m.model.line(r))
	}
	m.known = m.known[:0]
	for _, v := range m.predictor.curve(n, n) {
		m.known = append(m.known, float64(v))
	}
	poisson(m.weights, rowBits(m.cfg.Seed, forResample, row))
}

// unknown is the conditional model for the sentence cut at TopK[i], without the
// number of genes; a whole sentence tells it.
func (m *measurement) unknown(i, n int) []float64 {
	k := m.cfg.TopK[i]
	if n < k {
		return m.known
	}
	m.auto = m.auto[:0]
	for _, v := range m.autos[i].curve(k, 0) {
		m.auto = append(m.auto, float64(v))
	}
	return m.auto
}

// each calls visit for each view that the cell is part of.
func (m *measurement) each(row int, y []float64, visit func(s *scope, v *view, k int, f []float64)) error {
	m.predict(row, len(y))
	for i, s := range m.scopes {
		k := len(y)
		if i > 0 {
			k = min(k, s.k)
			visit(s, s.views[viewAuto], k, m.unknown(i-1, len(y)))
		}
		visit(s, s.views[viewLinear], k, m.lines)
		visit(s, s.views[viewConditional], k, m.known)
	}
	if m.cfg.Group == nil {
		return nil
	}
	name := m.cfg.Group(row)
	if name == "" {
		return nil
	}
	s := m.groups[name]
	if s == nil {
		if len(m.groups) == maxGroupLabels {
			return badInput("more than %d groups of cells: choose a column with fewer labels, such as the cell type", maxGroupLabels)
		}
		s = newScope(0, viewConditional+1, m.cfg.Resamples)
		m.groups[name] = s
	}
	visit(s, s.views[viewLinear], len(y), m.lines)
	visit(s, s.views[viewConditional], len(y), m.known)
	return nil
}

// measure is the first pass over a cell.
func (m *measurement) measure(row int, y []float64) error {
	m.cells++
	for _, s := range m.scopes[1:] {
		if len(y) > s.k {
			s.cut++
		}
	}
	var sums moments
	err := m.each(row, y, func(s *scope, v *view, k int, f []float64) {
		sums.of(y, f, k)
		v.value.add(&sums, m.weights)
		for _, p := range f[:k] {
			v.f[classOf(p)]++
		}
		if v == s.views[viewLinear] {
			for _, p := range y[:k] {
				s.y[classOf(p)]++
			}
		}
	})
	for r, v := range y {
		bin := residualBin(r)
		for len(m.residuals) <= bin {
			m.residuals = append(m.residuals, residualSums{})
		}
		m.residuals[bin].add(v, m.lines[r], m.known[r])
	}
	m.points.add(row, y, m.lines, m.known)
	return err
}

// correlate is the second pass.
func (m *measurement) correlate(row int, y []float64) error {
	m.cells++
	var sums moments
	return m.each(row, y, func(s *scope, v *view, k int, f []float64) {
		if s.yRank == nil {
			s.yRank = s.y.ranks()
		}
		if v.fRank == nil {
			v.fRank = v.f.ranks()
		}
		m.yRank, m.fRank = m.yRank[:0], m.fRank[:0]
		for i := range k {
			m.yRank = append(m.yRank, s.yRank[classOf(y[i])])
			m.fRank = append(m.fRank, v.fRank[classOf(f[i])])
		}
		sums.of(m.yRank, m.fRank, k)
		v.rank.add(&sums, m.weights)
	})
}

// endPass makes sure that a pass saw the cells that the fit saw.
func (m *measurement) endPass(cells int64) error {
	if m.cells != cells {
		return errChanged
	}
	m.cells = 0
	return nil
}

// residualsPerDecade is how finely residuals are shown by rank.
const residualsPerDecade = 10

// residualBin rises with the logarithm of the rank.
func residualBin(rank int) int {
	return int(math.Log10(float64(1+rank))*residualsPerDecade + 1e-9)
}

// residualSums is the residuals (expression − model) within a range of ranks.
type residualSums struct {
	n, y           float64
	line, lineSq   float64
	known, knownSq float64
}

func (s *residualSums) add(y, line, known float64) {
	s.n++
	s.y += y
	s.line += y - line
	s.lineSq += (y - line) * (y - line)
	s.known += y - known
	s.knownSq += (y - known) * (y - known)
}
