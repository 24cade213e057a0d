package simulate

import (
	"errors"
	"fmt"
	"slices"
)

// Off switches an effect off whose zero value in a [Config] stands for a default.
const Off = -1

// ErrConfig is the error that [New] wraps when a [Config] does not make a world.
var ErrConfig = errors.New("simulation settings")

// Config says what world to build. The zero value is a world of 2,000 genes, eight
// cell types, four donors, two contexts and seven perturbations.
type Config struct {
	// Seed picks the world and its cells.
	Seed uint64 `json:"seed"`
	// NGenes is the number of genes (0: 2,000), at most 100,000.
	NGenes int `json:"n_genes"`
	// CellTypes are the kinds of cells (nil: the first eight of [CellTypes]).
	CellTypes []CellType `json:"cell_types"`
	// Donors is the number of donors (0: 4), named D1, D2 …
	Donors int `json:"donors"`
	// Contexts are the surroundings of the cells (nil: [Contexts]).
	Contexts []Context `json:"contexts"`
	// Programs are the gene programs beside those of [Programs], which are always
	// there; one of the same name replaces a built-in program.
	Programs []Program `json:"programs"`
	// Perturbations are what is done to cells (nil: those of [Perturbations] whose
	// contexts exist; empty: nothing).
	// The control is not among them: it is always perturbation 0 of the world.
	Perturbations []Perturbation `json:"perturbations"`
	// ControlName is the label of unperturbed cells ("": "control").
	ControlName string `json:"control_name"`
	// ControlShare is the share of cells that are controls (0: one in four, or all
	// where there is no perturbation).
	ControlShare float64 `json:"control_share"`
	// Doses are the doses at which perturbations are given (nil: 1), each above 0.
	Doses []float64 `json:"doses"`

	// Depth is the median library size, the expected total count of a cell of a
	// type of size 1 (0: 0.35 times NGenes, from 50 to 6,000), at most 1e6.
	Depth float64 `json:"depth"`
	// DepthSD is the standard deviation of the natural log of the library size
	// (0: 0.35; Off: none), at most 2.
	DepthSD float64 `json:"depth_sd"`
	// Dispersion is the median over genes of φ in the variance μ + φμ² (0: 0.15;
	// Off: Poisson counts), at most 10.
	Dispersion float64 `json:"dispersion"`
	// DonorSD is the standard deviation over donors of a gene's natural log weight
	// (0: 0.1; Off: none), at most 3.
	DonorSD float64 `json:"donor_sd"`
	// ResponseSD is the standard deviation over donors of the factor, of mean 1, by
	// which a perturbation's log fold changes are multiplied (0: none), at most 1.
	ResponseSD float64 `json:"response_sd"`
	// DoubletShare is the share of droplets that hold two cells (0: none).
	DoubletShare float64 `json:"doublet_share"`
	// AmbientShare is the share of a library that comes from the mean profile of all
	// cells of the context (0: none), below 1.
	AmbientShare float64 `json:"ambient_share"`
}

// CellType is a kind of cell.
type CellType struct {
	Name string `json:"name"`
	// Share is its part of the cells, relative to the other types (0: 1).
	Share float64 `json:"share"`
	// Size is its library size relative to other types (0: 1).
	Size float64 `json:"size"`
	// Markers are symbols of genes that are 55 to 150 times as high as in types that
	// do not list them (natural log shifts from 4 to 5). Symbols that the world lacks
	// count for nothing.
	Markers []string `json:"markers"`
	// Programs are lastingly up or down in the type.
	Programs []Shift `json:"programs"`
}

// Program is a set of genes that move together.
type Program struct {
	Name string `json:"name"`
	// Genes are the symbols; those that the world lacks count for nothing.
	Genes []string `json:"genes"`
}

// Shift moves the genes of a program.
type Shift struct {
	Program string `json:"program"`
	// LogFC is the natural log fold change of a gene of loading 1. Loadings lie
	// between 0.5 and 1.5, fixed for each program and gene by the seed.
	LogFC float64 `json:"log_fc"`
}

// Context is a surrounding of cells, as a patient's tissue or a dish.
type Context struct {
	Name     string  `json:"name"`
	Programs []Shift `json:"programs"`
}

// Perturbation is something done to cells. What is the same in every context is
// its additive effect; what names a context is its interaction with that.
type Perturbation struct {
	Name string `json:"name"`
	// Class says in a word what is true of it, for scoring; the model ignores it.
	Class string `json:"class"`
	// Effects are on programs, Genes on single genes, which must be in the world.
	Effects []Effect     `json:"effects"`
	Genes   []GeneEffect `json:"genes"`
	// RandomGenes is a number of genes, chosen by the seed and the name, that move
	// by normal deviates of standard deviation RandomSD, alike in every context. They
	// are never genes of antigen presentation, whose truth stays what Effects say.
	RandomGenes int     `json:"random_genes"`
	RandomSD    float64 `json:"random_sd"`
	// ED50 is the dose that has half the effect: at dose d log fold changes are
	// multiplied by d / (d + ED50) (0: the whole effect at any dose).
	ED50 float64 `json:"ed50"`
}

// Effect is a [Shift] by a perturbation, in one context or in all.
type Effect struct {
	Program string  `json:"program"`
	LogFC   float64 `json:"log_fc"`
	// Context is the only context of the effect ("": all).
	Context string `json:"context"`
}

// GeneEffect moves a single gene, as a knock-down does its target.
type GeneEffect struct {
	Gene    string  `json:"gene"`
	LogFC   float64 `json:"log_fc"`
	Context string  `json:"context"`
}

