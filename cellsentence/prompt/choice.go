package prompt

import (
	"fmt"
	"math/bits"

	"github.com/cellsentence/c2s/internal/mt19937"
)

// Choice is the rule that gives a row its template.
type Choice uint8

const (
	// ChoiceSeeded is the zero value: the template hangs on seed, task and row alone,
	// so that it is the same in any batch or shard.
	ChoiceSeeded Choice = iota
	// ChoicePython repeats the formatters of the Python package cell2sentence: one
	// stream of random.choice for all rows from row 0 on, after random.seed(seed).
	ChoicePython
)

// String is the rule's name: seeded or python.
func (c Choice) String() string {
	switch c {
	case ChoiceSeeded:
		return "seeded"
	case ChoicePython:
		return "python"
	}
	return fmt.Sprintf("Choice(%d)", uint8(c))
}

// The constants of SplitMix64: the increment of its state, and variant 13 of
// Stafford's mixing functions (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014).
const (
	golden = 0x9e3779b97f4a7c15
	mixA   = 0xbf58476d1ce4e5b9
	mixB   = 0x94d049bb133111eb
)

// mix is the output function of SplitMix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * mixA
	z = (z ^ z>>27) * mixB
	return z ^ z>>31
}

// seededPick is a number below n for (seed, what, row), with a bias below n / 2^64.
func seededPick(seed uint64, what string, row, n int) int {
	h := uint64(0xcbf29ce484222325) // FNV-1a
	for i := range len(what) {
		h = (h ^ uint64(what[i])) * 0x100000001b3
	}
	key := mix(mix(mix(seed+golden)^h) ^ mix(uint64(row)*golden+mixA))
	hi, _ := bits.Mul64(key, uint64(n))
	return int(hi)
}

// pythonPicks replays CPython's random.choice, one draw a row.
type pythonPicks struct {
	seed   uint64
	stream *mt19937.Source
	row    int // the row that the next draw is for
}

// pick is the choice among n for a row. Rows in order cost a draw each; going back
// starts over.
func (p *pythonPicks) pick(row, n int) int {
	if p.stream == nil || row < p.row {
		key := []uint32{uint32(p.seed)}
		if p.seed>>32 != 0 {
			key = append(key, uint32(p.seed>>32))
		}
		p.stream, p.row = mt19937.NewArray(key), 0
	}
	for ; p.row < row; p.row++ {
		below(p.stream, n)
	}
	p.row++
	return below(p.stream, n)
}

// below is CPython's Random._randbelow: as many of the highest bits of a word as n
// has, drawn again until they are below n.
func below(s *mt19937.Source, n int) int {
	for {
		if v := int(s.Uint32() >> (32 - bits.Len(uint(n)))); v < n {
			return v
		}
	}
}
