package preprocess

import (
	"fmt"
	"math"
	"strings"
)

// Median is the [Config.Target] that scales cells to the median of their totals.
const Median = -1

// Log is the base of a logarithm.
type Log uint8

// The bases. LogNone takes no logarithm.
const (
	LogNone Log = iota
	LogE
	Log2
	Log10
)

// String is the base on the command line: "", e, 2 or 10.
func (l Log) String() string {
	switch l {
	case LogNone:
		return ""
	case LogE:
		return "e"
	case Log2:
		return "2"
	case Log10:
		return "10"
	}
	return fmt.Sprintf("Log(%d)", uint8(l))
}

// ParseLog is the inverse of [Log.String].
func ParseLog(s string) (Log, error) {
	for l := LogNone; l <= Log10; l++ {
		if s == l.String() {
			return l, nil
		}
	}
	return 0, fmt.Errorf("unknown base %q of a logarithm: choose e, 2 or 10", s)
}

// per is the factor from natural logarithms to this base.
func (l Log) per() float64 {
	switch l {
	case Log2:
		return 1 / math.Ln2
	case Log10:
		return 1 / math.Ln10
	}
	return 1
}

// Config says what is done. The zero value does nothing.
type Config struct {
	MinGenes int `json:"min_genes,omitempty"` // expressed genes that a cell must have
	MinCells int `json:"min_cells,omitempty"` // cells that must express a gene
	// MaxMito is the largest part of a cell's total, from 0 to 1, that may be of
	// mitochondrial genes; 0 means any.
	MaxMito float64 `json:"max_mito,omitempty"`
	// Target is the total to which cells are scaled, [Median], or 0 for no scaling.
	Target float64 `json:"target,omitempty"`
	Log    Log     `json:"log,omitempty"`
}

func (c *Config) check() error {
	switch {
	case c.MinGenes < 0:
		return fmt.Errorf("a minimum of %d genes: give a number, or 0 for none", c.MinGenes)
	case c.MinCells < 0:
		return fmt.Errorf("a minimum of %d cells: give a number, or 0 for none", c.MinCells)
	case !(c.MaxMito >= 0 && c.MaxMito <= 1):
		return fmt.Errorf("a mitochondrial fraction of at most %g: give a number from 0 to 1, such as 0.05 for 5 %%", c.MaxMito)
	case c.Target != Median && !(c.Target >= 0 && c.Target <= math.MaxFloat32):
		return fmt.Errorf("a target of %g: give a total above 0, or the median", c.Target)
	case c.Log > Log10:
		return fmt.Errorf("unknown base of a logarithm %d", c.Log)
	}
	return nil
}

// filters reports whether cells or genes may be dropped.
func (c *Config) filters() bool { return c.MinGenes > 0 || c.MinCells > 0 || c.MaxMito > 0 }

// changes reports whether values change.
func (c *Config) changes() bool { return c.Target != 0 || c.Log != LogNone }

// IsMito reports whether a gene is of the mitochondrion, by its symbol: it
// begins with MT-, in any case, as human (MT-CO1), mouse (mt-Co1) and rat (Mt-co1)
// symbols do. MT1X and other metallothioneins have no hyphen.
func IsMito(gene string) bool { return len(gene) > 3 && strings.EqualFold(gene[:3], "mt-") }
