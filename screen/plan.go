package screen

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/screen/program"
	"github.com/cellsentence/c2s/screen/record"
)

// PlanName is the name of a plan's file in the folder of its screen.
const PlanName = "plan.json"

// leastSeen is the number of genes of the program that sentences must show.
const leastSeen = 3

// Plan is all that a screen will ask, written down before it asks anything.
type Plan struct {
	Version string `json:"c2s_version"`
	// Digest is that of everything that answers or their analysis depend on: hashes of
	// the inputs and the configuration without budget and price.
	Digest string           `json:"digest"`
	Title  string           `json:"title"`
	Inputs []manifest.Input `json:"inputs"`
	// Items are the compounds, then positive controls, decoys, and the baselines.
	Items     []record.Item    `json:"items"`
	Doses     []string         `json:"doses"`
	Clusters  []record.Cluster `json:"clusters"`
	CellTypes []string         `json:"cell_types"`
	Weights   []float64        `json:"cell_type_weights"`
	Cells     [2][]Cell        `json:"cells"` // by context
	// Program is scored in sentences of Genes words; Seen are its genes that appear there.
	Program *program.Program `json:"program"`
	Genes   int              `json:"sentence_length"`
	Seen    []string         `json:"program_genes_seen"`
	Scale   program.Scale    `json:"scale"`
	// Checks are the verification of the contexts.
	Checks   []*Check `json:"contexts"`
	Draws    int      `json:"vehicle_draws"` // for each cell
	Power    Power    `json:"power"`
	Cost     Cost     `json:"cost"`
	Warnings []string `json:"warnings"`

	cfg      *Config
	profiles [2][]profile
	axis     []string // genes of both files, in the order of the positive one
	columns  [2][]int // place in axis of a column, −1 for others
	side     []*program.Program
}

// Options say how a plan is made.
type Options struct {
	// Version is that of the command, for the plan's file.
	Version string
	// Accept goes on though the contexts are not verified.
	Accept bool
	// Workers is the number of goroutines that read (0: all cores).
	Workers int
}

// NewPlan makes the plan of a screen: it reads the labels of all cells and the
// expression of those that it chooses. The same inputs give the same plan.
func NewPlan(ctx context.Context, cfg *Config, opt Options) (*Plan, error) {
	p := &Plan{Version: opt.Version, Title: cfg.Title, Genes: cfg.Genes, Draws: cfg.Controls.Vehicle, cfg: cfg, Warnings: []string{}}
	if cfg.Predictor.Name != "llm" || cfg.Predictor.Temperature == 0 {
		p.Draws = 1 // every draw would be the same
	}
	if err := p.compounds(); err != nil {
		return nil, err
	}
	if err := p.choose(ctx, opt); err != nil {
		return nil, err
	}
	if err := p.programs(); err != nil {
		return nil, err
	}
	if err := p.digest(ctx, opt); err != nil {
		return nil, err
	}
	p.Power, p.Cost = p.power(), p.cost()
	p.warn()
	if err := p.contexts(opt.Accept || cfg.Controls.Accept); err != nil {
		return p, err
	}
	return p, nil
}

// choose takes the cells and reads them.
func (p *Plan) choose(ctx context.Context, opt Options) error {
	cfg := p.cfg
	var pools [2]*pool
	for x := range pools {
		one, err := openPool(ctx, cfg, record.Context(x), opt.Workers)
		if err != nil {
			return err
		}
		defer one.file.Close()
		pools[x] = one
		if one.missing > 0 {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s: %d cells without a donor or cell type are left out", one.path, one.missing))
		}
	}
	if err := shared(ctx, cfg, pools); err != nil {
		return err
	}
	if cfg.Match == matchNone {
		// All types count as one: the mixture is what the donor has.
		for _, one := range pools {
			for i := range one.types {
				one.types[i] = ""
			}
		}
	}
	var dropped []string
	p.CellTypes, p.Weights, dropped = mixture(pools, cfg.Cells)
	if len(p.CellTypes) == 0 {
		return wrong(cfg.path+": contexts", "set match: none to go on without", "the contexts have no cell type in common")
	}
	if len(dropped) > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("cell types that are too rare, or that a context or a donor lacks, are left out: %s", strings.Join(dropped, ", ")))
	}
	names := map[string]*record.Cluster{}
	for x, one := range pools {
		for i, d := range one.donors {
			if !slices.Contains(p.CellTypes, one.types[i]) {
				continue
			}
			if names[d] == nil {
				names[d] = &record.Cluster{Name: d}
			}
			names[d].In[x] = true
		}
	}
	clusters := slices.Sorted(maps.Keys(names))
	for _, name := range clusters {
		p.Clusters = append(p.Clusters, *names[name])
	}
	for x, one := range pools {
		cells := one.choose(cfg, clusters, p.CellTypes, p.Weights)
		profiles, err := one.read(ctx, cfg.Seed, cells)
		if err != nil {
			return err
		}
		empty := 0
		for i, c := range cells {
			if len(profiles[i].sentence) == 0 {
				empty++
				continue
			}
			p.Cells[x] = append(p.Cells[x], c)
			p.profiles[x] = append(p.profiles[x], profiles[i])
		}
		if empty > 0 {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s: %d empty cells are left out", one.path, empty))
		}
		for c := range p.Clusters { // of a donor all cells may be empty
			p.Clusters[c].In[x] = slices.ContainsFunc(p.Cells[x], func(cell Cell) bool { return cell.Cluster == c })
		}
		if len(p.Cells[x]) == 0 {
			return wrong(one.path, "", "all cells that were chosen are empty")
		}
	}
	p.align(pools)
	return nil
}

