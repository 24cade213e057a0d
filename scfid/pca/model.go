package pca

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// Model is fitted components.
type Model struct {
	Genes []string `json:"genes"`
	// Mean is that of the normalised values, one a gene.
	Mean []float64 `json:"mean"`
	// Components are unit vectors, one number a gene, by falling variance. The
	// largest number of each is positive.
	Components [][]float64 `json:"components"`
	// Variance is that of the real cells along each component, with n − 1 in the
	// denominator, and TotalVariance that of all genes.
	Variance      []float64 `json:"variance"`
	TotalVariance float64   `json:"total_variance"`
	// Target is the total that cells are scaled to; 0 means that values were taken
	// as they were, log-normalised before.
	Target float64 `json:"target"`
	Cells  int     `json:"cells"`
	Seed   uint64  `json:"seed"`
}

// file is what Save writes.
type file struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	*Model
}

const format = "c2s-pca"

// Save writes the model as JSON, with all digits.
func (m *Model) Save(w io.Writer) error {
	return json.NewEncoder(w).Encode(file{format, 1, m})
}

// Load reads what Save wrote.
func Load(r io.Reader) (*Model, error) {
	f := file{Model: &Model{}}
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, badInput("not a PCA model: %v", err)
	}
	m := f.Model
	switch {
	case f.Format != format:
		return nil, badInput("not a PCA model: format is %.40q", f.Format)
	case f.Version != 1:
		return nil, badInput("version %d of the PCA model is not known", f.Version)
	case len(m.Genes) == 0 || len(m.Mean) != len(m.Genes) || len(m.Components) == 0 || len(m.Variance) != len(m.Components):
		return nil, badInput("the PCA model is damaged: %d genes, %d means, %d components, %d variances", len(m.Genes), len(m.Mean), len(m.Components), len(m.Variance))
	case !(m.Target >= 0) || math.IsInf(m.Target, 0):
		return nil, badInput("the PCA model is damaged: target is %g", m.Target)
	}
	for i, c := range m.Components {
		if len(c) != len(m.Genes) {
			return nil, badInput("the PCA model is damaged: component %d has %d numbers for %d genes", i, len(c), len(m.Genes))
		}
	}
	_, err := positions(m.Genes)
	return m, err
}

// inputError is an error for which the cells or the model file are at fault.
type inputError string

func badInput(format string, args ...any) error { return inputError(fmt.Sprintf(format, args...)) }

// Error is the message.
func (e inputError) Error() string { return string(e) }

// BadInput reports that the input is at fault.
func (inputError) BadInput() bool { return true }

// positions is where each gene is; a name that occurs twice is an error.
func positions(genes []string) (map[string]int, error) {
	at := make(map[string]int, len(genes))
	for i, g := range genes {
		if _, twice := at[g]; twice {
			return nil, badInput("gene %.60q occurs twice: components need unique names", g)
		}
		at[g] = i
	}
	return at, nil
}
