package preprocess

import (
	"context"
	"math"

	"github.com/cellsentence/c2s/h5ad"
)

// scan gathers a plan.
type scan struct {
	p      *Plan
	sel    h5ad.Selection
	genes  []string
	mito   []bool
	cells  []int64   // that have enough genes and express each gene
	totals []float64 // above zero, of the kept cells
}

// begin sets the plan to keep all.
func (s *scan) begin() {
	p := s.p
	p.Cells, p.Genes = newBits(p.NObs), newBits(p.NVars)
	for i := range p.NObs {
		p.Cells.add(i)
	}
	s.mito = make([]bool, p.NVars)
	for i, name := range s.genes {
		p.Genes.add(i)
		if s.mito[i] = IsMito(name); s.mito[i] {
			p.MitoGenes++
		}
	}
	p.KeptCells, p.KeptGenes = p.NObs, p.NVars
	p.Target = max(0, p.Config.Target)
}

// run reads the matrix: once for the expressed genes and the totals together,
// unless totals depend on which genes are left.
func (s *scan) run(ctx context.Context, m *h5ad.Matrix) error {
	p := s.p
	s.cells = make([]int64, p.NVars)
	weighs := p.Config.MaxMito > 0 || p.Config.Target == Median
	err := s.pass(ctx, m, true, weighs && p.Config.MinCells == 0)
	if err != nil {
		return err
	}
	if p.Config.MinCells > 0 {
		s.dropGenes()
		if weighs {
			if err := s.pass(ctx, m, false, true); err != nil {
				return err
			}
		}
	}
	p.KeptCells = p.NObs - p.FewGenes - p.HighMito
	switch {
	case p.NObs > 0 && p.KeptCells == 0:
		return badInput("the filters drop all of %d cells: %s", p.NObs, p.dropped())
	case p.NVars > 0 && p.KeptGenes == 0:
		return badInput("the filters drop all of %d genes: none is expressed in %d of %d cells", p.NVars, p.Config.MinCells, p.NObs-p.FewGenes)
	case p.Config.Target == Median && len(s.totals) == 0:
		return badInput("no median of the totals: no cell has one above 0")
	case p.Config.Target == Median:
		p.Target = median(s.totals)
	}
	return nil
}

// row is the row in the matrix of a cell of the selection.
func (s *scan) row(cell int) int {
	if s.sel.Cells != nil {
		return s.sel.Cells[cell]
	}
	return s.p.Start + cell
}

// dropGenes drops the genes that too few cells express.
func (s *scan) dropGenes() {
	for i, n := range s.cells {
		if n < int64(s.p.Config.MinCells) {
			s.p.Genes.remove(i)
			s.p.FewCells++
		}
	}
	s.p.KeptGenes -= s.p.FewCells
}

// pass reads all rows, to count expressed genes, to take totals, or both.
func (s *scan) pass(ctx context.Context, m *h5ad.Matrix, counts, weighs bool) error {
	return m.Each(ctx, s.sel, func(b *h5ad.Batch) error { return s.batch(b, counts, weighs) })
}

func (s *scan) batch(b *h5ad.Batch, counts, weighs bool) error {
	switch v := b.Values.(type) {
	case []float32:
		return scanCells(s, b, v, counts, weighs)
	case []float64:
		return scanCells(s, b, v, counts, weighs)
	case []int8:
		return scanCells(s, b, v, counts, weighs)
	case []int16:
		return scanCells(s, b, v, counts, weighs)
	case []int32:
		return scanCells(s, b, v, counts, weighs)
	case []int64:
		return scanCells(s, b, v, counts, weighs)
	case []uint8:
		return scanCells(s, b, v, counts, weighs)
	case []uint16:
		return scanCells(s, b, v, counts, weighs)
	case []uint32:
		return scanCells(s, b, v, counts, weighs)
	case []uint64:
		return scanCells(s, b, v, counts, weighs)
	}
	return errValues
}

func scanCells[T h5ad.Number](s *scan, b *h5ad.Batch, all []T, counts, weighs bool) error {
	for i := range b.NObs() {
		lo, hi := b.Indptr[i], b.Indptr[i+1]
		cols, vals := b.Indices[lo:hi], all[lo:hi]
		cell := b.Start + i
		if counts {
			n := 0
			for k, v := range vals {
				if !(v >= 0) || float64(v) > math.MaxFloat64 {
					return badValue(s.row(b.Start+i), s.genes[cols[k]], float64(v))
				}
				if v > 0 {
					n++
				}
			}
			if n < s.p.Config.MinGenes {
				s.p.Cells.remove(cell)
				s.p.FewGenes++
			}
		}
		if !s.p.Cells.Has(cell) {
			continue
		}
		if counts {
			for k, v := range vals {
				if v > 0 {
					s.cells[cols[k]]++
				}
			}
		}
		if weighs {
			total, mito := 0.0, 0.0
			for k, v := range vals {
				if c := cols[k]; s.p.Genes.Has(int(c)) {
					total += float64(v)
					if s.mito[c] {
						mito += float64(v)
					}
				}
			}
			s.weigh(cell, total, mito)
		}
	}
	return nil
}

// weigh judges a cell by its total and the mitochondrial part of it. That of an
// empty cell is not above any limit.
func (s *scan) weigh(cell int, total, mito float64) {
	if s.p.Config.MaxMito > 0 && total > 0 && mito/total > s.p.Config.MaxMito {
		s.p.Cells.remove(cell)
		s.p.HighMito++
		return
	}
	if total > 0 && s.p.Config.Target == Median {
		s.totals = append(s.totals, total)
	}
}
