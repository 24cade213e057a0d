package predictor

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb"
)

// Cells are the cells that a [Reference] learns from.
type Cells struct {
	// Name stands for them in messages, such as the path of the file.
	Name string
	// Source gives their expression, ln(1 + counts per 10,000); it is read once.
	Source cellsentence.Source
	// Genes names the columns.
	Genes []string
	// Perturbations are the different ones; one without a part is the control. Of is the
	// place in it of each row's, or −1 for a cell that is left out.
	Perturbations []perturb.Perturbation
	Of            []int
	// Contexts and CellTypes are those of each row; nil, or "" for a cell, is not told.
	Contexts, CellTypes []string
}

// ReferenceConfig says how a reference is learnt. The zero value is good.
type ReferenceConfig struct {
	// MinCells is how many perturbed cells, and how many controls, a mean must rest on
	// (0: 10). Groups with fewer are joined with others, see [Level].
	MinCells int
	// Budget is the memory in bytes for the means of all groups (0: 1 GiB).
	Budget int64
}

// Level says which cells of a reference a shift was learnt from: the first of these
// for which there are enough. Shifts over several groups of context and cell type are
// the mean of the shift within each, weighted by perturbed cells, so that a
// perturbation that was tried in other cell types than the control shows no
// difference of cell types.
type Level string

// The levels, from the best to the worst.
const (
	LevelExact    Level = "context and cell type" // those of the request
	LevelContext  Level = "context"               // all cell types of the context
	LevelCellType Level = "cell type"             // all contexts of the cell type
	LevelAll      Level = "all cells"
	// LevelSignature is a row of a table, which knows neither.
	LevelSignature Level = "signature"
)

// Reference is what perturbations did to other cells.
type Reference struct {
	cells   Cells // without Source
	min     int
	groups  map[group]*sum
	known   map[string][]int // perturbations by key and by names
	fine    []group          // without perturbation, in order
	control int              // of Perturbations, −1
	digest  string
	// LeftOut counts cells without a label.
	LeftOut int
}

// group is the cells of one perturbation, context and cell type.
type group struct {
	perturbation      int // its place, −1 for any
	context, cellType string
}

type sum struct {
	n   int
	sum []float64
}

// NewReference learns from cells. There must be controls among them. Values that are
// negative, not finite or larger than logarithms can be are bad input.
func NewReference(ctx context.Context, cells Cells, cfg ReferenceConfig) (*Reference, error) {
	if cfg.MinCells < 0 || cfg.Budget < 0 {
		return nil, errors.New("the numbers of cells and bytes cannot be negative")
	}
	if cfg.MinCells == 0 {
		cfg.MinCells = 10
	}
	if cfg.Budget == 0 {
		cfg.Budget = 1 << 30
	}
	r := &Reference{cells: cells, min: cfg.MinCells, groups: map[group]*sum{}, known: map[string][]int{}, control: -1}
	r.cells.Source = nil
	for i, p := range cells.Perturbations {
		if len(p.Parts) == 0 {
			if r.control >= 0 {
				return nil, fmt.Errorf("%s: two perturbations have no part: the control is one", cells.Name)
			}
			r.control = i
			continue
		}
		// By what is told in full, and by the names alone for doses that are not there.
		r.known[key(p)] = append(r.known[key(p)], i)
		r.known[names(p)] = append(r.known[names(p)], i)
	}
	if err := r.read(ctx, cells.Source, cfg.Budget); err != nil {
		return nil, err
	}
	if r.control < 0 || r.count([]int{r.control}, anywhere) == 0 {
		return nil, badInput("name the label of the control", "%s has no control cell", cells.Name)
	}
	for g := range r.groups {
		g.perturbation = -1
		if !slices.Contains(r.fine, g) {
			r.fine = append(r.fine, g)
		}
	}
	slices.SortFunc(r.fine, order)
	r.hash()
	return r, nil
}

func order(a, b group) int {
	return cmp.Or(strings.Compare(a.context, b.context), strings.Compare(a.cellType, b.cellType), a.perturbation-b.perturbation)
}

// maxLog is beyond any ln(1 + counts per 10,000), which is at most ln(10,001) = 9.2,
// and beyond what logarithms of other bases and totals reach in practice.
const maxLog = 15

// read adds up the cells of each group, in the order of their rows.
func (r *Reference) read(ctx context.Context, src cellsentence.Source, budget int64) error {
	c := &r.cells
	var b h5ad.Batch
	var values []float64
	row := 0
	for {
		err := src.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		values = h5ad.Floats(values[:0], b.Values)
		for i := range b.NObs() {
			if row >= len(c.Of) {
				return fmt.Errorf("%s: more cells than the %d labels", c.Name, len(c.Of))
			}
			at := c.Of[row]
			g := group{at, label(c.Contexts, row), label(c.CellTypes, row)}
			row++
			if at < 0 {
				r.LeftOut++
				continue
			}
			s := r.groups[g]
			if s == nil {
				if need := int64(len(r.groups)+1) * int64(len(c.Genes)) * 8; need > budget {
					return badInput("keep fewer genes or perturbations (c2s convert --genes, --where), or allow more with --memory",
						"%s: the means of %d groups of %d genes need more than %d bytes", c.Name, len(r.groups)+1, len(c.Genes), budget)
				}
				s = &sum{sum: make([]float64, len(c.Genes))}
				r.groups[g] = s
			}
			s.n++
			for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
				v := values[k]
				if !(v >= 0 && v <= maxLog) {
					return badInput("take counts or log-normalised values: c2s inspect lists what the file has",
						"%s: cell %d, gene %s: %g is no log-normalised expression: is the matrix scaled?", c.Name, row-1, c.Genes[b.Indices[k]], v)
				}
				s.sum[b.Indices[k]] += v
			}
		}
	}
	if row != len(c.Of) {
		return fmt.Errorf("%s: %d cells for %d labels", c.Name, row, len(c.Of))
	}
	return nil
}

func label(list []string, row int) string {
	if list == nil {
		return ""
	}
	return list[row]
}

// Name is that of the cells.
func (r *Reference) Name() string { return r.cells.Name }

// Genes names the genes of its shifts.
func (r *Reference) Genes() []string { return r.cells.Genes }

// Perturbations lists the names of those that it knows, once each and sorted, parts
// with [Separator] between them.
func (r *Reference) Perturbations() []string {
	seen := map[string]bool{}
	for i, p := range r.cells.Perturbations {
		if i != r.control {
			seen[text(names(p))] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func (r *Reference) hashed() string { return r.digest }

// hash makes the digest of all that shifts depend on.
func (r *Reference) hash() {
	h := sha256.New()
	write := func(s string) {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	write(fmt.Sprint("reference", r.min))
	for _, g := range r.cells.Genes {
		write(g)
	}
	for _, g := range slices.SortedFunc(maps.Keys(r.groups), order) {
		write(key(r.cells.Perturbations[g.perturbation]))
		write(g.context)
		write(g.cellType)
		s := r.groups[g]
		buf := binary.LittleEndian.AppendUint64(nil, uint64(s.n))
		for _, v := range s.sum {
			buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(v))
		}
		h.Write(buf)
	}
	r.digest = hex.EncodeToString(h.Sum(nil))
}
