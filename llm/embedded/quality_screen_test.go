package embedded

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/internal/simulate"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

func (s *subject) drugName(drug int) string { return s.w.Perturbations[drug].Name }

// TestQualityScreen: the six drugs that act in one context only are called, and no
// other, by what the model says; told the context, and told nothing so that it must
// read the cell. A baseline that does not know the context calls none.
func TestQualityScreen(t *testing.T) {
	if testing.Short() {
		t.Skip("some thousand answers")
	}
	s := newSubject(t)
	truth := s.truth(t)
	inTurn := func(_, i int) int { return i % len(s.w.CellTypes) }
	for _, c := range []struct{ what, word string }{{"context given", ""}, {"context unknown", world.UnknownContext}} {
		effects, total := s.screen(t, c.word, s.drugName, inTurn)
		hits, wrong := s.report(t, c.what, effects, truth)
		n := float64(len(total.words))
		t.Logf("  %.2f %% of words are genes, %.2f repeats a sentence", 100*(1-float64(total.unknown)/n), float64(total.repeats)/n*world.Genes)
		if hits != 6 || wrong != 0 {
			t.Errorf("%s: %d of 6 called, %d wrongly", c.what, hits, wrong)
		}
	}
	t.Run("pooled baseline", func(t *testing.T) {
		hits, wrong := s.report(t, "mean shift of both contexts, no model", s.baseline(t, true), truth)
		if hits+wrong > 0 {
			t.Errorf("%d drugs are called", hits+wrong)
		}
	})
	t.Run("baseline by context", func(t *testing.T) {
		s.report(t, "mean shift of each context, no model", s.baseline(t, false), truth)
	})
	if *qualityCells < 16 {
		return // what follows is for the model card
	}
	t.Run("drugs with types that training left out", func(t *testing.T) {
		effects, _ := s.screen(t, "", s.drugName, func(drug, _ int) int { return world.HeldOutType(drug, len(s.w.CellTypes)) })
		s.report(t, "left out", effects, truth)
	})
	for what, name := range map[string]func(int) string{
		"decoys":            func(drug int) string { return world.Decoy(17 * drug) },
		"names not trained": func(drug int) string { return fmt.Sprintf("DRUG-9%02d", drug) },
	} {
		t.Run(what, func(t *testing.T) {
			effects, _ := s.screen(t, "", name, inTurn)
			hits, wrong := s.report(t, what, effects, truth)
			if hits+wrong > 0 {
				t.Errorf("%d are called", hits+wrong)
			}
		})
	}
	// What the model hears, the word or the cell: one word for both contexts.
	for _, c := range s.w.Contexts {
		t.Run("all called "+c.Name, func(t *testing.T) {
			effects, _ := s.screen(t, c.Name, s.drugName, inTurn)
			s.report(t, "all called "+c.Name, effects, truth)
		})
	}
}

// profiles draws cells and gives ln(1 + 10,000 count / total) of each.
func (s *subject) profiles(t *testing.T, row int, specs []simulate.CellSpec) [][]float64 {
	t.Helper()
	start := world.HeldOutRows + row*1_000_000
	b, err := s.w.Matrix(t.Context(), len(specs), simulate.Options{Start: start, Spec: func(r int) simulate.CellSpec { return specs[r-start] }})
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]float64, len(specs))
	for i := range out {
		out[i] = make([]float64, len(s.w.Genes))
		total := 0.0
		for _, n := range b.Counts[b.Indptr[i]:b.Indptr[i+1]] {
			total += float64(n)
		}
		for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
			out[i][b.Indices[k]] = math.Log1p(1e4 * float64(b.Counts[k]) / total)
		}
	}
	return out
}

// baseline adds the mean shift of a drug in other cells, of the same context or of
// both, to each control cell: what can be had without a model.
func (s *subject) baseline(t *testing.T, pooled bool) []effect {
	t.Helper()
	const learn = 64
	n := *qualityCells
	words, err := world.Words(s.w)
	if err != nil {
		t.Fatal(err)
	}
	mean := func(drug, context int) []float64 {
		var specs []simulate.CellSpec
		for i := range learn {
			specs = append(specs, s.spec(i, context, drug))
		}
		out := make([]float64, len(s.w.Genes))
		for _, p := range s.profiles(t, 5000+2*drug+context, specs) {
			for g, v := range p {
				out[g] += v / learn
			}
		}
		return out
	}
	vehicle := [2][]float64{mean(0, 0), mean(0, 1)}
	score := func(profile []float64, luck *rand.Rand) float64 {
		order := luck.Perm(len(profile)) // ties in random order
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case profile[a] > profile[b]:
				return -1
			case profile[a] < profile[b]:
				return 1
			}
			return 0
		})
		var sentence []string
		for _, g := range order[:world.Genes] {
			sentence = append(sentence, words[g])
		}
		return world.Score(sentence)
	}
	out := make([]effect, len(s.w.Perturbations)-1)
	for d := range out {
		var shift [2][]float64
		for c := range 2 {
			shift[c] = mean(d+1, c)
			for g := range shift[c] {
				shift[c][g] -= vehicle[c][g]
			}
		}
		if pooled {
			for g := range shift[0] {
				both := (shift[0][g] + shift[1][g]) / 2
				shift[0][g], shift[1][g] = both, both
			}
		}
		var deltas [2][]float64
		for c := range 2 {
			var specs []simulate.CellSpec
			for i := range n {
				specs = append(specs, s.spec(i, c, 0))
			}
			for i, p := range s.profiles(t, 100+c, specs) {
				seed := uint64(i)
				before := score(p, rand.New(rand.NewPCG(1, seed)))
				for g := range p {
					p[g] += shift[c][g]
				}
				deltas[c] = append(deltas[c], score(p, rand.New(rand.NewPCG(1, seed)))-before)
			}
		}
		out[d] = summarise(deltas)
	}
	return out
}
