package score

import (
	"slices"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
)

// What the tests of this package look at.
var (
	DiscriminateByPosition = discriminateByPosition
	Discriminate           = discriminate
	Targets                = targets
	L1                     = distance(l1)
	Cosine                 = distance(cosine)
	EarthMover             = earthMover
	SpearmanBrown          = spearmanBrown
)

// KeepTarget is discrimination_score_l1 with the target's own gene kept.
func KeepTarget(real, pred *Cells) ([]float64, error) {
	r, err := real.logNormalised(0)
	if err != nil {
		return nil, err
	}
	p, err := pred.logNormalised(0)
	if err != nil {
		return nil, err
	}
	x, y := r.means(), p.means()
	a, b := effects(x, x[0]), effects(y, y[0])
	out := make([]float64, len(a))
	for k := range out {
		out[k] = discriminateByPosition(l1, b, a, k, nil)
	}
	return out, nil
}

// DonorDE is differential expression on donor pseudobulks of counts.
func DonorDE(c *Cells) []Table { return c.donorDE(false) }

// LogNormalised is the cells as the presets on logarithms see them.
func LogNormalised(c *Cells) (*Cells, error) { return c.logNormalised(0) }

// AsInput gives cells once more, in float64.
func AsInput(c *Cells) Input {
	in := Input{Name: c.name, Genes: c.genes}
	for g, name := range c.groups {
		in.Labels = append(in.Labels, slices.Repeat([]string{name}, c.size(g))...)
	}
	in.Cells = cellsentence.NewSliceSource(h5ad.Batch{Indptr: c.ptr, Indices: c.index, Values: c.value}, 0)
	return in
}
