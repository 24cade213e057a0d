package filter_test

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

func deflate(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func shuffle(b []byte, size int) []byte {
	out := make([]byte, 0, len(b))
	n := len(b) / size
	for k := range size {
		for i := range n {
			out = append(out, b[i*size+k])
		}
	}
	return append(out, b[n*size:]...)
}

// TestShuffle takes apart and puts together elements of many sizes.
func TestShuffle(t *testing.T) {
	data := make([]byte, 1003)
	for i := range data {
		data[i] = byte(i * 7)
	}
	var d filter.Decoder
	for _, size := range []int{1, 2, 3, 4, 5, 8, 16, 2000} {
		p := filter.Pipeline{{ID: filter.Shuffle, Client: []uint32{uint32(size)}}, {ID: filter.Deflate}}
		dst := make([]byte, len(data))
		if err := d.Decode(p, 0, deflate(t, shuffle(data, size)), dst); err != nil || !bytes.Equal(dst, data) {
			t.Errorf("elements of %d bytes: %v", size, err)
		}
		if err := d.Decode(p, 1, deflate(t, data), dst); err != nil || !bytes.Equal(dst, data) {
			t.Errorf("elements of %d bytes, shuffle masked: %v", size, err)
		}
		if err := d.Decode(p, 3, data, dst); err != nil || !bytes.Equal(dst, data) {
			t.Errorf("elements of %d bytes, both masked: %v", size, err)
		}
	}
}

// TestFromH5py decodes chunks that h5py 3.7 (libhdf5 1.10.8) wrote, read with
// read_direct_chunk: np.arange(n, dtype) % 5 in one chunk.
func TestFromH5py(t *testing.T) {
	for _, tc := range h5pyChunks {
		src, err := hex.DecodeString(tc.chunk)
		if err != nil {
			t.Fatal(err)
		}
		want, err := hex.DecodeString(tc.data)
		if err != nil {
			t.Fatal(err)
		}
		var d filter.Decoder
		dst := make([]byte, len(want))
		if err := d.Decode(tc.pipeline, 0, src, dst); err != nil || !bytes.Equal(dst, want) {
			t.Errorf("%s: %x, %v", tc.name, dst, err)
		}
		for i := range src {
			bad := bytes.Clone(src)
			bad[i] ^= 0x10
			err := d.Decode(tc.pipeline, 0, bad, dst)
			if tc.checked && err == nil {
				t.Errorf("%s: damage at byte %d was not noticed", tc.name, i)
			}
		}
	}
}

// TestLZF decodes by hand: literals "ab", then a reference of 9+3 bytes two
// back, which repeats them.
func TestLZF(t *testing.T) {
	p := filter.Pipeline{{ID: filter.LZF}}
	var d filter.Decoder
	for name, tc := range map[string]struct {
		src, want string
		ok        bool
	}{
		"literals":           {"\x02abc", "abc", true},
		"reference":          {"\x01ab\x20\x01", "ababa", true},
		"long":               {"\x01ab\xe0\x03\x01", "abababababababa"[:14], true},
		"cut":                {"\x05ab", "", false},
		"cut in a reference": {"\x01ab\xe0", "", false},
		"too far":            {"\x01ab\x20\x02", "", false},
		"too long":           {"\x01ab\xe0\xff\x01", "abc", false},
		"too short":          {"\x01ab", "abc", false},
	} {
		dst := make([]byte, len(tc.want))
		err := d.Decode(p, 0, []byte(tc.src), dst)
		if tc.ok != (err == nil) || tc.ok && string(dst) != tc.want {
			t.Errorf("%s: %q, %v", name, dst, err)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := (filter.Pipeline{{ID: filter.Shuffle}, {ID: filter.LZF}, {ID: filter.Fletcher32}}).Check(); err != nil {
		t.Error(err)
	}
	err := filter.Pipeline{{ID: filter.Deflate}, {ID: filter.SZIP, Optional: true}}.Check()
	var u *filter.UnsupportedError
	if !errors.As(err, &u) || u.Filter.ID != filter.SZIP || !strings.Contains(err.Error(), "szip") {
		t.Errorf("%v", err)
	}
}

// TestSize refuses chunks that decode to more or less than they should.
func TestSize(t *testing.T) {
	var d filter.Decoder
	for _, p := range []filter.Pipeline{{}, {{ID: filter.Deflate}}} {
		for _, n := range []int{0, 9, 11} {
			src := []byte("0123456789")
			if len(p) > 0 {
				src = deflate(t, src)
			}
			if err := d.Decode(p, 0, src, make([]byte, n)); err == nil {
				t.Errorf("%d filters: ten bytes filled %d", len(p), n)
			}
		}
	}
}

// FuzzDecode looks for panics and for writes past the result.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), uint32(0), deflate(f, []byte("hello, hello, hello")))
	f.Add(uint8(1), uint32(1), []byte("\x01ab\x20\x01"))
	f.Add(uint8(2), uint32(0), []byte("12345678"))
	pipelines := []filter.Pipeline{
		{{ID: filter.Shuffle, Client: []uint32{4}}, {ID: filter.Deflate}},
		{{ID: filter.LZF}},
		{{ID: filter.Shuffle, Client: []uint32{8}}, {ID: filter.Fletcher32}},
		{{ID: filter.Fletcher32}, {ID: filter.LZF}, {ID: filter.Deflate}, {ID: filter.Fletcher32}},
	}
	f.Fuzz(func(t *testing.T, which uint8, mask uint32, src []byte) {
		var d filter.Decoder
		buf := make([]byte, 128)
		dst := buf[:64:64]
		_ = d.Decode(pipelines[int(which)%len(pipelines)], mask, src, dst)
		for _, b := range buf[64:] {
			if b != 0 {
				t.Fatal("wrote past the result")
			}
		}
	})
}

// BenchmarkDecode measures the filters, in decoded MB/s.
func BenchmarkDecode(b *testing.B) {
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i*i>>7) & 0x3f
	}
	dst := make([]byte, len(data))
	for name, p := range map[string]filter.Pipeline{
		"shuffle4": {{ID: filter.Shuffle, Client: []uint32{4}}},
		"shuffle8": {{ID: filter.Shuffle, Client: []uint32{8}}},
	} {
		b.Run(name, func(b *testing.B) {
			var d filter.Decoder
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if err := d.Decode(p, 0, data, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
