package inflate

// entry is what a table says about the next bits:
//
//	bits 0–7    bits to use: codes and extra bits together
//	bits 8–11   of these, the code; or how many bits index a second table
//	bits 12–13  how many literals there are, 0 to 2; or the kind of special entry
//	bit 14      a match: its length, behind the literals; or its distance
//	bit 15      special: not for the fast loop
//	bits 16–31  the literals, the first one lowest; with a match the upper byte is
//	            its length less 3; or the base of a distance; or where the second
//	            table starts
//
// A length is resolved (its extra bits are part of what indexes the table) or
// special; a distance takes its extra bits from the stream.
type entry uint32

const (
	literal   entry = 1 << 12 // one of them
	isMatch   entry = 1 << 14
	isSpecial entry = 1 << 15

	kindMask        = isSpecial | 3<<12
	invalid         = isSpecial
	isEnd           = isSpecial | 1<<12
	isSecond        = isSpecial | 2<<12
	isLong          = isSpecial | 3<<12 | isMatch // a length with extra bits
	minMatch        = 3
	endOfBlock      = 256
	numLit, numDist = 288, 32 // with symbols that must not occur
)

// bits is how many bits to use.
func (e entry) bits() uint64 { return uint64(uint8(e)) }

// code is how many of the bits are the code; or index a second table.
func (e entry) code() uint64 { return uint64(e >> 8 & 15) }

// literals is how many literals there are, unless the entry is special.
func (e entry) literals() int { return int(e >> 12 & 3) }

// litMeaning is what a symbol of the literal and length alphabet stands for, in
// an entry that lacks the code's length.
func litMeaning(s int) entry {
	switch {
	case s < endOfBlock:
		return literal | entry(s)<<16
	case s == endOfBlock:
		return isEnd
	case s < 265:
		return isMatch | entry(s-257)<<24
	case s < 285:
		extra := entry(s-261) / 4
		return isLong | (4+entry(s-261)%4)<<extra<<24 | extra
	case s == 285:
		return isMatch | (258-minMatch)<<24
	}
	return invalid
}

// distMeaning is the same for distances.
func distMeaning(s int) entry {
	switch {
	case s < 4:
		return isMatch | entry(s+1)<<16
	case s < 30:
		extra := entry(s-2) / 2
		return isMatch | ((2+entry(s)%2)<<extra+1)<<16 | extra
	}
	return invalid
}

// repeats makes eight bytes out of what lies d bytes back, indexed by d up to 7 or
// by 8 for anything farther.
type repeats struct {
	mask, times [16]uint64 // the first d bytes, and their copies
	next        [16]uint8  // where to go on reading: as far back as a multiple of d
}

func newRepeats() (r repeats) {
	for d := 1; d <= 8; d++ {
		r.mask[d] = 1<<(8*d) - 1
		for at := 0; at < 8; at += d {
			r.times[d] |= 1 << (8 * at)
		}
		r.next[d] = uint8(8 + d - (7+d)/d*d)
	}
	return r
}
