package inflate_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/internal/inflate"
)

// TestBadStreams names what is wrong with handmade zlib streams.
func TestBadStreams(t *testing.T) {
	for name, tc := range map[string]struct {
		z    string
		want error
	}{
		"header":        {"\x79\x9c\x03\x00\x00\x00\x00\x01", inflate.ErrCorrupt},
		"method":        {"\x77\x85\x03\x00\x00\x00\x00\x01", inflate.ErrCorrupt},
		"window":        {"\x88\x1c\x03\x00\x00\x00\x00\x01", inflate.ErrCorrupt},
		"dictionary":    {"\x78\xbb\x03\x00\x00\x00\x00\x01", inflate.ErrCorrupt},
		"block type 3":  {"\x78\x9c\x07\x00\x00\x00\x00\x01", inflate.ErrCorrupt},
		"stored length": {"\x78\x9c\x01\x01\x00\x01\x00a\x00\x62\x00\x62", inflate.ErrCorrupt},
		"checksum":      {"\x78\xda\x4b\x4c\x84\x01\x00\x14\xe1\x03\xcc", inflate.ErrChecksum},
		"short":         {"\x78\x9c", inflate.ErrTruncated},
	} {
		var d inflate.Decoder
		if _, err := d.Zlib(make([]byte, 100), []byte(tc.z)); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, expected %v", name, err, tc.want)
		}
	}
}

// TestCodeErrors goes through the rules for codes and symbols with handmade
// blocks. compress/flate agrees on each.
func TestCodeErrors(t *testing.T) {
	lengths := func(n int, set map[int]int) []int {
		l := make([]int, n)
		for s, v := range set {
			l[s] = v
		}
		return l
	}
	lit := map[int]int{'a': 2, 'b': 2, 256: 2, 257: 2} // complete
	for name, tc := range map[string]struct {
		lit, dist []int
		symbols   func(s *stream, lit, dist huffman)
		want      error
	}{
		"good": {lengths(258, lit), []int{1, 1}, func(s *stream, lit, dist huffman) {
			s.symbol(lit, 'b')
			s.match(lit, dist, 3, 1)
		}, nil},
		"literals only": {lengths(258, lit), []int{0}, func(s *stream, lit, _ huffman) { s.symbol(lit, 'b') }, nil},
		"one distance": {lengths(258, lit), []int{1}, func(s *stream, lit, dist huffman) {
			s.symbol(lit, 'b')
			s.match(lit, dist, 3, 1)
		}, nil},
		"the other word of one distance": {lengths(258, lit), []int{1}, func(s *stream, lit, _ huffman) {
			s.symbol(lit, 'b')
			s.symbol(lit, 257)
			s.bits(1, 1)
			s.bits(0, 60)
		}, inflate.ErrCorrupt},
		"a match without a distance code": {lengths(258, lit), []int{0}, func(s *stream, lit, _ huffman) {
			s.symbol(lit, 'b')
			s.symbol(lit, 257)
			s.bits(0, 60)
		}, inflate.ErrCorrupt},
		"only the end":             {lengths(257, map[int]int{256: 1}), []int{0}, nil, nil},
		"no end":                   {lengths(258, map[int]int{'a': 1, 'b': 1}), []int{1, 1}, nil, inflate.ErrCorrupt},
		"incomplete literals":      {lengths(258, map[int]int{'a': 2, 'b': 2, 256: 2}), []int{1, 1}, nil, inflate.ErrCorrupt},
		"one literal of two bits":  {lengths(257, map[int]int{256: 2}), []int{1, 1}, nil, inflate.ErrCorrupt},
		"oversubscribed literals":  {lengths(258, map[int]int{'a': 1, 'b': 2, 'c': 2, 256: 2}), []int{1, 1}, nil, inflate.ErrCorrupt},
		"incomplete distances":     {lengths(258, lit), []int{1, 2}, nil, inflate.ErrCorrupt},
		"one distance of two bits": {lengths(258, lit), []int{2}, nil, inflate.ErrCorrupt},
		"oversubscribed distances": {lengths(258, lit), []int{1, 1, 1}, nil, inflate.ErrCorrupt},
		"287 lengths":              {lengths(287, lit), []int{1, 1}, nil, inflate.ErrCorrupt},
		"31 distances":             {lengths(258, lit), lengths(31, map[int]int{0: 1, 1: 1}), nil, inflate.ErrCorrupt},
		"before the start":         {lengths(258, lit), []int{1, 1}, func(s *stream, lit, dist huffman) { s.match(lit, dist, 3, 1) }, inflate.ErrCorrupt},
		"one before the start": {lengths(258, lit), []int{1, 1}, func(s *stream, lit, dist huffman) {
			s.symbol(lit, 'b')
			s.match(lit, dist, 3, 2)
		}, inflate.ErrCorrupt},
	} {
		for _, padding := range []int{0, 300} { // with it, the fast loop decodes the block
			var s stream
			s.bits(1, 1)
			lit, dist := canonical(tc.lit...), canonical(tc.dist...)
			s.header(lit, dist)
			if tc.symbols != nil {
				tc.symbols(&s, lit, dist)
			}
			s.symbol(lit, 256)
			z := append(s.bytes(), make([]byte, padding)...)
			raw(t, name, z, tc.want)
		}
	}

	// In the code that tells the lengths, and symbols that must not occur.
	for name, tc := range map[string]struct {
		write func(s *stream)
		want  error
	}{
		"oversubscribed code lengths": {func(s *stream) {
			s.bits(2, 2)
			s.bits(0, 14)
			s.bits(0o1111, 12) // four words of one bit
		}, inflate.ErrCorrupt},
		"incomplete code lengths": {func(s *stream) {
			s.bits(2, 2)
			s.bits(0, 14)
			s.bits(0o0022, 12)
		}, inflate.ErrCorrupt},
		"repeats before the first": {func(s *stream) {
			s.bits(2, 2)
			s.bits(0, 14)
			s.bits(0o1001, 12) // words for 16 and 0; 0 is the first
			s.bits(1, 1)
		}, inflate.ErrCorrupt},
		"repeats past the last": {func(s *stream) {
			s.bits(2, 2)
			s.bits(0, 14)
			s.bits(0o1100, 12) // words for 18 and 0
			s.bits(0xff, 8)
			s.bits(0xff, 8)
		}, inflate.ErrCorrupt},
		"length 286": {func(s *stream) {
			s.bits(1, 2)
			lit, _ := fixed()
			s.symbol(lit, 286)
		}, inflate.ErrCorrupt},
		"distance 30": {func(s *stream) {
			s.bits(1, 2)
			lit, dist := fixed()
			s.symbol(lit, 'a')
			s.symbol(lit, 257)
			s.symbol(dist, 30)
		}, inflate.ErrCorrupt},
	} {
		var s stream
		s.bits(1, 1)
		tc.write(&s)
		raw(t, name, append(s.bytes(), make([]byte, 300)...), tc.want)
	}
}

