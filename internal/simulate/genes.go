package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Gene is one gene of a world.
type Gene struct {
	Symbol string
	// Role is what the gene does: "ribosomal", "mitochondrial", "abundant",
	// "housekeeping", "regulator", the name of a program, "marker", or "synthetic"
	// for the genes that no genome holds.
	Role string
	// Dispersion is φ of the variance μ + φμ²; 0 is Poisson.
	Dispersion float64
}

// Synthetic says that the symbol is made up.
func (g Gene) Synthetic() bool { return g.Role == roleSynthetic }

const (
	roleRibosomal     = "ribosomal"
	roleMitochondrial = "mitochondrial"
	roleAbundant      = "abundant"
	roleHousekeeping  = "housekeeping"
	roleRegulator     = "regulator"
	roleMarker        = "marker"
	roleSynthetic     = "synthetic"
)

// role sets the baseline of a list of genes. The log weight of the gene at place i
// of n is level + slope (½ − i/n) + sd z, z being standard normal.
type role struct {
	name             string
	symbols          string
	core             int // so many genes from the front are in every world that has room
	level, slope, sd float64
}

// roles returns the lists in order of precedence: a gene has the first role that
// names it. The levels are set by eye, against what is usual in blood: a tenth to
// a fifth of the genes are seen in a cell, most of them once or twice.
func roles() []role {
	list := []role{
		{roleMitochondrial, mitochondrialSymbols, 13, 0, 2, 0.3},
		{roleRibosomal, ribosomalSymbols, 30, 0, 1.6, 0.3},
		{roleAbundant, abundantSymbols, 30, 0, 2.4, 0.4},
		{ProgramPresentation, presentationSymbols, 18, 0, 4, 0.3},
		{ProgramInterferon, interferonSymbols, 30, -0.8, 1.5, 0.8},
	}
	for _, markers := range []string{
		tCellSymbols, cd4Symbols, cd8Symbols, nkSymbols, bCellSymbols, monocyteSymbols, dendriticSymbols,
		plateletSymbols, tumourSymbols, plasmaSymbols, epithelialSymbols, fibroblastSymbols,
	} {
		list = append(list, role{roleMarker, markers, 8, -2.4, 2, 0.6})
	}
	return append(list,
		role{ProgramCycle, cycleSymbols, 12, -1, 1, 0.6},
		role{ProgramStress, stressSymbols, 12, 0, 1.5, 0.8},
		role{ProgramApoptosis, apoptosisSymbols, 12, -0.5, 1, 0.8},
		role{ProgramInflammation, inflammationSymbols, 12, -0.8, 1, 0.8},
		role{roleHousekeeping, housekeepingSymbols, 15, 0.8, 1, 0.6},
		role{roleRegulator, regulatorSymbols, 0, -1, 1, 0.8},
	)
}

// synthetic is the role of the genes beyond the lists.
var synthetic = role{name: roleSynthetic, sd: 1.5}

// candidate is a gene that a world may hold.
type candidate struct {
	symbol string
	role   *role
	place  float64 // within its role's list, 0 … 1
	tier   int     // 0 in the core
	order  float64 // within its tier
}

// candidates returns the genes of the lists, first those that every world holds.
func candidates() []candidate {
	var out []candidate
	seen := map[string]bool{}
	list := roles()
	for i := range list {
		r := &list[i]
		symbols := strings.Fields(r.symbols)
		core := min(r.core, len(symbols))
		for j, s := range symbols {
			if seen[s] {
				continue
			}
			seen[s] = true
			c := candidate{symbol: s, role: r, place: (float64(j) + 0.5) / float64(len(symbols))}
			if j < core {
				c.order = (float64(j) + 0.5) / float64(core)
			} else {
				c.tier = 1
				c.order = (float64(j-core) + 0.5) / float64(len(symbols)-core)
			}
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.tier, b.tier), cmp.Compare(a.order, b.order), strings.Compare(a.symbol, b.symbol))
	})
	return out
}

// chooseGenes returns n genes in the order of var. The order is that of a hash of
// the symbol: like the order of a genome, it tells nothing about what genes do, and
// it is the same for every seed.
func chooseGenes(n int) []candidate {
	out := candidates()
	if n < len(out) {
		out = out[:n]
	}
	for i := 1; len(out) < n; i++ {
		name := fmt.Sprintf("SIM%05d", i)
		out = append(out, candidate{symbol: name, role: &synthetic, place: 0.5})
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(mix(hash(a.symbol)), mix(hash(b.symbol))), strings.Compare(a.symbol, b.symbol))
	})
	return out
}
