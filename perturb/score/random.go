package score

import "math/bits"

// purpose is what random numbers are for, so that no two uses share theirs.
type purpose uint64

const (
	forControl purpose = iota + 1
	forMeanResponse
	forHalves
	forBootstrap
)

// draws is a source of numbers that can be asked for in any order: SplitMix64's
// output function (G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom
// Number Generators", OOPSLA 2014) of a key and a counter.
type draws uint64

// golden is 2^64 divided by the golden ratio, SplitMix64's increment.
const golden = 0x9e3779b97f4a7c15

// newDraws is the source of the n-th use for one purpose.
func newDraws(seed uint64, what purpose, n int) draws {
	k := mix(seed + golden)
	k = mix(k ^ uint64(what)*golden)
	return draws(mix(k ^ mix(uint64(n)+golden)))
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is a number in [0, n) for place i, with a bias below n / 2^64.
func (d draws) below(i, n int) int {
	hi, _ := bits.Mul64(mix(uint64(d)+uint64(i+1)*golden), uint64(n))
	return int(hi)
}

// order is a permutation of [0, n) (Fisher and Yates).
func (d draws) order(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := d.below(i, i+1)
		p[i] = p[j]
		p[j] = i
	}
	return p
}
