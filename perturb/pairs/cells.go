package pairs

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// Cells are the cells of a file, one entry each in every list that is not nil.
type Cells struct {
	// Perturbations are the different ones; one without a part is the control. Of is the
	// place in it of each cell's, or −1 for a cell that is left out.
	Perturbations []perturb.Perturbation
	Of            []int
	// Groups are what a control must share with its perturbed cell, such as cell type,
	// batch and donor in one text.
	Groups []string
	// CellTypes are those of the cells; nil if they are not told. Designs may need them.
	CellTypes []string
	// Points are where cells lie, such as principal components; for MatchNearest and
	// MatchTransport.
	Points [][]float32
}

// control reports whether a cell is one; a cell that is left out is none.
func (c *Cells) control(cell int) bool {
	p := c.Of[cell]
	return p >= 0 && len(c.Perturbations[p].Parts) == 0
}

// perturbed reports whether a cell is one.
func (c *Cells) perturbed(cell int) bool {
	p := c.Of[cell]
	return p >= 0 && len(c.Perturbations[p].Parts) > 0
}

// names is the names of a perturbation in an order that does not depend on that of its
// parts.
func names(p perturb.Perturbation) string {
	p.Parts = slices.Clone(p.Parts)
	slices.SortFunc(p.Parts, func(a, b perturb.Part) int { return strings.Compare(a.Name, b.Name) })
	return predictor.Label(p)
}

// InputError is cells of which no pairs, or not these, can be made.
type InputError struct {
	Err error
	Tip string // what to do, "" when nothing can be said
}

// Error is the reason.
func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *InputError) Unwrap() error { return e.Err }

// Hint is what can be done.
func (e *InputError) Hint() string { return e.Tip }

// BadInput reports that the data is at fault.
func (e *InputError) BadInput() bool { return true }

func badInput(tip, format string, args ...any) error {
	return &InputError{fmt.Errorf(format, args...), tip}
}

// of is a random number for a cell.
func of(seed uint64, cell int) uint64 { return rand.NewPCG(seed, uint64(cell)).Uint64() }

// ofName is a random number for a name.
func ofName(seed uint64, name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name)) // a hash takes everything
	return rand.NewPCG(seed, h.Sum64()).Uint64()
}

// shuffled is a list of names in random order, the same for the same names.
func shuffled(seed uint64, list []string) []string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(ofName(seed, a), ofName(seed, b)), strings.Compare(a, b))
	})
	return list
}
