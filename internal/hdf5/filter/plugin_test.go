package filter_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// pluginData is what a chunk of pluginChunks holds.
func pluginData(n, size int) []byte {
	var b []byte
	for i := range n {
		v := i % 7 * 300
		if size == 1 {
			v = i % 7 * 37
		}
		b = append(b, byte(v), byte(v>>8), 0, 0, 0, 0, 0, 0)[:len(b)+size]
	}
	return b
}

// pluginChunk is the chunk of a name.
func pluginChunk(t testing.TB, name string) (p filter.Pipeline, src, want []byte) {
	t.Helper()
	for _, c := range pluginChunks {
		if c.name == name {
			src, err := hex.DecodeString(c.chunk)
			if err != nil {
				t.Fatal(err)
			}
			return c.pipeline, src, pluginData(c.n, c.size)
		}
	}
	t.Fatalf("no chunk %q", name)
	return nil, nil, nil
}

// TestFromPlugins decodes chunks that hdf5plugin wrote; cut or damaged, they are
// errors or data, and nothing is written beside them.
func TestFromPlugins(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d filter.Decoder
	for _, c := range pluginChunks {
		p, src, want := pluginChunk(t, c.name)
		if err := p.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		buf := bytes.Repeat([]byte{0xa5}, len(want)+64)
		dst := buf[:len(want)]
		if err := d.Decode(p, 0, src, dst); err != nil || !bytes.Equal(dst, want) {
			t.Errorf("%s: %x, %v", c.name, dst, err)
		}
		for cut := range src {
			if err := d.Decode(p, 0, src[:cut], dst); err == nil {
				t.Errorf("%s: no error for %d of %d bytes", c.name, cut, len(src))
			}
		}
		for _, n := range []int{0, len(want) - 1, len(want) + 1, len(want) + 8*c.size} {
			if err := d.Decode(p, 0, src, make([]byte, n)); err == nil {
				t.Errorf("%s: %d bytes filled %d", c.name, len(want), n)
			}
		}
		for i := range src {
			for range 20 {
				bad := bytes.Clone(src)
				bad[i] = byte(r.Uint32())
				if i+4 <= len(bad) && r.IntN(4) == 0 {
					binary.LittleEndian.PutUint32(bad[i:], []uint32{0, 1, 1 << 31, 1<<32 - 1}[r.IntN(4)])
				}
				_ = d.Decode(p, 0, bad, dst)
			}
		}
		if !bytes.Equal(buf[len(want):], bytes.Repeat([]byte{0xa5}, 64)) {
			t.Errorf("%s: wrote past the result", c.name)
		}
	}
}

// bitshuffled shuffles as the paper defines it: bit b of byte j of element i goes
// to bit i%8 of byte i/8 of row 8*j+b.
func bitshuffled(b []byte, size int) []byte {
	out := make([]byte, len(b))
	n := len(b) / size
	for i := range n {
		for j := range size {
			for bit := range 8 {
				out[(8*j+bit)*(n/8)+i/8] |= b[i*size+j] >> bit & 1 << (i % 8)
			}
		}
	}
	return out
}

// TestBitshuffle compares with the definition, for elements and blocks of many
// sizes, and counts of elements that are no multiple of eight.
func TestBitshuffle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var d filter.Decoder
	for _, size := range []int{1, 2, 3, 4, 5, 7, 8, 12, 16, 500} {
		usual := max(8192/size/8*8, 128)
		for _, block := range []int{0, 8, 24, 64, 72, 1000} {
			for _, n := range []int{0, 1, 7, 8, 9, 63, 64, 65, 72, 200, 1003, 2*usual + 77} {
				b := make([]byte, n*size)
				for i := range b {
					b[i] = byte(r.Uint32())
				}
				step := block
				if block == 0 {
					step = usual
				}
				var src []byte
				for at := 0; at < n/8*8; at += step {
					src = append(src, bitshuffled(b[at*size:min(at+step, n/8*8)*size], size)...)
				}
				src = append(src, b[n/8*8*size:]...)
				p := filter.Pipeline{{ID: filter.Bitshuffle, Client: []uint32{0, 4, uint32(size), uint32(block), 0}}}
				dst := make([]byte, len(b))
				if err := d.Decode(p, 0, src, dst); err != nil || !bytes.Equal(dst, b) {
					t.Fatalf("%d elements of %d bytes in blocks of %d: %v", n, size, block, err)
				}
			}
		}
	}
}

