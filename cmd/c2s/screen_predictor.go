package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/task"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
	"github.com/cellsentence/c2s/screen"
)

// predictors opens what the configuration names; what it returns closes it.
func (o *screenRunFlags) predictors(ctx context.Context, g *globals, cfg *screen.Config, p *screen.Plan, run *screen.RunConfig, result *screenResult) (close func() error, err error) {
	close = func() error { return nil }
	if cfg.Baseline.Name != "" {
		if run.Baseline, err = openShifts(ctx, g, cfg, p, &cfg.Baseline, result); err != nil {
			return close, err
		}
	}
	if cfg.Predictor.Name != "llm" {
		run.Predictor, err = openShifts(ctx, g, cfg, p, &cfg.Predictor, result)
		return close, err
	}
	given, err := o.backend.perturbationTemplates(ctx, g)
	if err != nil {
		return close, err
	}
	m, err := o.backend.open(ctx, g)
	if err != nil {
		return close, err
	}
	if err := askModel(ctx, cfg, p, m, given, run, result); err != nil {
		return close, errors.Join(err, m.close())
	}
	return m.close, nil
}

// askModel makes predictors of a model, in the order of its words and the other one.
func askModel(ctx context.Context, cfg *screen.Config, p *screen.Plan, m *model, given *prompt.Templates, run *screen.RunConfig, result *screenResult) error {
	vocabulary := new(cellsentence.Vocabulary)
	for _, w := range p.Axis() {
		vocabulary.Add(w, 1)
	}
	ask := predictor.LLMConfig{
		WordingConfig: predictor.WordingConfig{Templates: given, TopK: p.Genes, Seed: cfg.Seed},
		Vocabulary:    vocabulary, Jobs: 1, Options: llm.Options{Temperature: cfg.Predictor.Temperature, MaxTokens: cfg.Predictor.MaxTokens},
	}
	asks, err := predictor.NewLLM(ctx, m, ask)
	if err != nil {
		return err
	}
	run.Predictor, run.Jobs = asks, m.workers()
	result.Notice = m.info.Notice
	if w := asks.Warning(); w != "" {
		result.Warnings = append(result.Warnings, w)
	}
	words, _, err := task.Wording(task.Perturbation, m.info, given)
	if err != nil {
		return err
	}
	if run.CompoundFirst, err = compoundFirst(words); err != nil || !run.CompoundFirst || cfg.Order != "pilot" {
		return err
	}
	if ask.Templates, err = cellFirst(); err != nil {
		return err
	}
	run.CellFirst, err = predictor.NewLLM(ctx, m, ask)
	return err
}

// compoundFirst reports whether a prompt names the perturbation before the cell.
func compoundFirst(t *prompt.Templates) (bool, error) {
	format, err := prompt.NewFormatter(t, prompt.Config{TopK: 1})
	if err != nil {
		return false, err
	}
	const agent, cell = "\ue000", "\ue001" // for private use: in no prompt
	values := map[string]string{}
	for _, field := range t.Fields() {
		values[field] = "x"
	}
	values["perturbation_name"], values["perturbation_names"], values["control_cell_sentence"] = agent, agent, cell
	for row := range 8 * t.Len() { // templates are chosen by row
		p, err := format.Prompt(prompt.Sample{Row: row, Values: values})
		if err != nil {
			return false, err
		}
		if strings.Index(p.Input, agent) < strings.Index(p.Input, cell) {
			return true, nil
		}
	}
	return false, nil
}

// cellFirst is words for a perturbation that begin with the cell.
func cellFirst() (*prompt.Templates, error) {
	usual, err := prompt.Default(task.Perturbation)
	if err != nil {
		return nil, err
	}
	return prompt.New("the order cell first", task.Perturbation, []string{
		"Control cell sentence: {control_cell_sentence}.\n\nThese are the {num_genes} most expressed genes of a {organism} cell, by falling expression. " +
			"Give the {num_genes} most expressed genes of the cell after perturbation by {perturbation_name}.\n\nPerturbed cell sentence:",
	}, "{"+usual.ResponseFields()[0]+"}.", predictor.Columns()...)
}

