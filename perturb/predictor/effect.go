package predictor

import (
	"maps"
	"slices"

	"github.com/cellsentence/c2s/perturb"
)

// Effects are known shifts of expression: a [Reference] or [Signatures].
type Effects interface {
	// Name is where they are from, such as a path.
	Name() string
	// Genes names the genes of the shifts.
	Genes() []string
	// Perturbations lists the names of those that are known.
	Perturbations() []string

	// find gives the id of a perturbation; others says that its dose or time is not
	// known, and the shift is that of all there are.
	find(p perturb.Perturbation) (id string, others, ok bool)
	// ids lists those of different names, sorted; own is the one among them that a
	// perturbation has, or would have.
	ids() []string
	own(p perturb.Perturbation) string
	// shift is that of an id, one value a gene, with the number of perturbed cells under
	// it, 0 where that is not known. The caller may not change it.
	shift(id, context, cellType string) (v []float64, level Level, cells int)
	// hashed is a hash of all shifts.
	hashed() string
}

func (r *Reference) find(p perturb.Perturbation) (id string, others, ok bool) {
	if id = key(p); len(r.known[id]) > 0 {
		return id, false, true
	}
	id = names(p)
	return id, true, len(r.known[id]) > 0
}

func (r *Reference) ids() []string {
	seen := map[string]bool{}
	for i, p := range r.cells.Perturbations {
		if i != r.control {
			seen[names(p)] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func (r *Reference) own(p perturb.Perturbation) string { return names(p) }

func anywhere(group) bool { return true }

// count is the cells of some perturbations in the groups that are wanted.
func (r *Reference) count(perturbations []int, wanted func(group) bool) (n int) {
	for g, s := range r.groups {
		if wanted(g) && slices.Contains(perturbations, g.perturbation) {
			n += s.n
		}
	}
	return n
}

// pool adds up the cells of some perturbations in the groups that are wanted, in an
// order that stays.
func (r *Reference) pool(perturbations []int, wanted func(group) bool) *sum {
	out := &sum{sum: make([]float64, len(r.cells.Genes))}
	for _, f := range r.fine {
		if !wanted(f) {
			continue
		}
		for _, p := range perturbations {
			f.perturbation = p
			s := r.groups[f]
			if s == nil {
				continue
			}
			out.n += s.n
			for g, v := range s.sum {
				out.sum[g] += v
			}
		}
	}
	return out
}

func (r *Reference) shift(id, context, cellType string) (v []float64, level Level, cells int) {
	perturbations, controls := r.known[id], []int{r.control}
	level, wanted := LevelAll, anywhere
	for _, l := range []struct {
		Level
		wanted func(group) bool
	}{
		{LevelExact, func(g group) bool { return g.context == context && g.cellType == cellType }},
		{LevelContext, func(g group) bool { return g.context == context }},
		{LevelCellType, func(g group) bool { return g.cellType == cellType }},
	} {
		if r.count(perturbations, l.wanted) >= r.min && r.count(controls, l.wanted) >= r.min {
			level, wanted = l.Level, l.wanted
			break
		}
	}
	around := r.pool(controls, wanted) // where a group has too few controls of its own
	v = make([]float64, len(r.cells.Genes))
	for _, f := range r.fine {
		if !wanted(f) {
			continue
		}
		here := func(g group) bool { return g.context == f.context && g.cellType == f.cellType }
		p, c := r.pool(perturbations, here), r.pool(controls, here)
		if p.n == 0 {
			continue
		}
		if c.n < r.min {
			c = around
		}
		cells += p.n
		for g := range v {
			v[g] += p.sum[g] - float64(p.n)*(c.sum[g]/float64(c.n))
		}
	}
	for g := range v {
		v[g] /= float64(cells)
	}
	return v, level, cells
}
