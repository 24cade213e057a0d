package score_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/score"
)

func TestBadInput(t *testing.T) {
	cell := func(v float64) []map[int]float64 { return []map[int]float64{{0: v}, {1: 1}} }
	good := func() score.Input {
		return sparse(3, group{"control", cell(1)}, group{"A", cell(2)}, group{"B", cell(3)})
	}
	with := func(change func(in *score.Input)) score.Input {
		in := good()
		change(&in)
		return in
	}
	for _, c := range []struct {
		name   string
		pred   score.Input
		preset score.Preset
		want   string
	}{
		{"no control, other units", sparse(3, group{"A", cell(1.5)}, group{"B", cell(1)}), score.CellEval, "other units"},
		{"only control", sparse(3, group{"control", cell(1)}), score.CellEval, "nothing to score"},
		{"missing perturbation", sparse(3, group{"control", cell(1)}, group{"A", cell(1)}), score.CellEval, "1 are missing"},
		{"guide suffix", sparse(3, group{"control", cell(1)}, group{"A-1", cell(1)}, group{"B", cell(1)}), score.CellEval, "suffix of a guide"},
		{"NaN", sparse(3, group{"control", cell(1)}, group{"A", cell(math.NaN())}, group{"B", cell(1)}), score.CellEval, "finite"},
		{"other genes", with(func(in *score.Input) { in.Genes = []string{"X", "Y", "G2"} }), score.CellEval, "1 of the 3 genes"},
		{"repeated gene", with(func(in *score.Input) { in.Genes[1] = "G0" }), score.CellEval, "occurs twice"},
		{"too few labels", with(func(in *score.Input) { in.Labels = in.Labels[:5] }), score.CellEval, "more than the 5 cells"},
		{"too many labels", with(func(in *score.Input) { in.Labels = append(in.Labels, "A") }), score.CellEval, "7 labels for 6 cells"},
		{"negative", sparse(3, group{"control", cell(1)}, group{"A", cell(-1)}, group{"B", cell(1)}), score.CellEval, "negative"},
		{"mixed scales", sparse(3, group{"control", cell(0.5)}, group{"A", cell(200)}, group{"B", cell(1)}), score.CellEval, "too large for log"},
		{"logarithms for counts", sparse(3, group{"control", cell(1)}, group{"A", cell(0.69)}, group{"B", cell(1)}), score.VCC2026, "is no count"},
		{"unknown preset", good(), "cell-eval3", "no preset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := score.Evaluate(context.Background(), good(), c.pred, score.Config{Control: "control", Preset: c.preset})
			var bad interface{ BadInput() bool }
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &bad) || !bad.BadInput() {
				t.Errorf("got %v, want bad input with %q", err, c.want)
			}
		})
	}
}

// Genes in another order change no score.
func TestGenesAreAligned(t *testing.T) {
	mixed := sparse(3, group{"control", []map[int]float64{{0: 1, 2: 2}, {1: 1}}}, group{"A", []map[int]float64{{0: 3}, {1: 1, 2: 4}}})
	turned := sparse(3, group{"control", []map[int]float64{{2: 1, 0: 2}, {1: 1}}}, group{"A", []map[int]float64{{2: 3}, {1: 1, 0: 4}}})
	turned.Genes = []string{"G2", "G1", "G0"}
	other := sparse(3, group{"control", []map[int]float64{{0: 1, 2: 2}, {1: 1}}}, group{"A", []map[int]float64{{0: 3}, {1: 1, 2: 4}}})
	got := evaluate(t, mixed, turned, score.Config{Control: "control", Preset: score.CellEval})
	if m := metric(t, got, "mse"); m.Score != 0 {
		t.Errorf("mse %g", m.Score)
	}
	if !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, "another order") }) {
		t.Errorf("warnings %q", got.Warnings)
	}
	if m := metric(t, evaluate(t, other, sparse(3, group{"control", []map[int]float64{{0: 1, 2: 2}, {1: 1}}}, group{"A", []map[int]float64{{0: 3}, {1: 1, 2: 4}}}), score.Config{Control: "control", Preset: score.CellEval}), "mse"); m.Score != 0 {
		t.Errorf("mse %g", m.Score)
	}
}

