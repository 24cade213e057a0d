// Package inflate decompresses zlib streams (RFC 1950) of deflate data (RFC
// 1951) whose decoded size is known beforehand, as that of an HDF5 chunk is: in
// one call, from one slice into another, in safe Go, about three times as fast as
// the standard library.
//
// Start with [Decoder.Zlib]. What makes it fast: one table lookup gives up to two
// literals, or a literal and a whole match length (pairs in build.go); the state
// of the reader is a single bit position, so that the next lookup need not wait
// for the next load (fast.go); and matches are copied without a branch on their
// distance. Whatever is rare or near an end goes through step.go, one symbol at a
// time.
package inflate

import (
	"encoding/binary"
	"errors"
	"fmt"
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

// Decoder holds the tables of a decompression, some 27 KiB. Its zero value is
// ready; it may be used again, but not by two goroutines at once. It allocates
// nothing but errors.
type Decoder struct {
	lit   [litSize]entry
	dist  [distSize]entry
	reps  repeats
	build builder
	ready bool // what never changes is filled in
	fixed bool // lit and dist hold the fixed code

	src []byte
	pos uint64 // next bit of src, at most 8*len(src)
	dst []byte
	op  int // next byte of dst
}

// Zlib inflates the zlib stream src into dst and returns how many bytes it
// holds. It verifies the header and the checksum. Bytes behind the stream are
// ignored, as the HDF5 library ignores them. A stream that needs a preset
// dictionary is refused; the window size that the header declares is not
// enforced, as in compress/zlib. Of dst, what lies behind the first n bytes, and
// all of it after an error, is unspecified.
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
	if got, want := Adler32(dst[:n]), binary.BigEndian.Uint32(src[end:]); got != want {
		return n, fmt.Errorf("%w: %08x, the stream says %08x", ErrChecksum, got, want)
	}
	return n, nil
}

// Deflate inflates the raw deflate stream src into dst. It returns how many
// bytes were written and how many of src were consumed; the last of those may
// have unused bits. There is no checksum. Otherwise it is as [Decoder.Zlib].
func (d *Decoder) Deflate(dst, src []byte) (n, consumed int, err error) {
	if !d.ready {
		d.reps = newRepeats()
		d.build.fill()
		d.ready = true
	}
	d.src, d.pos, d.dst, d.op = src, 0, dst, 0
	err = d.blocks()
	n, consumed = d.op, int((d.pos+7)/8)
	d.src, d.dst = nil, nil
	return n, consumed, err
}

// blocks decodes block after block up to the last.
func (d *Decoder) blocks() error {
	for last := false; !last; {
		if d.left() < 3 {
			return ErrTruncated
		}
		head := d.peek()
		d.pos += 3
		last = head&1 != 0
		var err error
		switch head >> 1 & 3 {
		case 0:
			err = d.stored()
		case 1:
			if !d.fixed {
				d.fixedTables()
				d.fixed = true
			}
			err = d.symbols()
		case 2:
			d.fixed = false
			if err = d.dynamicTables(); err == nil {
				err = d.symbols()
			}
		default:
			err = fmt.Errorf("%w: block type 3", ErrCorrupt)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// left is how many bits of src are left.
func (d *Decoder) left() uint64 { return uint64(len(d.src))*8 - d.pos }

// peek returns the next bits: at least 57, with zeros behind the end of src.
func (d *Decoder) peek() uint64 {
	rest := d.src[d.pos/8:]
	if len(rest) < 8 {
		var b [8]byte
		copy(b[:], rest)
		rest = b[:]
	}
	return binary.LittleEndian.Uint64(rest) >> (d.pos & 7)
}

// stored copies a block that is not compressed.
func (d *Decoder) stored() error {
	start := (d.pos + 7) / 8
	rest := d.src[start:]
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
	d.op += copy(d.dst[d.op:], rest[:n])
	d.pos = (start + 4 + uint64(n)) * 8
	return nil
}

// symbols decodes a block with the codes that are in the tables.
func (d *Decoder) symbols() error {
	for {
		d.fast()
		if done, err := d.step(); done || err != nil {
			return err
		}
	}
}
