package main

import (
	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/simulate"
)

// The design of perturb.h5ad: in each of two contexts 45 controls and 15 cells of
// each of seven perturbations, half tumour cells and half monocytes, of three donors.
const (
	perturbControls = 45
	perturbEach     = 15
)

// perturb is 300 cells of a small dual-context screen, with the true log fold
// changes (natural, before the profile is scaled to a sum of one) in varm.
func perturb(s *store, root *hdf5.GroupWriter) {
	types := simulate.CellTypes()
	c := s.draw(simulate.Config{
		Seed: 44, NGenes: 500, Donors: 3, CellTypes: []simulate.CellType{types[7], types[4]},
		Depth: 400, ResponseSD: 0.1,
	}, 300, perturbSpec)
	if c == nil {
		return
	}
	w := c.world
	control := make([]bool, c.batch.NObs())
	for i, t := range c.batch.Truth {
		control[i] = t.Spec.Control()
	}
	var names, classes []string
	for _, p := range w.Perturbations {
		names = append(names, p.Name)
		classes = append(classes, p.Class)
	}
	var truth mapping
	for i, x := range w.Contexts {
		m := dense[float32]{rows: len(w.Genes), cols: len(names), chunk: len(w.Genes)}
		m.data = make([]float32, m.rows*m.cols)
		for p := range names {
			fc, err := w.LogFC(p, i, 0)
			if err != nil {
				s.err = err
				return
			}
			for g, v := range fc {
				m.data[g*m.cols+p] = float32(v)
			}
		}
		truth = append(truth, field{"true_log_fc_" + x.Name, m})
	}
	about := append(c.description(),
		field{"response_sd", w.Config.ResponseSD}, field{"perturbations", names}, field{"classes", classes})
	s.file(root, &annData{
		x: c.counts(),
		obs: frame{index: c.barcodes(), columns: mapping{
			{"cell_type", factor(c.labels(cellType))},
			{"donor", factor(c.labels(donor))},
			{"context", factor(c.labels(contextOf))},
			{"perturbation", factor(c.labels(perturbation))},
			{"is_control", control},
			{"n_counts", c.totals()},
		}},
		genes: frame{index: c.symbols(), columns: mapping{{"role", factor(c.roles())}}},
		varm:  truth,
		uns:   mapping{{"simulation", about}},
	})
}

func perturbSpec(w *simulate.World, row int) simulate.CellSpec {
	half := perturbControls + perturbEach*(len(w.Perturbations)-1)
	spec := simulate.CellSpec{Context: row / half, CellType: row % 2, Donor: row % len(w.Donors)}
	if at := row%half - perturbControls; at >= 0 {
		spec.Perturbation = 1 + at/perturbEach
	}
	return spec
}
