package scfidplot

import (
	"fmt"

	"gonum.org/v1/plot/vg"

	"github.com/cellsentence/c2s/internal/figure"
	"github.com/cellsentence/c2s/scfid"
)

// Projection draws real and generated cells on the first principal components of
// the real ones.
func Projection(q *scfid.Projection) (*figure.Figure, error) {
	if len(q.Real)+len(q.Gen) == 0 {
		return nil, errNothing("cells")
	}
	f := figure.New("Cells on the principal components of the real ones",
		fmt.Sprintf("PC1 (%.1f %% of the variance)", 100*q.Explained[0]), fmt.Sprintf("PC2 (%.1f %%)", 100*q.Explained[1]))
	f.Width = 6 * vg.Inch
	f.AddCloud(
		figure.Points{Name: fmt.Sprintf("real (%d)", len(q.Real)), XY: q.Real, Colour: figure.Blue()},
		figure.Points{Name: fmt.Sprintf("generated (%d)", len(q.Gen)), XY: q.Gen, Colour: figure.Red()},
	)
	return f, nil
}
