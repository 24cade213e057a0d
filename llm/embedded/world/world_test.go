package world_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/simulate"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

func TestDrugs(t *testing.T) {
	n := map[string]int{}
	drugs := world.Drugs()
	for i, d := range drugs {
		n[d.Class]++
		if d.Name == "" || i > 0 && d.Name <= drugs[i-1].Name {
			t.Errorf("drug %d is called %q", i, d.Name)
		}
	}
	want := map[string]int{
		simulate.ClassInert: 16, simulate.ClassSplit: 6, simulate.ClassAdditive: 5, simulate.ClassInterferon: 5,
		simulate.ClassSuppressor: 5, simulate.ClassOffTarget: 11,
	}
	for class, count := range want {
		if n[class] != count {
			t.Errorf("%d drugs of class %s, expected %d", n[class], class, count)
		}
	}
	// Every cell type is left out with some drugs, none with many.
	held := map[int]int{}
	for d := range drugs {
		held[world.HeldOutType(d+1, 8)]++
	}
	for c := range 8 {
		if held[c] != 6 {
			t.Errorf("cell type %d is left out with %d drugs, expected 6", c, held[c])
		}
	}
}

// TestTruth: the six drugs of the split class do in their context what the class
// says, and nothing in the other, by the score that the sentences show.
func TestTruth(t *testing.T) {
	w, err := simulate.New(world.Config())
	if err != nil {
		t.Fatal(err)
	}
	mean := func(drug, context int) float64 {
		const n = 120
		start := world.HeldOutRows + drug*1000 + context*1e6
		cells, err := world.Sentences(t.Context(), w, start, n, func(row int) simulate.CellSpec {
			i := row - start
			return simulate.CellSpec{CellType: i % 8, Donor: world.TrainingDonors + i%world.HeldOutDonors, Context: context, Perturbation: drug}
		})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, c := range cells {
			sum += world.Score(c[:min(len(c), world.Genes)]) / n
		}
		return sum
	}
	vehicle := [2]float64{mean(0, 0), mean(0, 1)}
	for d, p := range w.Perturbations[1:] {
		low, high := mean(d+1, 0)-vehicle[0], mean(d+1, 1)-vehicle[1]
		switch p.Class {
		case simulate.ClassSplit:
			if high < 0.1 || math.Abs(low) > 0.02 {
				t.Errorf("%s: %+.3f with interferon, %+.3f without", p.Name, high, low)
			}
		case simulate.ClassAdditive:
			if high < 0.1 || low < 0.05 {
				t.Errorf("%s: %+.3f with interferon, %+.3f without", p.Name, high, low)
			}
		case simulate.ClassInert:
			if math.Abs(high) > 0.03 || math.Abs(low) > 0.03 {
				t.Errorf("%s: %+.3f with interferon, %+.3f without", p.Name, high, low)
			}
		}
	}
}

func TestScore(t *testing.T) {
	scored := world.Scored()
	if len(scored) != 18 {
		t.Fatalf("%d genes are scored, expected 18", len(scored))
	}
	words := slices.Repeat([]string{"ACTB"}, world.Genes)
	for want, at := range map[float64]int{1.0 / 18: 0, 0.5 / 18: 16, 1.0 / 32 / 18: 31} {
		w := slices.Clone(words)
		w[at] = "TAP1"
		if at < 31 {
			w[31] = "TAP1" // a repeat counts once
		}
		if got := world.Score(w); math.Abs(got-want) > 1e-15 {
			t.Errorf("TAP1 at %d: %g, expected %g", at, got, want)
		}
	}
	if got := world.Score(append(slices.Clone(words), "TAP1")); got != 0 {
		t.Errorf("a gene behind the last place counts %g", got)
	}
}

func TestPrompts(t *testing.T) {
	for task, fields := range map[string][]string{
		world.TaskCellType:     {"num_genes", "32", "cell_sentence", "A B"},
		world.TaskGenerate:     {"num_genes", "32", "cell_type", "B cell"},
		world.TaskPerturbation: {"num_genes", "32", "context", "unknown", "control_cell_sentence", "A B", "perturbation", "DRUG-001"},
	} {
		p := world.Prompt(task, fields...)
		if strings.ContainsAny(p, "{}") || !strings.HasSuffix(p, ":") {
			t.Errorf("%s: %q", task, p)
		}
		for i := 1; i < len(fields); i += 2 {
			if !strings.Contains(p, fields[i]) {
				t.Errorf("%s: %q lacks %q", task, p, fields[i])
			}
		}
	}
}
