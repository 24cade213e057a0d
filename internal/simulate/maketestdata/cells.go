package main

import (
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/simulate"
)

// cells is a simulated matrix beside the world that it comes from.
type cells struct {
	world *simulate.World
	batch *simulate.Batch
}

// draw makes cells; spec nil is the world's own design.
func (s *store) draw(cfg simulate.Config, n int, spec func(w *simulate.World, row int) simulate.CellSpec) *cells {
	if s.err != nil {
		return nil
	}
	w, err := simulate.New(cfg)
	if err != nil {
		s.err = err
		return nil
	}
	opt := simulate.Options{}
	if spec != nil {
		opt.Spec = func(row int) simulate.CellSpec { return spec(w, row) }
	}
	b, err := w.Matrix(s.ctx, n, opt)
	if err != nil {
		s.err = err
		return nil
	}
	return &cells{w, b}
}

// counts is the counts as float32, the type that most files have.
func (c *cells) counts() sparse[float32] {
	m := sparse[float32]{rows: c.batch.NObs(), cols: len(c.world.Genes), indices: c.batch.Indices}
	for _, p := range c.batch.Indptr {
		m.indptr = append(m.indptr, int32(p))
	}
	for _, v := range c.batch.Counts {
		m.data = append(m.data, float32(v))
	}
	return m
}

// totals is the sum of each cell.
func (c *cells) totals() []float32 {
	out := make([]float32, c.batch.NObs())
	for i := range out {
		for _, v := range c.batch.Counts[c.batch.Indptr[i]:c.batch.Indptr[i+1]] {
			out[i] += float32(v)
		}
	}
	return out
}

// logNormalised is log(1 + 10,000 count / total), natural.
func (c *cells) logNormalised() sparse[float32] {
	m := c.counts()
	totals := c.totals()
	m.data = slices.Clone(m.data)
	for i := range m.rows {
		for j := m.indptr[i]; j < m.indptr[i+1]; j++ {
			m.data[j] = float32(simulate.Log(1 + float64(float64(m.data[j])*1e4)/float64(totals[i])))
		}
	}
	return m
}

// dense spreads m out, row-major.
func (m sparse[T]) dense() dense[T] {
	d := dense[T]{rows: m.rows, cols: m.cols, data: make([]T, m.rows*m.cols)}
	for i := range m.rows {
		for j := m.indptr[i]; j < m.indptr[i+1]; j++ {
			d.data[i*m.cols+int(m.indices[j])] = m.data[j]
		}
	}
	return d
}

// compress is the non-zero values of d by rows, or by columns.
func (d dense[T]) compress(byColumn bool) sparse[T] {
	m := sparse[T]{rows: d.rows, cols: d.cols, byColumn: byColumn, indptr: []int32{0}}
	outer, inner := d.rows, d.cols
	if byColumn {
		outer, inner = inner, outer
	}
	for i := range outer {
		for j := range inner {
			at := i*d.cols + j
			if byColumn {
				at = j*d.cols + i
			}
			if v := d.data[at]; v != 0 {
				m.indices = append(m.indices, int32(j))
				m.data = append(m.data, v)
			}
		}
		m.indptr = append(m.indptr, int32(len(m.indices)))
	}
	return m
}

// columns keeps some columns of m, in rising order.
func (m sparse[T]) columns(keep []int32) sparse[T] {
	at := make(map[int32]int32, len(keep))
	for i, c := range keep {
		at[c] = int32(i)
	}
	out := sparse[T]{rows: m.rows, cols: len(keep), indptr: []int32{0}}
	for i := range m.rows {
		for j := m.indptr[i]; j < m.indptr[i+1]; j++ {
			if c, ok := at[m.indices[j]]; ok {
				out.indices = append(out.indices, c)
				out.data = append(out.data, m.data[j])
			}
		}
		out.indptr = append(out.indptr, int32(len(out.indices)))
	}
	return out
}

func (c *cells) barcodes() []string {
	out := make([]string, c.batch.NObs())
	for i := range out {
		out[i] = c.world.Barcode(c.batch.Start + i)
	}
	return out
}

func (c *cells) symbols() []string {
	out := make([]string, len(c.world.Genes))
	for i, g := range c.world.Genes {
		out[i] = g.Symbol
	}
	return out
}

// roles is what each gene does.
func (c *cells) roles() []string {
	out := make([]string, len(c.world.Genes))
	for i, g := range c.world.Genes {
		out[i] = g.Role
	}
	return out
}

// labels is a column of names by cell.
func (c *cells) labels(name func(w *simulate.World, s simulate.CellSpec) string) []string {
	out := make([]string, c.batch.NObs())
	for i, t := range c.batch.Truth {
		out[i] = name(c.world, t.Spec)
	}
	return out
}

func cellType(w *simulate.World, s simulate.CellSpec) string { return w.CellTypes[s.CellType].Name }
func donor(w *simulate.World, s simulate.CellSpec) string    { return w.Donors[s.Donor] }
func contextOf(w *simulate.World, s simulate.CellSpec) string {
	return w.Contexts[s.Context].Name
}

func perturbation(w *simulate.World, s simulate.CellSpec) string {
	return w.Perturbations[s.Perturbation].Name
}

// factor makes a categorical with sorted categories, as pandas does.
func factor(values []string) categorical {
	categories := slices.Clone(values)
	slices.Sort(categories)
	categories = slices.Compact(categories)
	c := categorical{categories: categories}
	for _, v := range values {
		c.codes = append(c.codes, int8(slices.Index(categories, v)))
	}
	return c
}

// description is what uns/simulation says of a file.
func (c *cells) description() mapping {
	cfg := c.world.Config
	var contexts []string
	for _, x := range cfg.Contexts {
		contexts = append(contexts, x.Name)
	}
	return mapping{
		{"generator", "c2s internal/simulate"},
		{"note", "simulated: no cell of this file ever lived"},
		{"seed", cfg.Seed},
		{"n_genes", cfg.NGenes},
		{"donors", cfg.Donors},
		{"contexts", strings.Join(contexts, ", ")},
		{"depth", cfg.Depth},
		{"depth_sd", cfg.DepthSD},
		{"dispersion", cfg.Dispersion},
		{"donor_sd", cfg.DonorSD},
		{"doublet_share", cfg.DoubletShare},
		{"ambient_share", cfg.AmbientShare},
	}
}
