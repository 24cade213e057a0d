package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/pairs"
	"github.com/cellsentence/c2s/perturb/predictor"
	"github.com/cellsentence/c2s/perturb/reward"
)

// sentenceStore keeps the sentences of all cells back to back.
type sentenceStore struct {
	text []byte
	ends []int
}

func (s *sentenceStore) at(row int) string {
	start := 0
	if row > 0 {
		start = s.ends[row-1]
	}
	return string(s.text[start:s.ends[row]])
}

// encode makes the sentences of all cells, which are those of c2s encode.
func (j *pairsJob) encode(ctx context.Context) (*sentenceStore, error) {
	cells, failed, err := j.in.cells(ctx, j.g, j.o.topK, j.in.all())
	if err != nil {
		return nil, err
	}
	s := &sentenceStore{}
	bar := j.g.start("encoding "+j.in.file.Path(), "cells", int64(j.in.matrix.NObs))
	defer bar.Stop()
	for c := range cells {
		if int64(len(s.text)) > j.g.budget()/2 {
			return nil, &inputError{fmt.Errorf("%s: the sentences of %d cells need more than half of --memory", j.in.file.Path(), c.Row), "take fewer cells or genes (--where, --top-k), or allow more with --memory"}
		}
		s.text = append(s.text, c.Sentence...)
		s.ends = append(s.ends, len(s.text))
		bar.Add(1)
	}
	return s, failed()
}

// write writes the pairs.
func (j *pairsJob) write(ctx context.Context, dir string, list []pairs.Pair) error {
	opts := pairs.Options{Test: j.result.Test > 0, EndOfText: j.o.eos, Jobs: j.g.workers()}
	for _, f := range j.o.formats {
		opts.Formats = append(opts.Formats, pairs.Format(f))
	}
	w, err := pairs.Create(dir, opts)
	if err != nil {
		return err
	}
	defer w.Abort()
	pools := j.pools(list)
	asked := map[string]*predictor.Question{}
	for _, p := range list {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		control, perturbed := j.sentences.at(p.Control), j.sentences.at(p.Perturbed)
		if control == "" || perturbed == "" {
			j.result.EmptyCells++
			continue
		}
		q, err := j.question(asked, p.Perturbed)
		if err != nil {
			return err
		}
		pair, err := q.Pair(p.Control, control, perturbed)
		if err != nil {
			return err
		}
		real := pools.take(p, j.o.real)
		truth := reward.Truth{Control: control}
		for _, row := range real {
			truth.Real = append(truth.Real, j.sentences.at(row))
		}
		if len(real) == 1 {
			j.result.OneReal++
		}
		l := j.labels
		err = w.Add(pairs.Example{
			Test: p.Test, Prompt: pair.Input, Response: pair.Response, Truth: truth, Task: pair.SampleType,
			Control: j.names[p.Control], Perturbed: j.names[p.Perturbed], Perturbation: l.perts[p.Perturbed],
			Dose: at(l.doses, p.Perturbed), Time: at(l.times, p.Perturbed),
			Context: at(l.contexts, p.Perturbed), CellType: at(l.cellTypes, p.Perturbed), Group: j.cells.Groups[p.Perturbed],
		})
		if err != nil {
			return err
		}
	}
	j.result.Audit, err = w.Close()
	return err
}

// question is the prompt for what was done to a cell, made once for all cells alike.
func (j *pairsJob) question(asked map[string]*predictor.Question, row int) (*predictor.Question, error) {
	l := j.labels
	context, cellType := at(l.contexts, row), at(l.cellTypes, row)
	key := strings.Join([]string{l.perts[row], at(l.doses, row), at(l.times, row), context, cellType}, "\x00")
	if q := asked[key]; q != nil {
		return q, nil
	}
	q, err := j.words.Ask(&perturb.Request{Perturbation: l.perturbation(row), Context: context, CellType: cellType, Organism: j.o.organism})
	asked[key] = q
	return q, err
}

// pools are the real cells that a prompt may be rewarded by: those of its side, with
// the same perturbation and group.
type pools struct {
	cells map[poolKey][]int
	place map[int]int // of a cell in its pool
	j     *pairsJob
}

type poolKey struct {
	test         bool
	perturbation int
	group        string
}

