package inflate

import "fmt"

// fixedTables makes the codes of block type 1.
func (d *Decoder) fixedTables() {
	lengths := &d.build.lengths
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		case i < numLit:
			lengths[i] = 8
		default:
			lengths[i] = 5
		}
	}
	_ = d.tables(numLit, numDist) // complete codes: there is no error
}

// tables makes the tables of the codes whose lengths the builder has.
func (d *Decoder) tables(nLit, nDist int) error {
	b := &d.build
	pairs := d.left() >= 8*pairsFrom && len(d.dst)-d.op >= pairsFrom
	if err := b.table(d.lit[:], litBits, b.lengths[:nLit], b.litSyms[:], pairs); err != nil {
		return err
	}
	return b.table(d.dist[:], distBits, b.lengths[nLit:nLit+nDist], b.distSyms[:], false)
}

// order is the order in which the lengths of the code length code are stored.
const order = "\x10\x11\x12\x00\x08\x07\x09\x06\x0a\x05\x0b\x04\x0c\x03\x0d\x02\x0e\x01\x0f"

// dynamicTables reads the codes of block type 2.
func (d *Decoder) dynamicTables() error {
	head := d.peek()
	nLit, nDist, nCode := int(head&31)+257, int(head>>5&31)+1, int(head>>10&15)+4
	if d.left() < 14+3*uint64(nCode) {
		return ErrTruncated
	}
	if nLit > 286 || nDist > 30 {
		return fmt.Errorf("%w: %d length codes, %d distance codes", ErrCorrupt, nLit, nDist)
	}
	d.pos += 14
	head = d.peek()
	var codeLengths [19]uint8
	for i := range nCode {
		codeLengths[order[i]] = uint8(head >> (3 * i) & 7)
	}
	d.pos += 3 * uint64(nCode)
	b := &d.build
	if err := b.table(b.code[:], codeBits, codeLengths[:], b.codeSyms[:], false); err != nil {
		return err
	}
	if err := d.readLengths(nLit + nDist); err != nil {
		return err
	}
	if b.lengths[endOfBlock] == 0 {
		return fmt.Errorf("%w: no code for the end of the block", ErrCorrupt)
	}
	return d.tables(nLit, nDist)
}

// readLengths reads n lengths of codes.
func (d *Decoder) readLengths(n int) error {
	code, lengths := &d.build.code, d.build.lengths[:n]
	var bb, have uint64
	for i := 0; i < n; {
		if have < 14 { // a code and extra bits take up to 14
			bb, have = d.peek(), min(57, d.left())
		}
		e := code[bb&(1<<codeBits-1)]
		value, repeat, extra := uint8(e>>16), 1, uint64(0)
		switch value {
		case 16:
			repeat, extra = 3, 2
		case 17:
			repeat, extra = 3, 3
		case 18:
			repeat, extra = 11, 7
		}
		repeat += int(bb >> e.bits() & (1<<extra - 1))
		used := e.bits() + extra
		switch {
		case used > have:
			return ErrTruncated
		case e&isSpecial != 0:
			return fmt.Errorf("%w: invalid code for a length", ErrCorrupt)
		case value == 16 && i == 0:
			return fmt.Errorf("%w: repeats a length before the first", ErrCorrupt)
		case repeat > n-i:
			return fmt.Errorf("%w: repeats a length past the last", ErrCorrupt)
		}
		bb >>= used
		have -= used
		d.pos += used
		switch {
		case value == 16:
			value = lengths[i-1]
		case value > 16:
			value = 0
		}
		for range repeat {
			lengths[i] = value
			i++
		}
	}
	return nil
}
