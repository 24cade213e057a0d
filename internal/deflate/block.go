package deflate

import "encoding/binary"

// blockTokens is after how many tokens a block ends: few enough that codes fit
// them, as many as pay for the description of the codes. Between 4,096 and 65,536
// the size of matrices changes by less than 2 %.
const blockTokens = 1 << 14

// token is a literal byte; or a match, of a bit that says so, the length less 3 and
// the distance less 1.
type token uint32

const (
	isMatch     token = 1 << 31
	lengthShift       = 15
)

// counts are how often symbols occur.
type counts struct {
	lit  [litSymbols]uint32
	dist [distSymbols]uint32
}

func (e *Encoder) literal(c byte) {
	e.tokens = append(e.tokens, token(c))
	e.count.lit[c]++
}

func (e *Encoder) match(m match) {
	n, d := uint32(m.n-minMatch), uint32(m.back-1)
	e.tokens = append(e.tokens, isMatch|token(n<<lengthShift|d))
	e.count.lit[lengths[n&255].symbol]++
	e.count.dist[distSymbol(d)]++
}

// put appends up to 32 bits.
func (e *Encoder) put(v uint32, n uint8) {
	e.bits |= uint64(v) << e.n
	for e.n += uint(n); e.n >= 8; e.n -= 8 {
		e.out = append(e.out, byte(e.bits))
		e.bits >>= 8
	}
}

// align fills up the last byte.
func (e *Encoder) align() {
	if e.n > 0 {
		e.put(0, uint8(8-e.n))
	}
}

// stored writes b as it is.
func (e *Encoder) stored(b []byte, last bool) {
	for done := false; !done; {
		part := b[:min(len(b), maxStored)]
		b = b[len(part):]
		done = len(b) == 0
		e.put(flag(last && done), 3)
		e.align()
		e.out = binary.LittleEndian.AppendUint16(e.out, uint16(len(part)))
		e.out = binary.LittleEndian.AppendUint16(e.out, ^uint16(len(part)))
		e.out = append(e.out, part...)
	}
}

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// block writes the tokens, which stand for b, or b as it is if that is shorter.
func (e *Encoder) block(b []byte, last bool) {
	e.count.lit[endOfBlock] = 1
	if e.codes.build(&e.count) < 8*uint64(len(b)+5) {
		const dynamic = 2 << 1
		e.put(flag(last)|dynamic, 3)
		for _, w := range e.codes.header {
			e.put(w.bits, w.n)
		}
		e.write()
		e.put(e.codes.lit[endOfBlock].bits, e.codes.lit[endOfBlock].n)
	} else {
		e.stored(b, last)
	}
	if last {
		e.align()
	}
	e.tokens = e.tokens[:0]
	e.count = counts{}
}

// write appends the tokens with the codes of the block.
func (e *Encoder) write() {
	c := &e.codes
	out, at := e.out[:cap(e.out)], len(e.out)
	acc, n := e.bits, e.n // at most seven bits, and 48 of a token
	for _, t := range e.tokens {
		if t&isMatch == 0 {
			w := c.lit[t&255]
			acc |= uint64(w.bits) << n
			n += uint(w.n)
		} else {
			w := c.length[t>>lengthShift&255]
			acc |= uint64(w.bits) << n
			n += uint(w.n)
			d := uint32(t & (window - 1))
			s := distSymbol(d)
			w = c.dist[s]
			acc |= uint64(w.bits) << n
			n += uint(w.n)
			acc |= uint64(d-distances[s].base) << n
			n += uint(distances[s].extra)
		}
		binary.LittleEndian.PutUint64(out[at:], acc)
		at += int(n / 8)
		acc >>= n &^ 7
		n &= 7
	}
	e.out, e.bits, e.n = out[:at], acc, n
}
