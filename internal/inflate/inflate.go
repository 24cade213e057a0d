// Package inflate decompresses zlib streams (RFC 1950) of deflate data (RFC
// 1951) whose decoded size is known beforehand, as that of an HDF5 chunk is: in
// one call, from one slice into another, in safe Go, about twice as fast as the
// standard library.
//
// Start with [Decoder.Zlib].
package inflate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
)

// The ways in which a stream can be bad.
var (
	// ErrCorrupt means that the stream breaks the rules of its format.
	ErrCorrupt = errors.New("corrupt deflate stream")
	// ErrTruncated means that the stream ends too early.
	ErrTruncated = errors.New("truncated deflate stream")
	// ErrTooLarge means that the stream holds more than dst has room for.
	ErrTooLarge = errors.New("deflate stream holds more than expected")
	// ErrChecksum means that the decoded bytes have another checksum.
	ErrChecksum = errors.New("adler32 differs")
)

// Decoder holds the tables of a decompression. Its zero value is ready; it may be
// used again, but not by two goroutines at once.
type Decoder struct {
	lit     [litSize]entry
	dist    [distSize]entry
	code    [1 << codeBits]entry
	lengths [286 + 30 + 137]uint8 // the last code may repeat 138 times
	fixed   bool                  // lit and dist hold the fixed code

	src []byte
	ip  int    // next byte of src
	bb  uint64 // bits that were read and not used, the next one lowest
	bn  uint   // how many of them count; more may be set
	dst []byte
	op  int // next byte of dst
}

// Zlib inflates the zlib stream src into dst and returns how many bytes it
// holds. It verifies the header and the checksum. Bytes behind the stream are
// ignored, as the HDF5 library does. On an error dst holds an unspecified part.
func (d *Decoder) Zlib(dst, src []byte) (n int, err error) {
	if len(src) < 6 {
		return 0, fmt.Errorf("%w: %d bytes", ErrTruncated, len(src))
	}
	head := binary.BigEndian.Uint16(src)
	switch {
	case head%31 != 0 || src[0]&0x0f != 8 || src[0]>>4 > 7:
		return 0, fmt.Errorf("%w: zlib header %04x", ErrCorrupt, head)
	case src[1]&0x20 != 0:
		return 0, fmt.Errorf("%w: a preset dictionary is needed", ErrCorrupt)
	}
	n, used, err := d.Deflate(dst, src[2:])
	if err != nil {
		return n, err
	}
	end := 2 + used
	if len(src)-end < 4 {
		return n, fmt.Errorf("%w: no checksum", ErrTruncated)
	}
	if got, want := adler32.Checksum(dst[:n]), binary.BigEndian.Uint32(src[end:]); got != want {
		return n, fmt.Errorf("%w: %08x, the stream says %08x", ErrChecksum, got, want)
	}
	return n, nil
}

// Deflate inflates the raw deflate stream src into dst. It returns how many
// bytes were written and how many of src were consumed.
func (d *Decoder) Deflate(dst, src []byte) (n, consumed int, err error) {
	d.src, d.ip, d.bb, d.bn, d.dst, d.op = src, 0, 0, 0, dst, 0
	defer func() { d.src, d.dst = nil, nil }()
	for last := false; !last; {
		d.refill()
		if d.bn < 3 {
			return d.op, d.ip, ErrTruncated
		}
		last = d.bb&1 != 0
		kind := d.bb >> 1 & 3
		d.drop(3)
		switch kind {
		case 0:
			err = d.stored()
		case 1:
			if !d.fixed {
				d.fixedTables()
				d.fixed = true
			}
			err = d.block()
		case 2:
			d.fixed = false
			if err = d.dynamicTables(); err == nil {
				err = d.block()
			}
		default:
			err = fmt.Errorf("%w: block type 3", ErrCorrupt)
		}
		if err != nil {
			return d.op, d.ip, err
		}
	}
	return d.op, d.ip - int(d.bn/8), nil
}

