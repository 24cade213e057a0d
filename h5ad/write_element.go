package h5ad

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// Dict is a mapping in memory, to be written.
type Dict map[string]Element

// element writes any element under a name, with the encoding of today.
func (w *Writer) element(ctx context.Context, g *hdf5.GroupWriter, name string, e Element) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch e := e.(type) {
	case *Array:
		return w.array(ctx, g, name, e)
	case *Column:
		if e.Categorical != nil {
			return w.categorical(ctx, g, name, e.Categorical)
		}
		return w.array(ctx, g, name, e.Array)
	case *Categorical:
		return w.categorical(ctx, g, name, e)
	case *DataFrame:
		return w.frame(ctx, g, name, e)
	case *Matrix:
		return w.copyMatrix(ctx, g, name, e)
	case Dict:
		sub, err := w.subgroup(g, name, "dict", "0.1.0")
		if err != nil {
			return err
		}
		for _, key := range sortedKeys(e) {
			if err := w.element(ctx, sub, key, e[key]); err != nil {
				return err
			}
		}
		return nil
	case *Mapping:
		return w.mapping(ctx, g, name, e)
	case *Records:
		return w.records(ctx, g, name, e)
	case *Awkward:
		return w.awkward(ctx, g, name, e)
	case Null:
		d, err := g.WriteValue(ctx, name, hdf5.NullValue(hdf5.FloatType(4)), hdf5.DatasetSpec{})
		if err != nil {
			return err
		}
		return encode(d, "null", "0.1.0")
	}
	return w.fail(join(g.Path(), name), fmt.Errorf("a %s cannot be written", KindOf(e)))
}

func (w *Writer) subgroup(g *hdf5.GroupWriter, name, kind, version string) (*hdf5.GroupWriter, error) {
	sub, err := g.CreateGroup(name)
	if err != nil {
		return nil, err
	}
	return sub, encode(sub, kind, version)
}

