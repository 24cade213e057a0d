package pairs

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/spelling"
)

// Design names what is kept for testing.
type Design string

// The designs.
const (
	// DesignNone keeps nothing: all pairs are for training.
	DesignNone Design = "none"
	// DesignRandom keeps a share of the perturbed cells, whatever was done to them.
	DesignRandom Design = "random"
	// DesignPerturbation keeps a share of the perturbations, and all combinations with one
	// of them.
	DesignPerturbation Design = "unseen-perturbation"
	// DesignCombination keeps a share of the combinations; their parts are trained on.
	DesignCombination Design = "unseen-combination"
	// DesignCellType keeps a share of the cell types of each perturbation that has two or
	// more.
	DesignCellType Design = "unseen-celltype-perturbation"
	// DesignCytokine is what C2S-Scale keeps of the cytokines of Dong et al., by the names
	// there: see [CytokineRules].
	DesignCytokine Design = "cytokine"
	// DesignL1000 keeps, as C2S-Scale does of L1000, half the cell lines of each of 50
	// perturbations that have fewer than 1,000 samples.
	DesignL1000 Design = "l1000"
)

// Designs lists them.
func Designs() []Design {
	return []Design{DesignNone, DesignRandom, DesignPerturbation, DesignCombination, DesignCellType, DesignCytokine, DesignL1000}
}

// The numbers of the L1000 design (Rizvi et al. 2025, methods).
const (
	l1000Perturbations = 50
	l1000Samples       = 1000
)

// HoldConfig says how a design is applied.
type HoldConfig struct {
	// Share is the part that is kept, of what the design counts (0: 0.1); at least one is
	// kept and one is not. The cytokine and L1000 designs do not use it.
	Share float64
	// Names are the perturbations or combinations that are kept, in place of a share;
	// for DesignPerturbation and DesignCombination.
	Names []string
	// Seed chooses what is kept.
	Seed uint64
}

// Held is what a design keeps for testing.
type Held struct {
	// Test has an entry a cell, true for perturbed cells that are kept.
	Test []bool
	// What lists what is kept, for people.
	What []string
	// Warnings are what people might not expect.
	Warnings []string
}

// Hold applies a design to cells. What does not go with it is an *InputError.
func Hold(c *Cells, d Design, cfg HoldConfig) (*Held, error) {
	if cfg.Share == 0 {
		cfg.Share = 0.1
	}
	if !(cfg.Share > 0 && cfg.Share < 1) {
		return nil, fmt.Errorf("the share for testing lies between 0 and 1, not %g", cfg.Share)
	}
	if len(cfg.Names) > 0 && d != DesignPerturbation && d != DesignCombination {
		return nil, fmt.Errorf("the design %s takes no names", d)
	}
	h := &Held{Test: make([]bool, len(c.Of))}
	var keep func(cell int) bool
	var err error
	switch d {
	case DesignNone:
		return h, nil
	case DesignRandom:
		limit := uint64(cfg.Share * math.MaxUint64)
		keep = func(cell int) bool { return of(cfg.Seed, cell) < limit }
		h.What = []string{fmt.Sprintf("%g of the perturbed cells", cfg.Share)}
	case DesignPerturbation:
		keep, err = h.perturbations(c, cfg)
	case DesignCombination:
		keep, err = h.combinations(c, cfg)
	case DesignCellType:
		keep, err = h.cellTypes(c, cfg)
	case DesignCytokine:
		keep, err = h.rules(c, CytokineRules())
	case DesignL1000:
		keep, err = h.l1000(c, cfg)
	default:
		return nil, fmt.Errorf("unknown design %q", d)
	}
	if err != nil {
		return nil, err
	}
	train, test := 0, 0
	for cell := range c.Of {
		switch {
		case !c.perturbed(cell):
		case keep(cell):
			h.Test[cell] = true
			test++
		default:
			train++
		}
	}
	if train == 0 || test == 0 {
		return nil, badInput("take another design, or another share", "the design %s leaves %d perturbed cells to train on and %d to test", d, train, test)
	}
	return h, nil
}

// some is how many of n are kept: a share, but neither none nor all.
func some(n int, share float64) int {
	return max(1, min(n-1, int(math.Round(share*float64(n)))))
}

