package simulate

import "math/bits"

// stream is a sequence of 64-bit words that can be asked for in any order: the
// counter generator SplitMix64 with an increment of its own for each stream
// (G. L. Steele, D. Lea and C. H. Flood, Fast Splittable Pseudorandom Number
// Generators, OOPSLA 2014).
type stream struct{ state, gamma uint64 }

// golden is 2^64 divided by the golden ratio, the increment of SplitMix64.
const golden = 0x9e3779b97f4a7c15

// What a stream is for, so that no two uses share their numbers.
type purpose uint64

const (
	forDesign purpose = iota + 1
	forLibrary
	forCounts
	forDoublet
	forBaseline
	forDispersion
	forTypes
	forHidden
	forMarkers
	forLoading
	forDonors
	forResponse
	forRandom
	forCompounds
	forBarcodes
)

// newStream returns the stream of (seed, what, id).
func newStream(seed uint64, what purpose, id uint64) stream {
	k := mix(mix(seed+golden) + uint64(what)*golden)
	state := mix(k ^ mix(id+golden))
	// An increment must be odd, and should have no long runs of equal bits (the
	// paper's section 5).
	gamma := mix(state+k) | 1
	if bits.OnesCount64(gamma^gamma>>1) < 24 {
		gamma ^= 0xaaaaaaaaaaaaaaaa
	}
	return stream{state, gamma}
}

// at is word i of the stream.
func (s stream) at(i uint64) uint64 { return mix(s.state + (i+1)*s.gamma) }

// next is the word after the last one that next gave. It and at share a sequence,
// so a stream is used through one of them only.
func (s *stream) next() uint64 {
	s.state += s.gamma
	return mix(s.state)
}

// mix is SplitMix64's output function, D. Stafford's variant 13 of the finaliser
// of MurmurHash3.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// uniform maps a word to [0, 1), in steps of 2^-53.
func uniform(x uint64) float64 { return float64(float64(x>>11) * 0x1p-53) }

// normal maps a word to a standard normal deviate, |z| < 8.3.
func normal(x uint64) float64 {
	return normalQuantile((float64(x>>12) + 0.5) * 0x1p-52)
}

// below maps a word to 0 … n−1 with a bias below n / 2^64.
func below(x uint64, n int) int {
	hi, _ := bits.Mul64(x, uint64(n))
	return int(hi)
}

// hash is FNV-1a of a name: what is drawn for a gene or a cell type hangs on its
// name and not on its place in a list.
func hash(name string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	return h
}
