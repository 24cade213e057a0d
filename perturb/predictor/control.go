package predictor

import (
	"context"
	"slices"

	"github.com/cellsentence/c2s/perturb"
)

// Control predicts that nothing happens: it copies the control cell.
type Control struct{}

// NewControl returns the predictor that copies.
func NewControl() Control { return Control{} }

// Info implements perturb.Predictor.
func (Control) Info() perturb.Info {
	return perturb.Info{Name: "control", Digest: "control", Sentences: true, Values: true}
}

// Predict gives the sentence and the values of each cell back, whichever there are.
func (Control) Predict(ctx context.Context, r perturb.Request) (perturb.Response, error) {
	if err := context.Cause(ctx); err != nil {
		return perturb.Response{}, err
	}
	out := perturb.Response{Cells: make([]perturb.Predicted, len(r.Cells))}
	for i, c := range r.Cells {
		out.Cells[i] = perturb.Predicted{
			Genes: slices.Clone(c.Genes), Values: slices.Clone(c.Values),
			Flags: perturb.Flags{Words: len(c.Genes), Valid: len(c.Genes) > 0, Copy: len(c.Genes) > 0},
		}
	}
	return out, nil
}
