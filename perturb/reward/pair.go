package reward

import (
	"hash/fnv"
	"math"
	"math/bits"
)

// Pair pairs each generated cell with a real one of the same label, at random: pairs[i]
// is the real cell of generated cell i. Real cells of a label are used in turn, in an
// order that depends on the seed and the label alone, so that none is used twice before
// all were used once. A label without a real cell is bad input.
func Pair(generated, real []string, seed uint64) (pairs []int, err error) {
	pool := map[string][]int{}
	for i, l := range real {
		pool[l] = append(pool[l], i)
	}
	used, shuffled := map[string]int{}, map[string]bool{}
	pairs = make([]int, len(generated))
	for i, l := range generated {
		p := pool[l]
		if len(p) == 0 {
			return nil, badInput("generated cell %d has the label %q, which no real cell has", i, l)
		}
		if !shuffled[l] {
			shuffle(p, seed, l)
			shuffled[l] = true
		}
		pairs[i] = p[used[l]%len(p)]
		used[l]++
	}
	return pairs, nil
}

// shuffle is Fisher and Yates's, with SplitMix64's output function (G. Steele, D. Lea and
// C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014) of the seed,
// the label and a counter.
func shuffle(p []int, seed uint64, label string) {
	h := fnv.New64a()
	h.Write([]byte(label)) // never fails
	key := mix(mix(seed+golden) ^ h.Sum64())
	for i := len(p) - 1; i > 0; i-- {
		hi, _ := bits.Mul64(mix(key+uint64(i)*golden), uint64(i+1))
		p[i], p[hi] = p[hi], p[i]
	}
}

// golden is 2^64 divided by the golden ratio, SplitMix64's increment.
const golden = 0x9e3779b97f4a7c15

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// NegativeMSE is −Σ(a−b)²/d of two embeddings of d dimensions. Different dimensions and
// values that are not finite are bad input.
func NegativeMSE(a, b []float64) (float64, error) {
	if len(a) != len(b) || len(a) == 0 {
		return 0, badInput("the embeddings have %d and %d dimensions", len(a), len(b))
	}
	sum := 0.0
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return 0, badInput("an embedding is not finite")
	}
	return -sum / float64(len(a)), nil
}
