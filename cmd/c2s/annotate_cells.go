package main

import (
	"context"
	"iter"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/progress"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/task"
)

// typed is a cell with its type.
type typed struct {
	task.Annotation
	valid     bool // the model's own answer is a type, one of the labels if there is a list
	abstained bool // its confidence is too low for a label
}

// ask yields the cells as the model types them, in order. What follows are stages that
// take cells and yield cells.
func ask(ctx context.Context, n int, sentences iter.Seq[task.Cell], a *task.Annotator, bar *progress.Counter) iter.Seq2[typed, error] {
	return func(yield func(typed, error) bool) {
		for one, err := range batch.Map(ctx, n, sentences, a.Annotate) {
			if err == nil {
				bar.Add(1)
			}
			if !yield(typed{Annotation: one, valid: one.Label != ""}, err) {
				return
			}
		}
	}
}

// inBatches labels runs of n cells jointly; cells that were not scored stay out.
func inBatches(cells iter.Seq2[typed, error], n int, labels []string) iter.Seq2[typed, error] {
	return func(yield func(typed, error) bool) {
		var run []typed
		flush := func() bool {
			var at []int
			var part []task.Annotation
			for i, c := range run {
				if c.Probabilities != nil {
					at, part = append(at, i), append(part, c.Annotation)
				}
			}
			if err := task.Assign(part, labels); err != nil {
				yield(typed{}, err)
				return false
			}
			for k, i := range at {
				run[i].Annotation = part[k]
			}
			for _, c := range run {
				if !yield(c, nil) {
					return false
				}
			}
			run = run[:0]
			return true
		}
		for c, err := range cells {
			if err != nil {
				yield(typed{}, err)
				return
			}
			if run = append(run, c); len(run) == n && !flush() {
				return
			}
		}
		flush()
	}
}

// vote gives all cells of a cluster the label with the highest mean probability, or,
// where labels were not scored, the one that most cells have. Confidence becomes
// that share. All cells must have come before the first goes on: some 40 bytes of
// each are kept meanwhile, and different answers once.
func vote(cells iter.Seq2[typed, error], clusters *h5ad.Column, labels []string) iter.Seq2[typed, error] {
	return func(yield func(typed, error) bool) {
		box := ballot{shares: map[string]map[string]float64{}, cells: map[string]float64{}}
		var kept keptCells
		for c, err := range cells {
			if err != nil {
				yield(typed{}, err)
				return
			}
			if cluster, ok := clusters.Text(len(kept.list)); ok {
				box.add(cluster, &c, labels)
			}
			kept.add(&c)
		}
		for i := range kept.list {
			c := kept.at(i)
			if cluster, ok := clusters.Text(i); ok && box.cells[cluster] > 0 {
				c.Label, c.Confidence = box.winner(cluster)
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// ballot counts the votes of the cells of each cluster.
type ballot struct {
	shares map[string]map[string]float64 // cluster → label
	cells  map[string]float64
}

func (b *ballot) add(cluster string, c *typed, labels []string) {
	if c.Label == "" {
		return
	}
	if b.shares[cluster] == nil {
		b.shares[cluster] = map[string]float64{}
	}
	b.cells[cluster]++
	if c.Probabilities == nil {
		b.shares[cluster][c.Label]++
		return
	}
	for k, p := range c.Probabilities {
		b.shares[cluster][labels[k]] += p
	}
}

// winner is the label with most votes, of equals the first in the alphabet.
func (b *ballot) winner(cluster string) (label string, share float64) {
	for l, s := range b.shares[cluster] {
		if s > share || s == share && l < label {
			label, share = l, s
		}
	}
	return label, share / b.cells[cluster]
}

// keptCells are cells without their probabilities.
type keptCells struct {
	words category
	list  []keptCell
}

type keptCell struct {
	label, answer, stop int32 // in words
	asked, valid        bool
	confidence, mass    float64
}

func (k *keptCells) add(c *typed) {
	k.list = append(k.list, keptCell{
		k.words.code(c.Label), k.words.code(c.Answer), k.words.code(string(c.Stop)), c.Asked, c.valid, c.Confidence, c.Mass,
	})
}

func (k *keptCells) at(i int) typed {
	c := &k.list[i]
	return typed{valid: c.valid, Annotation: task.Annotation{
		Label: k.words.list[c.label], Index: -1, Confidence: c.confidence, Mass: c.mass, Asked: c.asked,
		Answer: k.words.list[c.answer], Stop: llm.Stop(k.words.list[c.stop]),
	}}
}

// category numbers different texts, in the order in which they are first met.
type category struct {
	known map[string]int32
	list  []string
}

func (k *category) code(s string) int32 {
	n, ok := k.known[s]
	if !ok {
		if k.known == nil {
			k.known = map[string]int32{}
		}
		n = int32(len(k.list))
		k.known[s], k.list = n, append(k.list, s)
	}
	return n
}