// refill reads bytes until at least 56 bits are there or the source ends.
func (d *Decoder) refill() {
	if len(d.src)-d.ip >= 8 {
		d.bb |= binary.LittleEndian.Uint64(d.src[d.ip:]) << d.bn
		d.ip += int((63 - d.bn) / 8)
		d.bn |= 56
		return
	}
	d.bb &= 1<<d.bn - 1 // what a fast refill left above
	for d.bn <= 56 && d.ip < len(d.src) {
		d.bb |= uint64(d.src[d.ip]) << d.bn
		d.ip++
		d.bn += 8
	}
}

// drop uses n bits, which are there.
func (d *Decoder) drop(n uint) {
	d.bb >>= n
	d.bn -= n
}

// stored copies a block that is not compressed.
func (d *Decoder) stored() error {
	d.drop(d.bn % 8)
	d.ip -= int(d.bn / 8) // give back whole bytes
	d.bb, d.bn = 0, 0
	rest := d.src[d.ip:]
	if len(rest) < 4 {
		return ErrTruncated
	}
	n := int(binary.LittleEndian.Uint16(rest))
	if n^0xffff != int(binary.LittleEndian.Uint16(rest[2:])) {
		return fmt.Errorf("%w: length of a stored block", ErrCorrupt)
	}
	rest = rest[4:]
	if n > len(rest) {
		return ErrTruncated
	}
	if n > len(d.dst)-d.op {
		return ErrTooLarge
	}
	copy(d.dst[d.op:], rest[:n])
	d.op += n
	d.ip += 4 + n
	return nil
}

// Room that the fast loop needs: three literals and the longest match, written
// eight bytes at a time; and the most bytes that it reads in a round.
const (
	dstMargin = 3 + 258 + 16
	srcMargin = 16
)

// block decodes the symbols of a block: a fast loop while both sides have room,
// then a careful one.
func (d *Decoder) block() error {
	if len(d.src)-d.ip >= srcMargin && len(d.dst)-d.op >= dstMargin {
		done, err := d.fast()
		if done || err != nil {
			return err
		}
	}
	return d.careful()
}

// fast decodes with no check of single reads and writes. done means that the
// block has ended.
func (d *Decoder) fast() (done bool, err error) {
	src, dst := d.src, d.dst
	ip, op, bb, bn := d.ip, d.op, d.bb, d.bn
	ipEnd, opEnd := len(src)-srcMargin, len(dst)-dstMargin
	lit, dist := &d.lit, &d.dist
	for ip <= ipEnd && op <= opEnd {
		bb |= binary.LittleEndian.Uint64(src[ip:]) << (bn & 63)
		ip += int((63 - bn) >> 3)
		bn |= 56

		// Three literals from the first table take at most 33 of the 56 bits.
		e := lit[bb&(1<<litBits-1)]
		if e&isLiteral != 0 {
			out := dst[op : op+3 : op+3]
			bb >>= e & 31
			bn -= uint(e & 31)
			out[0] = byte(e >> 16)
			e = lit[bb&(1<<litBits-1)]
			if e&isLiteral == 0 {
				op++
			} else {
				bb >>= e & 31
				bn -= uint(e & 31)
				out[1] = byte(e >> 16)
				e = lit[bb&(1<<litBits-1)]
				if e&isLiteral == 0 {
					op += 2
				} else {
					bb >>= e & 31
					bn -= uint(e & 31)
					out[2] = byte(e >> 16)
					op += 3
					continue
				}
			}
			// A match takes up to 48 bits.
			bb |= binary.LittleEndian.Uint64(src[ip:]) << (bn & 63)
			ip += int((63 - bn) >> 3)
			bn |= 56
		}
		if e&isSpecial != 0 {
			if e.second() {
				bb >>= litBits
				bn -= litBits
				e = lit[uint(e>>16)+uint(bb)&(1<<(e>>5&15)-1)]
				if e&isLiteral != 0 {
					bb >>= e & 31
					bn -= uint(e & 31)
					dst[op] = byte(e >> 16)
					op++
					continue
				}
			}
			if e&isSpecial != 0 {
				d.ip, d.op, d.bb, d.bn = ip, op, bb>>(e&31), bn-uint(e&31)
				if e&isEnd != 0 {
					return true, nil
				}
				return false, fmt.Errorf("%w: invalid literal or length code", ErrCorrupt)
			}
		}
		n := int(e>>16) + int(bb>>(e>>5&15)&(1<<(e>>9&15)-1))
		bb >>= e & 31
		bn -= uint(e & 31)

		e = dist[bb&(1<<distBits-1)]
		if e&isSpecial != 0 {
			if e.second() {
				bb >>= distBits
				bn -= distBits
				e = dist[uint(e>>16)+uint(bb)&(1<<(e>>5&15)-1)]
			}
			if e&isSpecial != 0 {
				return false, fmt.Errorf("%w: invalid distance code", ErrCorrupt)
			}
		}
		back := int(e>>16) + int(bb>>(e>>5&15)&(1<<(e>>9&15)-1))
		bb >>= e & 31
		bn -= uint(e & 31)
		if back > op {
			return false, fmt.Errorf("%w: distance %d at byte %d", ErrCorrupt, back, op)
		}
		from := op - back
		end := op + n
		switch {
		case back >= 8:
			binary.LittleEndian.PutUint64(dst[op:], binary.LittleEndian.Uint64(dst[from:]))
			for op += 8; op < end; op += 8 {
				from += 8
				binary.LittleEndian.PutUint64(dst[op:], binary.LittleEndian.Uint64(dst[from:]))
			}
		case back == 1 || back == 2 || back == 4:
			v := uint64(binary.LittleEndian.Uint32(dst[from:]))
			switch back {
			case 1:
				v = v & 0xff * 0x0101010101010101
			case 2:
				v = v & 0xffff * 0x0001000100010001
			default:
				v |= v << 32
			}
			for ; op < end; op += 8 {
				binary.LittleEndian.PutUint64(dst[op:], v)
			}
		default:
			for ; op < end; op++ {
				dst[op] = dst[from]
				from++
			}
		}
		op = end
	}
	d.ip, d.op, d.bb, d.bn = ip, op, bb, bn
	return false, nil
}

