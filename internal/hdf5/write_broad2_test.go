package hdf5_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// broadPipelines are the filters that every libhdf5 with h5py can undo.
var broadPipelines = []struct {
	name    string
	filters filter.Pipeline
	want    string // about the dataset in h5py
}{
	{"plain", nil, "o.compression is None"},
	{"gzip0", filter.Pipeline{hdf5.Deflate(0)}, "o.compression_opts == 0"},
	{"gzip1", filter.Pipeline{hdf5.Deflate(1)}, "o.compression_opts == 1"},
	{"gzip4s", filter.Pipeline{hdf5.Shuffle(), hdf5.Deflate(4)}, "o.shuffle and o.compression_opts == 4"},
	{"gzip9f", filter.Pipeline{hdf5.Deflate(9), hdf5.Fletcher32()}, "o.fletcher32 and o.compression_opts == 9"},
	{"lzf", filter.Pipeline{hdf5.LZF()}, "o.compression == 'lzf'"},
	{"lzfs", filter.Pipeline{hdf5.Shuffle(), hdf5.LZF(), hdf5.Fletcher32()}, "o.compression == 'lzf' and o.shuffle and o.fletcher32"},
	{"fletcher", filter.Pipeline{hdf5.Fletcher32()}, "o.fletcher32"},
}

func broadChunks(b *builder, g *hdf5.GroupWriter, expect expectFunc) {
	ctx := context.Background()
	// One, two and three dimensions that the chunks do not divide, and a chunk
	// that is larger than the dataset.
	shapes := []struct{ dims, chunk []uint64 }{
		{[]uint64{1000}, []uint64{64}},
		{[]uint64{23}, []uint64{80}},
		{[]uint64{37, 29}, []uint64{8, 29}},
		{[]uint64{37, 29}, []uint64{10, 7}},
		{[]uint64{3, 5}, []uint64{100, 100}},
		{[]uint64{9, 11, 6}, []uint64{4, 5, 4}},
	}
	for i, s := range shapes {
		for _, p := range broadPipelines {
			n := uint64(1)
			for _, d := range s.dims {
				n *= d
			}
			x := make([]uint16, n)
			for k := range x {
				x[k] = uint16(k * k)
			}
			name := fmt.Sprintf("%s%d", p.name, i)
			b.value(g, name, hdf5.NumbersValue(x, s.dims...), hdf5.DatasetSpec{Chunk: s.chunk, Filters: p.filters})
			expect("/chunks/"+name, fmt.Sprintf("(o[()].ravel() == (np.arange(%d, dtype='u8')**2).astype('u2')).all() and o.shape == %s and o.chunks == %s and %s", n, tuple(s.dims), tuple(s.chunk), p.want))
		}
	}
	// Rows of unknown number, appended in odd pieces; thousands of chunks make a
	// B-tree of three levels.
	d, err := g.CreateDataset("stream", hdf5.DatasetSpec{
		Type: hdf5.TypeOf[int32](), Dims: []uint64{0}, MaxDims: []uint64{hdf5.Unlimited}, Chunk: []uint64{4}, Filters: filter.Pipeline{hdf5.Deflate(1)},
	})
	b.must(err)
	x := make([]int32, 20001)
	for i := range x {
		x[i] = int32(i)
	}
	for at, step := 0, 1; at < len(x); step = step%13 + 1 {
		n := min(step, len(x)-at)
		b.must(hdf5.AppendNumbers(ctx, d, x[at:at+n]))
		at += n
	}
	b.must(d.Close())
	expect("/chunks/stream", "o.shape == (20001,) and o.maxshape == (None,) and (o[()] == np.arange(20001)).all()")
	d, err = g.CreateDataset("rows", hdf5.DatasetSpec{
		Type: hdf5.TypeOf[int32](), Dims: []uint64{0, 7}, MaxDims: []uint64{hdf5.Unlimited, 7}, Chunk: []uint64{5, 3},
	})
	b.must(err)
	b.must(hdf5.AppendNumbers(ctx, d, x[:10]))
	b.must(hdf5.AppendNumbers(ctx, d, x[10:7*12]))
	b.must(d.Close())
	expect("/chunks/rows", "o.maxshape == (None, 7) and (o[()] == np.arange(84).reshape(12, 7)).all()")
	// Incompressible data: lzf leaves such chunks as they are and says so.
	b.value(g, "random", hdf5.NumbersValue(scrambled(5000)), hdf5.DatasetSpec{Chunk: []uint64{1000}, Filters: filter.Pipeline{hdf5.LZF()}})
	expect("/chunks/random", "all(o.id.get_chunk_info(i).filter_mask == 1 for i in range(5)) and o[4999] == 12345 and o[0] == 1442695040888963407 + 6364136223846793005")
	// Two datasets that grow in turns.
	var both [2]*hdf5.DatasetWriter
	for i := range both {
		both[i], err = g.CreateDataset(fmt.Sprintf("turns%d", i), hdf5.DatasetSpec{
			Type: hdf5.TypeOf[int32](), Dims: []uint64{0}, MaxDims: []uint64{hdf5.Unlimited}, Chunk: []uint64{1000}, Filters: filter.Pipeline{hdf5.Deflate(6)},
		})
		b.must(err)
	}
	for at := 0; at < 20000; at += 500 {
		b.must(hdf5.AppendNumbers(ctx, both[0], x[at:at+500]))
		b.must(hdf5.AppendNumbers(ctx, both[1], x[at:at+250]))
	}
	expect("/chunks/turns0", "(o[()] == np.arange(20000)).all()")
	expect("/chunks/turns1", "(o[()] == np.arange(20000).reshape(-1, 500)[:, :250].ravel()).all()")
}

