package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"os"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/task"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// prepare makes the predictor; what it returns closes what is open.
func (j *predictJob) prepare(ctx context.Context) (close func() error, err error) {
	close = func() error { return nil }
	enc, err := cellsentence.NewEncoder(j.in.genes, cellsentence.Config{})
	if err != nil {
		return nil, badCells(j.in.file.Path(), err)
	}
	j.words, j.topK = enc.Words(), cmp.Or(j.o.topK, 200)
	switch j.o.predictor {
	case "llm":
		var given *prompt.Templates
		if given, err = j.o.backend.perturbationTemplates(ctx, j.g); err != nil {
			return nil, err
		}
		if j.model, err = j.o.backend.open(ctx, j.g); err != nil {
			return nil, err
		}
		close = j.model.close
		vocabulary := new(cellsentence.Vocabulary)
		for _, w := range j.words {
			vocabulary.Add(w, 1)
		}
		asks, err := predictor.NewLLM(ctx, j.model, predictor.LLMConfig{
			WordingConfig: predictor.WordingConfig{Templates: given, TopK: topGenes(j.o.topK, j.model), Seed: j.g.seed},
			Vocabulary:    vocabulary, Options: j.o.sample.options(0), Jobs: 1,
		})
		if err != nil {
			return nil, errors.Join(err, close())
		}
		j.p, j.topK = asks, asks.TopK()
		j.result.Notice = j.model.info.Notice
		if w := asks.Warning(); w != "" {
			j.result.warn("%s", w)
		}
	case "control":
		j.p = predictor.NewControl()
	default:
		if j.p, err = j.shifts(ctx); err != nil {
			return nil, err
		}
	}
	info := j.p.Info()
	j.result.Model, j.result.Digest = info.Model, info.Digest
	return close, nil
}

// perturbationTemplates loads --prompts; they may use further fields.
func (b *backendFlags) perturbationTemplates(ctx context.Context, g *globals) (*prompt.Templates, error) {
	if b.prompts == "" || b.prompts == "cell2sentence" {
		return b.templates(ctx, g, task.Perturbation)
	}
	t, err := prompt.Load(b.prompts, task.Perturbation, predictor.Columns()...)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &inputError{err, "see c2s help predict"}
	}
	return t, err
}

// write predicts and writes, row by row.
func (j *predictJob) write(ctx context.Context) (err error) {
	inputs := inputsOf(j.in.file.Path())
	for _, path := range []string{j.o.reference.path, j.o.reference.signatures, j.o.rankModel, j.o.list} {
		if path != "" {
			inputs = append(inputs, path)
		}
	}
	w, err := h5ad.Create(j.g.out, h5ad.WriteOptions{
		Compression: j.o.compress.chosen(), Workers: j.g.workers(), Force: j.g.force, Inputs: inputs,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	x, err := w.Matrix(ctx, "X", h5ad.MatrixSpec{NObs: -1, NVars: len(j.in.genes)})
	if err != nil {
		return err
	}
	obs, err := newPredictedObs(ctx, j)
	if err != nil {
		return err
	}
	batches := j.values(ctx, obs)
	if j.model != nil {
		if batches, err = j.decoded(ctx, obs); err != nil {
			return err
		}
	}
	for b, err := range batches {
		if err != nil {
			return err
		}
		if err := x.Append(ctx, b); err != nil {
			return err
		}
	}
	if err := x.Close(ctx); err != nil {
		return err
	}
	j.result.NObs = obs.n
	return errors.Join(j.tables(ctx, w, obs), w.Close())
}

// row is a row of the output.
type row struct {
	cell   perturb.Cell
	nGenes int
	pert   *asked // nil for the control cell itself
	perturb.Predicted
	level                  predictor.Level // of the shift, "" without one
	prompt, cached, tokens int
}

// rows yields the output in order: each control cell, and what becomes of it.
func (j *predictJob) rows(ctx context.Context) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		var failed error
		requests := func(yield func(row) bool) {
			for c, err := range j.controls(ctx) {
				if err != nil {
					failed = err
					return
				}
				if !j.o.leaveControls && !yield(c) {
					return
				}
				for i := range j.perts {
					c.pert = &j.perts[i]
					if !yield(c) {
						return
					}
				}
			}
		}
		workers := j.g.workers()
		if j.model != nil {
			workers = j.model.workers()
		}
		for r, err := range batch.Map(ctx, workers, requests, j.answer) {
			if !yield(r, err) || err != nil {
				return
			}
			if r.pert != nil {
				j.bar.Add(1)
			}
		}
		if failed != nil {
			yield(row{}, failed)
		}
	}
}

// answer predicts a row. The seed is that of the run: cells have their own luck by their
// row.
func (j *predictJob) answer(ctx context.Context, r row) (row, error) {
	request := perturb.Request{
		Cells: []perturb.Cell{r.cell}, Seed: j.g.seed, Organism: j.o.organism,
		Context: at(j.labels.contexts, r.cell.Row), CellType: at(j.labels.cellTypes, r.cell.Row),
	}
	var p perturb.Predictor = predictor.NewControl()
	if r.pert != nil {
		p, request.Perturbation = j.p, r.pert.Perturbation
	}
	out, err := p.Predict(ctx, request)
	if err != nil {
		return r, err
	}
	r.Predicted = out.Cells[0]
	if r.pert != nil {
		if s, ok := j.p.(*predictor.Shift); ok {
			e, err := s.Explain(request.Perturbation, request.Context, request.CellType)
			if err != nil {
				return r, err
			}
			r.level = e.Level
		}
		r.prompt, r.cached, r.tokens = out.PromptTokens, out.CachedTokens, out.AnswerTokens
	}
	return r, nil
}

// controls yields the control cells with what the predictor reads of them.
func (j *predictJob) controls(ctx context.Context) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		src, err := j.x.cells(ctx, j.g, j.cells)
		if err != nil {
			yield(row{}, err)
			return
		}
		enc, err := cellsentence.NewEncoder(j.in.genes, cellsentence.Config{TopK: j.topK, Seed: j.g.seed, Workers: j.g.workers()})
		if err != nil {
			yield(row{}, err)
			return
		}
		for b, err := range src.all(ctx) {
			if err != nil {
				yield(row{}, err)
				return
			}
			for s, err := range enc.Encode(ctx, cellsentence.NewSliceSource(*b, b.NObs())) {
				if err != nil {
					yield(row{}, badCells(j.in.file.Path(), err))
					return
				}
				for i := range s.Len() {
					r := row{cell: perturb.Cell{Row: s.Start + i, Genes: strings.Fields(string(s.At(i)))}, nGenes: int(s.NGenes[i])}
					if j.model == nil {
						r.cell.Values = dense(b, i, len(j.in.genes))
					}
					if !yield(r, nil) {
						return
					}
				}
			}
		}
	}
}

// dense is the values of a cell of a batch.
func dense(b *h5ad.Batch, cell, genes int) []float32 {
	out := make([]float32, genes)
	values := b.Values.([]float32) // as pickedCells gives them
	for k := b.Indptr[cell]; k < b.Indptr[cell+1]; k++ {
		out[b.Indices[k]] = values[k]
	}
	return out
}
