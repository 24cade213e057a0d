package inflate_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"hash/adler32"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	kzlib "github.com/klauspost/compress/zlib"

	"github.com/cellsentence/c2s/internal/inflate"
)

// samples are contents of many kinds, the same on every run.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := map[string][]byte{"empty": {}, "one": {7}, "zeros": make([]byte, 70_000)}
	random := make([]byte, 100_000)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	out["random"] = random
	text := []byte{}
	for len(text) < 150_000 {
		text = append(text, "CD3D MS4A1 LYZ NKG7 GNLY "[r.IntN(20):]...)
	}
	out["text"] = text
	out["floats"], out["indices"] = matrix(r, 50_000)
	periodic := make([]byte, 60_000) // distances 1, 2, 3, ...
	for i := range periodic {
		periodic[i] = byte(i % (1 + i/3000))
	}
	out["periodic"] = periodic
	skewed := make([]byte, 300_000) // long words: second tables
	for i := range skewed {
		skewed[i] = byte(min(255, int(r.ExpFloat64()*9)))
	}
	out["skewed"] = skewed
	return out
}

// matrix is what HDF5 chunks of an expression matrix hold: log-normalised
// float32 values with many ties, and rising int32 columns.
func matrix(r *rand.Rand, n int) (floats, indices []byte) {
	put := func(b []byte, v uint32) []byte { return append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24)) }
	scale, col := 3.0, 0
	for i := range n {
		if i%2000 == 0 {
			scale, col = 2+2*r.Float64(), 0
		}
		count := 1 + math.Floor(r.ExpFloat64()*0.8)
		floats = put(floats, math.Float32bits(float32(math.Log1p(count*scale))))
		col += 1 + int(r.ExpFloat64()*9)
		indices = put(indices, uint32(col))
	}
	return floats, indices
}

// compress writes a zlib stream with one of two encoders.
func compress(t testing.TB, b []byte, level int, klauspost bool) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	if klauspost {
		w, err = kzlib.NewWriterLevel(&out, level)
	} else {
		w, err = zlib.NewWriterLevel(&out, level)
	}
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRoundTrip decodes what two encoders write at every level, stored and
// without matches too.
func TestRoundTrip(t *testing.T) {
	var d inflate.Decoder
	for name, b := range samples() {
		for level := flate.HuffmanOnly; level <= 9; level++ {
			for _, klauspost := range []bool{false, true} {
				z := compress(t, b, level, klauspost)
				// Nothing behind the result is touched, nothing behind the stream matters.
				buf := bytes.Repeat([]byte{0xa5}, len(b)+100)
				n, err := d.Zlib(buf[:len(b)], append(bytes.Clone(z), "behind"...))
				if err != nil || n != len(b) || !bytes.Equal(buf[:n], b) {
					t.Errorf("%s, level %d: %d of %d bytes, %v", name, level, n, len(b), err)
				}
				if !bytes.Equal(buf[len(b):], bytes.Repeat([]byte{0xa5}, 100)) {
					t.Errorf("%s, level %d: wrote past the result", name, level)
				}
				if n, err := d.Zlib(buf, z); err != nil || n != len(b) || !bytes.Equal(buf[:n], b) {
					t.Errorf("%s, level %d, with room: %d of %d bytes, %v", name, level, n, len(b), err)
				}
				n, used, err := d.Deflate(buf[:len(b)], z[2:])
				if err != nil || n != len(b) || used != len(z)-6 {
					t.Errorf("%s, level %d: consumed %d of %d bytes, %v", name, level, used, len(z)-6, err)
				}
				if len(b) > 0 {
					if _, err := d.Zlib(buf[:len(b)-1], z); !errors.Is(err, inflate.ErrTooLarge) {
						t.Errorf("%s, level %d: %v for a slice that is one byte short", name, level, err)
					}
				}
			}
		}
	}
}

// TestVector decodes "aaaaaaaaaa" as Python's zlib.compress(b"a"*10, 9) has it, a
// block of the fixed code.
func TestVector(t *testing.T) {
	var d inflate.Decoder
	dst := make([]byte, 10)
	n, err := d.Zlib(dst, []byte("\x78\xda\x4b\x4c\x84\x01\x00\x14\xe1\x03\xcb"))
	if err != nil || n != 10 || string(dst) != "aaaaaaaaaa" {
		t.Errorf("%q, %d, %v", dst, n, err)
	}
}

