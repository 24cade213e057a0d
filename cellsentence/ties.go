package cellsentence

import "fmt"

// Ties is the rule that orders the genes of a cell that have the same value.
type Ties uint8

const (
	// TiesRandom is the zero value; it orders ties by a random permutation keyed by the
	// seed and the cell's row in the matrix, so that it depends neither on the
	// batches, workers or shards, nor on the order in which the file stores the
	// cell's values. It is the order of the upper 32 bits of a SplitMix64 stream
	// that starts at a state drawn for (seed, row), read at the gene's column;
	// should two genes draw the same 32 bits, the lower column is first.
	TiesRandom Ties = iota
	// TiesPython repeats the package cell2sentence: one stream of NumPy's legacy
	// generator for all cells, one permutation of the stored values a cell, in
	// stored order, then a stable sort. The order within a cell depends on the
	// number of stored values of all cells before it.
	TiesPython
	// TiesIndex orders ties by column. It is meant for debugging: a model that is
	// shown it learns the order of the file's genes.
	TiesIndex
)

// String is the rule's name on the command line: random, python or index.
func (t Ties) String() string {
	switch t {
	case TiesRandom:
		return "random"
	case TiesPython:
		return "python"
	case TiesIndex:
		return "index"
	}
	return fmt.Sprintf("Ties(%d)", uint8(t))
}

// ParseTies is the inverse of [Ties.String].
func ParseTies(s string) (Ties, error) {
	for t := TiesRandom; t <= TiesIndex; t++ {
		if s == t.String() {
			return t, nil
		}
	}
	return 0, fmt.Errorf("unknown rule for ties %q: choose random, python or index", s)
}

// DefaultSeed is the seed of the Python package, which always uses it, and of
// the command.
const DefaultSeed = 42

// The constants of SplitMix64: the increment of its state, and variant 13 of
// Stafford's mixing functions (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014; Vigna's reference code).
const (
	golden = 0x9e3779b97f4a7c15
	mixA   = 0xbf58476d1ce4e5b9
	mixB   = 0x94d049bb133111eb
)

// mix64 is the output function of SplitMix64.
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * mixA
	z = (z ^ z>>27) * mixB
	return z ^ z>>31
}

// tieStream is the state of the stream of one row after its first step. Mixing
// twice keeps the streams of neighbouring rows and neighbouring seeds apart, where
// adding would make one a shifted copy of the other.
func tieStream(seed uint64, row int) uint64 {
	return mix64(mix64(seed+golden)^mix64(uint64(row)*golden+mixA)) + golden
}

// tieKey is what TiesRandom sorts a gene by among those of its value.
func tieKey(stream uint64, col uint32) uint32 {
	return uint32(mix64(stream+uint64(col)*golden) >> 32)
}
