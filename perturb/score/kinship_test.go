package score_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/cellsentence/c2s/perturb/score"
)

// What is known of the relatives of cells is what measuring gives, for more cells than a
// block has, too.
func TestKinship(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	cells, err := score.Load(t.Context(), sparse(30, random(r, "control", 700, 30, 0.3), random(r, "a", 300, 30, 0.3), random(r, "b", 40, 30, 0.5), random(r, "c", 1, 30, 0.5)), "control")
	if err != nil {
		t.Fatal(err)
	}
	known, anew, err := score.Energies(t.Context(), cells, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range known {
		for k := range known[i] {
			// Equal cells are some 1e-8 apart where x² + y² − 2xy is rounded.
			if !(math.Abs(known[i][k]-anew[i][k]) <= 1e-7) && !(math.IsNaN(known[i][k]) && math.IsNaN(anew[i][k])) {
				t.Errorf("cells %d, perturbation %d: known %.12g, measured %.12g", i, k, known[i][k], anew[i][k])
			}
		}
	}
	again, _, err := score.Energies(t.Context(), cells, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(nan0(known), nan0(again)) {
		t.Error("the number of workers shows")
	}
}

// nan0 makes what does not exist equal.
func nan0(lists [][]float64) [][]float64 {
	for _, l := range lists {
		for i, v := range l {
			if math.IsNaN(v) {
				l[i] = -1
			}
		}
	}
	return lists
}
