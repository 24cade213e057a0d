package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// Limits that no honest file comes near: the largest models have a few thousand
// tensors, and tokenizers of some 300,000 words.
const (
	maxKeys    = 1 << 16
	maxTensors = 1 << 18
	maxName    = 1 << 16
	maxAlign   = 1 << 20
)

// cursor reads the head of a file from front to back. After the first error it
// reads zeros.
type cursor struct {
	r    *bufio.Reader
	at   int64
	size int64 // of the file
	buf  [8]byte
	err  error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// room checks that n values of at least width bytes may follow.
func (c *cursor) room(n uint64, width int64) bool {
	if c.err == nil && n > uint64(c.size-c.at)/uint64(width) {
		c.fail(fmt.Errorf("%w: %d values are announced with %d bytes left", ErrTruncated, n, c.size-c.at))
	}
	return c.err == nil
}

func (c *cursor) read(b []byte) {
	if c.err != nil || !c.room(uint64(len(b)), 1) {
		clear(b)
		return
	}
	n, err := io.ReadFull(c.r, b)
	c.at += int64(n)
	if err != nil {
		clear(b)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = ErrTruncated // the file has shrunk since it was measured
		}
		c.fail(err)
	}
}

func (c *cursor) bytes(n int) []byte {
	c.read(c.buf[:n])
	return c.buf[:n]
}

func (c *cursor) u32() uint32 { return binary.LittleEndian.Uint32(c.bytes(4)) }
func (c *cursor) u64() uint64 { return binary.LittleEndian.Uint64(c.bytes(8)) }

func (c *cursor) string() string {
	n := c.u64()
	if !c.room(n, 1) {
		return ""
	}
	b := make([]byte, n)
	c.read(b)
	return string(b)
}

// name reads a key or a tensor's name, which messages show.
func (c *cursor) name() string {
	n := c.u64()
	if n > maxName {
		c.fail(corruptf("a name of %d bytes", n))
		return ""
	}
	b := make([]byte, n)
	c.read(b)
	if !utf8.Valid(b) || strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		c.fail(corruptf("the name %q", b))
	}
	return string(b)
}

// parse reads everything up to the data.
func (f *File) parse(r io.ReaderAt) error {
	c := &cursor{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, f.size), 1<<16), size: f.size}
	if magic := string(c.bytes(4)); magic != "GGUF" {
		if c.err != nil && f.size >= 4 {
			return f.fail("", c.err) // the machine's error
		}
		return f.fail("", ErrNotGGUF)
	}
	f.Version = c.u32()
	switch {
	case c.err != nil:
		return f.fail("", c.err)
	case f.Version > 0 && f.Version&0xffff == 0:
		return f.fail("", fmt.Errorf("%w: big-endian", ErrUnsupported))
	case f.Version != 2 && f.Version != 3:
		return f.fail("", fmt.Errorf("%w: version %d; 2 and 3 are known", ErrUnsupported, f.Version))
	}
	tensors, keys := c.u64(), c.u64()
	if c.err != nil {
		return f.fail("", c.err)
	}
	if tensors > maxTensors || keys > maxKeys {
		return f.fail("", corruptf("%d tensors and %d keys", tensors, keys))
	}
	if err := f.parseKeys(c, int(keys)); err != nil {
		return err
	}
	if err := f.parseTensors(c, int(tensors)); err != nil {
		return err
	}
	return f.place(c.at)
}

func (f *File) parseKeys(c *cursor, n int) error {
	f.values = map[string]any{}
	for range n {
		key := c.name()
		v := c.value(c.u32())
		if c.err != nil {
			return f.fail(key, c.err)
		}
		if _, ok := f.values[key]; ok {
			return f.fail(key, corruptf("the key occurs twice"))
		}
		f.values[key] = v
		f.keys = append(f.keys, key)
	}
	return nil
}

