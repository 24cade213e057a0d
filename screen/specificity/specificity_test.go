package specificity_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/screen/specificity"
)

const genes, length = 1000, 100

// sentence draws one: low numbers are high, as if genes were sorted by expression.
func sentence(r *rand.Rand, lift func(gene int) float64) []int32 {
	type word struct {
		gene  int32
		value float64
	}
	words := make([]word, genes)
	for g := range words {
		words[g] = word{int32(g), -math.Log(float64(g)+5) + 0.5*r.NormFloat64() + lift(g)}
	}
	slices.SortFunc(words, func(a, b word) int {
		if a.value > b.value {
			return -1
		}
		return 1
	})
	out := make([]int32, length+20) // longer than counts
	for i := range out {
		out[i] = words[i].gene
	}
	return out
}

// score is UCell's, from the ranks of one sentence.
func score(sentence, set []int32) float64 {
	n, l := float64(len(set)), float64(length)
	sum := 0.0
	for _, g := range set {
		rank := slices.Index(sentence[:length], g) + 1
		if rank == 0 {
			rank = length + 1
		}
		sum += float64(rank)
	}
	return 1 - (sum-n*(n+1)/2)/(n*l-n*(n+1)/2)
}

func none(int) float64 { return 0 }

// TestLinear: mean scores follow from mean heights.
func TestLinear(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	set := []int32{3, 17, 60, 200}
	vehicle, compound := specificity.NewHeights(2, genes, length), specificity.NewHeights(2, genes, length)
	want := 0.0
	weight := []float64{0.25, 0.75}
	for group, w := range weight {
		const cells = 20
		for range cells {
			a, b := sentence(r, none), sentence(r, func(g int) float64 { return float64(g%2) / 3 })
			vehicle.Add(group, a)
			compound.Add(group, b)
			want += w * (score(b, set) - score(a, set)) / cells
		}
	}
	got := 0.0
	change := specificity.Change(compound, vehicle, weight)
	for _, g := range set {
		got += change[g]
	}
	// A height of 1/length is a rank: Σ over the set of length/(n·L − n(n+1)/2).
	n := float64(len(set))
	got *= length / (n*length - n*(n+1)/2)
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("change of the score %.15g, want %.15g", got, want)
	}
	lonely := specificity.NewHeights(2, genes, length)
	if c := specificity.Change(lonely, vehicle, weight); !math.IsNaN(c[0]) {
		t.Errorf("a compound without cells changes a gene by %g", c[0])
	}
}

func TestP(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	program := []int32{5, 20, 21, 40, 90, 300, 301, 800}
	const cells = 40
	some := func(lift func(gene int) float64) *specificity.Heights {
		h := specificity.NewHeights(1, genes, length)
		for range cells {
			h.Add(0, sentence(r, lift))
		}
		return h
	}
	vehicle := some(none)
	weight := []float64{1}
	null, err := specificity.NewNull(program, nil, vehicle.Mean(weight), specificity.Sets, 7)
	if err != nil {
		t.Fatal(err)
	}
	rise := func(lift func(gene int) float64) []float64 {
		// A vehicle of its own for each: the error of a shared one is common to all.
		return specificity.Change(some(lift), some(none), weight)
	}
	own := rise(func(g int) float64 {
		if slices.Contains(program, int32(g)) {
			return 1
		}
		return 0
	})
	if p := null.P(own); p != 1.0/1001 {
		t.Errorf("a rise of the program alone has p %g", p)
	}
	// Half of a program falls: what it does as a whole, others do not.
	down := make([]bool, len(program))
	for i := range down {
		down[i] = i%2 == 1
	}
	signed, err := specificity.NewNull(program, down, vehicle.Mean(weight), specificity.Sets, 7)
	if err != nil {
		t.Fatal(err)
	}
	turned := rise(func(g int) float64 {
		switch at := slices.Index(program, int32(g)); {
		case at < 0:
			return 0
		case down[at]:
			return -1
		}
		return 1
	})
	if p := signed.P(turned); p != 1.0/1001 {
		t.Errorf("a program of which half falls has p %g", p)
	}
	if p := null.P(turned); p < 0.01 {
		t.Errorf("without signs it has p %g", p)
	}
	names := make([]string, genes)
	for g := range names {
		names[g] = string(rune('A' + g))
	}
	most := specificity.Most(names, own, make([]float64, genes), 3)
	if len(most) != 3 || most[0].By[0] < most[2].By[0] || !slices.ContainsFunc(program, func(g int32) bool { return names[g] == most[0].Gene }) {
		t.Errorf("most moved: %+v", most)
	}
	// A third of all genes rises, and of the program, too: no more than expected.
	if p := null.P(rise(func(g int) float64 { return float64(g%3) / 2 })); p < 0.02 {
		t.Errorf("a rise of many genes has p %g", p)
	}
	// Nothing moves: uniform, by Kolmogorov and Smirnov at 1 % over 100 compounds.
	var ps []float64
	for range 100 {
		ps = append(ps, null.P(rise(none)))
	}
	slices.Sort(ps)
	far := 0.0
	for i, p := range ps {
		far = max(far, math.Abs(p-(float64(i)+0.5)/100))
	}
	if far > 0.163+0.005 {
		t.Errorf("p-values of compounds that do nothing are off by %.3f", far)
	}
	nan := make([]float64, genes)
	nan[5] = math.NaN()
	if p := null.P(nan); !math.IsNaN(p) {
		t.Errorf("p %g of what is not known", p)
	}
}

// TestNull: the same seed draws the same sets, and too small a world has none.
func TestNull(t *testing.T) {
	height := make([]float64, 50)
	rise := make([]float64, 50)
	for g := range height {
		height[g] = float64(g % 7)
		rise[g] = math.Sin(float64(g))
	}
	draw := func(seed uint64) float64 {
		n, err := specificity.NewNull([]int32{1, 2, 3}, nil, height, 500, seed)
		if err != nil {
			t.Fatal(err)
		}
		return n.P(rise)
	}
	if a, b, c := draw(1), draw(1), draw(2); a != b || a == c {
		t.Errorf("p %g, %g by the same seed, %g by another", a, b, c)
	}
	for _, program := range [][]int32{nil, {50}, {-1}, {1, 1}, make([]int32, 0), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}} {
		if _, err := specificity.NewNull(program, nil, height, 10, 1); err == nil {
			t.Errorf("no error for the program %v", program)
		}
	}
}
