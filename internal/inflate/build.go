package inflate

import (
	"fmt"
	"math/bits"
)

const (
	litBits  = 12
	distBits = 9
	codeBits = 7
	maxBits  = 15
	// The most entries that a complete code needs with its second tables: 4,382
	// for 288 symbols and 594 for 32 (by exhaustive search, as zlib's program
	// enough.c does). An incomplete code is refused or has one symbol.
	litSize  = 4382
	distSize = 594
	// Literals, and lengths with every value of their extra bits.
	numTails = 256 + 257
	// pairsFrom is how many bytes, on both sides, make it worth while to look for
	// pairs.
	pairsFrom = 2048
)

// builder makes the tables of canonical Huffman codes.
type builder struct {
	litSyms  [numLit]entry
	distSyms [numDist]entry
	codeSyms [19]entry
	code     [1 << codeBits]entry
	lengths  [numLit + numDist]uint8

	// Of the code at hand, by rising length: what its symbols mean, and its words,
	// first bit lowest.
	sorted [numLit]entry
	words  [numLit]uint16
	// What can stand alone or behind a literal, by rising number of bits: the
	// literals and, with their extra bits, the lengths.
	tails     [numTails]entry
	tailWords [numTails]uint16
}

// fill makes what never changes.
func (b *builder) fill() {
	for s := range b.litSyms {
		b.litSyms[s] = litMeaning(s)
	}
	for s := range b.distSyms {
		b.distSyms[s] = distMeaning(s)
	}
	for s := range b.codeSyms {
		b.codeSyms[s] = entry(s) << 16
	}
}

// table makes the tables of the code whose words have the given lengths: one that
// width bits index, and behind it second tables for longer words. For literals
// and lengths it also resolves the extra bits of lengths and, with pairs, puts
// what follows a literal into the same entry where both fit.
func (b *builder) table(table []entry, width int, lengths []uint8, meanings []entry, pairs bool) error {
	var count, start [maxBits + 2]int // start: of the words of a length in sorted
	for _, l := range lengths {
		count[l&15]++
	}
	count[0] = 0
	room, longest := 1, 0
	for l := 1; l <= maxBits; l++ {
		if room = room<<1 - count[l]; room < 0 {
			return fmt.Errorf("%w: oversubscribed code", ErrCorrupt)
		}
		if count[l] > 0 {
			longest = l
		}
		start[l+1] = start[l] + count[l]
	}
	// As in compress/flate, a code of one symbol, or none, may be incomplete.
	if room > 0 && longest > 1 {
		return fmt.Errorf("%w: incomplete code", ErrCorrupt)
	}
	next := start
	literals := start // where the literals of a length end
	isLit := len(meanings) == numLit
	for s, l := range lengths {
		if l == 0 {
			continue
		}
		i := next[l&15]
		next[l&15]++
		b.sorted[i] = meanings[s]
		if isLit && s < endOfBlock {
			literals[l&15] = i + 1
		}
	}

	// The first table doubles with the length of the words, so each is put once.
	table[0] = invalid
	word := uint(0)
	var tail [litBits + 2]int // where the tails of so many bits start
	for l := 1; l <= width; l++ {
		copy(table[1<<(l-1):1<<l], table[:1<<(l-1)])
		plus := entry(l)<<8 + entry(l)
		word <<= 1
		for i := start[l]; i < start[l+1]; i++ {
			w := bits.Reverse16(uint16(word)) >> (16 - l)
			word++
			b.words[i] = w
			table[w] = b.sorted[i] + plus
		}
		if !isLit {
			continue
		}
		tail[l+1] = b.addTails(tail[l], l, &start, &literals)
		for t := tail[l] + literals[l] - start[l]; t < tail[l+1]; t++ {
			table[b.tailWords[t]] = b.tails[t] + plus
		}
		if !pairs {
			continue
		}
		for first := 1; first < l; first++ {
			from, to := tail[l-first], tail[l-first+1]
			if from == to {
				continue
			}
			tails, words := b.tails[from:to], b.tailWords[from:to]
			for i := start[first]; i < literals[first]; i++ {
				e, w := b.sorted[i]+plus, int(b.words[i])
				for t, word := range words {
					table[w|int(word)<<first] = e + tails[t]
				}
			}
		}
	}
	if longest > width {
		return b.second(table, width, word, longest, &count, &start)
	}
	return nil
}

// addTails adds the tails of l bits at index n and returns their end. A literal
// here is the second one.
func (b *builder) addTails(n, l int, start, literals *[maxBits + 2]int) int {
	for i := start[l]; i < literals[l]; i++ {
		b.tails[n] = literal | b.sorted[i]>>16<<24
		b.tailWords[n] = b.words[i]
		n++
	}
	for short := max(1, l-5); short <= l; short++ {
		for i := literals[short]; i < start[short+1]; i++ {
			e := b.sorted[i]
			extra := int(e.bits())
			if e&isMatch == 0 || short+extra != l {
				continue
			}
			for v := range 1 << extra {
				b.tails[n] = isMatch | e>>24<<24 + entry(v)<<24
				b.tailWords[n] = b.words[i] | uint16(v<<short)
				n++
			}
		}
	}
	return n
}

// second makes the second tables, for words longer than width, of which word is
// the last one so far.
func (b *builder) second(table []entry, width int, word uint, longest int, count, start *[maxBits + 2]int) error {
	end := 1 << width // of the tables so far
	sub, subBits, prefix := 0, 0, -1
	for l := width + 1; l <= longest; l++ {
		word <<= 1
		plus := entry(l-width)<<8 + entry(l-width)
		for i := start[l]; i < start[l+1]; i++ {
			w := int(bits.Reverse16(uint16(word)) >> (16 - l))
			word++
			if p := w & (1<<width - 1); p != prefix {
				// As wide as the words that are left under this prefix need.
				prefix, sub, subBits = p, end, l-width
				room := 1<<subBits - (start[l+1] - i)
				for n := l; room > 0 && n < longest; {
					n++
					subBits++
					room = room<<1 - count[n]
				}
				end += 1 << subBits
				if end > len(table) {
					return fmt.Errorf("%w: code needs too large a table", ErrCorrupt)
				}
				table[p] = isSecond | entry(subBits)<<8 | entry(sub)<<16
			}
			e := b.sorted[i] + plus
			for at := w >> width; at < 1<<subBits; at += 1 << (l - width) {
				table[sub+at] = e
			}
		}
	}
	return nil
}