func (f *File) parseTensors(c *cursor, n int) error {
	f.index = map[string]int{}
	for range n {
		t := Tensor{Name: c.name()}
		dims := c.u32()
		if dims > maxDimensions {
			c.fail(corruptf("%d dimensions", dims))
			dims = 0
		}
		t.Shape = make([]int64, dims)
		for i := range t.Shape {
			d := c.u64()
			if d > math.MaxInt64 {
				c.fail(corruptf("a dimension of %d", d))
			}
			t.Shape[len(t.Shape)-1-i] = int64(d)
		}
		t.Type = Type(c.u32())
		offset := c.u64()
		if c.err == nil && offset > math.MaxInt64 {
			c.fail(corruptf("an offset of %d", offset))
		}
		t.offset = int64(offset)
		if c.err == nil {
			c.err = t.measure()
		}
		if c.err != nil {
			return f.fail("tensor "+t.Name, c.err)
		}
		if _, ok := f.index[t.Name]; ok {
			return f.fail("tensor "+t.Name, corruptf("the name occurs twice"))
		}
		f.index[t.Name] = len(f.Tensors)
		f.Tensors = append(f.Tensors, t)
	}
	return nil
}

// place finds the data behind the head, which ends at the given byte, and checks
// that every tensor lies in it.
func (f *File) place(head int64) error {
	align := int64(32)
	if _, ok := f.values[keyAlignment]; ok {
		v, err := f.Uint(keyAlignment)
		if err != nil {
			return err
		}
		if v == 0 || v > maxAlign || v&(v-1) != 0 {
			return f.fail(keyAlignment, corruptf("an alignment of %d", v))
		}
		align = int64(v)
	}
	f.base = (head + align - 1) / align * align
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if t.offset%align != 0 {
			return f.fail("tensor "+t.Name, corruptf("it begins at byte %d, no multiple of %d", t.offset, align))
		}
		if room := f.size - f.base; t.offset > room || t.size > room-t.offset {
			return f.fail("tensor "+t.Name, fmt.Errorf("%w: it ends %d bytes into the data, of which there are %d",
				ErrTruncated, uint64(t.offset)+uint64(t.size), max(0, room)))
		}
	}
	return nil
}

// value reads a metadata value.
func (c *cursor) value(kind uint32) any {
	switch kind {
	case kindUint8:
		return c.bytes(1)[0]
	case kindInt8:
		return int8(c.bytes(1)[0])
	case kindUint16:
		return binary.LittleEndian.Uint16(c.bytes(2))
	case kindInt16:
		return int16(binary.LittleEndian.Uint16(c.bytes(2)))
	case kindUint32:
		return c.u32()
	case kindInt32:
		return int32(c.u32())
	case kindFloat32:
		return math.Float32frombits(c.u32())
	case kindBool:
		return c.bytes(1)[0] != 0
	case kindString:
		return c.string()
	case kindUint64:
		return c.u64()
	case kindInt64:
		return int64(c.u64())
	case kindFloat64:
		return math.Float64frombits(c.u64())
	case kindArray:
		return c.array()
	}
	c.fail(corruptf("a value of kind %d", kind))
	return nil
}

func (c *cursor) array() any {
	kind, n := c.u32(), c.u64()
	switch kind {
	case kindUint8:
		return list(c, kind, n, 1, uint8(0))
	case kindInt8:
		return list(c, kind, n, 1, int8(0))
	case kindUint16:
		return list(c, kind, n, 2, uint16(0))
	case kindInt16:
		return list(c, kind, n, 2, int16(0))
	case kindUint32:
		return list(c, kind, n, 4, uint32(0))
	case kindInt32:
		return list(c, kind, n, 4, int32(0))
	case kindFloat32:
		return list(c, kind, n, 4, float32(0))
	case kindBool:
		return list(c, kind, n, 1, false)
	case kindString:
		return list(c, kind, n, 8, "") // eight bytes are the length alone
	case kindUint64:
		return list(c, kind, n, 8, uint64(0))
	case kindInt64:
		return list(c, kind, n, 8, int64(0))
	case kindFloat64:
		return list(c, kind, n, 8, float64(0))
	case kindArray:
		// No key of the specification holds arrays of arrays.
		c.fail(fmt.Errorf("%w: an array of arrays", ErrUnsupported))
		return nil
	}
	c.fail(corruptf("an array of kind %d", kind))
	return nil
}

// list reads n values of at least width bytes each.
func list[T any](c *cursor, kind uint32, n uint64, width int64, _ T) any {
	if !c.room(n, width) {
		return nil
	}
	out := make([]T, n)
	for i := range out {
		out[i], _ = c.value(kind).(T)
		if c.err != nil {
			return nil
		}
	}
	return out
}
