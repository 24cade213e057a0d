package score

import (
	"context"
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

// Energies is the E-distances (V) to the control of cells and of all that is made of
// them: by what is known of their relatives, and measured anew.
func Energies(ctx context.Context, c *Cells, workers int) (known, anew [][]float64, err error) {
	c = c.derive()
	c.kin.halves = halvings(c, Config{Splits: 2, Seed: 3})
	all := []*Cells{c, c.pick(pasted(c, 1)), c.pick(pooled(c, 1))}
	rows := c.whole()
	for g := 1; g < len(rows); g++ {
		rows[g] = slices.Repeat(rows[g], 3)
	}
	all = append(all, c.pick(rows))
	for split, h := range c.kin.halves {
		first, second := h.rows(c)
		for _, half := range [][][]int{first, second} {
			x := c.pick(half)
			x.kin.split = split
			all = append(all, x, x.only([]int{0, 2}))
		}
	}
	for _, x := range all {
		s, err := x.fromControl(ctx, workers)
		if err != nil {
			return nil, nil, err
		}
		known = append(known, energies(s))
		if s, err = x.derive().fromControl(ctx, workers); err != nil {
			return nil, nil, err
		}
		anew = append(anew, energies(s))
	}
	return known, anew, nil
}
