package inflate

import (
	"fmt"
	"math/bits"
)

// entry is what a table says about the next bits:
//
//	bits 0–4    bits to use: the code in this table and the extra bits
//	bits 5–8    of them, the code; or the bits that index a second table
//	bits 9–12   number of extra bits
//	bit 13      a literal
//	bit 14      special: the end of the block, a second table, or no code at all
//	bit 15      with special: the end of the block
//	bits 16–31  the literal; the base of a length or a distance; or where the
//	            second table starts
type entry uint32

const (
	isLiteral entry = 1 << 13
	isSpecial entry = 1 << 14
	isEnd     entry = 1 << 15
)

// second reports whether a special entry points at a second table.
func (e entry) second() bool { return e&(isSpecial|isEnd|15<<5) > isSpecial && e&isEnd == 0 }

const (
	litBits  = 11
	distBits = 8
	codeBits = 7
	// The most entries that a complete code needs with its second tables: 2,342
	// for 288 symbols and 402 for 32 (by exhaustive search, as zlib's program
	// enough.c does). An incomplete code is refused or has one symbol.
	litSize  = 2400
	distSize = 448
)

// symbols fills in what the symbols of an alphabet mean.
type meaning func(symbol int) entry

func literalOrLength(s int) entry {
	switch {
	case s < 256:
		return isLiteral | entry(s)<<16
	case s == 256:
		return isSpecial | isEnd
	case s > 285:
		return isSpecial
	case s == 285:
		return 258 << 16
	case s < 265:
		return entry(s-257+3) << 16
	}
	extra := entry(s-261) / 4
	base := (4+entry(s-261)%4)<<extra + 3
	return base<<16 | extra<<9
}

func distance(s int) entry {
	switch {
	case s > 29:
		return isSpecial
	case s < 4:
		return entry(s+1) << 16
	}
	extra := entry(s-2) / 2
	base := (2+entry(s)%2)<<extra + 1
	return base<<16 | extra<<9
}

// codeLength is the alphabet in which the lengths of the other codes are told;
// it looks like literals.
func codeLength(s int) entry { return isLiteral | entry(s)<<16 }

// build makes the tables of a canonical Huffman code from the lengths of its
// codes. one allows a code of one symbol, or none, to be incomplete.
func build(table []entry, width int, lengths []uint8, mean meaning, one bool) error {
	var count, next [16]int
	for _, l := range lengths {
		count[l]++
	}
	count[0] = 0
	left, longest, used := 1, 0, 0
	for l := 1; l <= 15; l++ {
		if left = left<<1 - count[l]; left < 0 {
			return fmt.Errorf("%w: oversubscribed code", ErrCorrupt)
		}
		if count[l] > 0 {
			longest = l
		}
		used += count[l]
		next[l] = (next[l-1] + count[l-1]) << 1
	}
	for i := range 1 << width {
		table[i] = isSpecial
	}
	if left > 0 && (!one || used > 1 || longest > 1) {
		return fmt.Errorf("%w: incomplete code", ErrCorrupt)
	}
	var sorted [288]uint16
	var start [17]int
	for l := 1; l <= 15; l++ {
		start[l+1] = start[l] + count[l]
	}
	for s, l := range lengths {
		if l > 0 {
			sorted[start[l]] = uint16(s)
			start[l]++
		}
	}
	end := 1 << width // of the tables so far
	sub, subBits, prefix := 0, 0, -1
	i := 0
	for l := 1; l <= longest; l++ {
		for k := range count[l] {
			code := next[l] + k
			reversed := int(bits.Reverse16(uint16(code)) >> (16 - l))
			e := mean(int(sorted[i]))
			i++
			if l <= width {
				e += entry(l)<<5 | entry(l) + e>>9&15
				for at := reversed; at < 1<<width; at += 1 << l {
					table[at] = e
				}
				continue
			}
			if p := reversed & (1<<width - 1); p != prefix {
				// As wide as the codes that are left under this prefix need.
				prefix, sub, subBits = p, end, l-width
				room := 1<<subBits - (count[l] - k)
				for n := l; room > 0 && n < longest; {
					n++
					subBits++
					room = room<<1 - count[n]
				}
				end += 1 << subBits
				if end > len(table) {
					return fmt.Errorf("%w: code needs too large a table", ErrCorrupt)
				}
				for at := sub; at < end; at++ {
					table[at] = isSpecial
				}
				table[p] = isSpecial | entry(subBits)<<5 | entry(sub)<<16
			}
			e += entry(l-width)<<5 | entry(l-width) + e>>9&15
			for at := reversed >> width; at < 1<<subBits; at += 1 << (l - width) {
				table[sub+at] = e
			}
		}
	}
	return nil
}

// fixedTables makes the code of block type 1.
func (d *Decoder) fixedTables() {
	var l [288]uint8
	for i := range l {
		switch {
		case i < 144:
			l[i] = 8
		case i < 256:
			l[i] = 9
		case i < 280:
			l[i] = 7
		default:
			l[i] = 8
		}
	}
	var dl [32]uint8
	for i := range dl {
		dl[i] = 5
	}
	// These codes are complete: there is no error.
	_ = build(d.lit[:], litBits, l[:], literalOrLength, false)
	_ = build(d.dist[:], distBits, dl[:], distance, false)
}

// order is the order in which the lengths of the code length code are stored.
func order(i int) int {
	return int("\x10\x11\x12\x00\x08\x07\x09\x06\x0a\x05\x0b\x04\x0c\x03\x0d\x02\x0e\x01\x0f"[i])
}

// dynamicTables reads the codes of block type 2.
func (d *Decoder) dynamicTables() error {
	d.refill()
	if d.bn < 14 {
		return ErrTruncated
	}
	nLit, nDist, nCode := int(d.bb&31)+257, int(d.bb>>5&31)+1, int(d.bb>>10&15)+4
	d.drop(14)
	if nLit > 286 || nDist > 30 {
		return fmt.Errorf("%w: %d length codes, %d distance codes", ErrCorrupt, nLit, nDist)
	}
	var cl [19]uint8
	for i := range nCode {
		d.refill()
		if d.bn < 3 {
			return ErrTruncated
		}
		cl[order(i)] = uint8(d.bb & 7)
		d.drop(3)
	}
	if err := build(d.code[:], codeBits, cl[:], codeLength, true); err != nil {
		return err
	}
	lengths := d.lengths[:]
	for i := 0; i < nLit+nDist; {
		d.refill()
		e, err := d.symbol(d.code[:], codeBits)
		if err != nil {
			return err
		}
		s := uint8(e >> 16)
		if s < 16 {
			lengths[i] = s
			i++
			continue
		}
		var value uint8
		var n, width int
		switch s {
		case 16:
			if i == 0 {
				return fmt.Errorf("%w: repeats a length before the first", ErrCorrupt)
			}
			value, n, width = lengths[i-1], 3, 2
		case 17:
			n, width = 3, 3
		default:
			n, width = 11, 7
		}
		if d.bn < uint(width) {
			return ErrTruncated
		}
		n += int(d.bb & (1<<width - 1))
		d.drop(uint(width))
		if i+n > nLit+nDist {
			return fmt.Errorf("%w: repeats a length past the last", ErrCorrupt)
		}
		for range n {
			lengths[i] = value
			i++
		}
	}
	if lengths[256] == 0 {
		return fmt.Errorf("%w: no code for the end of the block", ErrCorrupt)
	}
	if err := build(d.lit[:], litBits, lengths[:nLit], literalOrLength, true); err != nil {
		return err
	}
	return build(d.dist[:], distBits, lengths[nLit:nLit+nDist], distance, true)
}
