package embedded

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cellsentence/c2s/internal/simulate"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

// The figures of MODEL.md are those of
//
//	go test ./llm/embedded -run Quality -v -quality.cells 42
var qualityCells = flag.Int("quality.cells", 8, "cells a context and drug in the measured screens")

// subject is the demo model and its world.
type subject struct {
	b     *Backend
	w     *simulate.World
	genes map[string]bool // the words
}

func newSubject(t *testing.T) *subject {
	t.Helper()
	b, err := Demo(Config{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := simulate.New(world.Config())
	if err != nil {
		t.Fatal(err)
	}
	words, err := world.Words(w)
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{b: b, w: w, genes: map[string]bool{}}
	for _, word := range words {
		s.genes[word] = true
	}
	return s
}

// cells draws held-out cells with at least 32 genes, one for each specification.
// Draws of different rows and of different donors than those of training.
func (s *subject) cells(t *testing.T, row int, specs []simulate.CellSpec) [][]string {
	t.Helper()
	out := make([][]string, len(specs))
	for try := 0; slices.ContainsFunc(out, func(c []string) bool { return len(c) < world.Genes }); try++ {
		start := world.HeldOutRows + (row+try)*1_000_000
		drawn, err := world.Sentences(t.Context(), s.w, start, len(specs), func(r int) simulate.CellSpec { return specs[r-start] })
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range drawn {
			if len(out[i]) < world.Genes {
				out[i] = c
			}
		}
	}
	return out
}

// spec is the i-th of some untreated cells: types and held-out donors in turn.
func (s *subject) spec(i, context, drug int) simulate.CellSpec {
	n := len(s.w.CellTypes)
	return simulate.CellSpec{CellType: i % n, Donor: world.TrainingDonors + i*7%world.HeldOutDonors, Context: context, Perturbation: drug}
}

// each runs f for 0 … n−1 on all slots.
func (s *subject) each(t *testing.T, n int, f func(ctx context.Context, i int) error) {
	t.Helper()
	next := make(chan int)
	var wg sync.WaitGroup
	for range cap(s.b.free) {
		wg.Go(func() {
			for i := range next {
				if err := f(t.Context(), i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// TestQualityTyping: the type of a held-out cell is the most probable of all types,
// and the types take nearly all of the probability.
func TestQualityTyping(t *testing.T) {
	s := newSubject(t)
	const n = 320
	var specs []simulate.CellSpec
	for i := range n {
		specs = append(specs, s.spec(i, i/8%2, 0))
	}
	cells := s.cells(t, 0, specs)
	var labels []string
	for _, c := range s.w.CellTypes {
		labels = append(labels, " "+c.Name+".")
	}
	for _, genes := range []int{world.Genes, 16} {
		right, mass := make([]bool, n), make([]float64, n)
		s.each(t, n, func(ctx context.Context, i int) error {
			prompt := world.Prompt(world.TaskCellType, "num_genes", fmt.Sprint(genes), "cell_sentence", strings.Join(cells[i][:genes], " "))
			scores, err := s.b.Score(ctx, prompt, labels)
			best := 0
			for j, x := range scores {
				mass[i] += math.Exp(x.Logprob)
				if x.Logprob > scores[best].Logprob {
					best = j
				}
			}
			right[i] = best == specs[i].CellType
			return err
		})
		share, all := 0.0, 0.0
		for i := range n {
			if right[i] {
				share += 1.0 / n
			}
			all += mass[i] / n
		}
		t.Logf("%d genes: %.1f %% of %d cells typed rightly, labels take %.4f of the probability", genes, 100*share, n, all)
		if share < 0.98 || all < 0.99 {
			t.Errorf("%d genes: %.3f right, labels take %.4f", genes, share, all)
		}
	}
}

// sentence is a generated answer, taken apart.
type sentence struct {
	words   []string
	ended   bool // by a full stop and the end of text
	unknown int  // words that are no gene
	repeats int
}

func (s *subject) parse(a *llm.Answer) sentence {
	text, dot := strings.CutSuffix(a.Text, ".")
	out := sentence{words: strings.Fields(text), ended: dot && a.Stop == llm.StopEnd}
	seen := map[string]bool{}
	for _, w := range out.words {
		if !s.genes[w] {
			out.unknown++
		}
		if seen[w] {
			out.repeats++
		}
		seen[w] = true
	}
	return out
}

func (s *subject) answer(ctx context.Context, prompt string, seed uint64) (sentence, error) {
	a, err := s.b.Generate(ctx, prompt, llm.Options{MaxTokens: 3 * world.Genes, Temperature: 1, Seed: seed}, nil)
	if err != nil {
		return sentence{}, err
	}
	return s.parse(a), nil
}

// TestQualityGeneration: sentences drawn for a type are of genes, of the length
// asked for, and the profile of their type.
func TestQualityGeneration(t *testing.T) {
	s := newSubject(t)
	const each = 20
	n := each * len(s.w.CellTypes)
	got := make([]sentence, n)
	s.each(t, n, func(ctx context.Context, i int) (err error) {
		cellType := s.w.CellTypes[i%len(s.w.CellTypes)].Name
		got[i], err = s.answer(ctx, world.Prompt(world.TaskGenerate, "num_genes", fmt.Sprint(world.Genes), "cell_type", cellType), uint64(i))
		return err
	})
	var real []simulate.CellSpec
	for i := range 60 * len(s.w.CellTypes) {
		real = append(real, s.spec(i, i/8%2, 0))
	}
	centre := make([]map[string]float64, len(s.w.CellTypes))
	for i, c := range s.cells(t, 10, real) {
		addProfile(&centre[real[i].CellType], c[:world.Genes])
	}
	var words, unknown, repeats, exact, ended, typed float64
	for i, g := range got {
		words += float64(len(g.words))
		unknown += float64(g.unknown)
		repeats += float64(g.repeats) / float64(n)
		if len(g.words) == world.Genes {
			exact += 1 / float64(n)
		}
		if g.ended {
			ended += 1 / float64(n)
		}
		var own map[string]float64
		addProfile(&own, g.words)
		best := 0
		for c := range centre {
			if cosineOf(own, centre[c]) > cosineOf(own, centre[best]) {
				best = c
			}
		}
		if best == i%len(s.w.CellTypes) {
			typed += 1 / float64(n)
		}
	}
	t.Logf("%d sentences: %.2f %% of words are genes, %.2f repeats a sentence, %.1f %% of the exact length, %.1f %% ended, %.1f %% nearest to their own type",
		n, 100*(1-unknown/words), repeats, 100*exact, 100*ended, 100*typed)
	if unknown/words > 0.005 || repeats > 3 || exact < 0.95 || ended < 0.98 || typed < 0.97 {
		t.Error("below what the model card promises")
	}
}

// addProfile adds 1 − position/length for each gene of a sentence.
func addProfile(p *map[string]float64, words []string) {
	if *p == nil {
		*p = map[string]float64{}
	}
	for i, w := range words {
		(*p)[w] += 1 - float64(i)/float64(len(words))
	}
}

func cosineOf(a, b map[string]float64) float64 {
	var ab, aa, bb float64
	for k, v := range a {
		ab += v * b[k]
		aa += v * v
	}
	for _, v := range b {
		bb += v * v
	}
	return ab / math.Sqrt(aa*bb)
}

// effect is what a drug does to the score of antigen presentation in both contexts,
// the low one first: means over cells, and their standard errors.
type effect struct{ mean, err [2]float64 }

// called says that a drug raises the score where there is interferon, by more than
// 0.05, and is equivalent to nothing, within 0.025, where there is none: one-sided
// tests at 5 % each.
func (e *effect) called() bool {
	const z = 1.645
	return e.mean[1]-z*e.err[1] > 0.05 && math.Abs(e.mean[0])+z*e.err[0] < 0.025
}

func summarise(deltas [2][]float64) effect {
	var e effect
	for c, d := range deltas {
		n, sum, square := float64(len(d)), 0.0, 0.0
		for _, v := range d {
			sum += v
		}
		e.mean[c] = sum / n
		for _, v := range d {
			square += (v - e.mean[c]) * (v - e.mean[c])
		}
		e.err[c] = math.Sqrt(square / (n - 1) / n)
	}
	return e
}

// screen asks the model for every drug in cells of both contexts. The vehicle is
// asked under the same seed, and the difference taken cell by cell. word is what the
// prompt says of the context, "" for the truth; name maps a drug to the name in the
// prompt; cellType, if not negative, is that of a drug's cells.
func (s *subject) screen(t *testing.T, word string, name func(drug int) string, cellType func(drug, i int) int) ([]effect, sentence) {
	t.Helper()
	n, drugs := *qualityCells, len(s.w.Perturbations)-1
	// A cell of every type for each number and context; the drugs of a cell share it.
	types := len(s.w.CellTypes)
	var specs []simulate.CellSpec
	for i := range 2 * n * types {
		spec := s.spec(i/types%n, i/types/n, 0)
		spec.CellType = i % types
		specs = append(specs, spec)
	}
	controls := s.cells(t, 100, specs)
	var total sentence
	var mu sync.Mutex
	ask := func(ctx context.Context, control int, name string) (float64, error) {
		where, cell := control/types/n, control/types%n
		g, err := s.answer(ctx, world.Prompt(world.TaskPerturbation, "num_genes", fmt.Sprint(world.Genes),
			"context", cmp.Or(word, s.w.Contexts[where].Name), "control_cell_sentence", strings.Join(controls[control][:world.Genes], " "),
			"perturbation", name), uint64(where*1000+cell))
		mu.Lock()
		defer mu.Unlock()
		total.words = append(total.words, g.words...)
		total.unknown += g.unknown
		total.repeats += g.repeats
		return world.Score(g.words), err
	}
	control := func(i int) (at, drug int) {
		drug = i % drugs
		return i/drugs*types + cellType(drug+1, i/drugs%n), drug
	}
	used := map[int]bool{}
	for i := range 2 * n * drugs {
		at, _ := control(i)
		used[at] = true
	}
	order, vehicle := slices.Sorted(maps.Keys(used)), make([]float64, len(controls))
	s.each(t, len(order), func(ctx context.Context, i int) (err error) {
		vehicle[order[i]], err = ask(ctx, order[i], world.Vehicle)
		return err
	})
	deltas := make([][2][]float64, drugs)
	for d := range deltas {
		deltas[d] = [2][]float64{make([]float64, n), make([]float64, n)}
	}
	s.each(t, 2*n*drugs, func(ctx context.Context, i int) error {
		at, drug := control(i)
		treated, err := ask(ctx, at, name(drug+1))
		deltas[drug][i/drugs/n][i/drugs%n] = treated - vehicle[at]
		return err
	})
	out := make([]effect, drugs)
	for d := range out {
		out[d] = summarise(deltas[d])
	}
	return out, total
}

// truth is the mean effect of every drug on simulated cells.
func (s *subject) truth(t *testing.T) []effect {
	t.Helper()
	const n = 160
	out := make([]effect, len(s.w.Perturbations)-1)
	for context := range 2 {
		score := func(drug int) float64 {
			var specs []simulate.CellSpec
			for i := range n {
				specs = append(specs, s.spec(i, context, drug))
			}
			sum := 0.0
			for _, c := range s.cells(t, 1000+2*drug+context, specs) {
				sum += world.Score(c[:world.Genes])
			}
			return sum / n
		}
		vehicle := score(0)
		for d := range out {
			out[d].mean[context] = score(d+1) - vehicle
		}
	}
	return out
}

// report logs effects by class and says which drugs are called.
func (s *subject) report(t *testing.T, what string, effects, truth []effect) (hits, wrong int) {
	t.Helper()
	var a, b []float64
	classes := map[string][]int{}
	for d := range effects {
		class := s.w.Perturbations[d+1].Class
		classes[class] = append(classes[class], d)
		a, b = append(a, effects[d].mean[1]-effects[d].mean[0]), append(b, truth[d].mean[1]-truth[d].mean[0])
		if effects[d].called() {
			if class == simulate.ClassSplit {
				hits++
			} else {
				wrong++
			}
		}
	}
	t.Logf("%s: %d of 6 called, %d called wrongly, r of the split with the truth %.3f", what, hits, wrong, correlation(a, b))
	for _, class := range []string{simulate.ClassSplit, simulate.ClassAdditive, simulate.ClassInterferon, simulate.ClassSuppressor, simulate.ClassOffTarget, simulate.ClassInert} {
		var line [4]float64
		for _, d := range classes[class] {
			n := float64(len(classes[class]))
			for c := range 2 {
				line[c] += effects[d].mean[1-c] / n
				line[2+c] += truth[d].mean[1-c] / n
			}
		}
		t.Logf("  %-11s with interferon %+.3f, without %+.3f (truth %+.3f, %+.3f)", class, line[0], line[1], line[2], line[3])
	}
	return hits, wrong
}

func correlation(a, b []float64) float64 {
	var ma, mb, ab, aa, bb float64
	for i := range a {
		ma += a[i] / float64(len(a))
		mb += b[i] / float64(len(b))
	}
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}
