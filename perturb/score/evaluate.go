package score

import (
	"context"
	"fmt"
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
}

// Result is the scores of one prediction.
type Result struct {
	Preset        Preset     `json:"preset"`
	Perturbations []string   `json:"perturbations"` // rising
	Genes         int        `json:"genes"`         // that were scored
	Metrics       []Anchored `json:"metrics"`
	Flags         []Flag     `json:"flags"`  // signs of the known ways to raise scores
	Tricks        []Trick    `json:"tricks"` // if asked for
	Warnings      []string   `json:"warnings"`
}

// Evaluate scores predicted cells against real ones, and beside them the anchors
// that say what the scores are worth. Both inputs have a control and the same
// perturbations; genes are aligned by name.
func Evaluate(ctx context.Context, real, pred Input, cfg Config) (*Result, error) {
	recipe, err := cfg.Preset.recipe()
	if err != nil {
		return nil, err
	}
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	r, err := Load(ctx, real, cfg.Control)
	if err != nil {
		return nil, err
	}
	p, err := Load(ctx, pred, cfg.Control)
	if err != nil {
		return nil, err
	}
	r, p, warnings, err := align(r, p, cfg.MinOverlap)
	if err != nil {
		return nil, err
	}
	if r, err = recipe.prepare(r); err != nil {
		return nil, err
	}
	out := &Result{Preset: cfg.Preset, Perturbations: r.Perturbations(), Genes: len(r.genes), Warnings: append(warnings, remarks(r)...)}
	truth, err := recipe.side(ctx, r, cfg.Workers)
	if err != nil {
		return nil, err
	}
	metrics, flags, err := recipe.score(ctx, truth, p, cfg.Workers)
	if err != nil {
		return nil, err
	}
	out.Flags = flags
	if cfg.Tricks {
		if out.Tricks, err = playTricks(ctx, recipe, truth, p, cfg.Workers); err != nil {
			return nil, err
		}
	}
	known, err := anchor(ctx, recipe, truth, cfg)
	if err != nil {
		return nil, err
	}
	for i, m := range metrics {
		out.Metrics = append(out.Metrics, anchored(m, known, i, len(r.groups)-1, cfg))
		if n := m.Undefined(); n > 0 {
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s is not defined for %d of %d perturbations", m.Name, n, len(m.Values)))
		}
	}
	return out, nil
}

// complete fills in the defaults.
func (c *Config) complete() error {
	if c.MinOverlap < 0 || c.MinOverlap > 1 || c.Splits < 0 || c.Bootstraps < 0 {
		return badInput("least overlap %g (0 to 1), %d splits, %d bootstraps: none may be negative", c.MinOverlap, c.Splits, c.Bootstraps)
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
func remarks(c *Cells) []string {
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
	return out
}
