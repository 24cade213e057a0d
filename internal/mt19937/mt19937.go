// Package mt19937 is the 32-bit Mersenne Twister as NumPy's legacy generator and
// CPython's random module use it, so that results of Python programs which draw
// from them can be repeated byte for byte.
//
// Start with [New], which is numpy.random.seed(n), or [NewArray], which is
// CPython's random.seed(n). [Source.Interval] and [Source.Draws] follow NumPy's
// legacy bounded integers and its permutation.
//
// It follows Matsumoto and Nishimura, "Mersenne Twister: a 623-dimensionally
// equidistributed uniform pseudorandom number generator", ACM TOMACS 8 (1998),
// with the initialisation of their 2002 revision.
package mt19937

import "math/bits"

// The constants of MT19937, from table II of the paper and the reference code of
// 2002: state size and middle word, twist matrix, masks of the upper and lower
// bits.
const (
	size   = 624
	middle = 397
	matrix = 0x9908b0df
	upper  = 0x80000000
	lower  = 0x7fffffff
)

// Source is one stream of 32-bit words. It is not safe for concurrent use.
type Source struct {
	state [size]uint32
	// words holds the tempered words of the current state; next is the first one
	// not handed out yet. Tempering a block at once keeps it out of the draw loops.
	words [size]uint32
	next  int
}

// New returns the stream of init_genrand(seed): that of numpy.random.seed(seed)
// and of numpy.random.RandomState(seed).
func New(seed uint32) *Source {
	s := &Source{next: size}
	s.state[0] = seed
	for i := 1; i < size; i++ {
		p := s.state[i-1]
		s.state[i] = 1812433253*(p^p>>30) + uint32(i)
	}
	return s
}

// NewArray returns the stream of init_by_array(key). CPython's random.seed(n)
// of a non-negative n is the key of n's 32-bit words, lowest first. An empty key
// counts as a single zero, which is what CPython makes of the seed 0.
func NewArray(key []uint32) *Source {
	if len(key) == 0 {
		key = []uint32{0}
	}
	s := New(19650218)
	i, j := 1, 0
	for range max(size, len(key)) {
		p := s.state[i-1]
		s.state[i] = (s.state[i] ^ (p^p>>30)*1664525) + key[j] + uint32(j)
		if i++; i == size {
			s.state[0] = s.state[size-1]
			i = 1
		}
		if j++; j == len(key) {
			j = 0
		}
	}
	for range size - 1 {
		p := s.state[i-1]
		s.state[i] = (s.state[i] ^ (p^p>>30)*1566083941) - uint32(i)
		if i++; i == size {
			s.state[0] = s.state[size-1]
			i = 1
		}
	}
	s.state[0] = upper
	return s
}

// Uint32 returns the next word.
func (s *Source) Uint32() uint32 {
	if s.next >= size {
		s.refill()
	}
	w := s.words[s.next]
	s.next++
	return w
}

// Interval returns a number in [0, limit] as NumPy's legacy generators draw it:
// words are cut to the bits of limit until one is not above it. A limit of 0
// takes no word from the stream.
func (s *Source) Interval(limit uint32) uint32 {
	if limit == 0 {
		return 0
	}
	mask := uint32(1)<<bits.Len32(limit) - 1
	for {
		if w := s.Uint32() & mask; w <= limit {
			return w
		}
	}
}

// Draws fills j with the draws of one NumPy permutation of len(j) things: for i
// from len(j)-1 down to 1, j[i] is Interval(i); j[0] is 0. [Swap] turns them into
// the permutation. Drawing must follow the stream, swapping need not, so the two
// are apart.
func (s *Source) Draws(j []uint32) {
	i := len(j) - 1
	for i > 0 {
		// All i of one bit length share a mask. Within them a word is stored at i
		// either way and i moves on only if it was acceptable: a branch here would
		// be mispredicted for every third word.
		low := 1 << (bits.Len32(uint32(i)) - 1)
		mask := uint32(low)<<1 - 1
		for i >= low {
			if s.next >= size {
				s.refill()
			}
			words := s.words[s.next:]
			n := 0
			for ; n < len(words) && i >= low; n++ {
				w := words[n] & mask
				j[i] = w
				i -= int((uint64(w) - uint64(i) - 1) >> 63)
			}
			s.next += n
		}
	}
	if len(j) > 0 {
		j[0] = 0
	}
}

// Skip takes the draws of one permutation of n things from the stream without
// keeping them. How many words that is depends on the words, so that there is no
// shorter way than to draw them.
func (s *Source) Skip(n int) {
	for i := n - 1; i > 0; {
		low := 1 << (bits.Len32(uint32(i)) - 1)
		mask := uint32(low)<<1 - 1
		for i >= low {
			if s.next >= size {
				s.refill()
			}
			words := s.words[s.next:]
			n := 0
			for ; n < len(words) && i >= low; n++ {
				i -= int((uint64(words[n]&mask) - uint64(i) - 1) >> 63)
			}
			s.next += n
		}
	}
}

// Swap applies the draws j of [Source.Draws] to a, which must be as long: after
// it a[k] is what stood at NumPy's permutation(len(a))[k] before.
func Swap[T any](a []T, j []uint32) {
	for i := len(a) - 1; i > 0; i-- {
		k := j[i]
		a[i], a[k] = a[k], a[i]
	}
}

// refill makes the next block of words.
func (s *Source) refill() {
	const head = size - middle
	m := &s.state
	// Loops over slices of equal lengths, which need no bounds checks.
	twist(m[:head], m[1:head+1], m[middle:])
	twist(m[head:size-1], m[head+1:], m[:middle-1])
	twist(m[size-1:], m[:1], m[middle-1:])
	for i, y := range m {
		y ^= y >> 11
		y ^= y << 7 & 0x9d2c5680
		y ^= y << 15 & 0xefc60000
		s.words[i] = y ^ y>>18
	}
	s.next = 0
}

// twist replaces each word of a by the recurrence over it, the word after it in b
// and the word in c, which stands middle words further on.
func twist(a, b, c []uint32) {
	b, c = b[:len(a)], c[:len(a)]
	for i, w := range a {
		y := w&upper | b[i]&lower
		a[i] = c[i] ^ y>>1 ^ -(y&1)&matrix
	}
}