// choose takes a share of names at random, or those that are given.
func choose(known []string, cfg HoldConfig, what string) (map[string]bool, error) {
	list := cfg.Names
	if len(list) == 0 {
		if len(known) < 2 {
			return nil, badInput("take another design", "%d %s: at least two are needed, one to train on and one to test", len(known), what)
		}
		list = shuffled(cfg.Seed, known)[:some(len(known), cfg.Share)]
	}
	out := map[string]bool{}
	for _, name := range list {
		if !slices.Contains(known, name) {
			tip := "it has " + strings.Join(known[:min(8, len(known))], ", ")
			if near := spelling.Nearest(name, known, 3); len(near) > 0 {
				tip = "did you mean " + strings.Join(near, ", or ") + "?"
			}
			return nil, badInput(tip, "%q is none of the %d %s", name, len(known), what)
		}
		out[name] = true
	}
	return out, nil
}

// present lists the perturbations that cells have, by a name each.
func (c *Cells) present(name func(p int) []string) []string {
	seen := map[string]bool{}
	for cell := range c.Of {
		if c.perturbed(cell) {
			for _, n := range name(c.Of[cell]) {
				seen[n] = true
			}
		}
	}
	return sorted(seen)
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (h *Held) perturbations(c *Cells, cfg HoldConfig) (func(int) bool, error) {
	parts := func(p int) (out []string) {
		for _, part := range c.Perturbations[p].Parts {
			out = append(out, part.Name)
		}
		return out
	}
	chosen, err := choose(c.present(parts), cfg, "perturbations")
	h.What = sorted(chosen)
	return func(cell int) bool {
		return slices.ContainsFunc(parts(c.Of[cell]), func(n string) bool { return chosen[n] })
	}, err
}

func (h *Held) combinations(c *Cells, cfg HoldConfig) (func(int) bool, error) {
	combination := func(p int) []string {
		if len(c.Perturbations[p].Parts) < 2 {
			return nil
		}
		return []string{names(c.Perturbations[p])}
	}
	given := cfg
	given.Names = nil
	for _, n := range cfg.Names { // in any order of the parts
		parts := strings.Split(n, "+")
		slices.Sort(parts)
		given.Names = append(given.Names, strings.Join(parts, "+"))
	}
	chosen, err := choose(c.present(combination), given, "combinations")
	h.What = sorted(chosen)
	return func(cell int) bool {
		return slices.ContainsFunc(combination(c.Of[cell]), func(n string) bool { return chosen[n] })
	}, err
}

// typesOf lists the cell types of each perturbation by its names, with the numbers of
// cells.
func (c *Cells) typesOf() (map[string]map[string]int, error) {
	if c.CellTypes == nil {
		return nil, badInput("name their column with --cell-type-col", "this design needs cell types")
	}
	out := map[string]map[string]int{}
	for cell := range c.Of {
		if !c.perturbed(cell) || c.CellTypes[cell] == "" {
			continue
		}
		n := names(c.Perturbations[c.Of[cell]])
		if out[n] == nil {
			out[n] = map[string]int{}
		}
		out[n][c.CellTypes[cell]]++
	}
	return out, nil
}

// keepTypes keeps cells by perturbation and cell type.
func (h *Held) keepTypes(c *Cells, kept map[[2]string]bool) func(int) bool {
	for k := range kept {
		h.What = append(h.What, k[0]+" in "+k[1])
	}
	slices.Sort(h.What)
	return func(cell int) bool { return kept[[2]string{names(c.Perturbations[c.Of[cell]]), c.CellTypes[cell]}] }
}

func (h *Held) cellTypes(c *Cells, cfg HoldConfig) (func(int) bool, error) {
	types, err := c.typesOf()
	if err != nil {
		return nil, err
	}
	kept := map[[2]string]bool{}
	alone := 0
	for _, n := range sorted(types) {
		list := sorted(types[n])
		if len(list) < 2 {
			alone++
			continue
		}
		// Each perturbation has its own order, so that all types are trained on.
		for _, t := range shuffled(ofName(cfg.Seed, n), list)[:some(len(list), cfg.Share)] {
			kept[[2]string{n, t}] = true
		}
	}
	if alone > 0 {
		h.Warnings = append(h.Warnings, fmt.Sprintf("%d perturbations have one cell type only: they are trained on", alone))
	}
	return h.keepTypes(c, kept), nil
}

func (h *Held) l1000(c *Cells, cfg HoldConfig) (func(int) bool, error) {
	types, err := c.typesOf()
	if err != nil {
		return nil, err
	}
	var few []string
	for _, n := range sorted(types) {
		total := 0
		for _, k := range types[n] {
			total += k
		}
		if total < l1000Samples && len(types[n]) > 1 {
			few = append(few, n)
		}
	}
	if len(few) < l1000Perturbations {
		h.Warnings = append(h.Warnings, fmt.Sprintf("only %d perturbations have fewer than %d samples and more than one cell line: the design wants %d", len(few), l1000Samples, l1000Perturbations))
	}
	kept := map[[2]string]bool{}
	for _, n := range shuffled(cfg.Seed, few)[:min(len(few), l1000Perturbations)] {
		list := shuffled(ofName(cfg.Seed, n), sorted(types[n]))
		for _, t := range list[:len(list)/2] {
			kept[[2]string{n, t}] = true
		}
	}
	return h.keepTypes(c, kept), nil
}

// Rule keeps cells that it describes; "" stands for any.
type Rule struct{ Perturbation, CellType, Exposure string }

func (r Rule) String() string {
	return strings.TrimSpace(cmp.Or(r.Perturbation, "anything") + " in " + cmp.Or(r.CellType, "all cells") + ", " + cmp.Or(r.Exposure, "any exposure"))
}

// CytokineRules is what C2S-Scale keeps of the 133 conditions of Dong et al.: a
// combination, for each cell type one cytokine, and four conditions in one exposure of
// two (Rizvi et al. 2025, methods). Exposures are acute and chronic, the times of the
// perturbations.
func CytokineRules() []Rule {
	return []Rule{
		{"IFN-beta+IL-6", "", ""},
		{"IFN-III", "B", ""},
		{"IFN-gamma", "CD4 T", ""},
		{"IFN-alpha2", "CD8 T", ""},
		{"IFN-beta", "DC", ""},
		{"IL-6", "NK", ""},
		{"IFN-beta", "B", "acute"},
		{"IFN-beta+IFN-gamma", "CD4 T", "acute"},
		{"TNF-alpha", "CD8 T", "chronic"},
		{"IFN-III", "NK", "chronic"},
	}
}

// rules keeps what any rule describes. Names are compared by [plain], since files write
// them in many ways.
func (h *Held) rules(c *Cells, rules []Rule) (func(int) bool, error) {
	if _, err := c.typesOf(); err != nil {
		return nil, err
	}
	used := make([]int, len(rules))
	kept := func(cell int) (out bool) {
		p := c.Perturbations[c.Of[cell]]
		var parts []string
		for _, part := range p.Parts {
			parts = append(parts, plain(part.Name))
		}
		slices.Sort(parts)
		for i, r := range rules {
			var wanted []string
			for part := range strings.SplitSeq(r.Perturbation, "+") {
				wanted = append(wanted, plain(part))
			}
			slices.Sort(wanted)
			if slices.Equal(parts, wanted) && (r.CellType == "" || plainType(c.CellTypes[cell]) == plainType(r.CellType)) &&
				(r.Exposure == "" || plain(p.Time) == r.Exposure) {
				used[i]++
				out = true
			}
		}
		return out
	}
	for cell := range c.Of {
		if c.perturbed(cell) {
			kept(cell)
		}
	}
	for i, r := range rules {
		if used[i] == 0 {
			h.Warnings = append(h.Warnings, "no cell is of "+r.String())
		} else {
			h.What = append(h.What, r.String())
		}
	}
	return kept, nil
}

// plain is a name without case and marks, Greek letters and their names alike as one
// Latin letter: IFN-β, IFNb and IFN-beta are ifnb.
func plain(s string) string {
	s = strings.NewReplacer("α", "a", "β", "b", "γ", "g", "λ", "l", "alpha", "a", "beta", "b", "gamma", "g", "lambda", "l").Replace(strings.ToLower(s))
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	if s == "ifnl" || s == "ifniii" || s == "typeiiiifn" {
		return "ifniii" // interferons λ are those of type III
	}
	return s
}

// plainType is the same for a cell type, without the word cells.
func plainType(s string) string {
	s = strings.TrimSuffix(strings.TrimSuffix(plain(s), "s"), "cell")
	switch s {
	case "dendritic", "cdc", "mdc":
		return "dc"
	case "naturalkiller":
		return "nk"
	}
	return s
}
