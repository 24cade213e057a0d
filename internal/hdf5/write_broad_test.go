package hdf5_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// broadCase is an object of the broad file and what h5py must find there: a
// Python expression over o (the object), a (its attributes), np, h5py and f.
type broadCase struct {
	path string
	want string
}

// writeBroad writes one of everything, and says what h5py must read.
func writeBroad(b *builder) (cases []broadCase) {
	expect := func(path, want string) { cases = append(cases, broadCase{path, want}) }
	root := b.w.Root()
	broadNumbers(b, b.group(root, "numbers"), expect)
	broadText(b, b.group(root, "text"), expect)
	broadTypes(b, b.group(root, "types"), expect)
	broadSpaces(b, b.group(root, "spaces"), expect)
	broadChunks(b, b.group(root, "chunks"), expect)
	broadGroups(b, b.group(root, "groups"), expect)
	broadAttrs(b, b.group(root, "attrs"), expect)
	broadLinks(b, b.group(root, "links"), expect)
	return cases
}

type expectFunc func(path, want string)

func broadNumber[T hdf5.Number](b *builder, g *hdf5.GroupWriter, name, dtype string, x []T, want string, expect expectFunc) {
	b.value(g, name, hdf5.NumbersValue(x), hdf5.DatasetSpec{})
	expect("/numbers/"+name, fmt.Sprintf("o.dtype.str == %q and o[()].tolist() == %s and o.chunks is None", dtype, want))
}

func broadNumbers(b *builder, g *hdf5.GroupWriter, expect expectFunc) {
	broadNumber(b, g, "i1", "|i1", []int8{-128, 0, 127}, "[-128, 0, 127]", expect)
	broadNumber(b, g, "i2", "<i2", []int16{-32768, 32767}, "[-32768, 32767]", expect)
	broadNumber(b, g, "i4", "<i4", []int32{math.MinInt32, math.MaxInt32}, "[-2**31, 2**31-1]", expect)
	broadNumber(b, g, "i8", "<i8", []int64{math.MinInt64, 1<<53 + 1}, "[-2**63, 2**53+1]", expect)
	broadNumber(b, g, "u1", "|u1", []uint8{0, 255}, "[0, 255]", expect)
	broadNumber(b, g, "u2", "<u2", []uint16{0, 65535}, "[0, 65535]", expect)
	broadNumber(b, g, "u4", "<u4", []uint32{0, math.MaxUint32}, "[0, 2**32-1]", expect)
	broadNumber(b, g, "u8", "<u8", []uint64{0, math.MaxUint64}, "[0, 2**64-1]", expect)
	broadNumber(b, g, "f4", "<f4", []float32{1.5, -0.25}, "[1.5, -0.25]", expect)
	broadNumber(b, g, "f8", "<f8", []float64{math.Pi, math.Inf(1), math.Inf(-1)}, "[np.pi, np.inf, -np.inf]", expect)
	b.value(g, "nan", hdf5.NumbersValue([]float64{math.NaN(), math.Copysign(0, -1)}), hdf5.DatasetSpec{})
	expect("/numbers/nan", "np.isnan(o[0]) and np.signbit(o[1]) and o[1] == 0")
	b.value(g, "scalar", hdf5.NumberValue(int32(-7)), hdf5.DatasetSpec{})
	expect("/numbers/scalar", "o.shape == () and o[()] == -7")

	for _, size := range []int{2, 4, 8} {
		for _, signed := range []bool{false, true} {
			t := hdf5.IntType(size, signed)
			t.BigEndian = true
			raw := append(make([]byte, size-1), 1) // 1
			raw = append(raw, 0x7f, 0xfe)[:size+2]
			raw = append(raw, make([]byte, size-2)...) // 0x7ffe00…
			name := fmt.Sprintf("be%d%v", size, signed)
			b.value(g, name, hdf5.RawValue(t, hdf5.Space{Dims: []uint64{2}}, raw), hdf5.DatasetSpec{})
			kind := map[bool]string{false: "u", true: "i"}[signed]
			expect("/numbers/"+name, fmt.Sprintf("o.dtype.str == '>%s%d' and o[()].tolist() == [1, 0x7ffe << %d]", kind, size, 8*(size-2)))
		}
	}
	half := hdf5.FloatType(2)
	b.value(g, "f2", hdf5.RawValue(half, hdf5.Space{Dims: []uint64{2}}, []byte{0x00, 0x3e, 0x00, 0xc0}), hdf5.DatasetSpec{})
	expect("/numbers/f2", "o.dtype.str == '<f2' and o[()].tolist() == [1.5, -2.0]")
	for _, size := range []int{4, 8} {
		t := hdf5.FloatType(size)
		t.BigEndian = true
		raw := make([]byte, size)
		if size == 4 {
			binary.BigEndian.PutUint32(raw, math.Float32bits(1.5))
		} else {
			binary.BigEndian.PutUint64(raw, math.Float64bits(1.5))
		}
		name := fmt.Sprintf("bef%d", size)
		b.value(g, name, hdf5.RawValue(t, hdf5.Space{}, raw), hdf5.DatasetSpec{})
		expect("/numbers/"+name, fmt.Sprintf("o.dtype.str == '>f%d' and o[()] == 1.5", size))
	}
	// bfloat16: h5py has no dtype for it, but libhdf5 converts it.
	bf := &hdf5.Datatype{
		Class: hdf5.ClassFloat, Size: 2, Precision: 16, SignPos: 15,
		ExpPos: 7, ExpBits: 8, ManBits: 7, ExpBias: 127, ManNormalization: 2,
	}
	b.value(g, "bf16", hdf5.RawValue(bf, hdf5.Space{Dims: []uint64{2}}, []byte{0xc0, 0x3f, 0x80, 0xc2}), hdf5.DatasetSpec{})
	expect("/numbers/bf16", "o.id.get_type().get_fields() == (15, 7, 8, 0, 7)")
}

