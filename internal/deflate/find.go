package deflate

import (
	"encoding/binary"
	"math/bits"
)

const hashBits = 15

// match is a repetition of n bytes from those that lie back before; none, if n is
// 0.
type match struct{ n, back int }

// finder knows the places where elements begin, by the four and by the eight bytes
// there. Places are counted from 1; 0 is none.
type finder struct {
	last4 [1 << hashBits]uint32 // the last place, by hash
	last8 [1 << hashBits]uint32
	chain [window]uint32 // by number of the element: the place before, of the same hash in last8
	shift uint           // elements have 1<<shift bytes
}

// reset forgets all places. The chain is reached through last8 only.
func (f *finder) reset(width int) {
	clear(f.last4[:])
	clear(f.last8[:])
	f.shift = uint(bits.TrailingZeros(uint(width)))
}

func load32(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[i:]) }
func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// The factors are 2^32 and 2^64 over the golden ratio.
func hash4(v uint64) uint32 { return uint32(v) * 0x9e3779b1 >> (32 - hashBits) }
func hash8(v uint64) uint32 { return uint32(v * 0x9e3779b97f4a7c15 >> (64 - hashBits)) }

// insert notes the place i, behind which there are eight bytes.
func (f *finder) insert(b []byte, i int) {
	v := load64(b, i)
	h := hash8(v)
	f.last4[hash4(v)] = uint32(i + 1)
	f.chain[i>>f.shift&(window-1)] = f.last8[h]
	f.last8[h] = uint32(i + 1)
}

// best returns the repetition at i that saves most: the nearest of four bytes, or
// one of eight bytes and more, of which it looks at so many as how says. It notes
// the place too.
func (f *finder) best(b []byte, i int, how effort) (m match) {
	v := load64(b, i)
	h := hash8(v)
	j := int(f.last4[hash4(v)]) - 1
	place := f.last8[h]
	f.insert(b, i)

	low, end := max(i-window+1, 0), min(i+maxMatch, len(b))
	// What goes on into an element would spoil the search at the next one.
	part := 1<<f.shift - 1
	if j >= low && load32(b, j) == uint32(v) {
		m = match{4 + same(b, j+4, i+4, end), i - j}
		if m.n > part {
			m.n &^= part
		}
	}
	for range how.chain {
		if j = int(place) - 1; j < low || m.n >= how.nice {
			break
		}
		if load64(b, j) == v && (i+m.n >= end || b[j+m.n] == b[i+m.n]) {
			n := (8 + same(b, j+8, i+8, end)) &^ part
			// A byte is worth some bits, and so is half the distance one.
			if 4*(n-m.n) > bits.Len(uint(i-j))-bits.Len(uint(m.back)) {
				m = match{n, i - j}
			}
		}
		place = f.chain[j>>f.shift&(window-1)]
	}
	return m
}

// same returns how many bytes from j on are those from i on, up to end. j is before
// i.
func same(b []byte, j, i, end int) int {
	n := 0
	for ; i+n+8 <= end; n += 8 {
		if x := load64(b, i+n) ^ load64(b, j+n); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for i+n < end && b[i+n] == b[j+n] {
		n++
	}
	return n
}
