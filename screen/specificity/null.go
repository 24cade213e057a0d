package specificity

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Sets is the number of random gene sets of a screen.
const Sets = 1000

// window is how many genes of the nearest ranks stand for one of the program.
const window = 100

// Null is random gene sets of the same ranks as a program, drawn once for a screen.
type Null struct {
	program []int32
	sets    [][]int32
	weight  []float64 // of the genes of a set, by their place
}

// NewNull draws sets for a program: for each of its genes one of the hundred genes
// whose mean height in the vehicle is nearest, none of the program, none twice in a
// set. down says which genes of the program fall where it rises, as those in their
// places do in a set; nil: none. The same seed draws the same sets. There must be a gene
// to choose for each.
func NewNull(program []int32, down []bool, height []float64, sets int, seed uint64) (*Null, error) {
	if down != nil && len(down) != len(program) {
		return nil, fmt.Errorf("%d signs for %d genes", len(down), len(program))
	}
	in := make(map[int32]bool, len(program))
	for _, g := range program {
		if g < 0 || int(g) >= len(height) {
			return nil, fmt.Errorf("the gene %d of the program is not below %d", g, len(height))
		}
		if in[g] {
			return nil, fmt.Errorf("the gene %d is twice in the program", g)
		}
		in[g] = true
	}
	var order []int32 // by height, the program left out
	for g := range height {
		if !in[int32(g)] {
			order = append(order, int32(g))
		}
	}
	if len(program) == 0 || len(order) < 2*len(program) {
		return nil, fmt.Errorf("%d genes of the program among %d are too few or too many to compare with random sets", len(program), len(height))
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(height[b], height[a]) })
	n := &Null{program: slices.Clone(program), sets: make([][]int32, sets), weight: weights(down, len(program))}
	size := min(max(window, 2*len(program)), len(order))
	starts := make([]int, len(program))
	for i, g := range program {
		at, _ := slices.BinarySearchFunc(order, height[g], func(o int32, h float64) int { return cmp.Compare(h, height[o]) })
		starts[i] = max(0, min(at-size/2, len(order)-size))
	}
	for s := range n.sets {
		r := random(seed ^ uint64(s+1)*0x9e3779b97f4a7c15)
		set := make([]int32, 0, len(program))
		for _, start := range starts {
			for { // a window has twice as many genes as a set can have taken
				if g := order[start+r.below(size)]; !slices.Contains(set, g) {
					set = append(set, g)
					break
				}
			}
		}
		n.sets[s] = set
	}
	return n, nil
}

// weights are those of UCell: the mean of what rises less that of what falls.
func weights(down []bool, n int) []float64 {
	falls := 0
	for _, d := range down {
		if d {
			falls++
		}
	}
	out := make([]float64, n)
	for i := range out {
		if out[i] = 1 / float64(n-falls); down != nil && down[i] {
			out[i] = -1 / float64(falls)
		}
	}
	return out
}

// P is the share of random sets that rise as much as the program, (1 + as many)/(1 +
// all), given the rise of each gene; for the split that is [Change] in the positive
// context less that in the neutral one. It is NaN if a rise of the program is.
func (n *Null) P(rise []float64) float64 {
	mean := func(set []int32) float64 {
		sum := 0.0
		for i, g := range set {
			sum += n.weight[i] * rise[g]
		}
		return sum
	}
	own := mean(n.program)
	if math.IsNaN(own) {
		return own
	}
	more := 1
	for _, set := range n.sets {
		// What is equal but for rounding counts as reached.
		if mean(set) >= own-1e-12 {
			more++
		}
	}
	return float64(more) / float64(1+len(n.sets))
}

// random is SplitMix64 (G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom
// Number Generators", OOPSLA 2014).
type random uint64

// below is a number in [0, n), with a bias below n / 2^64.
func (r *random) below(n int) int {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	hi, _ := bits.Mul64(z^z>>31, uint64(n))
	return int(hi)
}