// By hand: effects A (4, 0), B (0, 4), C (−4, −4), predicted A (1, 3), the others
// exact; and a tie of two.
func TestDiscrimination(t *testing.T) {
	real := [][]float64{{4, 0}, {0, 4}, {-4, -4}}
	pred := [][]float64{{1, 3}, {0, 4}, {-4, -4}}
	if got := score.DiscriminateByPosition(score.L1, pred, real, 0, nil); math.Abs(got-2.0/3) > 1e-15 {
		t.Errorf("by position: %g", got)
	}
	if got := score.Discriminate(score.L1, pred, real, 0, nil); got != 0.5 {
		t.Errorf("mid rank: %g", got)
	}
	tied, guess := [][]float64{{1, 9}, {9, 1}}, [][]float64{{2, 2}, {9, 1}}
	if got := score.DiscriminateByPosition(score.L1, guess, tied, 0, nil); got != 1 {
		t.Errorf("tie by position: %g", got)
	}
	if got := score.Discriminate(score.L1, guess, tied, 0, nil); got != 0.5 {
		t.Errorf("tie at mid rank of two: %g", got)
	}
	if got := score.Discriminate(score.Cosine, [][]float64{{0, 0}, {1, 1}}, tied, 0, nil); got != 0.5 {
		t.Errorf("no effect at all: %g", got)
	}
}

func TestTargets(t *testing.T) {
	genes := map[string]int{"KLF1": 0, "NKX2-1": 1, "ABCA1": 2}
	for label, want := range map[string][]int{
		"KLF1": {0}, "ABCA1-1": {2}, "KLF1+ABCA1": {0, 2}, "NKX2-1": {1}, "NKX2-1-3": {1},
		"ABCA1-1 || KLF1-2": {2, 0}, "ABCA1-1+ABCA1-2": {2}, "drug": nil,
	} {
		if got := score.Targets(label, genes); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", label, got, want)
		}
	}
}

// By hand: {0, 0, 1, 3} against {0, 2}: the sorted quantiles 0 0 1 3 and 0 0 2 2
// differ by 0, 0, 1, 1.
func TestEarthMover(t *testing.T) {
	if got := score.EarthMover([]float64{3, 1}, 4, []float64{2}, 2); got != 0.5 {
		t.Errorf("got %g", got)
	}
	if got := score.EarthMover([]float64{-1}, 2, nil, 1); got != 0.5 {
		t.Errorf("with a negative value: %g", got)
	}
	if score.SpearmanBrown(0.5) != 2.0/3 || !math.IsNaN(score.SpearmanBrown(-0.1)) {
		t.Error("Spearman–Brown")
	}
}

// A prediction without control cells borrows the real ones, and says so; a real side
// without them is an error.
func TestMissingControl(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	real := again(sparse(20, counts(r, "control", 30, 20, -5), counts(r, "G3", 20, 20, 4), counts(r, "G7", 20, 20, 8)))
	pred := again(sparse(20, counts(r, "G3", 20, 20, 4), counts(r, "G7", 20, 20, 8)))
	for _, preset := range score.Presets() {
		got := evaluate(t, real(), pred(), score.Config{Control: "control", Preset: preset, Splits: 1, Bootstraps: 20, Tricks: true})
		if got.PredControls != 0 || got.RealControls != 30 || !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, "stand in") }) {
			t.Errorf("%s: %d controls, %q", preset, got.PredControls, got.Warnings)
		}
		for _, m := range got.Metrics {
			if !m.Diagnostic && m.Values != nil && m.Undefined() == len(m.Values) && !strings.Contains(m.Name, "de_") {
				t.Errorf("%s: %s is not defined", preset, m.Name)
			}
		}
	}
	_, err := score.Evaluate(t.Context(), pred(), real(), score.Config{Control: "control", Preset: score.CellEval})
	var bad interface{ BadInput() bool }
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), `no cell is labelled "control"`) || !strings.Contains(err.Error(), "G7") {
		t.Errorf("got %v", err)
	}
}

