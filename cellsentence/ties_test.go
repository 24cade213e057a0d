package cellsentence

import (
	"fmt"
	"strings"
	"testing"
)

// The first outputs of SplitMix64 for the seed 1234567, as in the test data that
// goes with Vigna's splitmix64.c (Rosetta Code, "Pseudo-random numbers/Splitmix64").
func TestMix64IsSplitMix64(t *testing.T) {
	state := uint64(1234567)
	for i, want := range []uint64{
		6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821,
	} {
		state += golden
		if got := mix64(state); got != want {
			t.Errorf("output %d: got %d, want %d", i, got, want)
		}
	}
}

func TestParseTies(t *testing.T) {
	for _, want := range []Ties{TiesRandom, TiesPython, TiesIndex} {
		if got, err := ParseTies(want.String()); err != nil || got != want {
			t.Errorf("ParseTies(%q) = %v, %v", want.String(), got, err)
		}
	}
	if _, err := ParseTies("Random"); err == nil || !strings.Contains(err.Error(), "random, python or index") {
		t.Errorf("unknown rule: got error %v", err)
	}
	if got := Ties(9).String(); got != "Ties(9)" {
		t.Errorf("got %q", got)
	}
}

// orders encodes rows cells which all express the given columns equally, and
// counts how often each key occurs, where key turns the sentences of two
// neighbouring rows into one.
func orders(t *testing.T, cols []int32, rows int, seed uint64, key func(before, now string) string) map[string]int {
	t.Helper()
	genes := make([]string, 20000)
	for i := range genes {
		genes[i] = fmt.Sprintf("G%d", i)
	}
	m := csr[float32]{}
	for range rows {
		for _, c := range cols {
			m.put(c, 1)
		}
		m.end()
	}
	e, err := NewEncoder(genes, Config{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	before := ""
	for _, s := range encodeAll(t, e, m.batch(), 1000) {
		n[key(before, s)]++
		before = s
	}
	return n
}

// chiSquare is the statistic of counts against a uniform distribution over bins.
func chiSquare(n map[string]int, bins, total int) float64 {
	want := float64(total) / float64(bins)
	x, seen := 0.0, 0
	for _, k := range n {
		x += (float64(k) - want) * (float64(k) - want) / want
		seen++
	}
	return x + float64(bins-seen)*want
}

// Limits are the 0.1 % points of the chi-square distribution (SciPy 1.10,
// chi2.isf(1e-3, df)). Seeds are fixed, so that the test either always passes or
// never does.
func TestRandomTiesAreUniform(t *testing.T) {
	now := func(_, s string) string { return s }
	near, far := []int32{0, 1, 2, 3}, []int32{7, 300, 12001, 19999}
	for _, tc := range []struct {
		name       string
		cols       []int32
		rows, bins int
		limit      float64
		key        func(before, now string) string
	}{
		{"permutations of four neighbours", near, 24000, 24, 49.73, now},
		{"permutations of four far apart", far, 24000, 24, 49.73, now},
		{"permutations of three", []int32{10, 20, 30}, 12000, 6, 20.52, now},
		{"first of a hundred", upTo(100), 20000, 100, 148.23, func(_, s string) string { f, _, _ := strings.Cut(s, " "); return f }},
		{"last of a hundred", upTo(100), 20000, 100, 148.23, func(_, s string) string { return s[strings.LastIndexByte(s, ' '):] }},
		{"place of one gene among a hundred", upTo(100), 20000, 100, 148.23, func(_, s string) string {
			at, _, _ := strings.Cut(" "+s+" ", " G50 ")
			return fmt.Sprint(strings.Count(at, " "))
		}},
		{"neighbouring rows are independent", []int32{5, 6, 7}, 36000, 36, 66.62, func(b, s string) string {
			if b == "" {
				return "G5 G6 G7|G5 G6 G7"
			}
			return b + "|" + s
		}},
	} {
		for _, seed := range []uint64{0, 42, 43} {
			if x := chiSquare(orders(t, tc.cols, tc.rows, seed, tc.key), tc.bins, tc.rows); x > tc.limit {
				t.Errorf("%s, seed %d: chi-square %.1f over %d bins, limit %.1f", tc.name, seed, x, tc.bins, tc.limit)
			}
		}
	}
}

// The same row under neighbouring seeds must be as independent as rows are.
func TestRandomTiesDependOnSeed(t *testing.T) {
	n := map[string]int{}
	const seeds = 2400
	for seed := range uint64(seeds) {
		r := newRanker(TiesRandom, 4)
		r.stream = tieStream(seed, 17)
		r.begin(4)
		for c := range 4 {
			r.keys[c], r.cols[c] = 1, uint32(c)
		}
		r.n = 4
		var s []byte
		for _, it := range r.rank(4) {
			s = append(s, byte('a'+it&r.colMask()))
		}
		n[string(s)]++
	}
	if x := chiSquare(n, 24, seeds); x > 49.73 {
		t.Errorf("chi-square %.1f over 24 bins, limit 49.7", x)
	}
}

func upTo(n int32) []int32 {
	a := make([]int32, n)
	for i := range a {
		a[i] = int32(i)
	}
	return a
}