func broadText(b *builder, g *hdf5.GroupWriter, expect expectFunc) {
	long := strings.Repeat("long ", 40000) // 200 kB
	b.value(g, "vlen", hdf5.StringsValue([]string{"a", "", "Zürich 细胞", long}), hdf5.DatasetSpec{})
	expect("/text/vlen", "[s.decode() for s in o[()]] == ['a', '', 'Zürich 细胞', 'long '*40000] and tuple(h5py.check_string_dtype(o.dtype)) == ('utf-8', None)")
	b.value(g, "scalar", hdf5.StringValue("one"), hdf5.DatasetSpec{})
	expect("/text/scalar", "o.shape == () and o[()] == b'one' and o.chunks is None")
	b.value(g, "empty", hdf5.StringValue(""), hdf5.DatasetSpec{})
	expect("/text/empty", "o[()] == b''")
	ascii := hdf5.StringType()
	ascii.CharSet = hdf5.ASCII
	b.value(g, "vlen_ascii", hdf5.TextValue(ascii, hdf5.Space{Dims: []uint64{1, 2}}, []string{"x", "yz"}), hdf5.DatasetSpec{})
	expect("/text/vlen_ascii", "o.shape == (1, 2) and o[()].tolist() == [[b'x', b'yz']] and h5py.check_string_dtype(o.dtype).encoding == 'ascii'")
	for i, pad := range []hdf5.Padding{hdf5.PadNullTerm, hdf5.PadNull, hdf5.PadSpace} {
		for k, set := range []hdf5.CharSet{hdf5.ASCII, hdf5.UTF8} {
			name := fmt.Sprintf("fixed%d%d", i, k)
			t := hdf5.FixedStringType(6, pad, set)
			b.value(g, name, hdf5.TextValue(t, hdf5.Space{Dims: []uint64{3}}, []string{"five5", "", "ab"}), hdf5.DatasetSpec{})
			expect("/text/"+name, fmt.Sprintf("o[()].tolist() == [b'five5', b'', b'ab'] and o.id.get_type().get_strpad() == %d and o.id.get_type().get_cset() == %d and o.dtype.itemsize == 6", i, k))
		}
	}
	many := make([]string, 30000)
	for i := range many {
		many[i] = fmt.Sprintf("barcode-%d", i)
	}
	b.value(g, "many", hdf5.StringsValue(many), hdf5.DatasetSpec{
		Chunk: []uint64{7000}, Filters: filter.Pipeline{hdf5.Deflate(1)}, MaxDims: []uint64{hdf5.Unlimited},
	})
	expect("/text/many", "[s.decode() for s in o[()]] == ['barcode-%d' % i for i in range(30000)] and o.compression == 'gzip' and o.maxshape == (None,)")
}