// scrambled is numbers of a linear congruential generator; the last is 12345.
func scrambled(n int) []uint64 {
	x := make([]uint64, n)
	s := uint64(1)
	for i := range x {
		s = s*6364136223846793005 + 1442695040888963407
		x[i] = s
	}
	x[n-1] = 12345
	return x
}

func tuple(d []uint64) string {
	var s strings.Builder
	for _, x := range d {
		fmt.Fprintf(&s, "%d, ", x)
	}
	return "(" + s.String() + ")"
}

func broadGroups(b *builder, g *hdf5.GroupWriter, expect expectFunc) {
	// 2 × 4 links fill a node and 32 nodes a level of the tree: both sides of
	// each limit, and a third level.
	for _, n := range []int{0, 1, 7, 8, 9, 255, 256, 257, 8191, 8193, 20000} {
		name := fmt.Sprintf("n%d", n)
		c := b.group(g, name)
		for i := range n {
			if n > 1000 { // cheap members
				b.must(c.SoftLink(fmt.Sprintf("member %d", i*7919%n), "/numbers/i1"))
				continue
			}
			b.group(c, fmt.Sprintf("member %d", i*7919%n))
		}
		expect("/groups/"+name, fmt.Sprintf("len(o) == %d and set(o) == {'member %%d' %% i for i in range(%d)} and all(o[k] is not None for k in o)", n, n))
	}
	names := b.group(g, "names")
	for _, n := range []string{"ü", "细胞", "a b", "..", strings.Repeat("x", 300), "\x01", "~", "é"} {
		b.group(names, n)
	}
	expect("/groups/names", `set(o) == {'ü', '细胞', 'a b', '..', 'x'*300, '\x01', '~', 'é'} and '细胞' in o and o['ü'] is not None`)
	deep := g
	path := "/groups"
	for i := range 50 {
		deep = b.group(deep, fmt.Sprintf("d%d", i))
		path += fmt.Sprintf("/d%d", i)
	}
	b.must(deep.SetAttr("x", hdf5.NumberValue(1.5)))
	expect(path, "a['x'] == 1.5")
}