// blocks writes random symbols with codes of its own: literals, and matches of
// every length and near and far distances. It returns what they stand for.
func blocks(r *rand.Rand, count int, code func(s *stream) (lit, dist huffman)) (z, want []byte) {
	var s stream
	for b := range count {
		last := uint64(0)
		if b == count-1 {
			last = 1
		}
		s.bits(last, 1)
		lit, dist := code(&s)
		for range 3000 {
			if len(want) == 0 || r.IntN(3) > 0 {
				c := r.IntN(256)
				s.symbol(lit, c)
				want = append(want, byte(c))
				continue
			}
			n := 3 + r.IntN(256)
			if r.IntN(2) == 0 {
				n = 3 + r.IntN(25)
			}
			back := 1 + r.IntN(min(len(want), 32768))
			if r.IntN(2) == 0 {
				back = 1 + r.IntN(min(len(want), 20))
			}
			s.match(lit, dist, n, back)
			for range n {
				want = append(want, want[len(want)-back])
			}
		}
		s.symbol(lit, 256)
	}
	return s.bytes(), want
}

// TestCodes decodes streams of random complete codes, up to the longest words,
// and of the fixed one; compress/flate agrees that they are what was meant.
func TestCodes(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var d inflate.Decoder
	// Every literal, and every length with its extra bits, fits into the table.
	short := canonical(slices.Concat(slices.Repeat([]int{9}, 256), []int{4}, slices.Repeat([]int{5}, 8),
		slices.Repeat([]int{7}, 20), []int{5})...)
	for i := range 120 {
		z, want := blocks(r, 2, func(s *stream) (lit, dist huffman) {
			switch i % 10 {
			case 0:
				s.bits(1, 2)
				return fixed()
			case 1:
				dist = randomCode(r, 30, 15, 0)
				s.header(short, dist)
				return short, dist
			}
			lit = randomCode(r, 286, 9+r.IntN(7), r.Float64())
			dist = randomCode(r, 30, 6+r.IntN(10), r.Float64())
			s.header(lit, dist)
			return lit, dist
		})
		if got, err := io.ReadAll(flate.NewReader(bytes.NewReader(z))); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("the test is wrong: %v", err)
		}
		dst := make([]byte, len(want))
		n, used, err := d.Deflate(dst, z)
		if err != nil || n != len(want) || used != len(z) || !bytes.Equal(dst, want) {
			at := 0
			for at < n && dst[at] == want[at] {
				at++
			}
			t.Errorf("code %d: %d of %d bytes from %d of %d, %v; same up to %d", i, n, len(want), used, len(z), err, at)
		}
	}
}

// TestTruncated cuts streams at every byte.
func TestTruncated(t *testing.T) {
	var d inflate.Decoder
	for name, b := range samples() {
		b = b[:min(len(b), 3000)]
		for _, level := range []int{-2, 0, 1, 6} {
			z := compress(t, b, level, false)
			dst := make([]byte, len(b))
			for n := range z {
				if _, err := d.Zlib(dst, z[:n]); !errors.Is(err, inflate.ErrTruncated) {
					t.Errorf("%s, level %d, cut after %d of %d bytes: %v", name, level, n, len(z), err)
				}
			}
		}
	}
}

// TestAllocations: the second stream takes no memory.
func TestAllocations(t *testing.T) {
	var d inflate.Decoder
	b := samples()["floats"]
	z := compress(t, b, 4, false)
	dst := make([]byte, len(b))
	if n := testing.AllocsPerRun(10, func() {
		if _, err := d.Zlib(dst, z); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestAdler32 compares with hash/adler32, at all lengths and at the largest sums.
func TestAdler32(t *testing.T) {
	b := bytes.Repeat([]byte{255}, 300_000)
	r := rand.New(rand.NewPCG(9, 10))
	random := make([]byte, 2000)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	for n := range random {
		if got, want := inflate.Adler32(random[:n]), adler32.Checksum(random[:n]); got != want {
			t.Errorf("%d bytes: %08x, expected %08x", n, got, want)
		}
		if got, want := inflate.Adler32(b[:150*n]), adler32.Checksum(b[:150*n]); got != want {
			t.Errorf("%d times 255: %08x, expected %08x", 150*n, got, want)
		}
	}
}
