package task

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm"
)

// TestAssignmentIsTheBest holds the assignment against all there are.
func TestAssignmentIsTheBest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		n := 1 + r.IntN(4)
		m := n + r.IntN(3)
		cost := make([][]float64, n)
		for i := range cost {
			for range m {
				cost[i] = append(cost[i], float64(r.IntN(20)))
			}
		}
		got, used := 0.0, map[int]bool{}
		for i, j := range assignment(cost) {
			if used[j] {
				t.Fatal("a column twice")
			}
			used[j] = true
			got += cost[i][j]
		}
		if want := least(cost, nil); got != want {
			t.Fatalf("%v: cost %g, the least is %g", cost, got, want)
		}
	}
}

// least tries every assignment.
func least(cost [][]float64, used []int) float64 {
	if len(used) == len(cost) {
		return 0
	}
	best := math.Inf(1)
	for j, c := range cost[len(used)] {
		if !slices.Contains(used, j) {
			best = min(best, c+least(cost, append(slices.Clone(used), j)))
		}
	}
	return best
}

func TestChooseTakesTheShareOfTheList(t *testing.T) {
	a := Annotation{}.choose([]string{"B", "T", "NK"}, []llm.Score{{Logprob: math.Log(0.2)}, {Logprob: math.Log(0.5)}, {Logprob: math.Log(0.1)}})
	if a.Label != "T" || math.Abs(a.Confidence-0.625) > 1e-12 || math.Abs(a.Mass-0.8) > 1e-12 {
		t.Errorf("%+v: expected T with 0.5 of 0.8", a)
	}
	// Probabilities that are too small for a float64 still have shares.
	a = Annotation{}.choose([]string{"B", "T"}, []llm.Score{{Logprob: -2000}, {Logprob: -2000 + math.Log(3)}})
	if a.Label != "T" || math.Abs(a.Confidence-0.75) > 1e-9 {
		t.Errorf("%+v", a)
	}
}

func TestFreeLabels(t *testing.T) {
	for answer, want := range map[string]string{
		" NK cell.": "NK cell", "\nB cell, human.<ctrl100>": "B cell, human", "T cell\nand more": "T cell", "": "", ".": "",
	} {
		if got := freeLabel(answer); got != want {
			t.Errorf("%q: %q, expected %q", answer, got, want)
		}
	}
}

func TestWordingPrefersWhatTheModelCarries(t *testing.T) {
	own := &llm.Info{Model: "m", Prompts: map[string]string{"cell_type": "Genes: {cell_sentence}. Type:"}}
	words, warning, err := Wording(CellType, own, nil)
	if err != nil || warning != "" || words.Len() != 1 {
		t.Fatalf("%v %q", err, warning)
	}
	f, err := prompt.NewFormatter(words, prompt.Config{TopK: 2})
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Pair(prompt.Sample{Values: map[string]string{"cell_sentence": "A B C", "cell_type": "NK cell"}})
	if err != nil || p.Input != "Genes: A B. Type:" || p.Response != "NK cell." {
		t.Errorf("%q %q %v", p.Input, p.Response, err)
	}
	if _, warning, err = Wording(CellType, &llm.Info{}, nil); err != nil || warning == "" {
		t.Errorf("%q %v: the project's words with another model need a warning", warning, err)
	}
}
