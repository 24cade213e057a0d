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
	// own control. Left out is clustering_agreement, which depends on a random
	// clustering.
	CellEval Preset = "cell-eval"
	// VCC2026 is the six members of the 2026 challenge as Arc's cell-eval2 has them:
	// raw counts, and the real control as the origin of both sides.
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
)

// Presets lists all presets.
func Presets() []Preset { return []Preset{CellEval, VCC2026, Systema, PerturBench, Distances} }

// recipe is how a preset goes about it.
type recipe struct {
	// prepare turns the cells as read into what sides are made of.
	prepare func(c *Cells) (*Cells, error)
	// realControl gives the prediction the real control in place of its own.
	realControl bool
	// side computes profiles and differential expression.
	side func(ctx context.Context, c *Cells, workers int) (*side, error)
	// metrics scores.
	metrics func(ctx context.Context, p *pair) ([]Metric, error)
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
	metrics, err := r.metrics(ctx, p)
	return metrics, flags(p), err
}

func (p Preset) recipe() (recipe, error) {
	switch p {
	case CellEval:
		return recipe{(*Cells).logNormalised, false, cellEvalSide, cellEvalMetrics}, nil
	case VCC2026:
		return recipe{(*Cells).counts, true, countSide, vcc2026Metrics}, nil
	case Systema:
		return recipe{(*Cells).logNormalised, false, meanSide, systemaMetrics}, nil
	case PerturBench:
		return recipe{(*Cells).logNormalised, false, meanSide, perturBenchMetrics}, nil
	case Distances:
		return recipe{(*Cells).logNormalised, false, meanSide, distanceMetrics}, nil
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
