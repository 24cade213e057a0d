package deflate

import "math/bits"

// word is bits to be written, the lowest first.
type word struct {
	bits uint32
	n    uint8
}

// codes are the prefix codes of a block.
type codes struct {
	lit    [litSymbols]word
	length [256]word // by length less 3, with the bits behind the symbol
	dist   [distSymbols]word
	header []word // describes the codes

	lens [litSymbols + distSymbols]uint8
	runs []run
	tree tree
}

// run is a symbol of the code in which the lengths of words are written, with what
// is behind it.
type run struct{ symbol, bits, n uint8 }

// build makes codes for symbols that occur so often and returns how many bits the
// block will have.
func (c *codes) build(count *counts) uint64 {
	nLit, nDist := litSymbols, distSymbols
	for count.lit[nLit-1] == 0 {
		nLit--
	}
	for nDist > 1 && count.dist[nDist-1] == 0 {
		nDist--
	}
	lens := c.lens[:nLit+nDist]
	lit, dist := lens[:nLit], lens[nLit:]
	c.tree.lengths(lit, count.lit[:nLit], maxBits)
	c.tree.lengths(dist, count.dist[:nDist], maxBits)

	assign(c.lit[:nLit], lit)
	assign(c.dist[:nDist], dist)
	total := uint64(3)
	for s, n := range lit {
		total += uint64(count.lit[s]) * uint64(n)
	}
	for s, n := range dist {
		total += uint64(count.dist[s]) * uint64(n+distances[s].extra)
	}
	for i, l := range lengths {
		w := c.lit[l.symbol]
		c.length[i] = word{w.bits | uint32(l.bits)<<w.n, w.n + l.extra}
		if l.bits == 0 { // once for each symbol
			total += uint64(count.lit[l.symbol]) * uint64(l.extra)
		}
	}
	c.describe(lens, nLit, nDist)
	for _, w := range c.header {
		total += uint64(w.n)
	}
	return total
}

// assign gives the symbols the words of the canonical code of their lengths.
func assign(words []word, lens []uint8) {
	var count, next [maxBits + 1]uint32
	for _, n := range lens {
		count[n]++
	}
	count[0] = 0
	for n := 1; n <= maxBits; n++ {
		next[n] = (next[n-1] + count[n-1]) << 1
	}
	for s, n := range lens {
		words[s] = word{}
		if n > 0 {
			words[s] = word{uint32(bits.Reverse16(uint16(next[n]))) >> (16 - n), n}
			next[n]++
		}
	}
}

// order is that in which the lengths of the words for lengths are written.
var order = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// describe makes the header of a block (RFC 1951, section 3.2.7): the lengths of
// the words of its two codes, in a third code, with words for repeated lengths.
func (c *codes) describe(lens []uint8, nLit, nDist int) {
	c.runs = c.runs[:0]
	for i := 0; i < len(lens); {
		v, n := lens[i], 1
		for i+n < len(lens) && lens[i+n] == v {
			n++
		}
		i += n
		if v > 0 { // 16 repeats the one before
			c.runs = append(c.runs, run{symbol: v})
			n--
		}
		for n > 0 {
			r, k := run{symbol: v}, 1
			switch {
			case v > 0 && n >= 3:
				k = min(n, 6)
				r = run{16, uint8(k - 3), 2}
			case n >= 11:
				k = min(n, 138)
				r = run{18, uint8(k - 11), 7}
			case n >= 3:
				k = n
				r = run{17, uint8(k - 3), 3}
			}
			if v > 0 && r.symbol > 16 {
				r, k = run{symbol: v}, 1
			}
			c.runs = append(c.runs, r)
			n -= k
		}
	}
	var count [19]uint32
	for _, r := range c.runs {
		count[r.symbol]++
	}
	var third [19]uint8
	var words [19]word
	c.tree.lengths(third[:], count[:], 7)
	assign(words[:], third[:])
	n := len(order)
	for n > 4 && third[order[n-1]] == 0 {
		n--
	}
	c.header = append(c.header[:0], word{uint32(nLit - 257), 5}, word{uint32(nDist - 1), 5}, word{uint32(n - 4), 4})
	for _, s := range order[:n] {
		c.header = append(c.header, word{uint32(third[s]), 3})
	}
	for _, r := range c.runs {
		w := words[r.symbol]
		c.header = append(c.header, word{w.bits | uint32(r.bits)<<w.n, w.n + r.n})
	}
}
