package mt19937

import (
	"slices"
	"testing"
)

// The expected numbers come from NumPy 1.24.2 (RandomState(seed).randint over the
// full 32 bits, RandomState.permutation) and, for keys, from the output file of
// the authors' mt19937ar.c and CPython 3.11's random.getrandbits(32).
func TestWords(t *testing.T) {
	for _, tc := range []struct {
		name string
		src  *Source
		want []uint32
	}{
		{"numpy 42", New(42), []uint32{1608637542, 3421126067, 4083286876, 787846414, 3143890026}},
		{"mt19937ar default 5489", New(5489), []uint32{3499211612, 581869302, 3890346734, 3586334585, 545404204}},
		{"mt19937ar key", NewArray([]uint32{0x123, 0x234, 0x345, 0x456}), []uint32{1067595299, 955945823, 477289528, 4107218783, 4228976476}},
		{"cpython 42", NewArray([]uint32{42}), []uint32{2746317213, 478163327, 107420369, 3184935163, 1181241943}},
		{"cpython 0", NewArray(nil), []uint32{3626764237, 1654615998, 3255389356, 3823568514, 1806341205}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := make([]uint32, len(tc.want))
			for i := range got {
				got[i] = tc.src.Uint32()
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// The 10,000th word of the default seed is fixed by the C++ standard,
// [rand.predef]: 4123659995.
func TestTenThousandthWord(t *testing.T) {
	s := New(5489)
	for range 9999 {
		s.Uint32()
	}
	if got := s.Uint32(); got != 4123659995 {
		t.Errorf("got %d, want 4123659995", got)
	}
}

func TestLongKey(t *testing.T) {
	// CPython 3.11: random.seed(sum((i+1) << (32*i) for i in range(700)));
	// random.getrandbits(32).
	key := make([]uint32, 700)
	for i := range key {
		key[i] = uint32(i + 1)
	}
	if got := NewArray(key).Uint32(); got != 1434167400 {
		t.Errorf("got %d, want 1434167400", got)
	}
}

func TestPermutations(t *testing.T) {
	// numpy.random.seed(42); permutation(10); permutation(5)
	s := New(42)
	for _, want := range [][]int{
		{8, 1, 5, 0, 7, 2, 9, 4, 3, 6},
		{1, 0, 3, 4, 2},
	} {
		a := make([]int, len(want))
		for i := range a {
			a[i] = i
		}
		j := make([]uint32, len(a))
		s.Draws(j)
		Swap(a, j)
		if !slices.Equal(a, want) {
			t.Errorf("permutation of %d: got %v, want %v", len(want), a, want)
		}
	}
}

// Draws and Skip are unrolled forms of Interval: all three must take the same
// words from the stream, for every length around the powers of two.
func TestDrawsAreIntervals(t *testing.T) {
	byDraws, byInterval, bySkip := New(7), New(7), New(7)
	lengths := []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 255, 256, 257, 623, 624, 625, 1000, 4097}
	for range 5 {
		for _, n := range lengths {
			got := make([]uint32, n)
			byDraws.Draws(got)
			want := make([]uint32, n)
			for i := n - 1; i > 0; i-- {
				want[i] = byInterval.Interval(uint32(i))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("draws of %d differ from single intervals", n)
			}
			bySkip.Skip(n)
		}
	}
	if a, b, c := byDraws.Uint32(), byInterval.Uint32(), bySkip.Uint32(); a != b || a != c {
		t.Errorf("the streams stand at different places: next words %d, %d, %d", a, b, c)
	}
}

func TestIntervalOfZeroTakesNoWord(t *testing.T) {
	s := New(42)
	if got := s.Interval(0); got != 0 {
		t.Errorf("got %d, want 0", got)
	}
	if got := s.Uint32(); got != 1608637542 {
		t.Errorf("next word %d, want the first of the stream", got)
	}
}

func BenchmarkDraws(b *testing.B) {
	s := New(42)
	j := make([]uint32, 2000)
	for b.Loop() {
		s.Draws(j)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(j)), "ns/value")
}

func BenchmarkSwap(b *testing.B) {
	s := New(42)
	j := make([]uint32, 2000)
	s.Draws(j)
	a := make([]uint32, len(j))
	for b.Loop() {
		Swap(a, j)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(j)), "ns/value")
}