// openShifts opens a predictor without a language model: of cells, of signatures for what
// the cells do not know, and for each donor from the others if the configuration says so.
func openShifts(ctx context.Context, g *globals, cfg *screen.Config, p *screen.Plan, c *screen.PredictorConfig, result *screenResult) (perturb.Predictor, error) {
	if c.Name == "control" {
		return predictor.NewControl(), nil
	}
	open := func(path, where string, norm float64) (*predictor.Shift, error) {
		j := &predictJob{
			g: g, result: &predictResult{}, topK: p.Genes, words: p.Axis(),
			in: &input{genes: p.Axis(), file: new(h5ad.File)}, // it is only asked for its name
			o: &predictFlags{
				predictor: c.Name, topK: p.Genes,
				labels: pertFlags{control: c.Control, pert: c.Column, context: "-", separator: predictor.Separator},
				reference: referenceFlags{
					path: cfg.File(path), where: where, minCells: 10, overlap: 0.1, winsor: 10, norm: norm,
					geneNames: cfg.File(c.GeneNames), names: cfg.File(c.Names),
				},
			},
		}
		shifts, err := j.shifts(ctx)
		result.Warnings = append(result.Warnings, j.result.Warnings...)
		return shifts, err
	}
	var cells perturb.Predictor
	norm := c.Norm
	if c.Reference != "" {
		donors := &byDonor{of: map[string]perturb.Predictor{}}
		for _, d := range p.Clusters {
			where := strings.ReplaceAll(c.Where, "{donor}", d.Name)
			one, err := open(c.Reference, where, 0)
			if err != nil {
				return nil, fmt.Errorf("%s for the donor %s: %w", c.Reference, d.Name, err)
			}
			donors.of[d.Name] = one
			donors.info = one.Info()
			cells = one
			if c.NormOf != "" {
				e, err := one.Explain(perturb.Perturbation{Parts: []perturb.Part{{Name: c.NormOf}}}, "", "")
				if err != nil {
					return nil, err
				}
				norm += e.Norm / float64(len(p.Clusters))
			}
			if where == c.Where && c.NormOf == "" {
				break // the same for all
			}
		}
		if strings.Contains(c.Where, "{donor}") {
			cells = donors
		}
	}
	if c.Signatures == "" {
		return cells, nil
	}
	table, err := open(c.Signatures, "", norm)
	if err != nil || cells == nil {
		return table, err
	}
	return &either{cells, table}, nil
}

// byDonor has a predictor for the cells of each donor.
type byDonor struct {
	of   map[string]perturb.Predictor
	info perturb.Info
}

// Info implements perturb.Predictor.
func (b *byDonor) Info() perturb.Info { return b.info }

// Predict implements perturb.Predictor.
func (b *byDonor) Predict(ctx context.Context, r perturb.Request) (perturb.Response, error) {
	one := b.of[r.Donor]
	if one == nil {
		return perturb.Response{}, fmt.Errorf("there is no reference for the donor %q", r.Donor)
	}
	return one.Predict(ctx, r)
}

// either asks a second predictor for what the first does not know.
type either struct{ first, second perturb.Predictor }

// Info implements perturb.Predictor.
func (e *either) Info() perturb.Info {
	info, other := e.first.Info(), e.second.Info()
	info.Model += " and " + other.Model
	info.Digest += other.Digest
	return info
}

// Predict implements perturb.Predictor.
func (e *either) Predict(ctx context.Context, r perturb.Request) (perturb.Response, error) {
	out, err := e.first.Predict(ctx, r)
	if _, unknown := errors.AsType[*predictor.UnknownError](err); unknown {
		return e.second.Predict(ctx, r)
	}
	return out, err
}
