package score

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Config says how to score. Control and Preset must be given; everything else has
// a default.
type Config struct {
	// Control is the label of the unperturbed cells.
	Control string
	// Preset names the metrics.
	Preset Preset
	// MinOverlap is the least share of the real genes that the prediction must have
	// (0: 0.9).
	MinOverlap float64
	// Total is what counts are scaled to before their logarithm is taken, by the presets
	// that take logarithms (0: the median total of each side, as cell-eval has it).
	Total float64
	// MatchCells scores at most as many predicted cells of a perturbation as there are
	// real ones, drawn at random: how many genes become significant depends on it.
	MatchCells bool
	// Splits is the number of random halvings under the replicate ceiling (0: 5).
	Splits int
	// Bootstraps is the number of draws under each interval (0: 1,000).
	Bootstraps int
	// Tricks asks for what the known tricks would do to each metric; each costs
	// another scoring.
	Tricks bool
	// Seed is that of the anchors and the bootstrap.
	Seed uint64
	// Workers is the number of goroutines (0: one a processor). No result depends
	// on it.
	Workers int
	// Step, if not nil, is called after each of the scorings.
	Step func()
}

// Scorings is about how many there will be: the prediction, the tricks, both anchors
// below and the halves.
func (c *Config) Scorings() int {
	n := 3 + c.Splits
	if c.Tricks {
		n += len(tricks)
	}
	return n
}

func (c *Config) step() {
	if c.Step != nil {
		c.Step()
	}
}

// Result is the scores of one prediction.
type Result struct {
	Preset        Preset     `json:"preset"`
	Control       string     `json:"control"`
	Perturbations []string   `json:"perturbations"` // rising
	RealCells     []int      `json:"real_cells"`    // of each perturbation
	PredCells     []int      `json:"pred_cells"`
	RealControls  int        `json:"real_controls"` // cells of the control
	PredControls  int        `json:"pred_controls"`
	Genes         int        `json:"genes"`  // that were scored
	Donors        int        `json:"donors"` // of the real cells; 0 if unknown
	Splits        int        `json:"splits"` // halvings under the ceiling
	Bootstraps    int        `json:"bootstraps"`
	Seed          uint64     `json:"seed"`
	Metrics       []Anchored `json:"metrics"`
	Challenge     *Challenge `json:"challenge"` // of the preset VCC2026
	Flags         []Flag     `json:"flags"`     // signs of the known ways to raise scores
	Tricks        []Trick    `json:"tricks"`    // if asked for
	Warnings      []string   `json:"warnings"`
}

// Evaluate scores predicted cells against real ones, and beside them the anchors
// that say what the scores are worth. Both inputs have the same perturbations, and the
// real one a control, which stands in where the prediction has none; genes are aligned
// by name.
func Evaluate(ctx context.Context, real, pred Input, cfg Config) (*Result, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	recipe, err := cfg.Preset.recipe(cfg.Total)
	if err != nil {
		return nil, err
	}
	r, p, out, err := read(ctx, real, pred, &recipe, cfg)
	if err != nil {
		return nil, err
	}
	if r, err = recipe.prepare(r); err != nil {
		return nil, err
	}
	r = r.derive() // prepared cells may be those that were read
	r.kin.halves = halvings(r, cfg)
	truth, err := recipe.side(ctx, r, cfg.Workers)
	if err != nil {
		return nil, err
	}
	metrics, flags, err := recipe.score(ctx, truth, p, cfg.Workers)
	if err != nil {
		return nil, err
	}
	cfg.step()
	out.Flags = flags
	if cfg.Tricks {
		if out.Tricks, err = playTricks(ctx, recipe, truth, p, cfg); err != nil {
			return nil, err
		}
	}
	known, err := anchor(ctx, recipe, truth, cfg)
	if err != nil {
		return nil, err
	}
	out.Splits = len(known.halves)
	out.Warnings = append(out.Warnings, silent(truth, cfg.Preset)...)
	for i, m := range metrics {
		out.Metrics = append(out.Metrics, anchored(m, known, i, len(r.groups)-1, cfg))
	}
	out.Warnings = append(out.Warnings, out.undefined()...)
	if cfg.Preset == VCC2026 {
		out.Challenge, err = challenge(ctx, recipe, truth, out.Metrics, known, cfg)
	}
	return out, err
}

