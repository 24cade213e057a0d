package filter_test

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
	"github.com/cellsentence/c2s/internal/inflate"
)

func deflate(t testing.TB, b []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
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

// encode applies p to b as a writer does, with the mask of what was left out.
func encode(t testing.TB, p filter.Pipeline, b []byte) ([]byte, uint32) {
	t.Helper()
	mask := uint32(0)
	var lzf filter.LZFEncoder
	for i, s := range p {
		switch s.ID {
		case filter.Shuffle:
			b = filter.AppendShuffled(nil, b, int(s.Client[0]))
		case filter.Fletcher32:
			b = filter.AppendFletcher32(nil, b)
		case filter.Deflate:
			b = deflate(t, b, 4)
		case filter.LZF:
			if out, ok := lzf.Append(nil, b); ok {
				b = out
			} else {
				mask |= 1 << i
			}
		}
	}
	return b, mask
}

// contents are chunks of many kinds: random bytes, runs, and numbers.
func contents(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	switch r.IntN(4) {
	case 0:
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	case 1:
		for i := range b {
			b[i] = byte(i / 7 % (1 + r.IntN(3)))
		}
	case 2:
		period := 1 + r.IntN(40)
		for i := range b {
			if i < period {
				b[i] = byte(r.Uint32())
			} else {
				b[i] = b[i-period]
			}
		}
	default:
		v := uint32(0)
		for i := 0; i+4 <= n; i += 4 {
			v += r.Uint32N(20)
			b[i], b[i+1], b[i+2], b[i+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
		}
	}
	return b
}

// TestPipelines decodes random chunks through random pipelines of up to six
// filters in any order, some masked, with one decoder for all.
func TestPipelines(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d filter.Decoder
	for range 3000 {
		var p, applied filter.Pipeline
		var left []int
		for i := range r.IntN(7) {
			s := filter.Spec{ID: []uint16{filter.Deflate, filter.Shuffle, filter.Fletcher32, filter.LZF}[r.IntN(4)]}
			if s.ID == filter.Shuffle {
				s.Client = []uint32{1 + r.Uint32N(9)}
			}
			p = append(p, s)
			if r.IntN(5) == 0 {
				left = append(left, i)
			} else {
				applied = append(applied, s)
			}
		}
		want := contents(r, r.IntN(3000))
		src, lzfMask := encode(t, applied, want)
		mask, k := uint32(0), 0
		for i := range p {
			if len(left) > 0 && left[0] == i {
				mask |= 1 << i
				left = left[1:]
			} else {
				mask |= lzfMask >> k & 1 << i
				k++
			}
		}
		before := bytes.Clone(src)
		buf := bytes.Repeat([]byte{0xa5}, len(want)+64)
		if err := d.Decode(p, mask, src, buf[:len(want)]); err != nil || !bytes.Equal(buf[:len(want)], want) {
			t.Errorf("%v, mask %b, %d bytes: %v", p, mask, len(want), err)
		}
		if !bytes.Equal(src, before) {
			t.Errorf("%v: changed the source", p)
		}
		if !bytes.Equal(buf[len(want):], bytes.Repeat([]byte{0xa5}, 64)) {
			t.Errorf("%v: wrote past the result", p)
		}
		// Another size is an error, whatever the filters are.
		for _, n := range []int{len(want) - 1, len(want) + 1} {
			if n < 0 {
				continue
			}
			if err := d.Decode(p, mask, src, make([]byte, n)); err == nil {
				t.Errorf("%v, mask %b: %d bytes filled %d", p, mask, len(want), n)
			}
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
		// What has no choice is written the same.
		if last := tc.pipeline[0].ID; last == filter.Fletcher32 && len(tc.pipeline) == 1 {
			if got, _ := encode(t, tc.pipeline, want); !bytes.Equal(got, src) {
				t.Errorf("%s: encoded as %x", tc.name, got)
			}
		}
	}
}

// TestErrors: a filter that fails is an error and never the bytes as they are,
// also if it is optional.
func TestErrors(t *testing.T) {
	data := []byte("0123456789abcdef")
	shuffle := filter.Spec{ID: filter.Shuffle, Client: []uint32{4}, Optional: true}
	gzip := filter.Spec{ID: filter.Deflate, Optional: true}
	damaged := deflate(t, data, 6)
	damaged[len(damaged)-1]++
	sum := filter.AppendFletcher32(nil, data)
	sum[3]++
	var d filter.Decoder
	for name, tc := range map[string]struct {
		p    filter.Pipeline
		src  []byte
		want error // any, if nil
	}{
		"not deflated":             {filter.Pipeline{gzip}, data, inflate.ErrCorrupt},
		"deflate checksum":         {filter.Pipeline{gzip}, damaged, inflate.ErrChecksum},
		"deflate, too much":        {filter.Pipeline{gzip}, deflate(t, make([]byte, 17), 6), inflate.ErrTooLarge},
		"deflate, too little":      {filter.Pipeline{gzip}, deflate(t, make([]byte, 15), 6), filter.ErrSize},
		"shuffled, too much":       {filter.Pipeline{shuffle}, make([]byte, 17), filter.ErrSize},
		"shuffled, too little":     {filter.Pipeline{shuffle}, make([]byte, 15), filter.ErrSize},
		"shuffle without a size":   {filter.Pipeline{{ID: filter.Shuffle}}, data, nil},
		"shuffle of 0 bytes":       {filter.Pipeline{{ID: filter.Shuffle, Client: []uint32{0}}}, data, nil},
		"fletcher32":               {filter.Pipeline{{ID: filter.Fletcher32}}, sum, nil},
		"fletcher32 of 3 bytes":    {filter.Pipeline{{ID: filter.Fletcher32}}, data[:3], nil},
		"fletcher32, too little":   {filter.Pipeline{{ID: filter.Fletcher32}}, filter.AppendFletcher32(nil, data[:15]), filter.ErrSize},
		"no filter, too much":      {nil, make([]byte, 17), filter.ErrSize},
		"no filter, too little":    {nil, make([]byte, 15), filter.ErrSize},
		"a bomb before a shuffle":  {filter.Pipeline{shuffle, gzip}, deflate(t, make([]byte, 1<<20), 6), inflate.ErrTooLarge},
		"a bomb before a checksum": {filter.Pipeline{{ID: filter.Fletcher32}, gzip}, deflate(t, make([]byte, 21), 6), inflate.ErrTooLarge},
	} {
		dst := make([]byte, len(data))
		if err := d.Decode(tc.p, 0, tc.src, dst); err == nil || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, expected %v", name, err, tc.want)
		}
	}
}

// TestUnsupported names the filter and what to do.
func TestUnsupported(t *testing.T) {
	if err := (filter.Pipeline{{ID: filter.Shuffle}, {ID: filter.LZF}, {ID: filter.Fletcher32}}).Check(); err != nil {
		t.Error(err)
	}
	if s := (filter.Spec{ID: 31_999}).String(); s != "filter 31999" {
		t.Error(s)
	}
	for id, name := range map[uint16]string{
		filter.SZIP: "szip", filter.NBit: "nbit", filter.ScaleOff: "scale-offset", filter.ZFP: "zfp",
		filter.Blosc2: "blosc2", 31_999: `"mine" (filter 31999)`,
	} {
		p := filter.Pipeline{{ID: filter.Deflate}, {ID: id, Name: "mine", Optional: true}}
		var d filter.Decoder
		for _, err := range []error{p.Check(), d.Decode(p, 0, nil, make([]byte, 4))} {
			var u *filter.UnsupportedError
			if !errors.As(err, &u) || u.Filter.ID != id || !strings.Contains(err.Error(), name) ||
				!strings.Contains(err.Error(), "h5repack -f GZIP=4") {
				t.Errorf("filter %d: %v", id, err)
			}
		}
		// Masked, it is not needed.
		if err := d.Decode(p, 3, []byte("1234"), make([]byte, 4)); err != nil {
			t.Errorf("filter %d, masked: %v", id, err)
		}
	}
}

// TestShuffle compares with the definition: byte k of element i goes to k*n+i.
func TestShuffle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var d filter.Decoder
	for _, size := range []int{1, 2, 3, 4, 5, 7, 8, 12, 16, 500} {
		for n := range 200 {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			want := bytes.Clone(b)
			for i := range n / size * size {
				want[i%size*(n/size)+i/size] = b[i]
			}
			got := filter.AppendShuffled([]byte("before"), b, size)
			if !bytes.Equal(got, append([]byte("before"), want...)) {
				t.Errorf("%d bytes of elements of %d: shuffled wrong", n, size)
			}
			dst := make([]byte, n)
			p := filter.Pipeline{{ID: filter.Shuffle, Client: []uint32{uint32(size)}}}
			if err := d.Decode(p, 0, want, dst); err != nil || !bytes.Equal(dst, b) {
				t.Errorf("%d bytes of elements of %d: unshuffled wrong, %v", n, size, err)
			}
		}
	}
}

// TestFletcher32 has sums by hand: of 0102 0304, s1 is 0406 and s2 is 0102 + 0406;
// of ffff twice, each sum is a multiple of 65,535 but not 0. And it compares with
// the definition, a word at a time.
func TestFletcher32(t *testing.T) {
	var d filter.Decoder
	p := filter.Pipeline{{ID: filter.Fletcher32}}
	for _, tc := range []struct{ body, sum string }{
		{"", "00000000"},
		{"00000000", "00000000"},
		{"0102", "02010201"},
		{"01020304", "06040805"},
		{"010203", "02040405"}, // 0102 and 0300: 0402, 0504
		{"ffffffff", "ffffffff"},
	} {
		body, _ := hex.DecodeString(tc.body)
		sum, _ := hex.DecodeString(tc.sum)
		stored := append(bytes.Clone(body), sum...)
		if got := filter.AppendFletcher32(nil, body); !bytes.Equal(got, stored) {
			t.Errorf("%s: sum %x, expected %s", tc.body, got[len(body):], tc.sum)
		}
		// As HDF5 up to 1.6.2 wrote it.
		old := append(bytes.Clone(body), sum[1], sum[0], sum[3], sum[2])
		for _, src := range [][]byte{stored, old} {
			dst := make([]byte, len(body))
			if err := d.Decode(p, 0, src, dst); err != nil || !bytes.Equal(dst, body) {
				t.Errorf("%x: %v", src, err)
			}
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 500 {
		n *= 1 + n%11
		b := bytes.Repeat([]byte{255}, n)
		if n%3 > 0 {
			for i := range b {
				b[i] = byte(r.Uint32())
			}
		}
		var s1, s2 int
		for i := 0; i < n; i += 2 {
			w := int(b[i]) << 8
			if i+1 < n {
				w |= int(b[i+1])
			}
			s1 = (s1 + w) % 65535
			s2 = (s2 + s1) % 65535
		}
		if got := filter.AppendFletcher32(nil, b)[n:]; !sameSum(got, s1, s2, n) {
			t.Errorf("%d bytes: %x, expected %04x and %04x", n, got, s1, s2)
		}
	}
}

// sameSum compares a stored sum with two modulo 65,535, of n bytes not all zero.
func sameSum(stored []byte, s1, s2, n int) bool {
	for _, s := range []*int{&s1, &s2} {
		if *s == 0 && n > 0 {
			*s = 65535
		}
	}
	return fmt.Sprintf("%02x%02x%02x%02x", s1&255, s1>>8, s2&255, s2>>8) == hex.EncodeToString(stored)
}
