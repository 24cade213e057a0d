package hdf5

import (
	"bytes"
	"encoding/binary"
)

// cursor walks over a message. The first read past the end sets bad and every
// later read gives zero, so that a parser checks once at its end.
type cursor struct {
	b   []byte
	pos int
	bad bool
}

func (c *cursor) need(n int) bool {
	if c.bad || n < 0 || n > len(c.b)-c.pos {
		c.bad = true
		return false
	}
	return true
}

func (c *cursor) bytes(n int) []byte {
	if !c.need(n) {
		return nil
	}
	c.pos += n
	return c.b[c.pos-n : c.pos : c.pos]
}

func (c *cursor) skip(n int) { c.bytes(n) }

func (c *cursor) u8() uint8 {
	if !c.need(1) {
		return 0
	}
	c.pos++
	return c.b[c.pos-1]
}

func (c *cursor) u16() uint16 {
	if !c.need(2) {
		return 0
	}
	c.pos += 2
	return binary.LittleEndian.Uint16(c.b[c.pos-2:])
}

func (c *cursor) u32() uint32 {
	if !c.need(4) {
		return 0
	}
	c.pos += 4
	return binary.LittleEndian.Uint32(c.b[c.pos-4:])
}

// uint reads a little-endian unsigned integer of n bytes, n at most 8.
func (c *cursor) uint(n int) uint64 {
	if n > 8 || !c.need(n) {
		c.bad = true
		return 0
	}
	var v uint64
	for i := n - 1; i >= 0; i-- {
		v = v<<8 | uint64(c.b[c.pos+i])
	}
	c.pos += n
	return v
}

// addr reads a file address of n bytes; all ones, in any width, is undefined.
func (c *cursor) addr(n int) uint64 {
	v := c.uint(n)
	if n < 8 && v == 1<<(8*n)-1 {
		return undefined
	}
	return v
}

// name reads a NUL-terminated name that takes a multiple of pad bytes.
func (c *cursor) name(pad int) string {
	if c.bad {
		return ""
	}
	i := bytes.IndexByte(c.b[c.pos:], 0)
	if i < 0 {
		c.bad = true
		return ""
	}
	s := string(c.b[c.pos : c.pos+i])
	c.skip((i + pad) / pad * pad)
	return s
}

// rest is what has not been read yet.
func (c *cursor) rest() []byte {
	if c.bad {
		return nil
	}
	return c.b[c.pos:]
}

// err is nil, or says that what ended too early.
func (c *cursor) err(what string) error {
	if c.bad {
		return corruptf("%s ends too early (%d bytes)", what, len(c.b))
	}
	return nil
}
