package main

import (
	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/simulate"
)

// demo is 500 cells of eight types, four donors and two contexts, with the truth
// beside them.
func demo(s *store, root *hdf5.GroupWriter) {
	c := s.draw(simulate.Config{
		Seed: 42, NGenes: 999, Depth: 450, AmbientShare: 0.02, Perturbations: []simulate.Perturbation{},
	}, 500, nil)
	if c == nil {
		return
	}
	library := make([]float32, c.batch.NObs())
	for i, t := range c.batch.Truth {
		library[i] = float32(t.Library)
	}
	dispersion := make([]float64, len(c.world.Genes))
	for i, g := range c.world.Genes {
		dispersion[i] = g.Dispersion
	}
	s.file(root, &annData{
		x: c.counts(),
		obs: frame{index: c.barcodes(), columns: mapping{
			{"cell_type", factor(c.labels(cellType))},
			{"donor", factor(c.labels(donor))},
			{"context", factor(c.labels(contextOf))},
			{"n_counts", c.totals()},
			{"true_library_size", library},
		}},
		genes: frame{index: c.symbols(), columns: mapping{
			{"role", factor(c.roles())},
			{"true_dispersion", dispersion},
		}},
		layers: mapping{{"lognorm", c.logNormalised()}},
		uns:    mapping{{"simulation", c.description()}},
	})
}

// logNorm is 60 cells as they lie after the usual first steps: 200 of 300 genes,
// log-normalised, with the counts of all of them in raw.
func logNorm(s *store, root *hdf5.GroupWriter) {
	c := s.draw(simulate.Config{Seed: 43, NGenes: 300, Perturbations: []simulate.Perturbation{}}, 60, nil)
	if c == nil {
		return
	}
	var keep []int32
	var kept []string
	for i, g := range c.symbols() {
		if i%3 != 0 {
			keep = append(keep, int32(i))
			kept = append(kept, g)
		}
	}
	s.file(root, &annData{
		x: c.logNormalised().columns(keep),
		obs: frame{index: c.barcodes(), columns: mapping{
			{"cell_type", factor(c.labels(cellType))},
			{"donor", factor(c.labels(donor))},
			{"n_counts", c.totals()},
		}},
		genes: frame{index: kept},
		raw:   &rawData{x: c.counts(), genes: frame{index: c.symbols()}},
		uns:   mapping{{"log1p", mapping{}}, {"simulation", c.description()}},
	})
}
