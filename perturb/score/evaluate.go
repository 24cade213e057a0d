package score

import "context"

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
	// Workers is the number of goroutines (0: one a processor). No result depends
	// on it.
	Workers int
}

// Result is the scores of one prediction.
type Result struct {
	Preset        Preset
	Perturbations []string // rising
	Genes         int      // that were scored
	Metrics       []Metric
	Warnings      []string
}

// Evaluate scores predicted cells against real ones. Both have a control, and the
// same perturbations; genes are aligned by name.
func Evaluate(ctx context.Context, real, pred Input, cfg Config) (*Result, error) {
	recipe, err := cfg.Preset.recipe()
	if err != nil {
		return nil, err
	}
	if cfg.MinOverlap == 0 {
		cfg.MinOverlap = 0.9
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
	if p, err = recipe.prepare(p); err != nil {
		return nil, err
	}
	out := &Result{Preset: cfg.Preset, Perturbations: r.Perturbations(), Genes: len(r.genes), Warnings: warnings}
	truth, err := recipe.side(ctx, r, cfg.Workers)
	if err != nil {
		return nil, err
	}
	guess, err := recipe.side(ctx, p, cfg.Workers)
	if err != nil {
		return nil, err
	}
	out.Metrics, err = recipe.metrics(ctx, newPair(truth, guess, cfg.Workers))
	return out, err
}