func (j *pairsJob) pools(list []pairs.Pair) *pools {
	p := &pools{cells: map[poolKey][]int{}, place: map[int]int{}, j: j}
	for _, pair := range list {
		if j.sentences.at(pair.Perturbed) != "" {
			k := p.key(pair)
			p.cells[k] = append(p.cells[k], pair.Perturbed)
		}
	}
	for _, rows := range p.cells {
		// In random order, so that neighbours in the file are not always taken together.
		hash := func(row int) uint64 { return rand.NewPCG(j.g.seed, uint64(row)).Uint64() }
		slices.SortFunc(rows, func(a, b int) int { return cmp.Or(cmp.Compare(hash(a), hash(b)), a-b) })
		for i, row := range rows {
			p.place[row] = i
		}
	}
	return p
}

func (p *pools) key(pair pairs.Pair) poolKey {
	return poolKey{pair.Test, p.j.cells.Of[pair.Perturbed], p.j.cells.Groups[pair.Perturbed]}
}

// take is the perturbed cell itself and up to n − 1 others.
func (p *pools) take(pair pairs.Pair, n int) []int {
	rows := p.cells[p.key(pair)]
	out := make([]int, 0, n)
	for i := range min(n, len(rows)) {
		out = append(out, rows[(p.place[pair.Perturbed]+i)%len(rows)])
	}
	return out
}

// manifest says how the folder came to be.
func (j *pairsJob) manifest(ctx context.Context, dir, path string) error {
	inputs, err := manifest.Inputs(ctx, inputsOf(path), j.g.workers())
	if err != nil {
		return err
	}
	r := j.result
	r.warn(r.NoControl > 0, "%d perturbed cells have no control with the same %s: they are left out", r.NoControl, strings.Join(r.MatchBy, ", "))
	r.warn(r.EmptyCells > 0, "%d pairs with an empty cell are left out", r.EmptyCells)
	r.warn(r.OneReal > 0, "%d prompts have one real cell in their truth: the corrected tau needs two", r.OneReal)
	r.warn(r.SharedPrompts > 0, "%d prompts to test with stand in training to the letter", r.SharedPrompts)
	r.warn(r.SharedControls > 0, "%d control cells are on both sides", r.SharedControls)
	r.warn(!r.C2S, "%s", j.words.Warning)
	r.warn(j.o.eos == "" && (j.o.formats == nil || slices.Contains(j.o.formats, string(pairs.FormatAxolotl))),
		"axolotl: answers do not end with an end of text; give the model's with --eos")
	about := manifest.Manifest{
		Version: version, Command: "perturb pairs", Inputs: inputs, Seed: j.g.seed, Warnings: r.Warnings,
		Options: map[string]any{
			"matrix": j.in.matrix.Key(), "control": j.o.labels.control, "perturbations": j.labels.pert, "context": j.labels.context, "cell_type": j.labels.cellType,
			"match": j.o.match, "match_by": r.MatchBy, "design": j.o.design, "test_share": j.o.share, "held_out": r.HeldOut, "top_k": j.o.topK, "real": j.o.real,
			"prompts": j.words.Fingerprints(), "where": j.o.where,
		},
		Counts: map[string]int64{
			"train": int64(r.Train), "test": int64(r.Test), "controls_train": int64(r.ControlsTrain), "controls_test": int64(r.ControlsTest),
			"shared_controls": int64(r.SharedControls), "shared_prompts": int64(r.SharedPrompts), "repeated_prompts": int64(r.RepeatedPrompts),
			"unlabelled": int64(r.Unlabelled), "no_control": int64(r.NoControl), "idle_controls": int64(r.IdleControls), "empty": int64(r.EmptyCells),
		},
	}
	return about.Write(dir)
}

func (r *pairsResult) warn(when bool, format string, args ...any) {
	if when {
		r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
	}
}

// report tells the counts.
func (j *pairsJob) report() error {
	r, log := j.result, j.g.logger()
	for _, text := range j.labels.said {
		log.Info(text)
	}
	for _, text := range r.Warnings {
		log.Warn(text)
	}
	if j.g.json {
		return printJSON(j.g.stdout, r)
	}
	for _, what := range r.HeldOut[:min(20, len(r.HeldOut))] {
		log.Info("kept for testing: " + what)
	}
	if n := len(r.HeldOut); n > 20 {
		log.Info(fmt.Sprintf("kept for testing: %d more, in %s", n-20, manifest.Name))
	}
	if r.Distance != nil {
		log.Info(fmt.Sprintf("mean distance of a pair %.3g, of random controls %.3g", *r.Distance, *r.RandomDistance))
	}
	log.Info(fmt.Sprintf("%d pairs to train and %d to test in %s, of %d and %d control cells, %d of them on both sides", r.Train, r.Test, r.Out, r.ControlsTrain, r.ControlsTest, r.SharedControls))
	return nil
}