// bloscChunk puts a header and a table before blocks, which must be of one size.
func bloscChunk(flags, size byte, total, block int, blocks ...[]byte) []byte {
	b := []byte{2, 1, flags, size}
	end := 16 + 4*len(blocks)
	b = binary.LittleEndian.AppendUint32(b, uint32(total))
	b = binary.LittleEndian.AppendUint32(b, uint32(block))
	all := bytes.Join(blocks, nil)
	b = binary.LittleEndian.AppendUint32(b, uint32(end+len(all)))
	for _, x := range blocks {
		b = binary.LittleEndian.AppendUint32(b, uint32(end))
		end += len(x)
	}
	return append(b, all...)
}

// stream puts its length before it.
func stream(b []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// TestBloscBlocks decodes chunks made by hand of stored streams: blocks that are
// split and a rest that is not, shuffled or not, the shuffles that Blosc leaves
// out, and a chunk that it did not compress.
func TestBloscBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	random := make([]byte, 4*(256+128+21)+3)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	split := func(b []byte) []byte { // four streams
		n := len(b) / 4
		return bytes.Join([][]byte{stream(b[:n]), stream(b[n : 2*n]), stream(b[2*n : 3*n]), stream(b[3*n:])}, nil)
	}
	const block = 4 * 128
	parts := [][]byte{random[:block], random[block : 2*block], random[2*block : 3*block], random[3*block:]}
	each := func(f func([]byte) []byte) (out [][]byte) {
		for _, b := range parts {
			out = append(out, f(b))
		}
		return out
	}
	shuffled := each(func(b []byte) []byte { return filter.AppendShuffled(nil, b, 4) })
	whole := func(b []byte) []byte { return bitshuffled(b[:len(b)/4*4], 4) }
	var d filter.Decoder
	for name, src := range map[string][]byte{
		"stored": bloscChunk(1|2, 4, len(random), block, nil)[:16],
		"split":  bloscChunk(0, 4, len(random), block, split(parts[0]), split(parts[1]), split(parts[2]), stream(parts[3])),
		"whole":  bloscChunk(1<<4, 4, len(random), block, each(stream)...),
		"shuffled, split": bloscChunk(1, 4, len(random), block,
			split(shuffled[0]), split(shuffled[1]), split(shuffled[2]), stream(shuffled[3])),
		"shuffled, whole": bloscChunk(1|1<<4, 4, len(random), block,
			stream(shuffled[0]), stream(shuffled[1]), stream(shuffled[2]), stream(shuffled[3])),
		// The last block has 21 elements, which is not a multiple of eight.
		"bitshuffled": bloscChunk(4|1<<4, 4, len(random), block,
			stream(whole(parts[0])), stream(whole(parts[1])), stream(whole(parts[2])), stream(parts[3])),
		"bytes, shuffled":     bloscChunk(1|1<<4, 1, len(random), block, each(stream)...),
		"elements of 20":      bloscChunk(0, 20, len(random), 20*128, stream(random)),
		"a block of too many": bloscChunk(0, 4, len(random), 1<<30, stream(random)),
	} {
		if name == "stored" {
			src = append(src, random...)
			binary.LittleEndian.PutUint32(src[12:], uint32(len(src)))
		}
		dst := make([]byte, len(random))
		if err := d.Decode(filter.Pipeline{{ID: filter.Blosc}}, 0, src, dst); err != nil || !bytes.Equal(dst, random) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPluginErrors: what contradicts itself is an error that says what.
func TestPluginErrors(t *testing.T) {
	data := make([]byte, 512)
	blosc := filter.Spec{ID: filter.Blosc}
	lz4 := filter.Spec{ID: filter.LZ4}
	bits := func(client ...uint32) filter.Spec { return filter.Spec{ID: filter.Bitshuffle, Client: client} }
	be := func(total uint64, block uint32, blocks ...byte) []byte {
		b := binary.BigEndian.AppendUint64(nil, total)
		return append(binary.BigEndian.AppendUint32(b, block), blocks...)
	}
	header := func(change func(b []byte)) []byte {
		b := bloscChunk(0, 4, 512, 512, stream(data))
		change(b)
		return b
	}
	var d filter.Decoder
	for name, tc := range map[string]struct {
		s    filter.Spec
		src  []byte
		want string
	}{
		"blosc 2":                  {blosc, header(func(b []byte) { b[0] = 5 }), "version 5"},
		"both shuffles":            {blosc, header(func(b []byte) { b[2] = 5 }), "flags 05"},
		"a flag of the future":     {blosc, header(func(b []byte) { b[2] = 8 }), "flags 08"},
		"elements of no bytes":     {blosc, header(func(b []byte) { b[3] = 0 }), "no bytes"},
		"blocks of no bytes":       {blosc, header(func(b []byte) { b[8], b[9] = 0, 0 }), "no bytes"},
		"more than the chunk":      {blosc, header(func(b []byte) { b[7] = 0x7f }), "wrong size"},
		"longer than it is":        {blosc, header(func(b []byte) { b[14] = 1 }), "too early"},
		"a block behind the end":   {blosc, header(func(b []byte) { b[18] = 1 }), "too early"},
		"a table that is too long": {blosc, header(func(b []byte) { b[8], b[9] = 1, 0 }), "too early"},
		"uneven streams":           {blosc, bloscChunk(0, 3, 512, 512, stream(data)), "512 bytes in 3 streams"},
		"an unknown codec":         {blosc, bloscChunk(7<<5|1<<4, 4, 512, 512, stream(data[:9])), "the filter blosc"},
		"snappy":                   {blosc, bloscChunk(2<<5|1<<4, 4, 512, 512, stream(data[:9])), "the filter blosc with snappy; rewrite"},
		"a stream that is short":   {blosc, bloscChunk(1<<4, 4, 512, 512, stream([]byte{3, 1, 2, 3, 4})), "blosclz: wrong size"},
		"stored, but short":        {blosc, bloscChunk(2, 4, 512, 512, data[:9]), "13 bytes are stored for 512"},

		"bitshuffle without a size":  {bits(0, 4), data, "missing"},
		"bitshuffle of 0 bytes":      {bits(0, 4, 0), data, "missing"},
		"bitshuffle of part":         {bits(0, 4, 3), data, "512 bytes in elements of 3"},
		"bitshuffle, block of 9":     {bits(0, 4, 4, 9), data, "blocks of 9"},
		"bitshuffle, too much":       {bits(0, 4, 1), append(data, 1), "wrong size"},
		"bitshuffle, mode 9":         {bits(0, 4, 4, 0, 9), be(512, 8192, 0, 0, 0, 1, 0), "compression 9"},
		"bitshuffle lz4, too much":   {bits(0, 4, 4, 0, 2), be(1<<60, 8192), "wrong size"},
		"bitshuffle lz4, cut":        {bits(0, 4, 4, 0, 2), be(512, 8192, 0, 0, 1, 0, 1), "too early"},
		"bitshuffle lz4, nothing":    {bits(0, 4, 4, 0, 2), nil, "too early"},
		"bitshuffle lz4, short rest": {bits(0, 4, 4, 0, 2), be(12, 8192, 1, 2, 3), "too early"},
		"bitshuffle zstd, no frame":  {bits(0, 4, 4, 0, 3), be(512, 8192, 0, 0, 0, 3, 1, 2, 3), "bitshuffle"},

		"lz4, too much":         {lz4, be(1<<63, 512), "wrong size"},
		"lz4, blocks of none":   {lz4, be(512, 0), "no bytes"},
		"lz4, cut":              {lz4, be(512, 512, 0, 0, 1, 0, 1), "too early"},
		"lz4, a short block":    {lz4, be(512, 512, 0, 0, 0, 2, 1<<4, 1), "block of 1 bytes"},
		"lz4, distance 0":       {lz4, be(512, 512, 0, 0, 0, 4, 1<<4, 1, 0, 0), "before the start"},
		"lz4, distance 2 of 1":  {lz4, be(512, 512, 0, 0, 0, 4, 1<<4, 1, 2, 0), "before the start"},
		"lz4, literals, cut":    {lz4, be(512, 512, 0, 0, 0, 2, 2<<4, 1), "too early"},
		"lz4, endless literals": {lz4, be(512, 512, 0, 0, 0, 3, 15<<4, 255, 255), "too early"},
		"lz4, long literals":    {lz4, be(512, 2, 0, 0, 0, 4, 3<<4, 1, 2, 3), "wrong size"},
		"lz4, a long match":     {lz4, be(512, 8, 0, 0, 0, 4, 1<<4|4, 1, 1, 0), "wrong size"},

		"zstd, no frame":  {filter.Spec{ID: filter.Zstd}, data, "zstd"},
		"bzip2, no magic": {filter.Spec{ID: filter.BZip2}, data, "bzip2"},
	} {
		err := d.Decode(filter.Pipeline{tc.s}, 0, tc.src, make([]byte, 512))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, expected %q", name, err, tc.want)
		}
	}
	for _, s := range []filter.Spec{
		bits(0, 4, 4, 0, 9),
		{ID: filter.Blosc, Client: []uint32{2, 2, 4, 512, 5, 1, 3}},
	} {
		var u *filter.UnsupportedError
		if err := (filter.Pipeline{s}).Check(); !errors.As(err, &u) || !strings.Contains(err.Error(), " with "+u.Codec+"; rewrite") || u.Codec == "" {
			t.Errorf("%v %d: %v", s, s.Client, err)
		}
	}
}
