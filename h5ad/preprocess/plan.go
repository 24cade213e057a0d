package preprocess

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
)

// Plan is what becomes of a matrix. It may be kept as JSON.
type Plan struct {
	Config Config `json:"config"`
	// Start is the first row that the plan covers, 0 for a selection of cells; NObs
	// is their number and NVars that of the genes.
	Start int `json:"start"`
	NObs  int `json:"n_obs"`
	NVars int `json:"n_vars"`
	// Cells and Genes have a bit for each, 1 if it is kept, the lowest of the
	// first byte first.
	Cells Bits `json:"cells"`
	Genes Bits `json:"genes"`
	// KeptCells and KeptGenes count them.
	KeptCells int `json:"kept_cells"`
	KeptGenes int `json:"kept_genes"`
	// FewGenes and HighMito count the cells dropped for having too few genes and,
	// of the others, too large a mitochondrial part; FewCells the genes dropped.
	FewGenes int `json:"cells_with_few_genes"`
	HighMito int `json:"cells_with_high_mito"`
	FewCells int `json:"genes_in_few_cells"`
	// MitoGenes is how many of the genes are mitochondrial.
	MitoGenes int `json:"mito_genes"`
	// Target is the total to which cells are scaled, 0 if they are not.
	Target float64 `json:"target"`
	// Kind is what the values look like, if they are to be changed.
	Kind h5ad.ValueKind `json:"kind,omitempty"`
}

// Bits is a set of small numbers.
type Bits []byte

func newBits(n int) Bits { return make(Bits, (n+7)/8) }

// Has reports whether i is in the set.
func (b Bits) Has(i int) bool { return i>>3 < len(b) && b[i>>3]>>(i&7)&1 != 0 }

func (b Bits) add(i int)    { b[i>>3] |= 1 << (i & 7) }
func (b Bits) remove(i int) { b[i>>3] &^= 1 << (i & 7) }

// below counts the numbers in the set that are less than i.
func (b Bits) below(i int) int {
	n := 0
	for _, x := range b[:i>>3] {
		n += bits.OnesCount8(x)
	}
	if i&7 != 0 {
		n += bits.OnesCount8(b[i>>3] & (1<<(i&7) - 1))
	}
	return n
}

// Keeps reports whether the cell in that row of the matrix stays.
func (p *Plan) Keeps(row int) bool { return row >= p.Start && p.Cells.Has(row-p.Start) }

// Excluded has an entry for each gene, true for those that are dropped; nil if
// all are kept.
func (p *Plan) Excluded() []bool {
	if p.KeptGenes == p.NVars {
		return nil
	}
	out := make([]bool, p.NVars)
	for i := range out {
		out[i] = !p.Genes.Has(i)
	}
	return out
}

// Kept narrows the selection that the plan was made for to what it keeps.
func (p *Plan) Kept(sel h5ad.Selection) h5ad.Selection {
	if p.KeptCells < p.NObs {
		sel.Cells = p.Cells.among(sel.Cells, p.Start, p.NObs)
	}
	if p.KeptGenes < p.NVars {
		sel.Genes = p.Genes.among(sel.Genes, 0, p.NVars)
	}
	return sel
}

// among lists the members of the set, counted in list, or from first where there
// is no list.
func (b Bits) among(list []int, first, n int) []int {
	out := []int{}
	for i := range n {
		switch {
		case !b.Has(i):
		case list == nil:
			out = append(out, first+i)
		default:
			out = append(out, list[i])
		}
	}
	return out
}

// dropped says why cells were dropped.
func (p *Plan) dropped() string {
	var why []string
	if p.FewGenes > 0 {
		why = append(why, fmt.Sprintf("%d have fewer than %d genes", p.FewGenes, p.Config.MinGenes))
	}
	if p.HighMito > 0 {
		why = append(why, fmt.Sprintf("%d are mitochondrial by more than %g", p.HighMito, p.Config.MaxMito))
	}
	return strings.Join(why, ", ")
}

// Warnings returns, for people, what they might not expect, a sentence each.
func (p *Plan) Warnings() []string {
	var out []string
	if p.Kind == h5ad.LogNorm {
		out = append(out, "the values to normalise are not whole numbers: they seem to have been normalised before; choose counts with --layer NAME or --raw")
	}
	return out
}

// New makes the plan for a selection of the cells and genes of m, which are numbered
// anew; genes names those genes (only IsMito and errors look at the names).
//
// It reads the rows once, and a second time if genes are dropped and totals are
// needed; a plan without filters and without a median only samples it. Memory is a
// bit for each cell and gene, and 8 bytes for each cell if a median is taken.
// Values that are negative or not finite, a limit for mitochondrial genes where
// there are none, and filters that leave nothing are bad input.
func New(ctx context.Context, m *h5ad.Matrix, genes []string, cfg Config, sel h5ad.Selection) (*Plan, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	nVars, start, end := m.NVars, sel.Rows.Start, sel.Rows.End
	if sel.Genes != nil {
		nVars = len(sel.Genes)
	}
	if end == 0 {
		end = m.NObs
	}
	if sel.Cells != nil {
		start, end = 0, len(sel.Cells)
	}
	if len(genes) != nVars {
		return nil, fmt.Errorf("%d names for a matrix of %d genes", len(genes), nVars)
	}
	if start < 0 || end < start || end > m.NObs {
		return nil, fmt.Errorf("rows [%d, %d) of %d", start, end, m.NObs)
	}
	s := &scan{sel: sel, genes: genes, p: &Plan{Config: cfg, Start: start, NObs: end - start, NVars: nVars}}
	s.begin()
	if cfg.MaxMito > 0 && s.p.MitoGenes == 0 {
		return nil, badInput("no gene of %d is mitochondrial (MT-…, such as MT-CO1), so that their part of a cell cannot be limited; "+
			"name the column that holds symbols with --gene-names, or leave the limit out", len(genes))
	}
	if cfg.changes() {
		kind, _, err := m.Kind(ctx)
		if err != nil {
			return nil, err
		}
		if s.p.Kind = kind; kind == h5ad.Scaled {
			return nil, badInput("the matrix looks scaled (z-scores): it has negative values, which cannot be normalised; choose counts with --layer NAME or --raw")
		}
	}
	if cfg.filters() || cfg.Target == Median {
		if err := s.run(ctx, m); err != nil {
			return nil, err
		}
	}
	return s.p, nil
}

// errValues is returned for a batch whose Values are of no type that package h5ad
// names.
var errValues = errors.New("values are not a slice of a plain number type")

// median of numbers, which it sorts: as NumPy's, the mean of the middle two.
func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	return v[(n-1)/2] + (v[n/2]-v[(n-1)/2])/2
}
