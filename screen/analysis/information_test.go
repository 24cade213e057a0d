package analysis

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
)

// joint makes a distribution from equally likely states (source 1, source 2, target).
func joint(states ...[3]int) [][][]float64 {
	n := [3]int{}
	for _, s := range states {
		for i, v := range s {
			n[i] = max(n[i], v+1)
		}
	}
	p := make([][][]float64, n[0])
	for i := range p {
		p[i] = make([][]float64, n[1])
		for j := range p[i] {
			p[i][j] = make([]float64, n[2])
		}
	}
	for _, s := range states {
		p[s[0]][s[1]][s[2]] += 1 / float64(len(states))
	}
	return p
}

// cases are worked by hand: the specific informations of Williams and Beer (2010).
// The last tells I_min from other redundancies.
func cases() map[string]struct {
	p    [][][]float64
	want atoms
} {
	return map[string]struct {
		p    [][][]float64
		want atoms
	}{
		"xor":       {joint([3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 1}, [3]int{1, 1, 0}), atoms{0, 0, 0, 1}},
		"and":       {joint([3]int{0, 0, 0}, [3]int{0, 1, 0}, [3]int{1, 0, 0}, [3]int{1, 1, 1}), atoms{0.311278, 0, 0, 0.5}},
		"redundant": {joint([3]int{0, 0, 0}, [3]int{1, 1, 1}), atoms{1, 0, 0, 0}},
		"unique":    {joint([3]int{0, 0, 0}, [3]int{0, 1, 0}, [3]int{1, 0, 1}, [3]int{1, 1, 1}), atoms{0, 1, 0, 0}},
		"copy":      {joint([3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 2}, [3]int{1, 1, 3}), atoms{1, 0, 0, 1}},
		// The second source is the target, wrong in one of four.
		"noisy": {joint(
			[3]int{0, 0, 0}, [3]int{0, 0, 0}, [3]int{0, 0, 0}, [3]int{0, 1, 0},
			[3]int{1, 1, 1}, [3]int{1, 1, 1}, [3]int{1, 1, 1}, [3]int{1, 0, 1}), atoms{0.188722, 0.811278, 0, 0}},
		"ternary": {joint([3]int{1, 0, 0}, [3]int{0, 0, 1}, [3]int{0, 1, 2}), atoms{0.584963, 0.333333, 0.333333, 0.333333}},
	}
}

func check(t *testing.T, name string, got, want atoms, tolerance float64) {
	t.Helper()
	for _, d := range []float64{got.redundant - want.redundant, got.unique1 - want.unique1, got.unique2 - want.unique2, got.synergy - want.synergy} {
		if !(math.Abs(d) <= tolerance) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
			return
		}
	}
}

func TestDecompose(t *testing.T) {
	for name, c := range cases() {
		check(t, name, decompose(c.p), c.want, 5e-7) // six digits were worked out
	}
}

// TestDit compares with dit on tables of several shapes, with and without zeros.
func TestDit(t *testing.T) {
	python := os.Getenv("C2S_PYTHON")
	if python == "" || exec.Command(python, "-c", "import dit").Run() != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with dit (C2S_PYTHON)")
		}
		t.Skip("no Python with dit (C2S_PYTHON)")
	}
	var tables [][][][]float64
	for _, c := range cases() {
		tables = append(tables, c.p)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 24 {
		shape := [][3]int{{2, 2, 3}, {2, 2, 2}, {3, 2, 4}}[i%3]
		p := make([][][]float64, shape[0])
		sum := 0.0
		for a := range p {
			p[a] = make([][]float64, shape[1])
			for b := range p[a] {
				p[a][b] = make([]float64, shape[2])
				for c := range p[a][b] {
					if i%2 == 0 || r.IntN(3) > 0 {
						p[a][b][c] = r.Float64()
					}
					sum += p[a][b][c]
				}
			}
		}
		for a := range p {
			for b := range p[a] {
				for c := range p[a][b] {
					p[a][b][c] /= sum
				}
			}
		}
		tables = append(tables, p)
	}
	in, err := json.Marshal(tables)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, "testdata/reference.py")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var want [][4]float64
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		// dit drops outcomes below 1e-9 and works in logarithms.
		check(t, "table", decompose(tables[i]), atoms{w[0], w[1], w[2], w[3]}, 1e-9)
	}
	if len(want) != len(tables) {
		t.Errorf("%d answers for %d tables", len(want), len(tables))
	}
}