func broadAttrs(b *builder, g *hdf5.GroupWriter, expect expectFunc) {
	b.must(g.SetAttr("encoding-type", hdf5.StringValue("dict")))
	b.must(g.SetAttr("encoding-type", hdf5.StringValue("replaced")))
	b.must(g.SetAttr("order", hdf5.StringsValue([]string{"b", "", "a"})))
	b.must(g.SetAttr("none", hdf5.NumbersValue([]float64{})))
	b.must(g.SetAttr("null", hdf5.NullValue(hdf5.TypeOf[int8]())))
	b.must(g.SetAttr("shape", hdf5.NumbersValue([]int64{3, 4})))
	b.must(g.SetAttr("ordered", hdf5.BoolValue(false)))
	b.must(g.SetAttr("Größe", hdf5.NumberValue(uint8(3))))
	b.must(g.SetAttr("fixed", hdf5.TextValue(hdf5.FixedStringType(5, hdf5.PadNull, hdf5.ASCII), hdf5.Space{}, []string{"fixed"})))
	b.must(g.SetAttr("matrix", hdf5.NumbersValue([]int16{1, 2, 3, 4, 5, 6}, 2, 3)))
	expect("/attrs", "a['encoding-type'] == 'replaced' and a['order'].tolist() == ['b', '', 'a'] and a['none'].shape == (0,) and a['none'].dtype == np.dtype('f8')"+
		" and isinstance(a['null'], h5py.Empty) and a['shape'].tolist() == [3, 4] and a['ordered'].dtype == np.dtype('?') and not a['ordered']"+
		" and a['Größe'] == 3 and a['fixed'] == b'fixed' and a['matrix'].tolist() == [[1, 2, 3], [4, 5, 6]] and len(a) == 9")
	// Attributes go in the order in which they were set.
	many := b.group(g, "many")
	for i := range 700 {
		b.must(many.SetAttr(fmt.Sprintf("k%03d", i), hdf5.NumberValue(int32(i))))
	}
	expect("/attrs/many", "len(a) == 700 and [a['k%03d' % i] for i in range(700)] == list(range(700))")
	// 64 KiB each: many blocks of the header.
	large := b.group(g, "large")
	for i := range 12 {
		b.must(large.SetAttr(fmt.Sprint(i), hdf5.RawValue(hdf5.TypeOf[uint8](), hdf5.Space{Dims: []uint64{65000}}, noise(uint64(i), 65000))))
	}
	expect("/attrs/large", "len(a) == 12 and all(a[str(i)].shape == (65000,) and a[str(i)].max() == 15 for i in range(12))")
	columns := make([]string, 4000)
	for i := range columns {
		columns[i] = fmt.Sprintf("column %d", i)
	}
	b.must(b.group(g, "columns").SetAttr("column-order", hdf5.StringsValue(columns)))
	expect("/attrs/columns", "a['column-order'].tolist() == ['column %d' % i for i in range(4000)]")
	d := b.value(g, "data", hdf5.NumberValue(1.0), hdf5.DatasetSpec{})
	for i := range 100 {
		b.must(d.SetAttr(fmt.Sprint(i), hdf5.StringValue(strings.Repeat("v", i))))
	}
	expect("/attrs/data", "len(a) == 100 and all(a[str(i)] == 'v'*i for i in range(100))")
}

func broadLinks(b *builder, g *hdf5.GroupWriter, expect expectFunc) {
	b.must(g.SoftLink("soft", "/links/target"))
	b.must(g.SoftLink("dangling", "nowhere"))
	d := b.value(g, "target", hdf5.NumbersValue([]int32{4, 5}), hdf5.DatasetSpec{})
	b.must(g.HardLink("hard", d))
	b.must(g.HardLink("up", g)) // a loop
	expect("/links/soft", "o[()].tolist() == [4, 5]")
	expect("/links/hard", "o == f['/links/target'] and h5py.h5o.get_info(o.id).rc == 2")
	expect("/links", "set(o) == {'soft', 'dangling', 'target', 'hard', 'up', 'refs', 'early', 'early empty', 'rawref'} and o.get('dangling', getlink=True).path == 'nowhere' and o['up/up/up'] == o")
	// References to what comes later, before and never.
	b.value(g, "refs", hdf5.RefsValue([]string{"/links/early", "/links", "", "/links/target"}), hdf5.DatasetSpec{})
	b.must(d.SetAttr("categories", hdf5.RefValue("/links/early")))
	expect("/links/refs", "f[o[0]].name == '/links/early' and f[o[1]].name == '/links' and not o[2] and f[o[3]][()].tolist() == [4, 5]")
	expect("/links/target", "f[a['categories']].name == '/links/early'")
	// A header whose address is known before its attributes.
	early := b.group(g, "early")
	addr, err := early.Address()
	b.must(err)
	raw := make([]byte, 8)
	for i := range raw {
		raw[i] = byte(addr >> (8 * i))
	}
	b.value(g, "rawref", hdf5.RawValue(hdf5.RefType(), hdf5.Space{}, raw), hdf5.DatasetSpec{})
	for i := range 40 {
		b.must(early.SetAttr(fmt.Sprint(i), hdf5.NumberValue(int64(i))))
	}
	b.group(early, "member")
	expect("/links/rawref", "f[o[()]].name == '/links/early'")
	expect("/links/early", "len(a) == 40 and a['39'] == 39 and list(o) == ['member']")
	_, err = b.group(g, "early empty").Address()
	b.must(err)
	expect("/links/early empty", "len(a) == 0 and len(o) == 0")
}
