package score_test

import (
	"context"
	"math"
	"testing"

	"github.com/cellsentence/c2s/perturb/score"
)

// On real halves the prediction is a replicate: it must stand at the ceiling, far
// from the baselines.
func TestReplicateStandsAtTheCeiling(t *testing.T) {
	even, odd := evenOdd(t, "k562")
	got, err := score.Evaluate(context.Background(), even, odd, score.Config{Control: "control", Preset: score.CellEval, Splits: 2, Bootstraps: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got.Metrics {
		t.Logf("%-26s %.4f control %.4f mean %.4f ceiling %.4f | %s %.3f [%.3f, %.3f] n=%d %s", m.Name, m.Score, m.Control, m.MeanResponse, m.Ceiling, m.Baseline, m.Normalised, m.Low, m.High, m.Scored, m.Reason)
		if math.IsNaN(m.Score) {
			t.Errorf("%s has no score", m.Name)
		}
	}
	t.Log(got.Warnings)
}
