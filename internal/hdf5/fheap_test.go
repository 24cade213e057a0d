package hdf5

import (
	"bytes"
	"errors"
	"testing"
)

// TestTinyObject takes objects out of identifiers laid out by hand after the
// specification, section III.G: kind 2 in bits 4 and 5, the length less one in
// four bits, or in twelve where an identifier has more than 18 bytes.
func TestTinyObject(t *testing.T) {
	long := append([]byte{0x21, 0x02}, bytes.Repeat([]byte{'x'}, 300)...)
	for _, c := range []struct {
		name string
		id   []byte
		want string
		ok   bool
	}{
		{"one byte", []byte("\x20a______"), "a", true},
		{"the whole identifier", []byte("\x26abcdefg"), "abcdefg", true},
		{"past the end", []byte("\x27abcdefg"), "", false},
		{"sixteen of seventeen", []byte("\x2fabcdefghijklmnop_"), "abcdefghijklmnop", true},
		{"two bytes of length", long, string(long[2 : 2+0x102+1]), true},
		{"two bytes, past the end", append([]byte{0x2f, 0xff}, long[2:]...), "", false},
	} {
		h := &fractalHeap{f: &File{src: newSource(bytes.NewReader(nil), 1000)}, idLen: len(c.id)}
		got, err := h.object(c.id)
		if string(got) != c.want || (err == nil) != c.ok || err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}
