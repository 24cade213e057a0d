package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/progress"
	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/task"
)

// cells yields the sentences of some of a file's cells, cut to topK genes. They are
// those of encode with the same seed.
func (in *input) cells(ctx context.Context, g *globals, topK int, part shard.Range) (iter.Seq[task.Cell], func() error, error) {
	enc, err := cellsentence.NewEncoder(in.genes, cellsentence.Config{TopK: topK, Seed: g.seed, Workers: g.workers()})
	if err != nil {
		return nil, nil, badCells(in.file.Path(), err)
	}
	if part.From == part.To {
		return func(func(task.Cell) bool) {}, func() error { return nil }, nil
	}
	rows, err := in.matrix.Rows(ctx, h5ad.RowOptions{Start: part.From, End: part.To, Budget: g.budget() / 4})
	if err != nil {
		return nil, nil, err
	}
	var failed error
	all := func(yield func(task.Cell) bool) {
		for s, err := range enc.Encode(ctx, rows) {
			if err != nil {
				failed = badCells(in.file.Path(), err)
				return
			}
			for i := range s.Len() {
				if !yield(task.Cell{Row: s.Start + i, Sentence: string(s.At(i))}) {
					return
				}
			}
		}
	}
	return all, func() error { return failed }, nil
}

// topGenes is how many genes a prompt shows: the flag, or what suits the model.
func topGenes(flag int, m *model) int {
	if flag > 0 {
		return flag
	}
	if len(m.info.Prompts) > 0 {
		return 32 // the demo model knows short sentences only
	}
	return 200 // as the C2S models were trained
}

// startModel shows how far a model is with so many cells.
func (g *globals) startModel(label string, cells int) *progress.Counter {
	return g.startBeside(label, "cells", int64(cells), "tokens")
}

// tallied lets the progress of a task count the tokens that are asked for under ctx.
func tallied(ctx context.Context, bar *progress.Counter) context.Context {
	return llm.WithTally(ctx, func(tokens int) { bar.Beside(int64(tokens)) })
}

// asked is a line about the work of a backend.
func (m *model) asked() string {
	if m.known == nil {
		return m.info.Model
	}
	known, asked := m.known()
	return fmt.Sprintf("%s, %d answers asked for, %d from the journal", m.info.Model, asked, known)
}

// all is the rows of the file.
func (in *input) all() shard.Range { return shard.Range{To: in.matrix.NObs} }

// modelOptions is what decides the answers of a model, beside the cells.
type modelOptions struct {
	Model, Digest string
	Wording       string // of the prompts
	TopK          int
	Organism      string
	Seed          uint64
	Pooling       string
	Sampling      llm.Options
}

func (m *model) options(g *globals, words *prompt.Templates, topK int, organism string) *modelOptions {
	return &modelOptions{Model: m.info.Model, Digest: m.info.Digest, Wording: words.Fingerprint(), TopK: topK, Organism: organism, Seed: g.seed}
}