// align finds the genes of both files.
func (p *Plan) align(pools [2]*pool) {
	at := map[string]int{}
	for _, g := range pools[1].genes {
		at[strings.ToUpper(g)] = -1
	}
	p.columns = [2][]int{make([]int, len(pools[0].genes)), make([]int, len(pools[1].genes))}
	for i, g := range pools[0].genes {
		p.columns[0][i] = -1
		if n, ok := at[strings.ToUpper(g)]; ok && n < 0 {
			at[strings.ToUpper(g)] = len(p.axis)
			p.columns[0][i] = len(p.axis)
			p.axis = append(p.axis, strings.ToUpper(g))
		}
	}
	for i, g := range pools[1].genes {
		p.columns[1][i] = at[strings.ToUpper(g)]
	}
}

// Axis lists the genes that both files have, in the order of the positive one: those of
// the values that predictors are given.
func (p *Plan) Axis() []string { return p.axis }

// programs loads the gene programs and measures what scores need.
func (p *Plan) programs() (err error) {
	cfg := p.cfg
	if p.Program, err = program.Load(cfg.Dir(), cfg.Program); err != nil {
		return err
	}
	if len(p.Program.Genes) > cfg.Genes {
		return wrong(cfg.path+": program", "take longer sentences or a smaller program", "%s has %d genes, more than the %d of a sentence", p.Program.Name, len(p.Program.Genes), cfg.Genes)
	}
	for _, name := range cfg.Side {
		side, err := program.Load(cfg.Dir(), name)
		if err != nil {
			return err
		}
		p.side = append(p.side, side)
	}
	p.measure()
	if len(p.Seen) < leastSeen {
		return wrong(cfg.path+": program", "show more genes of a cell, or take a program of genes that are higher expressed: a score of what is never seen says nothing",
			"sentences of %d genes show %d of the %d genes of %s, at least %d are needed", p.Genes, len(p.Seen), len(p.Program.Genes), p.Program.Name, leastSeen)
	}
	return nil
}

// measure takes the scale of the expression score from the cells of the plan: the mean
// over cells of the expression at each rank, and mean and standard deviation of each
// gene of the program when sentences are decoded by it.
func (p *Plan) measure() {
	total := 0
	p.Scale.Values = make([]float64, p.Genes)
	for x := range p.Cells {
		for _, one := range p.profiles[x] {
			values := sorted(one.values)
			for i, v := range values[:min(len(values), p.Genes)] {
				p.Scale.Values[i] += float64(v)
			}
			total++
		}
	}
	for i := range p.Scale.Values {
		p.Scale.Values[i] /= float64(total)
	}
	n := float64(total)
	for _, g := range p.Program.Genes {
		sum, squares, seen := 0.0, 0.0, false
		for x := range p.Cells {
			for _, one := range p.profiles[x] {
				if at := slices.Index(p.shown(&one), g.Symbol); at >= 0 {
					v := p.Scale.Values[at]
					sum, squares, seen = sum+v, squares+v*v, true
				}
			}
		}
		mean := sum / n
		p.Scale.Mean = append(p.Scale.Mean, mean)
		p.Scale.SD = append(p.Scale.SD, math.Sqrt(max(squares/n-mean*mean, 0)))
		if seen {
			p.Seen = append(p.Seen, g.Symbol)
		}
	}
}

// shown is what a prompt shows of a cell.
func (p *Plan) shown(one *profile) []string { return one.sentence[:min(len(one.sentence), p.Genes)] }

// contexts verifies the contexts by each interferon program: one of them must tell them
// apart.
func (p *Plan) contexts(accept bool) error {
	var axis [2]map[string]bool
	for x, columns := range p.columns {
		axis[x] = map[string]bool{}
		for _, at := range columns {
			if at >= 0 {
				axis[x][p.axis[at]] = true
			}
		}
	}
	passed := false
	for _, name := range p.cfg.Interferon {
		prog, err := program.Load(p.cfg.Dir(), name)
		if err != nil {
			return err
		}
		c, err := p.verify(prog, axis)
		if err != nil {
			return err
		}
		p.Checks = append(p.Checks, c)
		passed = passed || c.Passed
		if !c.Passed {
			p.Warnings = append(p.Warnings, fmt.Sprintf("by %s the positive context is above the neutral one in %d of %d donor pairs", c.Program, c.Above, c.Pairs))
		}
	}
	if !passed && !accept {
		return &ContextError{p.cfg.path, p.Checks}
	}
	return nil
}
