package filter_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// FuzzDecode looks for panics, writes past the result and memory that grows with
// what src says; and takes any bytes as a chunk to go there and back.
func FuzzDecode(f *testing.F) {
	shuffle := filter.Spec{ID: filter.Shuffle, Client: []uint32{4}}
	pipelines := []filter.Pipeline{
		{shuffle, {ID: filter.Deflate}},
		{{ID: filter.LZF}},
		{{ID: filter.Shuffle, Client: []uint32{8}}, {ID: filter.Fletcher32}},
		{{ID: filter.Fletcher32}, {ID: filter.LZF}, {ID: filter.Deflate}, {ID: filter.Fletcher32}},
		{{ID: filter.LZF}, shuffle, {ID: filter.Fletcher32}, {ID: filter.Deflate}},
		{{ID: filter.Shuffle, Client: []uint32{2}}, {ID: filter.LZF}},
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i, p := range pipelines {
		for range 3 {
			src, mask := encode(f, p, contents(r, 256))
			f.Add(uint8(i), mask, src)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, mask uint32, src []byte) {
		p := pipelines[int(which)%len(pipelines)]
		var d filter.Decoder
		buf := make([]byte, 256+64)
		_ = d.Decode(p, mask, src, buf[:256])
		if !bytes.Equal(buf[256:], make([]byte, 64)) {
			t.Fatal("wrote past the result")
		}
		if n := d.Held(); n > 2*(256+256/8+256+4*4) {
			t.Fatalf("held %d bytes for a chunk of 256", n)
		}

		z, left := encode(t, p, src)
		dst := make([]byte, len(src))
		if err := d.Decode(p, left, z, dst); err != nil || !bytes.Equal(dst, src) {
			t.Fatalf("%v, mask %b: %v", p, left, err)
		}
	})
}

// FuzzPlugins does the same for the filters that are only undone.
func FuzzPlugins(f *testing.F) {
	for i, c := range pluginChunks {
		p, src, _ := pluginChunk(f, c.name)
		f.Add(uint8(i), p[0].ID, src)
	}
	f.Fuzz(func(t *testing.T, which uint8, id uint16, src []byte) {
		c := pluginChunks[int(which)%len(pluginChunks)]
		size := c.n * c.size
		var d filter.Decoder
		buf := make([]byte, size+64)
		for _, s := range []filter.Spec{c.pipeline[0], {ID: id, Client: []uint32{2, 2, uint32(c.size)}}} {
			_ = d.Decode(filter.Pipeline{s}, 0, src, buf[:size])
		}
		if !bytes.Equal(buf[size:], make([]byte, 64)) {
			t.Fatal("wrote past the result")
		}
		if n := d.Held(); n > 2*size {
			t.Fatalf("held %d bytes for a chunk of %d", n, size)
		}
	})
}
