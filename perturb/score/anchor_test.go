package score_test

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/score"
)

func metric(t *testing.T, r *score.Result, name string) score.Anchored {
	t.Helper()
	at := slices.IndexFunc(r.Metrics, func(m score.Anchored) bool { return m.Name == name })
	if at < 0 {
		t.Fatalf("no metric %s", name)
	}
	return r.Metrics[at]
}

func evaluate(t *testing.T, real, pred score.Input, cfg score.Config) *score.Result {
	t.Helper()
	r, err := score.Evaluate(context.Background(), real, pred, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// On halves of real data the prediction is a replicate: it must stand near the
// ceiling, far from the baselines, in every preset that takes logarithms.
func TestReplicateStandsAtTheCeiling(t *testing.T) {
	for _, c := range []struct {
		preset  score.Preset
		metrics []string
	}{
		{score.CellEval, []string{"pearson_delta", "mse", "discrimination_score_l1", "discrimination_score_cosine", "pearson_edistance"}},
		{score.Systema, []string{"pearson_delta", "centroid_accuracy"}},
		{score.PerturBench, []string{"rmse_rank_average", "cosine_rank_logfc"}},
		{score.Distances, []string{"edistance_u", "r2_mean"}},
	} {
		even, odd := evenOdd(t, "k562")
		got := evaluate(t, even, odd, score.Config{Control: "control", Preset: c.preset, Splits: 2, Bootstraps: 200})
		if len(got.Flags) > 0 {
			t.Errorf("%s: a replicate is flagged: %v", c.preset, got.Flags)
		}
		for _, name := range c.metrics {
			m := metric(t, got, name)
			t.Logf("%s %-26s %.4f control %.4f mean %.4f ceiling %.4f | %.3f [%.3f, %.3f]", c.preset, m.Name, m.Score, m.Control, m.MeanResponse, m.Ceiling, m.Normalised, m.Low, m.High)
			// The ceiling is that of half the cells where no correction exists, so that a
			// whole replicate may stand above it.
			if !(m.Normalised > 0.8 && m.Normalised < 1.6 && m.Low < m.Normalised && m.Normalised < m.High) {
				t.Errorf("%s %s: %.3f [%.3f, %.3f] of 1, %s", c.preset, name, m.Normalised, m.Low, m.High, m.Reason)
			}
		}
	}
}

// Tricks played on real cells are noticed or refused.
func TestTricksAreNoticed(t *testing.T) {
	even, odd := evenOdd(t, "k562")
	got := evaluate(t, even, odd, score.Config{Control: "control", Preset: score.CellEval, Splits: 1, Bootstraps: 100, Tricks: true})
	for i, m := range got.Metrics {
		for _, trick := range got.Tricks {
			if trick.Name == "control-paste" && m.Name == "pearson_edistance" && math.Abs(trick.Scores[i]) > 0.5 {
				t.Errorf("pasted controls reach %s %.3f", m.Name, trick.Scores[i])
			}
		}
	}
	for _, trick := range got.Tricks {
		t.Log(trick.Name, trick.Flags, trick.Refused)
		// The sample has no gene that is a target, so that a spike does nothing.
		if len(trick.Flags) == 0 && trick.Refused == "" && trick.Name != "target-spike" && trick.Name != "inflated-effects" {
			t.Errorf("%s goes unnoticed", trick.Name)
		}
	}
}

// counts is cells of whole numbers in which each perturbation raises its own gene.
func counts(r *rand.Rand, label string, n, genes, up int) group {
	g := group{label: label}
	for range n {
		cell := map[int]float64{}
		for j := range genes {
			v := r.IntN(6)
			if j == up || j == up+1 {
				v += 4
			}
			if v > 0 {
				cell[j] = float64(v)
			}
		}
		g.cells = append(g.cells, cell)
	}
	return g
}

func TestTricksOnCounts(t *testing.T) {
	make3 := func(seed uint64) score.Input {
		r := rand.New(rand.NewPCG(seed, 1))
		return sparse(30, counts(r, "control", 60, 30, -5), counts(r, "G3", 40, 30, 4), counts(r, "G9-2", 40, 30, 10), counts(r, "G20+G25", 40, 30, 21))
	}
	for _, preset := range []score.Preset{score.CellEval, score.VCC2026} {
		cfg := score.Config{Control: "control", Preset: preset, Splits: 2, Bootstraps: 50, Tricks: true}
		got := evaluate(t, make3(1), make3(2), cfg)
		if len(got.Flags) > 0 {
			t.Errorf("%s: an honest prediction is flagged: %v", preset, got.Flags)
		}
		for _, trick := range got.Tricks {
			if trick.Name == "target-spike" && !slices.ContainsFunc(trick.Flags, func(f score.Flag) bool { return f.Name == "target-spike" }) {
				t.Errorf("%s: a spike goes unnoticed: %v", preset, trick.Flags)
			}
		}
		cfg.Workers = 3
		again := evaluate(t, make3(1), make3(2), cfg)
		for i, m := range got.Metrics {
			n := again.Metrics[i]
			if !same(m.Score, n.Score) || !same(m.Ceiling, n.Ceiling) || !same(m.Normalised, n.Normalised) || !same(m.Low, n.Low) {
				t.Errorf("%s %s depends on the number of workers", preset, m.Name)
			}
		}
		if !reflect.DeepEqual(got.Flags, again.Flags) {
			t.Error("flags differ")
		}
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestOnePerturbation(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	real := sparse(30, counts(r, "control", 60, 30, -5), counts(r, "G3", 40, 30, 4))
	pred := sparse(30, counts(r, "control", 60, 30, -5), counts(r, "G3", 40, 30, 4))
	got := evaluate(t, real, pred, score.Config{Control: "control", Preset: score.CellEval})
	m := metric(t, got, "pearson_delta")
	if m.Baseline != "control" || !math.IsNaN(m.MeanResponse) || !math.IsNaN(m.Low) || !(m.Normalised > 0.5) || !strings.Contains(m.Reason, "one perturbation") {
		t.Errorf("%+v", m)
	}
	if m := metric(t, got, "discrimination_score_l1"); !math.IsNaN(m.Score) {
		t.Errorf("one perturbation is told apart from none: %g", m.Score)
	}
	if len(got.Warnings) == 0 {
		t.Error("no warning")
	}
}