func broadTypes(b *builder, g *hdf5.GroupWriter, expect expectFunc) {
	line := func(n uint64) hdf5.Space { return hdf5.Space{Dims: []uint64{n}} }
	b.value(g, "bools", hdf5.BoolsValue([]bool{true, false, true}), hdf5.DatasetSpec{})
	expect("/types/bools", "o.dtype == np.dtype('?') and o[()].tolist() == [True, False, True]")
	colours := &hdf5.Datatype{
		Class: hdf5.ClassEnum, Size: 2, Base: hdf5.IntType(2, true),
		EnumNames: []string{"RED", "GREEN", "VERY LONG COLOUR"}, EnumValues: []byte{0, 0, 1, 0, 0xff, 0xff},
	}
	b.value(g, "enum", hdf5.RawValue(colours, line(2), []byte{1, 0, 0xff, 0xff}), hdf5.DatasetSpec{})
	expect("/types/enum", "h5py.check_enum_dtype(o.dtype) == {'RED': 0, 'GREEN': 1, 'VERY LONG COLOUR': -1} and o[()].tolist() == [1, -1]")
	b.value(g, "opaque", hdf5.RawValue(&hdf5.Datatype{Class: hdf5.ClassOpaque, Size: 3, Tag: "a tag"}, line(2), []byte("abcdef")), hdf5.DatasetSpec{})
	expect("/types/opaque", "o.id.get_type().get_tag() == b'a tag' and o.dtype == np.dtype('V3')") // h5py reads no tagged values
	b.value(g, "void", hdf5.RawValue(&hdf5.Datatype{Class: hdf5.ClassOpaque, Size: 3}, line(2), []byte("abcdef")), hdf5.DatasetSpec{})
	expect("/types/void", "o[()].tobytes() == b'abcdef'")
	b.value(g, "bits", hdf5.RawValue(&hdf5.Datatype{Class: hdf5.ClassBitfield, Size: 2, Precision: 16}, line(1), []byte{5, 1}), hdf5.DatasetSpec{})
	expect("/types/bits", "o.id.get_type().get_class() == h5py.h5t.BITFIELD and o[()].tolist() == [261]")
	array := &hdf5.Datatype{Class: hdf5.ClassArray, Size: 12, Base: hdf5.IntType(2, true), Dims: []int{2, 3}}
	b.value(g, "array", hdf5.RawValue(array, line(1), []byte{1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0}), hdf5.DatasetSpec{})
	expect("/types/array", "o.dtype == np.dtype(('<i2', (2, 3))) and o[()].tolist() == [[[1, 2, 3], [4, 5, 6]]]")
	b.value(g, "sequences", hdf5.SequencesValue([][]int32{{1, 2, 3}, nil, {-4}}), hdf5.DatasetSpec{})
	expect("/types/sequences", "[x.tolist() for x in o[()]] == [[1, 2, 3], [], [-4]] and h5py.check_vlen_dtype(o.dtype) == np.dtype('<i4')")

	inner := &hdf5.Datatype{Class: hdf5.ClassCompound, Size: 24, Members: []hdf5.Member{
		{Name: "f", Offset: 0, Type: hdf5.TypeOf[float32]()},
		{Name: "name", Offset: 8, Type: hdf5.StringType()},
	}}
	outer := &hdf5.Datatype{Class: hdf5.ClassCompound, Size: 48, Members: []hdf5.Member{
		{Name: "id", Offset: 0, Type: hdf5.TypeOf[int64]()},
		{Name: "pca", Offset: 8, Type: &hdf5.Datatype{Class: hdf5.ClassArray, Size: 12, Base: hdf5.TypeOf[float32](), Dims: []int{3}}},
		{Name: "nested", Offset: 20, Type: inner},
		{Name: "ok", Offset: 44, Type: hdf5.BoolType()},
	}}
	row := make([]byte, 48)
	binary.LittleEndian.PutUint64(row, 77)
	for i, x := range []float32{1, 2, 3, 4.5} {
		binary.LittleEndian.PutUint32(row[8+4*i:], math.Float32bits(x))
	}
	text, err := b.w.PutSequence([]byte("μ-cell"), len("μ-cell"))
	b.must(err)
	copy(row[28:], text)
	row[44] = 1
	b.value(g, "compound", hdf5.RawValue(outer, line(1), row), hdf5.DatasetSpec{})
	expect("/types/compound", "o[0]['id'] == 77 and o[0]['pca'].tolist() == [1, 2, 3] and o[0]['nested']['f'] == 4.5 and o[0]['nested']['name'].decode() == 'μ-cell' and bool(o[0]['ok'])")
	plain := &hdf5.Datatype{Class: hdf5.ClassCompound, Size: 16, Members: []hdf5.Member{
		{Name: "r", Offset: 0, Type: hdf5.TypeOf[float64]()},
		{Name: "i", Offset: 8, Type: hdf5.TypeOf[float64]()},
	}}
	b.value(g, "complex", hdf5.RawValue(plain, line(1), append(make([]byte, 14), 0xf0, 0x3f)), hdf5.DatasetSpec{})
	expect("/types/complex", "o.dtype == np.dtype('c16') and o[0] == 1j")
	_, err = g.CommitType("named", outer)
	b.must(err)
	expect("/types/named", "isinstance(o, h5py.Datatype) and o.dtype.names == ('id', 'pca', 'nested', 'ok')")
}