// raw decodes with this package and with compress/flate.
func raw(t *testing.T, name string, z []byte, want error) {
	t.Helper()
	var d inflate.Decoder
	_, _, err := d.Deflate(make([]byte, 1000), z)
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("%s: %v, expected %v", name, err, want)
	}
	if _, err := io.ReadAll(flate.NewReader(bytes.NewReader(z))); (err == nil) != (want == nil) {
		t.Errorf("%s: compress/flate says %v", name, err)
	}
}

// TestFarDistance refuses a distance that reaches before the start in the middle
// of the fast loop, as a pair with a literal too.
func TestFarDistance(t *testing.T) {
	lit := canonical(slices.Concat([]int{2, 2}, make([]int, 254), []int{2, 2})...)
	dist := canonical(slices.Repeat([]int{4}, 16)...)
	for before := range 40 {
		for _, literal := range []bool{false, true} {
			var s stream
			s.bits(1, 1)
			s.header(lit, dist)
			for range before {
				s.symbol(lit, 0)
				s.match(lit, dist, 3, 1)
			}
			n := 4 * before
			if literal {
				s.symbol(lit, 1)
				n++
			}
			s.match(lit, dist, 3, n+1)
			for range 3000 {
				s.symbol(lit, 0)
			}
			s.symbol(lit, 256)
			var d inflate.Decoder
			at, _, err := d.Deflate(make([]byte, 10_000), s.bytes())
			if !errors.Is(err, inflate.ErrCorrupt) || at != n {
				t.Errorf("after %d bytes: %v at %d", n, err, at)
			}
		}
	}
}

// same holds the decoder against the standard library's on any stream: both
// refuse it, or both give the same bytes. The one difference: what exceeds the
// limit is refused here.
func same(t testing.TB, d *inflate.Decoder, z []byte, limit int) {
	t.Helper()
	dst := make([]byte, limit)
	check := func(name string, got []byte, err error, r io.Reader, wantErr error) {
		t.Helper()
		var want []byte
		if wantErr == nil {
			want, wantErr = io.ReadAll(io.LimitReader(r, int64(limit)+1))
		}
		switch {
		case err == nil && wantErr != nil:
			t.Errorf("%s: decoded %d bytes, the standard library says %v", name, len(got), wantErr)
		case err == nil && !bytes.Equal(got, want):
			t.Errorf("%s: other bytes than the standard library", name)
		case err != nil && wantErr == nil && len(want) <= limit:
			t.Errorf("%s: %v, but the standard library decodes %d bytes", name, err, len(want))
		}
	}
	n, err := d.Zlib(dst, z)
	r, wantErr := zlib.NewReader(bytes.NewReader(z))
	check("zlib", dst[:n], err, r, wantErr)

	// Without the checksum, which finds everything.
	z = z[min(2, len(z)):]
	n, used, err := d.Deflate(dst, z)
	in := bytes.NewReader(z)
	check("deflate", dst[:n], err, flate.NewReader(in), nil)
	if err == nil && used != len(z)-in.Len() {
		t.Errorf("deflate: consumed %d bytes, the standard library %d", used, len(z)-in.Len())
	}
}

// TestCorrupted damages streams and compares with the standard library.
func TestCorrupted(t *testing.T) {
	var d inflate.Decoder
	r := rand.New(rand.NewPCG(3, 4))
	for _, b := range samples() {
		b = b[:min(len(b), 6000)]
		for _, level := range []int{-2, 0, 1, 6} {
			z := compress(t, b, level, level == 1)
			for range 400 {
				bad := bytes.Clone(z)
				for range 1 + r.IntN(3) {
					bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
				}
				same(t, &d, bad, 8000)
			}
		}
	}
}

// FuzzZlib compares with the standard library on arbitrary streams.
func FuzzZlib(f *testing.F) {
	for _, b := range samples() {
		f.Add(compress(f, b[:min(len(b), 500)], 6, false))
		f.Add(compress(f, b[:min(len(b), 4000)], 1, true))
	}
	r := rand.New(rand.NewPCG(7, 8))
	z, _ := blocks(r, 1, func(s *stream) (lit, dist huffman) {
		s.bits(1, 2)
		return fixed()
	})
	f.Add(append([]byte("\x78\x9c"), z...))
	var d inflate.Decoder
	f.Fuzz(func(t *testing.T, z []byte) { same(t, &d, z, 1<<16) })
}
