package inflate

import "fmt"

// step decodes one entry of the table and checks every read and write. done means
// that it was the end of the block.
func (d *Decoder) step() (done bool, err error) {
	e, err := d.symbol(d.lit[:], litBits)
	if err != nil {
		return false, err
	}
	switch e & kindMask {
	case isEnd:
		return true, nil
	case isLong & kindMask:
	default:
		n := e.literals()
		if n > len(d.dst)-d.op {
			return false, ErrTooLarge
		}
		for i := range n {
			d.dst[d.op] = byte(e >> (16 + 8*i))
			d.op++
		}
	}
	if e&isMatch == 0 {
		return false, nil
	}
	n := int(e>>24) + d.extra(e) + minMatch
	if e, err = d.symbol(d.dist[:], distBits); err != nil {
		return false, err
	}
	back := int(e>>16) + d.extra(e)
	switch {
	case back > d.op:
		return false, fmt.Errorf("%w: distance %d at byte %d", ErrCorrupt, back, d.op)
	case n > len(d.dst)-d.op:
		return false, ErrTooLarge
	}
	// What was copied is copied again until there is enough.
	from, end := d.op-back, d.op+n
	for d.op < end {
		d.op += copy(d.dst[d.op:end], d.dst[from:d.op])
	}
	return false, nil
}

// symbol reads a code; its extra bits are there but not read.
func (d *Decoder) symbol(table []entry, width uint) (entry, error) {
	bb, left := d.peek(), d.left()
	e := table[bb&(1<<width-1)]
	code := e.code()
	if e&kindMask == isSecond {
		e = table[uint64(e>>16)+bb>>width&(1<<code-1)]
		code = uint64(width) + e.code()
	}
	switch {
	case left < code+e.bits()-e.code():
		return 0, ErrTruncated
	case e&kindMask == invalid:
		return 0, fmt.Errorf("%w: invalid code", ErrCorrupt)
	}
	d.pos += code
	return e, nil
}

// extra reads the extra bits of a length or a distance.
func (d *Decoder) extra(e entry) int {
	n := e.bits() - e.code()
	v := d.peek() & (1<<n - 1)
	d.pos += n
	return int(v)
}