func broadSpaces(b *builder, g *hdf5.GroupWriter, expect expectFunc) {
	f8 := hdf5.TypeOf[float64]()
	b.value(g, "null", hdf5.NullValue(hdf5.TypeOf[float32]()), hdf5.DatasetSpec{})
	expect("/spaces/null", "o.shape is None and o.dtype == np.dtype('f4')")
	b.value(g, "none", hdf5.NumbersValue([]float64{}), hdf5.DatasetSpec{})
	expect("/spaces/none", "o.shape == (0,) and o.dtype == np.dtype('f8')")
	b.value(g, "none2", hdf5.RawValue(f8, hdf5.Space{Dims: []uint64{5, 0}}, nil), hdf5.DatasetSpec{})
	expect("/spaces/none2", "o.shape == (5, 0) and o[()].size == 0")
	b.value(g, "nochunk", hdf5.RawValue(f8, hdf5.Space{Dims: []uint64{0, 3}}, nil), hdf5.DatasetSpec{
		Chunk: []uint64{4, 3}, MaxDims: []uint64{hdf5.Unlimited, 3}, Filters: filter.Pipeline{hdf5.Deflate(4)},
	})
	expect("/spaces/nochunk", "o.shape == (0, 3) and o.chunks == (4, 3) and o.maxshape == (None, 3)")
	b.value(g, "compact", hdf5.NumbersValue([]int64{3, 1, 4}), hdf5.DatasetSpec{Compact: true})
	expect("/spaces/compact", "o[()].tolist() == [3, 1, 4] and o.id.get_create_plist().get_layout() == h5py.h5d.COMPACT")
	fill := []byte{7, 0, 0, 0}
	d, err := g.CreateDataset("fill", hdf5.DatasetSpec{Type: hdf5.TypeOf[int32](), Dims: []uint64{10, 10}, Chunk: []uint64{4, 4}, Fill: fill, Sparse: true})
	b.must(err)
	b.must(d.Append(context.Background(), make([]byte, 4*10*5)))
	expect("/spaces/fill", "o.fillvalue == 7 and (o[:5] == 0).all() and (o[5:] == 7).all()")
	d, err = g.CreateDataset("unwritten", hdf5.DatasetSpec{Type: hdf5.TypeOf[int32](), Dims: []uint64{4}, Fill: fill, Sparse: true})
	b.must(err)
	b.must(d.Close())
	expect("/spaces/unwritten", "o[()].tolist() == [7, 7, 7, 7]")
	d, err = g.CreateDataset("half", hdf5.DatasetSpec{Type: hdf5.TypeOf[int32](), Dims: []uint64{4}, Fill: fill, Sparse: true})
	b.must(err)
	b.must(d.Append(context.Background(), make([]byte, 8)))
	expect("/spaces/half", "o[()].tolist() == [0, 0, 7, 7]")
}