const (
	maxGenes  = 100_000
	maxNames  = 1 << 20
	maxTable  = 1 << 28 // entries of the tables of log weights: 2 GiB
	maxLogFC  = 10
	maxDepth  = 1e6
	maxRandom = 20_000
)

// withDefaults returns c with every zero value replaced.
func (c Config) withDefaults() Config {
	setInt(&c.NGenes, 2000)
	setInt(&c.Donors, 4)
	if c.CellTypes == nil {
		c.CellTypes = CellTypes()[:8]
	}
	c.CellTypes = slices.Clone(c.CellTypes)
	for i := range c.CellTypes {
		set(&c.CellTypes[i].Share, 1)
		set(&c.CellTypes[i].Size, 1)
	}
	if c.Contexts == nil {
		c.Contexts = Contexts()
	}
	if c.Perturbations == nil {
		c.Perturbations = slices.DeleteFunc(Perturbations(), func(p Perturbation) bool { return !p.possible(c.Contexts) })
	}
	if c.ControlName == "" {
		c.ControlName = "control"
	}
	set(&c.ControlShare, 0.25)
	if len(c.Perturbations) == 0 {
		c.ControlShare = 1
	}
	if len(c.Doses) == 0 {
		c.Doses = []float64{1}
	}
	set(&c.Depth, min(max(float64(c.NGenes)*0.35, 50), 6000))
	set(&c.DepthSD, 0.35)
	set(&c.Dispersion, 0.15)
	set(&c.DonorSD, 0.1)
	return c
}

// possible says whether the contexts that p names exist.
func (p *Perturbation) possible(contexts []Context) bool {
	for _, e := range p.Effects {
		if e.Context != "" && !slices.ContainsFunc(contexts, func(c Context) bool { return c.Name == e.Context }) {
			return false
		}
	}
	return true
}

func set(v *float64, to float64) {
	if *v == 0 {
		*v = to
	}
}

func setInt(v *int, to int) {
	if *v == 0 {
		*v = to
	}
}

// off is the value of a setting that Off switches off.
func off(v float64) float64 {
	if v == Off {
		return 0
	}
	return v
}

// check reports the first setting that makes no world. c has its defaults.
func (c *Config) check() error {
	if err := c.checkNumbers(); err != nil {
		return err
	}
	if len(c.CellTypes) == 0 || len(c.Contexts) == 0 {
		return fmt.Errorf("%w: a world needs at least one cell type and one context", ErrConfig)
	}
	if len(c.CellTypes)+len(c.Contexts)+len(c.Perturbations)+len(c.Programs) > maxNames {
		return fmt.Errorf("%w: more than %d cell types, contexts, programs and perturbations", ErrConfig, maxNames)
	}
	// Each factor is bounded, so that the product cannot overflow.
	if size := (int64(len(c.CellTypes))*int64(len(c.Contexts)) + int64(c.Donors)) * int64(c.NGenes); size > maxTable {
		return fmt.Errorf("%w: cell types × contexts + donors, times genes, is %d; at most %d", ErrConfig, size, maxTable)
	}
	for _, t := range c.CellTypes {
		if !(t.Share > 0 && t.Share <= 1e9) || !(t.Size > 0 && t.Size <= 1e3) {
			return fmt.Errorf("%w: cell type %q: share %g and size %g must be positive (at most 1e9 and 1e3)",
				ErrConfig, t.Name, t.Share, t.Size)
		}
	}
	for _, d := range c.Doses {
		if !(d > 0 && d <= 1e12) {
			return fmt.Errorf("%w: dose %g: doses lie above 0, up to 1e12", ErrConfig, d)
		}
	}
	return c.checkNames()
}

func (c *Config) checkNumbers() error {
	for _, r := range []struct {
		what        string
		v, from, to float64
		off         bool
	}{
		{"n_genes", float64(c.NGenes), 1, maxGenes, false},
		{"donors", float64(c.Donors), 1, maxNames, false},
		{"depth", c.Depth, 1, maxDepth, false},
		{"depth_sd", c.DepthSD, 0, 2, true},
		{"dispersion", c.Dispersion, 0, 10, true},
		{"donor_sd", c.DonorSD, 0, 3, true},
		{"response_sd", c.ResponseSD, 0, 1, false},
		{"control_share", c.ControlShare, 0, 1, false},
		{"doublet_share", c.DoubletShare, 0, 1, false},
		{"ambient_share", c.AmbientShare, 0, 0.99, false},
	} {
		if r.off && r.v == Off {
			continue
		}
		if !(r.v >= r.from && r.v <= r.to) {
			return fmt.Errorf("%w: %s is %g, not between %g and %g", ErrConfig, r.what, r.v, r.from, r.to)
		}
	}
	return nil
}

// checkNames refuses empty and repeated names within each list.
func (c *Config) checkNames() error {
	seen := map[string]bool{}
	check := func(what, name string) error {
		if name == "" {
			return fmt.Errorf("%w: a %s has no name", ErrConfig, what)
		}
		key := what + "\x00" + name
		if seen[key] {
			return fmt.Errorf("%w: two of the name %q as %s", ErrConfig, name, what)
		}
		seen[key] = true
		return nil
	}
	var errs []error
	for _, t := range c.CellTypes {
		errs = append(errs, check("cell type", t.Name))
	}
	for _, t := range c.Contexts {
		errs = append(errs, check("context", t.Name))
	}
	for _, t := range c.Programs {
		errs = append(errs, check("program", t.Name))
	}
	errs = append(errs, check("perturbation", c.ControlName))
	for _, t := range c.Perturbations {
		errs = append(errs, check("perturbation", t.Name))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
