package compare_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/perturb/compare"
)

func about(t *testing.T, name string, got, want, abs float64) {
	t.Helper()
	if !(math.Abs(got-want) <= abs) && !(math.IsNaN(got) && math.IsNaN(want)) {
		t.Errorf("%s: %.15g, want %.15g", name, got, want)
	}
}

// The first case is worked out by hand in the way of the Holistic Agent Leaderboard: A
// lies under the line from the origin to B, and E is dominated.
func TestHull(t *testing.T) {
	for _, c := range []struct {
		name        string
		cost, score []float64
		want        []int
	}{
		{"five", []float64{1, 2, 4, 8, 5}, []float64{.20, .50, .55, .60, .50}, []int{1, 2, 3}},
		{"worse than nothing", []float64{1, 2}, []float64{-.1, 0}, nil},
		{"free", []float64{0, 1, 0}, []float64{.3, .4, .2}, []int{0, 1}},
		{"alike", []float64{2, 2, 1}, []float64{.5, .5, .1}, []int{0, 1}},
		{"on the line", []float64{1, 2, 3}, []float64{.25, .5, .75}, []int{2}},
		{"none", nil, nil, nil},
	} {
		if got := compare.Hull(c.cost, c.score); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// One right of four, two drawn: ½, where drawing with replacement would say .4375.
func TestPassAtK(t *testing.T) {
	for _, c := range []struct {
		n, c, k int
		want    float64
	}{{4, 1, 2, .5}, {4, 1, 1, .25}, {4, 4, 3, 1}, {4, 0, 4, 0}, {5, 2, 4, 1}, {3, 1, 4, math.NaN()}} {
		// Two products of some quotients.
		about(t, fmt.Sprint(c), compare.PassAtK(c.n, c.c, c.k), c.want, 1e-15)
	}
}

// All subsets counted one by one are what the formulas give.
func TestSamplingCountsSubsets(t *testing.T) {
	for _, c := range []struct {
		counts []int
		right  []bool
	}{
		{[]int{3, 2, 2, 1}, []bool{true, false, false, false}},
		{[]int{1, 2, 2, 3, 1}, []bool{true, false, true, false, false}},
		{[]int{4, 4}, []bool{false, true}},
		{[]int{5}, []bool{true}},
		{[]int{1, 1, 1, 1, 1, 1}, []bool{true, true, false, false, false, false}},
	} {
		var votes []int
		right := 0
		for v, n := range c.counts {
			votes = append(votes, slices.Repeat([]int{v}, n)...)
			if c.right[v] {
				right += n
			}
		}
		n := len(votes)
		for k := 1; k <= n; k++ {
			subsets, won, passed := 0.0, 0.0, 0.0
			for set := range 1 << n {
				got := make([]int, len(c.counts))
				size, pass := 0, false
				for i, v := range votes {
					if set>>i&1 == 1 {
						got[v]++
						size++
						pass = pass || c.right[v]
					}
				}
				if size != k {
					continue
				}
				subsets++
				if pass {
					passed++
				}
				most := slices.Max(got)
				first, of := 0.0, 0.0
				for v, m := range got {
					if m == most {
						of++
						if c.right[v] {
							first++
						}
					}
				}
				won += first / of
			}
			name := fmt.Sprintf("%v, k %d", c.counts, k)
			about(t, "maj@k of "+name, compare.MajorityAtK(c.counts, c.right, k), won/subsets, 1e-13)
			about(t, "pass@k of "+name, compare.PassAtK(n, right, k), passed/subsets, 1e-13)
		}
	}
	about(t, "more than there are", compare.MajorityAtK([]int{2}, []bool{true}, 3), math.NaN(), 0)
}
