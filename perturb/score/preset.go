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
)

// Presets lists all presets.
func Presets() []Preset { return []Preset{CellEval} }

// recipe is how a preset goes about it.
type recipe struct {
	// prepare turns the cells as read into what sides are made of.
	prepare func(c *Cells) (*Cells, error)
	// side computes profiles and differential expression.
	side func(ctx context.Context, c *Cells, workers int) (*side, error)
	// metrics scores.
	metrics func(ctx context.Context, p *pair) ([]Metric, error)
}

func (p Preset) recipe() (recipe, error) {
	switch p {
	case CellEval:
		return recipe{(*Cells).logNormalised, cellEvalSide, cellEvalMetrics}, nil
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
