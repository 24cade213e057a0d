package cellsentence

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// wordTable finds the column of a word. Nearly all gene names have at most 15
// bytes, which two registers hold together with their number: such words are
// cut from the text, hashed and compared without a look at single bytes. Longer
// ones, and delimiters of several bytes, take a Go map.
type wordTable struct {
	delimiter []byte
	slots     []wordSlot // a power of two, at most three quarters of it taken
	shift     int
	words     map[string]int32 // all words
}

type wordSlot struct {
	key wordKey
	col int32 // its column plus 1; 0 means that the slot is free
}

// wordKey is the bytes of a word from the lowest on, the top one their number.
type wordKey struct{ lo, hi uint64 }

const keyBytes = 16

// newWordTable takes the words by column; columns without one are "".
func newWordTable(words []string, delimiter string) *wordTable {
	size := 16
	for 3*size < 4*len(words) {
		size *= 2
	}
	t := &wordTable{
		delimiter: []byte(delimiter), slots: make([]wordSlot, size), shift: 64 - bits.Len(uint(size-1)),
		words: make(map[string]int32, len(words)),
	}
	for i, w := range words {
		if w == "" {
			continue
		}
		t.words[w] = int32(i)
		if len(w) < keyBytes {
			key := shortKey([]byte(w))
			h := t.hash(key)
			for t.slots[h].col != 0 {
				h = (h + 1) % uint64(size)
			}
			t.slots[h] = wordSlot{key, int32(i) + 1}
		}
	}
	return t
}

func (t *wordTable) hash(k wordKey) uint64 {
	h := k.lo*golden ^ k.hi*mixA
	return (h ^ h>>32) * mixB >> t.shift
}

// column is the column of a short word, or -1.
func (t *wordTable) column(k wordKey) int32 {
	mask := uint64(len(t.slots) - 1)
	h := t.hash(k)
	for {
		s := &t.slots[h&mask]
		if s.key == k || s.col == 0 {
			return s.col - 1
		}
		h++
	}
}

// next finds the word that begins at text[p] and ends before the next delimiter
// or at text[end]. It returns the place behind the word and its column, or -1.
func (t *wordTable) next(text []byte, p, end int) (stop int, col int32) {
	if len(t.delimiter) == 1 && p+keyBytes <= len(text) {
		lo, hi := binary.LittleEndian.Uint64(text[p:]), binary.LittleEndian.Uint64(text[p+8:])
		n := byteIn(lo, t.delimiter[0])
		if n == 8 {
			n += byteIn(hi, t.delimiter[0])
		}
		if n = min(n, end-p); n < keyBytes {
			return p + n, t.column(cutKey(lo, hi, n))
		}
	}
	stop = end
	if i := bytes.Index(text[p:end], t.delimiter); i >= 0 {
		stop = p + i
	}
	col, ok := t.words[string(text[p:stop])]
	if !ok {
		col = -1
	}
	return stop, col
}

// byteIn is the place, from the lowest, of the first byte of x that is c, or 8.
func byteIn(x uint64, c byte) int {
	const ones = 0x0101010101010101
	x ^= ones * uint64(c)
	// The lowest bit that this sets is at the first zero byte; borrows can only set
	// bits above it.
	return bits.TrailingZeros64((x-ones)&^x&(ones<<7)) / 8
}

// cutKey is the key of the first n bytes, n below 16.
func cutKey(lo, hi uint64, n int) wordKey {
	if n <= 8 {
		hi = 0
		lo &= 1<<(8*n) - 1 // a shift by 64 gives 0, and so keeps all
	} else {
		hi &= 1<<(8*(n-8)) - 1
	}
	return wordKey{lo, hi | uint64(n)<<56}
}

func shortKey(word []byte) wordKey {
	var b [keyBytes]byte
	copy(b[:], word)
	return cutKey(binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]), len(word))
}
