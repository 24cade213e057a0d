package draws_test

import (
	"math"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/internal/draws"
)

// The first outputs of SplitMix64 with seed 0 are those of the reference program of
// S. Vigna (prng.di.unimi.it/splitmix64.c).
func TestMixIsSplitMix64(t *testing.T) {
	if got := draws.Mix(0); got != 0xe220a8397b1dcdaf {
		t.Errorf("got %#x", got)
	}
	if got := draws.Mix(0x9e3779b97f4a7c15); got != 0x6e789e6aa1b965f4 {
		t.Errorf("got %#x", got)
	}
}

func TestOrderIsAPermutation(t *testing.T) {
	got := draws.New(42, 1, 0).Order(1000)
	sorted := slices.Sorted(slices.Values(got))
	for i, v := range sorted {
		if v != i {
			t.Fatalf("%d at place %d", v, i)
		}
	}
	if slices.Equal(got, draws.New(42, 2, 0).Order(1000)) || slices.Equal(got, draws.New(42, 1, 1).Order(1000)) || slices.Equal(got, draws.New(43, 1, 0).Order(1000)) {
		t.Error("two sources are the same")
	}
}

func TestSampleAndSplit(t *testing.T) {
	if got := draws.New(1, 1, 0).Sample(4, 9); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("more than there are: %v", got)
	}
	seen := make([]int, 10)
	for n := range 4000 {
		s := draws.New(1, 1, n).Sample(10, 3)
		if len(s) != 3 || !slices.IsSorted(s) {
			t.Fatalf("sample %v", s)
		}
		for _, v := range s {
			seen[v]++
		}
	}
	for v, n := range seen { // 1,200 expected, standard deviation 29
		if math.Abs(float64(n)-1200) > 5*29 {
			t.Errorf("%d was drawn %d times of 1,200", v, n)
		}
	}
	a, b := draws.New(3, 1, 0).Split(10, 4, 5)
	if len(a) != 4 || len(b) != 5 || slices.ContainsFunc(a, func(v int) bool { return slices.Contains(b, v) }) || !slices.IsSorted(a) || !slices.IsSorted(b) {
		t.Errorf("%v and %v", a, b)
	}
}
