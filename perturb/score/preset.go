package score

import (
	"context"
	"slices"
)

// Preset names a set of metrics with the preparation of the cells that goes with
// it.
type Preset string

const (
	// CellEval is Arc's cell-eval (v1, as of 0.8), the score of the 2025 Virtual
	// Cell Challenge: counts become log(1 + x) at the median total, each side has its
	// own control. Left out is clustering_agreement, whose clusters depend on the order
	// of the program's random numbers.
	CellEval Preset = "cell-eval"
	// CellEval2 is the full profile of Arc's cell-eval2 (v2, as of 0.20): raw counts, the
	// real control as the origin of both sides, mid-rank ties, and a gate of ten genes
	// below which reality itself cannot be scored.
	CellEval2 Preset = "cell-eval2"
	// VCC2026 is the six members of the 2026 challenge as cell-eval2 has them, and
	// [Result].Challenge, the score made of them.
	VCC2026 Preset = "vcc2026"
	// Systema takes effects from the mean of the perturbations in place of the
	// control (mlbio-epfl/systema), so that what all perturbations share earns
	// nothing.
	Systema Preset = "systema"
	// PerturBench is the rank metrics of altoslabs/perturbench: 0 is best. Ties share
	// their rank, where PerturBench breaks them at random.
	PerturBench Preset = "perturbench"
	// Distances compares predicted cells with real ones as distributions: E-distance
	// (U and V), MMD, Wasserstein, and R² of means and variances.
	Distances Preset = "distances"
	// All is every metric on log-normalised cells: CellEval, Systema (its names begin with
	// systema_), PerturBench and Distances.
	All Preset = "all"
)

// Presets lists all presets.
func Presets() []Preset {
	return []Preset{CellEval, CellEval2, VCC2026, Systema, PerturBench, Distances, All}
}

// recipe is how a preset goes about it.
type recipe struct {
	// counts says that the cells stay counts; else they become log(1 + x).
	counts bool
	// total is what counts are scaled to before the logarithm; 0 is their median.
	total float64
	// realControl gives the prediction the real control in place of its own.
	realControl bool
	// make computes profiles and differential expression.
	make func(ctx context.Context, c *Cells, workers int) (*side, error)
	// metrics scores.
	metrics func(ctx context.Context, p *pair) ([]Metric, error)
}

// prepare turns the cells as read into what sides are made of.
func (r recipe) prepare(c *Cells) (*Cells, error) {
	if r.counts {
		return c.counts()
	}
	return c.logNormalised(r.total)
}

// side is cells as the preset sees them.
func (r recipe) side(ctx context.Context, c *Cells, workers int) (*side, error) {
	s, err := r.make(ctx, c, workers)
	if err == nil && c.donor != nil {
		s.donorDE = c.donorDE(!r.counts)
	}
	return s, err
}

// compare is the metrics of a pair of sides.
func (r recipe) compare(ctx context.Context, p *pair) ([]Metric, error) {
	m, err := r.metrics(ctx, p)
	if err == nil && p.real.donorDE != nil && p.pred.donorDE != nil {
		m = append(m, donorMetrics(p)...)
	}
	return m, err
}

// score is the metrics and the flags of predicted cells as they were read.
func (r recipe) score(ctx context.Context, truth *side, pred *Cells, workers int) ([]Metric, []Flag, error) {
	c, err := r.prepare(pred)
	if err != nil {
		return nil, nil, err
	}
	if r.realControl {
		c = c.withControl(truth.cells)
	}
	guess, err := r.side(ctx, c, workers)
	if err != nil {
		return nil, nil, err
	}
	p := newPair(truth, guess, workers)
	metrics, err := r.compare(ctx, p)
	return metrics, flags(p), err
}

// recipe is that of the preset, with counts scaled to a total where it takes logarithms.
func (p Preset) recipe(total float64) (recipe, error) {
	switch p {
	case CellEval:
		return recipe{total: total, make: cellEvalSide, metrics: cellEvalMetrics}, nil
	case CellEval2:
		return recipe{counts: true, realControl: true, make: countSide, metrics: cellEval2Metrics}, nil
	case VCC2026:
		return recipe{counts: true, realControl: true, make: countSide, metrics: vcc2026Metrics}, nil
	case Systema:
		return recipe{total: total, make: meanSide, metrics: systemaMetrics}, nil
	case PerturBench:
		return recipe{total: total, make: meanSide, metrics: perturBenchMetrics}, nil
	case Distances:
		return recipe{total: total, make: meanSide, metrics: distanceMetrics}, nil
	case All:
		return recipe{total: total, make: cellEvalSide, metrics: allMetrics}, nil
	}
	return recipe{}, badInput("no preset is called %q; there are %q", p, Presets())
}

func cellEvalSide(ctx context.Context, c *Cells, workers int) (*side, error) {
	de, err := DE(ctx, c, DEOptions{Average: Geometric, Log: true, Workers: workers})
	return &side{cells: c, means: c.means(), de: de}, err
}

func cellEvalMetrics(ctx context.Context, p *pair) ([]Metric, error) {
	m, err := cellEvalEffects(ctx, p)
	return slices.Concat(m, cellEvalDE(p)), err
}

// meanSide is a side of the presets that need mean profiles and cells only.
func meanSide(_ context.Context, c *Cells, _ int) (*side, error) {
	return &side{cells: c, means: c.means()}, nil
}

func allMetrics(ctx context.Context, p *pair) ([]Metric, error) {
	var out []Metric
	for _, of := range []struct {
		prefix  string
		metrics func(context.Context, *pair) ([]Metric, error)
	}{{"", cellEvalMetrics}, {"systema_", systemaMetrics}, {"", perturBenchMetrics}, {"", distanceMetrics}} {
		m, err := of.metrics(ctx, p)
		if err != nil {
			return nil, err
		}
		for i := range m {
			m[i].Name = of.prefix + m[i].Name
		}
		out = append(out, m...)
	}
	return out, nil
}
