package main

import (
	"fmt"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// byHand makes a matrix of rows of the same length.
func byHand(rows ...[]float32) dense[float32] {
	d := dense[float32]{rows: len(rows), cols: len(rows[0])}
	for _, r := range rows {
		d.data = append(d.data, r...)
	}
	return d
}

func numbered(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", prefix, i+1)
	}
	return out
}

// tiny is 5 cells × 8 genes that can be checked by eye. No cell has two genes of one
// count, so that its sentence needs no breaking of ties:
//
//	cell1  CD3D CD3E IL7R B2M MT-CO1
//	cell2  B2M MS4A1 CD79A
//	cell3  LYZ B2M CD3E
//	cell4  MT-CO1
//	cell5  B2M MT-CO1 CD3D IL7R LYZ CD79A CD3E MS4A1
func tiny(s *store, root *hdf5.GroupWriter) {
	x := byHand(
		//      CD3D CD3E IL7R MS4A1 CD79A LYZ B2M MT-CO1
		[]float32{9, 7, 5, 0, 0, 0, 3, 1},
		[]float32{0, 0, 0, 4, 2, 0, 6, 0},
		[]float32{0, 1, 0, 0, 0, 30, 12, 0},
		[]float32{0, 0, 0, 0, 0, 0, 0, 2},
		[]float32{6, 2, 5, 1, 3, 4, 100, 7},
	)
	s.file(root, &annData{
		x: x.compress(false),
		obs: frame{index: numbered("cell", 5), columns: mapping{
			{"cell_type", factor([]string{"T cell", "B cell", "Monocyte", "Unknown", "T cell"})},
			{"batch", []string{"one", "one", "two", "two", "two"}},
			{"n_counts", []float32{25, 12, 43, 2, 128}},
		}},
		genes: frame{index: []string{"CD3D", "CD3E", "IL7R", "MS4A1", "CD79A", "LYZ", "B2M", "MT-CO1"}},
		obsm: mapping{{"X_toy", byHand(
			[]float32{0, 1}, []float32{1, 0}, []float32{-1, 0}, []float32{0, 0}, []float32{0.5, 0.5},
		)}},
	})
}

// collide has gene names that are equal, or equal in upper case: abc and ABC, DUP
// twice, HLA-A and hla-a.
func collide(s *store, root *hdf5.GroupWriter) {
	x := byHand(
		[]float32{1, 2, 3, 4, 0, 6, 7, 0, 9, 10},
		[]float32{10, 9, 0, 7, 6, 5, 0, 3, 2, 1},
		[]float32{0, 1, 0, 2, 0, 3, 0, 4, 0, 5},
		[]float32{5, 0, 4, 0, 3, 0, 2, 0, 1, 0},
		[]float32{0, 0, 0, 8, 9, 0, 0, 0, 0, 0},
		[]float32{1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
	)
	s.file(root, &annData{
		x:     x.compress(false),
		obs:   frame{index: numbered("cell", 6)},
		genes: frame{index: []string{"TP53", "abc", "ABC", "DUP", "DUP", "GAPDH", "HLA-A", "hla-a", "MT-CO1", "MALAT1"}},
	})
}

// emptyCells has cells without any stored value (1, 6 and 12), one whose stored
// values are all zero (4), and one zero stored among the counts of each of the rest.
func emptyCells(s *store, root *hdf5.GroupWriter) {
	const rows, cols = 12, 20
	m := sparse[float32]{rows: rows, cols: cols, indptr: []int32{0}}
	for i := range rows {
		switch i {
		case 0, 5, 11:
		case 3:
			m.indices = append(m.indices, 2, 7)
			m.data = append(m.data, 0, 0)
		default:
			for j := i % 3; j < cols; j += 3 {
				v := float32((i*j)%7 + 1)
				if j == 9+i%3 {
					v = 0
				}
				m.indices = append(m.indices, int32(j))
				m.data = append(m.data, v)
			}
		}
		m.indptr = append(m.indptr, int32(len(m.indices)))
	}
	var types []string
	for i := range rows {
		types = append(types, []string{"a", "b"}[i%2])
	}
	s.file(root, &annData{
		x:     m,
		obs:   frame{index: numbered("cell", rows), columns: mapping{{"cell_type", factor(types)}}},
		genes: frame{index: numbered("GENE", cols)},
	})
}