func (w *Writer) mapping(ctx context.Context, g *hdf5.GroupWriter, name string, m *Mapping) error {
	sub, err := w.subgroup(g, name, "dict", "0.1.0")
	if err != nil {
		return err
	}
	for _, key := range m.Keys {
		e, err := m.Get(ctx, key)
		if err != nil {
			return err
		}
		if err := w.element(ctx, sub, key, e); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) awkward(ctx context.Context, g *hdf5.GroupWriter, name string, a *Awkward) error {
	sub, err := w.subgroup(g, name, "awkward-array", "0.1.0")
	if err != nil {
		return err
	}
	err = errors.Join(sub.SetAttr("form", hdf5.StringValue(a.Form)), sub.SetAttr("length", hdf5.NumberValue(a.Length)))
	if err != nil {
		return err
	}
	for _, key := range a.Buffers.Keys {
		e, err := a.Buffers.Get(ctx, key)
		if err != nil {
			return err
		}
		if err := w.element(ctx, sub, key, e); err != nil {
			return err
		}
	}
	return nil
}

// array writes an array, a scalar or, where values are missing, a nullable one.
func (w *Writer) array(ctx context.Context, g *hdf5.GroupWriter, name string, a *Array) error {
	v, kind, err := arrayValue(a)
	if err != nil {
		return w.fail(join(g.Path(), name), err)
	}
	if a.Missing == nil || kind == "" {
		d, err := g.WriteValue(ctx, name, v, w.spec(v))
		if err != nil || kind == "" {
			return err
		}
		return encode(d, kind, "0.2.0")
	}
	nullable := "nullable-integer"
	switch a.Values.(type) {
	case []bool:
		nullable = "nullable-boolean"
	case []string:
		nullable = "nullable-string-array"
	case []float32, []float64, []complex128:
		return w.fail(join(g.Path(), name), errors.New("missing floats are NaN, not masked"))
	}
	sub, err := w.subgroup(g, name, nullable, "0.1.0")
	if err != nil {
		return err
	}
	if len(a.Missing) != a.Len() {
		return w.fail(sub.Path(), fmt.Errorf("mask of %d for %d values", len(a.Missing), a.Len()))
	}
	d, err := sub.WriteValue(ctx, "values", v, w.spec(v))
	if err != nil {
		return err
	}
	if err := encode(d, kind, "0.2.0"); err != nil {
		return err
	}
	mask := hdf5.BoolsValue(a.Missing)
	if d, err = sub.WriteValue(ctx, "mask", mask, w.spec(mask)); err != nil {
		return err
	}
	return encode(d, "array", "0.2.0")
}

// wholeChunk is how many bytes a chunk of an array has about; what is smaller is
// one piece, which is not compressed.
const (
	wholeChunk   = 256 << 10
	leastChunked = 4 << 10
)

// spec is how an array is stored: compressed where that is asked for and the array
// is not small.
func (w *Writer) spec(v hdf5.Value) (s hdf5.DatasetSpec) {
	space := v.Space()
	n, _ := space.Elements()
	if len(w.filter) == 0 || len(space.Dims) == 0 || n*uint64(v.Type().Size) < leastChunked {
		return s
	}
	s.Filters, s.Chunk = w.filter, chunkOf(space.Dims, v.Type().Size)
	return s
}

// chunkOf is whole rows of about wholeChunk bytes; rows longer than that are cut.
func chunkOf(dims []uint64, size int) []uint64 {
	chunk := make([]uint64, len(dims))
	room := uint64(max(1, wholeChunk/size))
	for i := len(dims) - 1; i >= 0; i-- {
		chunk[i] = max(1, min(dims[i], room))
		room = max(1, room/chunk[i])
	}
	return chunk
}

// arrayValue is an array as HDF5 stores it, and its encoding.
func arrayValue(a *Array) (v hdf5.Value, kind string, err error) {
	var dims []uint64
	for _, n := range a.Dims {
		if n < 0 {
			return v, "", fmt.Errorf("shape %v", a.Dims)
		}
		dims = append(dims, uint64(n))
	}
	space := hdf5.Space{Dims: dims}
	kind = "array"
	if len(dims) == 0 {
		kind = "numeric-scalar"
	}
	switch x := a.Values.(type) {
	case []string:
		kind = "string-array"
		if len(dims) == 0 {
			kind = "string"
		}
		v = hdf5.TextValue(hdf5.StringType(), space, x)
	case []bool:
		v = hdf5.RawValue(hdf5.BoolType(), space, boolBytes(x))
	case []complex128:
		v = complexValue(a.DType, space, x)
	case []float32:
		v = hdf5.RawValue(hdf5.FloatType(4), space, appendNumbers(nil, x))
		if a.DType == "float16" {
			v = hdf5.RawValue(hdf5.FloatType(2), space, appendHalves(nil, x))
		}
	default:
		t := typeOf(a.Values)
		if t == nil {
			return v, "", fmt.Errorf("values of type %T cannot be written", a.Values)
		}
		v = hdf5.RawValue(t, space, appendValues(nil, a.Values))
	}
	return v, kind, nil
}

func boolBytes(x []bool) []byte {
	b := make([]byte, len(x))
	for i, v := range x {
		if v {
			b[i] = 1
		}
	}
	return b
}

// complexValue is complex numbers as h5py stores them: a pair of floats.
func complexValue(dtype string, space hdf5.Space, x []complex128) hdf5.Value {
	size := 8
	if dtype == "complex64" {
		size = 4
	}
	t := &hdf5.Datatype{Class: hdf5.ClassCompound, Size: 2 * size, Members: []hdf5.Member{
		{Name: "r", Type: hdf5.FloatType(size)}, {Name: "i", Offset: size, Type: hdf5.FloatType(size)},
	}}
	var b []byte
	for _, c := range x {
		for _, f := range [2]float64{real(c), imag(c)} {
			if size == 4 {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(f)))
			} else {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
			}
		}
	}
	return hdf5.RawValue(t, space, b)
}

// categorical writes codes in the smallest signed type, as anndata does.
func (w *Writer) categorical(ctx context.Context, g *hdf5.GroupWriter, name string, c *Categorical) error {
	sub, err := w.subgroup(g, name, "categorical", "0.2.0")
	if err != nil {
		return err
	}
	if err := sub.SetAttr("ordered", hdf5.BoolValue(c.Ordered)); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return w.fail(sub.Path(), err)
	}
	if err := w.array(ctx, sub, "categories", c.Categories); err != nil {
		return err
	}
	return w.array(ctx, sub, "codes", codesArray(c.Codes, c.Categories.Len()))
}

// codesArray is codes in the smallest signed type that holds n categories.
func codesArray(codes []int64, n int) *Array {
	a := &Array{Dims: []int{len(codes)}}
	switch {
	case n <= math.MaxInt8+1:
		a.Values = narrowed[int8](codes)
	case n <= math.MaxInt16+1:
		a.Values = narrowed[int16](codes)
	default:
		a.Values = narrowed[int32](codes)
	}
	return a
}

func narrowed[T int8 | int16 | int32](x []int64) []T {
	out := make([]T, len(x))
	for i, v := range x {
		out[i] = T(v)
	}
	return out
}

