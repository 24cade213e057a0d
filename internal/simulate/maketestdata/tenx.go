package main

import (
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/simulate"
)

// antibodies are the two features of tenX that are not genes.
var antibodies = []string{"CD3_TotalSeqB", "CD19_TotalSeqB"}

// tenX is a feature-barcode matrix as Cell Ranger 3 and later write it (10x
// Genomics, Feature-Barcode Matrices, HDF5 format): 50 barcodes, 80 genes and two
// antibodies. Features are in falling order within a barcode, which readers must
// bear, and identifiers are made up.
func tenX(s *store, root *hdf5.GroupWriter) {
	c := s.draw(simulate.Config{Seed: 47, NGenes: 80, Depth: 90, Perturbations: []simulate.Perturbation{}}, 50, nil)
	if c == nil {
		return
	}
	n := len(c.world.Genes)
	var data []int32
	var indices []int64
	indptr := []int64{0}
	for i, t := range c.batch.Truth {
		lo, hi := c.batch.Indptr[i], c.batch.Indptr[i+1]
		at := len(data)
		for j := lo; j < hi; j++ {
			indices = append(indices, int64(c.batch.Indices[j]))
			data = append(data, c.batch.Counts[j])
		}
		// Antibodies: CD3 on T cells (types 0 and 1), CD19 on B cells (type 3).
		for k, bound := range []bool{t.Spec.CellType < 2, t.Spec.CellType == 3} {
			if bound {
				indices = append(indices, int64(n+k))
				data = append(data, int32(100+10*i))
			}
		}
		slices.Reverse(indices[at:])
		slices.Reverse(data[at:])
		indptr = append(indptr, int64(len(data)))
	}
	ids := ensemblIDs(n)
	kinds, genomes := slices.Repeat([]string{"Gene Expression"}, n), slices.Repeat([]string{"simulated"}, n)
	for range antibodies {
		kinds, genomes = append(kinds, "Antibody Capture"), append(genomes, "")
	}

	s.attr(root, "chemistry_description", hdf5.StringValue("simulated"))
	s.attr(root, "filetype", hdf5.StringValue("matrix"))
	s.attr(root, "version", hdf5.NumberValue(int64(2)))
	g := s.plainGroup(root, "matrix")
	s.fixed(g, "barcodes", c.barcodes())
	vector(s, g, "data", data, tenXChunk)
	vector(s, g, "indices", indices, tenXChunk)
	vector(s, g, "indptr", indptr, tenXChunk)
	vector(s, g, "shape", []int32{int32(n + len(antibodies)), int32(c.batch.NObs())}, tenXChunk)
	f := s.plainGroup(g, "features")
	s.fixed(f, "_all_tag_keys", []string{"genome"})
	s.fixed(f, "feature_type", kinds)
	s.fixed(f, "genome", genomes)
	s.fixed(f, "id", append(ids, antibodies...))
	s.fixed(f, "name", append(c.symbols(), antibodies...))
}

func (s *store) plainGroup(g *hdf5.GroupWriter, name string) *hdf5.GroupWriter {
	if s.err != nil {
		return g
	}
	sub, err := g.CreateGroup(name)
	if err != nil {
		s.err = err
		return g
	}
	return sub
}

// tenXChunk is Cell Ranger's chunk of 80,000 elements: longer than these vectors.
const tenXChunk = 80_000

// fixed writes strings in fields of one length, filled up with NULs.
func (s *store) fixed(g *hdf5.GroupWriter, name string, x []string) {
	if s.err != nil {
		return
	}
	size := 1
	for _, v := range x {
		size = max(size, len(v))
	}
	d, err := g.CreateDataset(name, hdf5.DatasetSpec{
		Type: hdf5.FixedStringType(size, hdf5.PadNull, hdf5.ASCII), Dims: []uint64{uint64(len(x))},
		MaxDims: []uint64{hdf5.Unlimited}, Chunk: []uint64{max(uint64(len(x)), 1)}, Filters: compression(),
	})
	if err == nil {
		err = hdf5.AppendStrings(s.ctx, d, x)
	}
	if err == nil {
		err = d.Close()
	}
	s.err = err
}
