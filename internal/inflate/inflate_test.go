package inflate_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	kzlib "github.com/klauspost/compress/zlib"

	"github.com/cellsentence/c2s/internal/inflate"
)

// samples are contents of many kinds, the same on every run.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := map[string][]byte{"empty": {}, "one": {7}, "zeros": make([]byte, 70000)}
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
	periodic := make([]byte, 60_000)
	for i := range periodic {
		periodic[i] = byte(i % (1 + i/9000))
	}
	out["periodic"] = periodic
	skewed := make([]byte, 300_000) // long codes: second tables
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

func compress(t testing.TB, b []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRoundTrip decodes what two encoders write at every level.
func TestRoundTrip(t *testing.T) {
	var d inflate.Decoder
	check := func(name string, level int, z, want []byte) {
		t.Helper()
		dst := make([]byte, len(want))
		n, err := d.Zlib(dst, append(bytes.Clone(z), "behind"...))
		if err != nil || n != len(want) || !bytes.Equal(dst, want) {
			t.Errorf("%s, level %d: %d of %d bytes, %v", name, level, n, len(want), err)
		}
		if len(want) > 0 {
			if _, err := d.Zlib(dst[:len(want)-1], z); !errors.Is(err, inflate.ErrTooLarge) {
				t.Errorf("%s, level %d: %v for a slice that is one byte short", name, level, err)
			}
		}
	}
	for name, b := range samples() {
		for level := flate.HuffmanOnly; level <= 9; level++ {
			check(name, level, compress(t, b, level), b)
			var out bytes.Buffer
			w, err := kzlib.NewWriterLevel(&out, level)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			check(name, level, out.Bytes(), b)
		}
	}
}

// TestFixed decodes a block of the fixed code, by hand: "aaaaaaaaaa" as zlib
// level 9 writes it (Python: zlib.compress(b"a"*10, 9)).
func TestFixed(t *testing.T) {
	var d inflate.Decoder
	dst := make([]byte, 10)
	n, err := d.Zlib(dst, []byte("\x78\xda\x4b\x4c\x84\x01\x00\x14\xe1\x03\xcb"))
	if err != nil || n != 10 || string(dst) != "aaaaaaaaaa" {
		t.Errorf("%q, %d, %v", dst, n, err)
	}
}

// TestTruncated cuts a stream at every byte.
func TestTruncated(t *testing.T) {
	var d inflate.Decoder
	b := samples()["text"][:3000]
	z := compress(t, b, 6)
	dst := make([]byte, len(b))
	for n := range z {
		if _, err := d.Zlib(dst, z[:n]); err == nil {
			t.Errorf("a stream cut after %d of %d bytes was decoded", n, len(z))
		}
	}
}

// TestBadStreams names what is wrong with handmade streams.
func TestBadStreams(t *testing.T) {
	for name, tc := range map[string]struct {
		z    string
		want error
	}{
		"header":        {"\x79\x9c\x03\x00\x00\x00\x00\x01", inflate.ErrCorrupt},
		"dictionary":    {"\x78\xbb\x03\x00\x00\x00\x00\x01", inflate.ErrCorrupt},
		"block type 3":  {"\x78\x9c\x07\x00\x00\x00\x00\x01", inflate.ErrCorrupt},
		"stored length": {"\x78\x9c\x01\x01\x00\x01\x00a\x00\x62\x00\x62", inflate.ErrCorrupt},
		"checksum":      {"\x78\xda\x4b\x4c\x84\x01\x00\x14\xe1\x03\xcc", inflate.ErrChecksum},
		"distance":      {"\x78\x9c\x03\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", inflate.ErrCorrupt},
		"short":         {"\x78\x9c", inflate.ErrTruncated},
	} {
		var d inflate.Decoder
		if _, err := d.Zlib(make([]byte, 100), []byte(tc.z)); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, expected %v", name, err, tc.want)
		}
	}
}

// same holds the decoder against the standard library's on any stream.
func same(t testing.TB, d *inflate.Decoder, z []byte, limit int) {
	t.Helper()
	dst := make([]byte, limit)
	n, err := d.Zlib(dst, z)
	var want []byte
	r, wantErr := zlib.NewReader(bytes.NewReader(z))
	if wantErr == nil {
		want, wantErr = io.ReadAll(io.LimitReader(r, int64(limit)+1))
	}
	switch {
	case err == nil && wantErr != nil:
		t.Errorf("decoded %d bytes, compress/zlib says %v", n, wantErr)
	case err == nil && !bytes.Equal(dst[:n], want):
		t.Errorf("other bytes than compress/zlib")
	case err != nil && wantErr == nil && len(want) <= limit:
		t.Errorf("%v, but compress/zlib decodes %d bytes", err, len(want))
	}
}

// TestCorrupted damages streams and compares with compress/zlib.
func TestCorrupted(t *testing.T) {
	var d inflate.Decoder
	r := rand.New(rand.NewPCG(3, 4))
	for _, b := range samples() {
		b = b[:min(len(b), 4000)]
		for _, level := range []int{-2, 1, 6} {
			z := compress(t, b, level)
			for range 150 {
				bad := bytes.Clone(z)
				for range 1 + r.IntN(3) {
					bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
				}
				same(t, &d, bad, 8000)
			}
		}
	}
}

// FuzzZlib compares with compress/zlib on arbitrary streams.
func FuzzZlib(f *testing.F) {
	for _, b := range samples() {
		f.Add(compress(f, b[:min(len(b), 500)], 6))
	}
	var d inflate.Decoder
	f.Fuzz(func(t *testing.T, z []byte) { same(t, &d, z, 1<<16) })
}

// BenchmarkZlib compares decoders, in decoded MB/s.
func BenchmarkZlib(b *testing.B) {
	floats, indices := matrix(rand.New(rand.NewPCG(5, 6)), 1<<20)
	for _, tc := range []struct {
		name string
		data []byte
	}{{"data", floats}, {"indices", indices}} {
		z := compress(b, tc.data, 4)
		dst := make([]byte, len(tc.data))
		b.Run(tc.name+"/c2s", func(b *testing.B) {
			var d inflate.Decoder
			b.SetBytes(int64(len(dst)))
			for b.Loop() {
				if _, err := d.Zlib(dst, z); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(tc.name+"/stdlib", func(b *testing.B) {
			b.SetBytes(int64(len(dst)))
			for b.Loop() {
				r, err := zlib.NewReader(bytes.NewReader(z))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(r, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(tc.name+"/klauspost", func(b *testing.B) {
			b.SetBytes(int64(len(dst)))
			for b.Loop() {
				r, err := kzlib.NewReader(bytes.NewReader(z))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(r, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