// read reads both sides, brings them together and begins the result.
func read(ctx context.Context, real, pred Input, recipe *recipe, cfg Config) (r, p *Cells, out *Result, err error) {
	if r, err = Load(ctx, real, cfg.Control); err != nil {
		return nil, nil, nil, err
	}
	if p, err = load(ctx, pred, cfg.Control); err != nil {
		return nil, nil, nil, err
	}
	r, p, warnings, err := align(r, p, cfg.MinOverlap)
	if err != nil {
		return nil, nil, nil, err
	}
	if cfg.MatchCells {
		var left int
		if p, left = p.matched(r, cfg.Seed); left > 0 {
			warnings = append(warnings, fmt.Sprintf("%d predicted cells beyond the number of real ones were left out at random", left))
		}
	}
	out = &Result{
		Preset: cfg.Preset, Control: cfg.Control, Perturbations: r.Perturbations(), RealControls: r.size(0), PredControls: p.size(0),
		Genes: len(r.genes), Donors: len(r.donors()), Bootstraps: cfg.Bootstraps, Seed: cfg.Seed,
	}
	for g := 1; g < len(r.groups); g++ {
		out.RealCells, out.PredCells = append(out.RealCells, r.size(g)), append(out.PredCells, p.size(g))
	}
	realCounts, predCounts := r.isCounts(), p.isCounts()
	if p.size(0) == 0 {
		if realCounts != predCounts {
			return nil, nil, nil, badInput("%s has no cell labelled %q, and %s, whose control could stand in, has other units: one holds counts, the other logarithms", p.name, cfg.Control, r.name)
		}
		p = p.withControl(r)
		warnings = append(warnings, fmt.Sprintf("%s has no cell labelled %q: the control cells of %s stand in", p.name, cfg.Control, r.name))
	}
	if !recipe.counts && realCounts != predCounts && cfg.Total == 0 {
		counted, logs := r, p
		if predCounts {
			counted, logs = p, r
		}
		said := fmt.Sprintf("%s holds counts and %s logarithms: the counts were scaled to ", counted.name, logs.name)
		if recipe.total = logs.totalOfControl(); recipe.total > 0 {
			said += fmt.Sprintf("%.6g, the total of the control cells behind the logarithms", recipe.total)
		} else {
			said += fmt.Sprintf("the median total of their cells, %.6g; if the logarithms are of another total the scales differ", counted.medianTotal())
		}
		warnings = append(warnings, said)
	}
	out.Warnings = append(warnings, remarks(r, p, *recipe)...)
	return r, p, out, nil
}

// complete fills in the defaults.
func (c *Config) complete() error {
	if !(c.MinOverlap >= 0 && c.MinOverlap <= 1) || c.Splits < 0 || c.Bootstraps < 0 || !(c.Total >= 0) || math.IsInf(c.Total, 1) {
		return badInput("least overlap %g (0 to 1), total %g, %d splits, %d bootstraps: none may be negative", c.MinOverlap, c.Total, c.Splits, c.Bootstraps)
	}
	if c.MinOverlap == 0 {
		c.MinOverlap = 0.9
	}
	if c.Splits == 0 {
		c.Splits = 5
	}
	if c.Bootstraps == 0 {
		c.Bootstraps = 1000
	}
	return nil
}

// remarks is what the reader of any score of these cells must know.
func remarks(c, pred *Cells, recipe recipe) []string {
	var out []string
	if len(c.groups) == 2 {
		out = append(out, "there is one perturbation: discrimination scores, the mean response and intervals over perturbations do not exist")
	}
	single := 0
	for g := 1; g < len(c.groups); g++ {
		if c.size(g) < 2 {
			single++
		}
	}
	if single > 0 {
		out = append(out, fmt.Sprintf("%d of %d perturbations have one cell: they have no replicate ceiling, and their other numbers say little", single, len(c.groups)-1))
	}
	if c.size(0) < 2 {
		out = append(out, "the control has one cell: there is no replicate ceiling")
	}
	if c.donor != nil {
		switch {
		case len(c.donors()) < 2:
			out = append(out, "the real cells have one donor: there is no replicate ceiling by donors, and no test between donors")
		case pred.donor == nil:
			out = append(out, fmt.Sprintf("the donors of %s are not known: the metrics on donor pseudobulks are left out", pred.name))
		}
	}
	if recipe.counts {
		at := map[string]int{}
		for j, g := range c.genes {
			at[g] = j
		}
		if !slices.ContainsFunc(c.groups[1:], func(name string) bool { return len(targets(name, at)) > 0 }) {
			out = append(out, "no perturbation names a gene of the data: no own gene is left out")
		}
	}
	return out
}

// undefined counts the perturbations that metrics have no value for.
func (r *Result) undefined() []string {
	var some []string
	for _, m := range r.Metrics {
		switch n := m.Undefined(); {
		case m.Values == nil && math.IsNaN(m.Score):
			some = append(some, m.Name+" (the panel)")
		case n > 0:
			some = append(some, fmt.Sprintf("%s (%d)", m.Name, n))
		}
	}
	if len(some) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("not defined for some of the %d perturbations, which are then in no mean: %s", len(r.Perturbations), strings.Join(some, ", "))}
}

// silent says in how many perturbations reality has no significant gene, where a preset
// makes 0 the rule.
func silent(truth *side, preset Preset) []string {
	if preset != CellEval && preset != CellEval2 && preset != All {
		return nil
	}
	n := 0
	for k := range truth.de {
		if called, _ := significant(truth.de[k : k+1]); called == 0 {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("in %d of %d perturbations no real gene is significant: overlap and precision are 0 there, as %s has it, and not undefined", n, len(truth.de), preset)}
}

// donors names the donors, rising.
func (c *Cells) donors() []string {
	names := slices.Clone(c.donor)
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}