// One cell a perturbation: what needs two is undefined, counted and not 0.
func TestOneCell(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	make1 := func() score.Input {
		return sparse(20, counts(r, "control", 30, 20, -5), counts(r, "G3", 1, 20, 4), counts(r, "G7", 1, 20, 8), counts(r, "G9", 1, 20, 10))
	}
	for _, preset := range []score.Preset{score.All, score.CellEval2} {
		got := evaluate(t, make1(), make1(), score.Config{Control: "control", Preset: preset, Splits: 2, Bootstraps: 20})
		for _, want := range []string{"3 of 3 perturbations have one cell", "no real gene is significant"} {
			if !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, want) }) {
				t.Errorf("%s: no warning %q in %q", preset, want, got.Warnings)
			}
		}
		for _, m := range got.Metrics {
			if !math.IsNaN(m.Ceiling) || !math.IsNaN(m.Normalised) {
				t.Errorf("%s: %s has the ceiling %g, normalised %g", preset, m.Name, m.Ceiling, m.Normalised)
			}
			if m.Undefined() > 0 && !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, m.Name+" (") }) {
				t.Errorf("%s: %s is undefined for %d and nobody says so", preset, m.Name, m.Undefined())
			}
		}
		if preset == score.All {
			if m := metric(t, got, "edistance_u"); !math.IsNaN(m.Score) {
				t.Errorf("E-distance within one cell: %g", m.Score)
			}
		}
	}
}

// Counts on one side and logarithms on the other are named; a total makes them equal.
func TestMixedUnits(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 1))
	real := again(sparse(20, counts(r, "control", 30, 20, -5), counts(r, "G3", 20, 20, 4), counts(r, "G7", 20, 20, 8)))
	logs := again(tabulate(t, real(), 1e4).input("logs", false))
	cfg := score.Config{Control: "control", Preset: score.CellEval, Splits: 1, Bootstraps: 20}
	got := evaluate(t, real(), logs(), cfg)
	if m := metric(t, got, "mse"); m.Score > 1e-10 { // the total is seen in the control; counts are scaled in float32
		t.Errorf("mse %g of the same cells", m.Score)
	}
	if !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, "made holds counts and logs logarithms") }) {
		t.Errorf("warnings %q", got.Warnings)
	}
	cfg.Total = 500
	if m := metric(t, evaluate(t, real(), logs(), cfg), "mse"); m.Score < 0.1 {
		t.Errorf("mse %g of two scales", m.Score)
	}
	cfg.Total = 1e4
	if m := metric(t, evaluate(t, real(), logs(), cfg), "mse"); m.Score > 1e-10 { // counts are scaled in float32
		t.Errorf("mse %g of the same cells", m.Score)
	}
}

// Perturbations that lack cells in a half are no rivals there, and do not take the
// ceiling from the others.
func TestCeilingWithoutSmallGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	make1 := func() score.Input {
		return sparse(20, counts(r, "control", 40, 20, -5), counts(r, "G3", 30, 20, 4), counts(r, "G7", 30, 20, 8), counts(r, "G9", 1, 20, 10))
	}
	got := evaluate(t, make1(), make1(), score.Config{Control: "control", Preset: score.CellEval, Splits: 2, Bootstraps: 20})
	m := metric(t, got, "discrimination_score_l1")
	if math.IsNaN(m.Ceiling) || !math.IsNaN(m.CeilingValues[2]) || math.IsNaN(m.CeilingValues[0]) {
		t.Errorf("ceiling %g, of each %v", m.Ceiling, m.CeilingValues)
	}
}

// With as many cells as there are real ones, more of them tell nothing.
func TestMatchCells(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	real := again(sparse(20, counts(r, "control", 30, 20, -5), counts(r, "G3", 20, 20, 4), counts(r, "G7", 5, 20, 8)))
	pred := again(sparse(20, counts(r, "control", 90, 20, -5), counts(r, "G3", 60, 20, 4), counts(r, "G7", 3, 20, 8)))
	cfg := score.Config{Control: "control", Preset: score.CellEval, Splits: 1, Bootstraps: 20}
	sized := func(f score.Flag) bool { return f.Name == "cell-numbers" }
	if got := evaluate(t, real(), pred(), cfg); !slices.Equal(got.PredCells, []int{60, 3}) || !slices.ContainsFunc(got.Flags, sized) {
		t.Errorf("%v, %v", got.PredCells, got.Flags)
	}
	cfg.MatchCells = true
	got := evaluate(t, real(), pred(), cfg)
	if !slices.Equal(got.PredCells, []int{20, 3}) || got.PredControls != 90 || !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, "40 predicted cells beyond") }) {
		t.Errorf("%v, %d controls, %q", got.PredCells, got.PredControls, got.Warnings)
	}
}
