package main

import (
	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/simulate"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

// The design of drugs.h5ad: for each cell type, context and drug two cells, and for the
// vehicle four.
const (
	drugsEach     = 2
	drugsControls = 4
)

// drugs is 224 cells of the world that the demo model knows, of donors that its training
// never saw: the vehicle and one drug of each kind that acts.
func drugs(s *store, root *hdf5.GroupWriter) {
	cfg := world.Config()
	var given []int // perturbations of the world, the vehicle first
	seen := map[string]bool{simulate.ClassInert: true}
	for i, p := range cfg.Perturbations {
		if !seen[p.Class] {
			seen[p.Class] = true
			given = append(given, i+1)
		}
	}
	const types, contexts = 8, 2
	c := s.draw(cfg, types*contexts*(drugsControls+drugsEach*len(given)), func(_ *simulate.World, row int) simulate.CellSpec {
		spec := simulate.CellSpec{CellType: row % types, Context: row / types % contexts, Donor: world.TrainingDonors + row/types%3}
		if at := row/(types*contexts) - drugsControls; at >= 0 {
			spec.Perturbation = given[at/drugsEach]
		}
		return spec
	})
	if c == nil {
		return
	}
	s.file(root, &annData{
		x: c.counts(),
		obs: frame{index: c.barcodes(), columns: mapping{
			{"cell_type", factor(c.labels(cellType))},
			{"donor", factor(c.labels(donor))},
			{"context", factor(c.labels(contextOf))},
			{"perturbation", factor(c.labels(perturbation))},
			{"n_counts", c.totals()},
		}},
		genes: frame{index: c.symbols(), columns: mapping{{"role", factor(c.roles())}}},
	})
}
