package filter_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// TestLZF decodes instructions by hand: the format is in lzf.go.
func TestLZF(t *testing.T) {
	p := filter.Pipeline{{ID: filter.LZF}}
	var d filter.Decoder
	for name, tc := range map[string]struct {
		src, want string
		ok        bool
	}{
		"nothing":             {"", "", true},
		"literals":            {"\x02abc", "abc", true},
		"most literals":       {"\x1f" + strings.Repeat("abcd", 8), strings.Repeat("abcd", 8), true},
		"reference":           {"\x01ab\x20\x01", "ababa", true},
		"of eight":            {"\x01ab\xc0\x01", "ababababab", true},
		"of nine":             {"\x01ab\xe0\x00\x01", "abababababa", true},
		"longest":             {"\x00a\xe0\xff\x00", strings.Repeat("a", 265), true},
		"far":                 {"\x00x\xe0\xff\x00\xe0\xff\x00\x00y\x22\x10", strings.Repeat("x", 529) + "y" + "xxx", true},
		"cut literals":        {"\x05ab", "ab", false},
		"cut after a length":  {"\x01ab\xe0", "ab", false},
		"cut after a longer":  {"\x01ab\xe0\x01", "ab", false},
		"cut before distance": {"\x01ab\x20", "ab", false},
		"too far":             {"\x01ab\x20\x02", "ababa", false},
		"too far, long":       {"\x01ab\x3f\xff", "ababa", false},
		"reference too long":  {"\x01ab\xe0\xff\x01", "abc", false},
		"literals too long":   {"\x03abcd", "abc", false},
		"too short":           {"\x01ab", "abc", false},
	} {
		dst := make([]byte, len(tc.want))
		err := d.Decode(p, 0, []byte(tc.src), dst)
		if tc.ok != (err == nil) || tc.ok && string(dst) != tc.want {
			t.Errorf("%s: %q, %v", name, dst, err)
		}
	}
}

// instructions writes random LZF instructions, with every length and near and far
// distances, and what they mean.
func instructions(r *rand.Rand, count int) (src, want []byte) {
	for range count {
		if len(want) == 0 || r.IntN(2) == 0 {
			n := 1 + r.IntN(32)
			src = append(src, byte(n-1))
			for range n {
				src = append(src, byte(r.Uint32()))
			}
			want = append(want, src[len(src)-n:]...)
			continue
		}
		n := 3 + r.IntN(262)
		if r.IntN(2) == 0 {
			n = 3 + r.IntN(22)
		}
		back := 1 + r.IntN(min(len(want), 8192))
		if r.IntN(2) == 0 {
			back = 1 + r.IntN(min(len(want), 20))
		}
		if n < 9 {
			src = append(src, byte((n-2)<<5|(back-1)>>8), byte(back-1))
		} else {
			src = append(src, byte(7<<5|(back-1)>>8), byte(n-9), byte(back-1))
		}
		for range n {
			want = append(want, want[len(want)-back])
		}
	}
	return src, want
}

// TestLZFInstructions decodes what no encoder would write; damaged, it fails or
// fills dst, and nothing else.
func TestLZFInstructions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := filter.Pipeline{{ID: filter.LZF}}
	var d filter.Decoder
	for i := range 400 {
		src, want := instructions(r, 1+i)
		buf := bytes.Repeat([]byte{0xa5}, len(want)+64)
		if err := d.Decode(p, 0, src, buf[:len(want)]); err != nil || !bytes.Equal(buf[:len(want)], want) {
			t.Errorf("%d instructions: %v", 1+i, err)
		}
		for cut := max(0, len(src)-100); cut < len(src); cut++ {
			if err := d.Decode(p, 0, src[:cut], buf[:len(want)]); err == nil {
				t.Errorf("%d instructions, cut after %d of %d bytes: no error", 1+i, cut, len(src))
			}
		}
		for range 20 {
			bad := bytes.Clone(src)
			bad[r.IntN(len(bad))] = byte(r.Uint32())
			_ = d.Decode(p, 0, bad, buf[:len(want)])
		}
		if !bytes.Equal(buf[len(want):], bytes.Repeat([]byte{0xa5}, 64)) {
			t.Errorf("%d instructions: wrote past the result", 1+i)
		}
	}
}

// TestLZFEncoder goes there and back, and gives up on what does not shrink.
func TestLZFEncoder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	p := filter.Pipeline{{ID: filter.LZF}}
	var d filter.Decoder
	var e filter.LZFEncoder
	given := 0
	for range 2000 {
		b := contents(r, r.IntN(20_000))
		z, ok := e.Append([]byte("before"), b)
		if string(z[:6]) != "before" {
			t.Fatal("the beginning was changed")
		}
		z = z[6:]
		if !ok {
			if len(z) > 0 {
				t.Errorf("%d bytes: gave up with %d", len(b), len(z))
			}
			given++
			continue
		}
		if len(z) >= len(b) {
			t.Errorf("%d bytes became %d", len(b), len(z))
		}
		dst := make([]byte, len(b))
		if err := d.Decode(p, 0, z, dst); err != nil || !bytes.Equal(dst, b) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
	if given < 300 || given > 1000 { // about a quarter are random
		t.Errorf("gave up on %d of 2000", given)
	}
	// A literal, a reference of four and a literal take six bytes, no fewer.
	if z, ok := e.Append(nil, []byte("aaaaab")); ok {
		t.Errorf("aaaaab became %x", z)
	}
	if z, ok := e.Append(nil, make([]byte, 10_000)); !ok || len(z) > 2+38*3+33 {
		t.Errorf("10,000 zeros became %d bytes", len(z))
	}
}