// careful decodes one symbol at a time and checks everything.
func (d *Decoder) careful() error {
	for {
		d.refill()
		e, err := d.symbol(d.lit[:], litBits)
		if err != nil {
			return err
		}
		switch {
		case e&isLiteral != 0:
			if d.op >= len(d.dst) {
				return ErrTooLarge
			}
			d.dst[d.op] = byte(e >> 16)
			d.op++
			continue
		case e&isEnd != 0:
			return nil
		}
		n := int(e>>16) + d.extra(e)
		d.refill()
		if e, err = d.symbol(d.dist[:], distBits); err != nil {
			return err
		}
		back := int(e>>16) + d.extra(e)
		if back > d.op {
			return fmt.Errorf("%w: distance %d at byte %d", ErrCorrupt, back, d.op)
		}
		if n > len(d.dst)-d.op {
			return ErrTooLarge
		}
		for range n {
			d.dst[d.op] = d.dst[d.op-back]
			d.op++
		}
	}
}

// symbol reads a code from the tables; its extra bits are there but not read.
func (d *Decoder) symbol(table []entry, bits uint) (entry, error) {
	e := table[d.bb&(1<<bits-1)]
	if e.second() {
		e2 := table[uint(e>>16)+uint(d.bb>>bits)&(1<<(e>>5&15)-1)]
		if d.bn < bits {
			return 0, ErrTruncated
		}
		d.drop(bits)
		e = e2
	}
	if e&isSpecial != 0 && e&isEnd == 0 {
		if d.bn < 15 && d.ip == len(d.src) {
			return 0, ErrTruncated
		}
		return 0, fmt.Errorf("%w: invalid code", ErrCorrupt)
	}
	if d.bn < uint(e&31) {
		return 0, ErrTruncated
	}
	if e&(isLiteral|isSpecial) != 0 {
		d.drop(uint(e & 31))
	} else {
		d.drop(uint(e >> 5 & 15)) // the code without its extra bits
	}
	return e, nil
}

// extra reads the extra bits of a length or a distance.
func (d *Decoder) extra(e entry) int {
	n := uint(e >> 9 & 15)
	v := int(d.bb & (1<<n - 1))
	d.drop(n)
	return v
}
