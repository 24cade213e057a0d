package main

import (
	"fmt"
	"math"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/simulate"
)

// small is the 40 cells and 60 genes of dense.h5ad, csc.h5ad and scaled.h5ad.
func (s *store) small() *cells {
	return s.draw(simulate.Config{Seed: 45, NGenes: 60, Depth: 80, Perturbations: []simulate.Perturbation{}}, 40, nil)
}

func (c *cells) obs() frame {
	return frame{index: c.barcodes(), columns: mapping{
		{"cell_type", factor(c.labels(cellType))},
		{"donor", factor(c.labels(donor))},
	}}
}

// denseFile has dense counts, in chunks of seven rows, and the same in CSR.
func denseFile(s *store, root *hdf5.GroupWriter) {
	if c := s.small(); c != nil {
		x := c.counts().dense()
		x.chunk = 7
		s.file(root, &annData{
			x: x, obs: c.obs(), genes: frame{index: c.symbols()}, layers: mapping{{"csr", c.counts()}},
			uns: mapping{{"simulation", c.description()}},
		})
	}
}

// cscFile has the counts of denseFile by columns.
func cscFile(s *store, root *hdf5.GroupWriter) {
	if c := s.small(); c != nil {
		s.file(root, &annData{
			x: c.counts().dense().compress(true), obs: c.obs(), genes: frame{index: c.symbols()},
			uns: mapping{{"simulation", c.description()}},
		})
	}
}

// scaled has the log-normalised values of denseFile with mean 0 and standard
// deviation 1 for each gene, at most 10, and the counts in raw.
func scaled(s *store, root *hdf5.GroupWriter) {
	c := s.small()
	if c == nil {
		return
	}
	x := c.logNormalised().dense()
	for g := range x.cols {
		scaleColumn(x, g)
	}
	s.file(root, &annData{
		x: x, obs: c.obs(), genes: frame{index: c.symbols()},
		raw: &rawData{x: c.counts(), genes: frame{index: c.symbols()}},
		uns: mapping{{"simulation", c.description()}},
	})
}

func scaleColumn(x dense[float32], g int) {
	sum, squares := 0.0, 0.0
	for i := range x.rows {
		sum += float64(x.data[i*x.cols+g])
	}
	mean := sum / float64(x.rows)
	for i := range x.rows {
		d := float64(x.data[i*x.cols+g]) - mean
		squares += float64(d * d)
	}
	sd := math.Sqrt(squares / float64(x.rows-1))
	if sd == 0 {
		sd = 1
	}
	for i := range x.rows {
		z := (float64(x.data[i*x.cols+g]) - mean) / sd
		x.data[i*x.cols+g] = float32(min(z, 10))
	}
}

// ensemblIDs makes up identifiers of the right form, far above those in use.
func ensemblIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("ENSG%011d", 90_000_000+i)
	}
	return ids
}

// ensembl has identifiers as gene names, and the symbols in a column.
func ensembl(s *store, root *hdf5.GroupWriter) {
	c := s.draw(simulate.Config{Seed: 46, NGenes: 30, Depth: 60, Perturbations: []simulate.Perturbation{}}, 20, nil)
	if c == nil {
		return
	}
	s.file(root, &annData{
		x: c.counts(), obs: c.obs(),
		genes: frame{indexName: "gene_ids", index: ensemblIDs(len(c.world.Genes)), columns: mapping{{"feature_name", factor(c.symbols())}}},
		uns:   mapping{{"simulation", c.description()}},
	})
}
