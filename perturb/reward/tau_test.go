package reward_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/cellsentence/c2s/perturb/reward"
)

// near allows for a square root or two and a division, in float64.
func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-14 || (math.IsNaN(a) && math.IsNaN(b))
}

func TestTauB(t *testing.T) {
	for _, c := range []struct {
		name string
		x, y []float64
		want float64
	}{
		// scipy.stats.kendalltau, SciPy 1.17.1.
		{"ties at 0", []float64{1, 2, 2, 3, 0, 0, 0}, []float64{1, 3, 2, 2, 0, 0, 1}, 0.7431605356175384},
		{"same", []float64{1, 2, 3}, []float64{4, 5, 6}, 1},
		{"reversed", []float64{1, 2, 3}, []float64{6, 5, 4}, -1},
		{"constant", []float64{1, 1, 1}, []float64{6, 5, 4}, math.NaN()},
		{"one", []float64{1}, []float64{6}, math.NaN()},
		{"none", nil, nil, math.NaN()},
		{"NaN", []float64{1, math.NaN()}, []float64{6, 5}, math.NaN()},
		{"lengths", []float64{1, 2}, []float64{6}, math.NaN()},
	} {
		if got := reward.TauB(c.x, c.y); !near(got, c.want) {
			t.Errorf("%s: %v, expected %v", c.name, got, c.want)
		}
	}
}

// TestTauBPairs compares with the definition, over all pairs.
func TestTauBPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		x, y := series(rng)
		var score, freeX, freeY float64
		for i := range x {
			for j := range i {
				dx, dy := sign(x[i]-x[j]), sign(y[i]-y[j])
				score += dx * dy
				freeX += dx * dx
				freeY += dy * dy
			}
		}
		want := score / math.Sqrt(freeX) / math.Sqrt(freeY) // 0/0 is NaN
		if got := reward.TauB(x, y); !near(got, want) {
			t.Fatalf("%v %v: %v, expected %v", x, y, got, want)
		}
	}
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// series are two of a length up to 60 with few different values.
func series(rng *rand.Rand) (x, y []float64) {
	n, kinds := 2+rng.IntN(59), 1+rng.IntN(20)
	for range n {
		x = append(x, float64(rng.IntN(kinds)))
		y = append(y, float64(rng.IntN(kinds)))
	}
	return x, y
}

func TestTauBReference(t *testing.T) {
	python := os.Getenv("C2S_PYTHON")
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("C2S_PYTHON names no Python with SciPy")
		}
		t.Skip("C2S_PYTHON names no Python with SciPy")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	var cases [][2][]float64
	for range 500 {
		x, y := series(rng)
		cases = append(cases, [2][]float64{x, y})
	}
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/tau.py")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []*float64
	if err := json.Unmarshal(data, &want); err != nil || len(want) != len(cases) {
		t.Fatalf("%d answers, %v", len(want), err)
	}
	for i, c := range cases {
		w := math.NaN()
		if want[i] != nil {
			w = *want[i]
		}
		if got := reward.TauB(c[0], c[1]); !near(got, w) {
			t.Errorf("%v %v: %v, SciPy %v", c[0], c[1], got, w)
		}
	}
}

func TestCorrected(t *testing.T) {
	for _, c := range []struct{ tau, control, ceiling, want float64 }{
		// A copy of the control has .32 of the .38 that a replicate has.
		{.32, .32, .38, 0},
		{.38, .32, .38, 1},
		{.35, .32, .38, .5},
		{.5, .4, .4, math.NaN()},
		{.5, .4, .41, math.NaN()},
		{.5, math.NaN(), .8, math.NaN()},
	} {
		if got := reward.Corrected(c.tau, c.control, c.ceiling); !(math.Abs(got-c.want) < 1e-12 || math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func BenchmarkTauB(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	x, y := make([]float64, 978), make([]float64, 978) // the landmark genes of L1000
	for i := range x {
		x[i], y[i] = float64(rng.IntN(400)), float64(rng.IntN(400))
	}
	for b.Loop() {
		reward.TauB(x, y)
	}
}