// frame writes a data frame with all its columns.
func (w *Writer) frame(ctx context.Context, g *hdf5.GroupWriter, name string, df *DataFrame) error {
	sub, err := w.subgroup(g, name, "dataframe", "0.2.0")
	if err != nil {
		return err
	}
	index, err := df.index(ctx)
	if err != nil {
		return err
	}
	if err := w.frameHead(sub, df.indexName(), df.Names); err != nil {
		return err
	}
	key := strings.TrimPrefix(sub.Path(), "/")
	w.groups[key] = sub
	// In the order in which a copy meets them, so that its bytes are the same.
	for _, n := range df.stored() {
		if n == df.indexName() {
			if err := w.array(ctx, sub, n, index); err != nil {
				return err
			}
			continue
		}
		if slices.Contains(df.later, n) {
			w.later = append(w.later, key+"/"+n)
			continue
		}
		c, err := df.Column(ctx, n)
		if err != nil {
			return err
		}
		if err := w.element(ctx, sub, n, c); err != nil {
			return err
		}
	}
	return nil
}

// frameHead sets what makes a group a data frame.
func (w *Writer) frameHead(g *hdf5.GroupWriter, index string, columns []string) error {
	order := hdf5.StringsValue(columns)
	if len(columns) == 0 {
		order = hdf5.NumbersValue([]float64{}) // as anndata writes it
	}
	seen := map[string]bool{index: true}
	for _, c := range columns {
		switch {
		case c == index || c == "_index":
			return w.fail(g.Path(), fmt.Errorf("the column name %q is that of the index", c))
		case strings.ContainsRune(c, '/') || c == "" || c == ".":
			return w.fail(g.Path(), fmt.Errorf("a column cannot be called %q in HDF5", c))
		case seen[c]:
			return w.fail(g.Path(), fmt.Errorf("two columns are called %q", c))
		}
		seen[c] = true
	}
	if err := errors.Join(g.SetAttr("_index", hdf5.StringValue(index)), g.SetAttr("column-order", order)); err != nil {
		return w.fail(g.Path(), fmt.Errorf("%w; an attribute holds about 4,000 column names", err))
	}
	return nil
}

// records writes a record array: compound elements, whose strings have variable
// length.
func (w *Writer) records(ctx context.Context, g *hdf5.GroupWriter, name string, r *Records) error {
	t := &hdf5.Datatype{Class: hdf5.ClassCompound}
	key := join(g.Path(), name)
	if len(r.Fields) == 0 {
		return w.fail(key, errors.New("a record array without fields"))
	}
	n := r.Fields[0].Rows()
	fields := make([]hdf5.Value, len(r.Fields))
	for i, f := range r.Fields {
		if f.Array == nil || len(f.Dims) != 1 || f.Missing != nil || f.Rows() != n {
			return w.fail(key, fmt.Errorf("the field %q is not a column of %d values", f.Name, n))
		}
		var err error
		if fields[i], _, err = arrayValue(f.Array); err != nil {
			return w.fail(key, err)
		}
		ft := fields[i].Type()
		t.Members = append(t.Members, hdf5.Member{Name: f.Name, Offset: t.Size, Type: ft})
		t.Size += ft.Size
	}
	raw := make([]byte, n*t.Size)
	for i, f := range r.Fields {
		b, err := w.elements(&fields[i], f.Array)
		if err != nil {
			return err
		}
		m := t.Members[i]
		for row := range n {
			copy(raw[row*t.Size+m.Offset:], b[row*m.Type.Size:(row+1)*m.Type.Size])
		}
	}
	d, err := g.WriteValue(ctx, name, hdf5.RawValue(t, hdf5.Space{Dims: []uint64{uint64(n)}}, raw), hdf5.DatasetSpec{})
	if err != nil {
		return err
	}
	return encode(d, "rec-array", "0.2.0")
}

// elements is the bytes of a field; strings go to the heap.
func (w *Writer) elements(v *hdf5.Value, a *Array) ([]byte, error) {
	text, ok := a.Values.([]string)
	if !ok {
		return v.Raw(), nil
	}
	var b []byte
	for _, s := range text {
		if strings.IndexByte(s, 0) >= 0 {
			return nil, w.fail("", fmt.Errorf("the string %q holds a NUL", s))
		}
		desc, err := w.h.PutSequence([]byte(s), len(s))
		if err != nil {
			return nil, err
		}
		b = append(b, desc...)
	}
	return b, nil
}

// copyMatrix writes a matrix of another file as it is there.
func (w *Writer) copyMatrix(ctx context.Context, g *hdf5.GroupWriter, name string, m *Matrix) (err error) {
	mw, err := w.matrix(g, name, MatrixSpec{Encoding: m.Encoding, NObs: m.NObs, NVars: m.NVars, DType: m.DType})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mw.discard()) }()
	r, err := m.Rows(ctx, RowOptions{Budget: w.opts.Memory})
	if err != nil {
		return err
	}
	var b Batch
	for {
		err := r.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			return mw.Close(ctx)
		}
		if err != nil {
			return err
		}
		if err := mw.Append(ctx, &b); err != nil {
			return err
		}
	}
}
