package pca

import "math"

// Batch is a run of cells in compressed sparse rows: cell i has the values
// [Indptr[i], Indptr[i+1]) of Values, for the genes at the same places of Indices.
// Values are counts, or log-normalised if Config.Logged.
type Batch struct {
	Indptr  []int64
	Indices []int32
	Values  []float64
}

// Len is the number of cells.
func (b Batch) Len() int { return len(b.Indptr) - 1 }

// Projector applies a model to the cells of one file. It serves several goroutines.
type Projector struct {
	// Missing is how many genes of the model the file lacks. They count as not
	// expressed.
	Missing int

	m      *Model
	column []int     // of each gene of the file in the model, or −1
	across []float64 // components, gene by gene
	offset []float64 // mean on each component
}

// Projector matches the genes of a file, which must be unique, with the model's by
// name. Genes that the model does not know are left out of the cells' totals, too.
// A file with none of the model's genes is an error.
func (m *Model) Projector(genes []string) (*Projector, error) {
	at, err := positions(m.Genes)
	if err != nil {
		return nil, err
	}
	if _, err := positions(genes); err != nil {
		return nil, err
	}
	p := &Projector{m: m, Missing: len(m.Genes), column: make([]int, len(genes))}
	for i, g := range genes {
		c, known := at[g]
		if !known {
			c = -1
		} else {
			p.Missing--
		}
		p.column[i] = c
	}
	if p.Missing == len(m.Genes) {
		return nil, badInput("none of the model's %d genes is in the file (%.40q against %.40q)", len(m.Genes), m.Genes[0], genes)
	}
	k := len(m.Components)
	p.across, p.offset = make([]float64, len(m.Genes)*k), make([]float64, k)
	for c, v := range m.Components {
		for g, x := range v {
			p.across[g*k+c] = x
			p.offset[c] += float64(x * m.Mean[g])
		}
	}
	return p, nil
}

// Dim is the number of components.
func (p *Projector) Dim() int { return len(p.m.Components) }

// Transform fills dst, of b.Len() × Dim numbers, with the embeddings of cells.
func (p *Projector) Transform(b Batch, dst []float64) {
	k := p.Dim()
	for i := range b.Len() {
		out := dst[i*k:][:k]
		for c, v := range p.offset {
			out[c] = -v
		}
		from, to := b.Indptr[i], b.Indptr[i+1]
		scale := p.scale(b, from, to)
		for j := from; j < to; j++ {
			g := p.column[b.Indices[j]]
			if g < 0 {
				continue
			}
			v := normalise(b.Values[j], scale)
			for c, x := range p.across[g*k:][:k] {
				out[c] += float64(v * x)
			}
		}
	}
}

// scale is the factor of a cell: 0 means that values are taken as they are.
func (p *Projector) scale(b Batch, from, to int64) float64 {
	if p.m.Target == 0 {
		return 0
	}
	total := 0.0
	for j := from; j < to; j++ {
		if p.column[b.Indices[j]] >= 0 {
			total += b.Values[j]
		}
	}
	if total == 0 {
		return 1
	}
	return p.m.Target / total
}

func normalise(v, scale float64) float64 {
	if scale == 0 {
		return v
	}
	return math.Log1p(v * scale)
}
