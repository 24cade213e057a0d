// Package draws gives random numbers that can be asked for in any order, so that a
// result depends on its seed and not on who came first.
//
// Start with [New]: a source of numbers for the n-th use of one purpose. It is
// SplitMix64's output function (G. Steele, D. Lea and C. Flood, "Fast Splittable
// Pseudorandom Number Generators", OOPSLA 2014) of a key and a counter.
package draws

import "math/bits"

// Draws is a source of random numbers, each of which has a place.
type Draws uint64

// New is the source of the n-th use for one purpose, a number that no other use of the
// same seed has.
func New(seed, purpose uint64, n int) Draws {
	k := Mix(seed)
	k = mix(k ^ purpose*golden)
	return Draws(mix(k ^ Mix(uint64(n))))
}

// golden is 2^64 divided by the golden ratio, SplitMix64's increment.
const golden = 0x9e3779b97f4a7c15

// Mix spreads z over 64 bits, so that near numbers become far ones; it is a bijection.
func Mix(z uint64) uint64 { return mix(z + golden) }

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Below is a number in [0, n) for place i, with a bias below n / 2^64.
func (d Draws) Below(i, n int) int {
	hi, _ := bits.Mul64(mix(uint64(d)+uint64(i+1)*golden), uint64(n))
	return int(hi)
}

// Order is a permutation of [0, n) (Fisher and Yates).
func (d Draws) Order(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := d.Below(i, i+1)
		p[i] = p[j]
		p[j] = i
	}
	return p
}

// Sample is m of [0, n) in rising order, each set equally likely: R. Floyd's method
// (CACM 30(9), 1987); all of them if m is not below n.
func (d Draws) Sample(n, m int) []int {
	if m >= n {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	}
	taken := make([]bool, n)
	for j := n - m; j < n; j++ {
		if t := d.Below(j, j+1); !taken[t] {
			taken[t] = true
		} else {
			taken[j] = true
		}
	}
	chosen := make([]int, 0, m)
	for i, t := range taken {
		if t {
			chosen = append(chosen, i)
		}
	}
	return chosen
}

// Split is two disjoint samples of [0, n), of a and b of them, in rising order; a + b
// is at most n.
func (d Draws) Split(n, a, b int) (first, second []int) {
	side := make([]uint8, n)
	for i, row := range d.Order(n)[:a+b] {
		side[row] = 1
		if i >= a {
			side[row] = 2
		}
	}
	for i, s := range side {
		switch s {
		case 1:
			first = append(first, i)
		case 2:
			second = append(second, i)
		}
	}
	return first, second
}
