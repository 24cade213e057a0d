package inflate_test

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// stream writes deflate blocks symbol by symbol, as RFC 1951 says, also ones that
// no encoder would write.
type stream struct {
	out []byte
	acc uint64
	n   uint
}

// bits writes the lowest n bits of v, the lowest first.
func (s *stream) bits(v uint64, n uint) {
	s.acc |= v << s.n
	for s.n += n; s.n >= 8; s.n -= 8 {
		s.out = append(s.out, byte(s.acc))
		s.acc >>= 8
	}
}

// bytes ends the stream at a byte.
func (s *stream) bytes() []byte {
	if s.n > 0 {
		s.bits(0, 8-s.n)
	}
	return s.out
}

// huffman is a code: for each symbol, the length of its word; and the words.
type huffman struct {
	lengths []int
	words   []uint16
}

// canonical gives the words of RFC 1951, section 3.2.2.
func canonical(lengths ...int) huffman {
	h := huffman{lengths, make([]uint16, len(lengths))}
	word := 0
	for l := 1; l <= 15; l++ {
		word <<= 1
		for s, have := range lengths {
			if have == l {
				h.words[s] = bits.Reverse16(uint16(word)) >> (16 - l)
				word++
			}
		}
	}
	return h
}

// fixed are the codes of block type 1 (section 3.2.6).
func fixed() (lit, dist huffman) {
	l := slices.Concat(slices.Repeat([]int{8}, 144), slices.Repeat([]int{9}, 112),
		slices.Repeat([]int{7}, 24), slices.Repeat([]int{8}, 8))
	return canonical(l...), canonical(slices.Repeat([]int{5}, 32)...)
}

// randomCode is a complete code of n symbols with words of up to longest bits, more
// or less even.
func randomCode(r *rand.Rand, n, longest int, skew float64) huffman {
	l := []int{1, 1}
	for len(l) < n { // split a word
		i := r.IntN(len(l))
		if r.Float64() < skew {
			i = len(l) - 1 - r.IntN(min(3, len(l)))
		}
		if l[i] < longest {
			l[i]++
			l = append(l, l[i])
		}
	}
	r.Shuffle(n, func(i, j int) { l[i], l[j] = l[j], l[i] })
	return canonical(l...)
}

func (s *stream) symbol(h huffman, i int) { s.bits(uint64(h.words[i]), uint(h.lengths[i])) }

// match writes a length and a distance (the tables of section 3.2.5, found by
// search).
func (s *stream) match(lit, dist huffman, n, back int) {
	code, base := 257, 3
	for c, b := 257, 3; c < 285; c++ {
		extra := max(0, (c-261)/4)
		if b <= n {
			code, base = c, b
		}
		b += 1 << extra
	}
	extra := max(0, (code-261)/4)
	if n == 258 {
		code, base, extra = 285, 258, 0
	}
	s.symbol(lit, code)
	s.bits(uint64(n-base), uint(extra))

	code, base = 0, 1
	for c, b := 0, 1; c < 30; c++ {
		if b <= back {
			code, base = c, b
		}
		b += 1 << max(0, (c-2)/2)
	}
	s.symbol(dist, code)
	s.bits(uint64(back-base), uint(max(0, (code-2)/2)))
}

// header begins a block of type 2 with these codes, whose lengths are told with a
// code of 4 bits for each of 0 to 15.
func (s *stream) header(lit, dist huffman) {
	s.bits(2, 2)
	s.bits(uint64(len(lit.lengths)-257), 5)
	s.bits(uint64(len(dist.lengths)-1), 5)
	s.bits(19-4, 4)
	for _, l := range []uint64{0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4} {
		s.bits(l, 3)
	}
	lengths := canonical(slices.Concat(slices.Repeat([]int{4}, 16), []int{0, 0, 0})...)
	for _, l := range slices.Concat(lit.lengths, dist.lengths) {
		s.symbol(lengths, l)
	}
}
