package h5ad

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// Element is anything that an AnnData file holds: an [*Array], [*Matrix],
// [*DataFrame], [*Categorical], [*Mapping], [*Records], [*Awkward], [Null] or
// [*Unknown].
type Element any

// Mapping is a dictionary of elements, read one at a time.
type Mapping struct {
	Keys []string // sorted

	file  *File
	group *hdf5.Group
}

// Get reads the element of that name.
func (m *Mapping) Get(ctx context.Context, key string) (Element, error) {
	o, err := m.open(key)
	if err != nil {
		return nil, err
	}
	e, err := m.file.element(ctx, o)
	if a, ok := e.(*Array); ok && bareString(o) {
		a.Dims = nil
	}
	return e, err
}

// Matrix opens the element of that name, which must be a matrix of numbers, dense or
// sparse, so that its rows can be streamed: embeddings in obsm may be larger than
// the memory.
func (m *Mapping) Matrix(ctx context.Context, key string) (*Matrix, error) {
	o, err := m.open(key)
	if err != nil {
		return nil, err
	}
	return m.file.matrix(ctx, o)
}

func (m *Mapping) open(key string) (hdf5.Object, error) {
	if m.group == nil || !slices.Contains(m.Keys, key) {
		at := ""
		if m.group != nil {
			at = m.group.Path()
		}
		return nil, &Error{File: m.file.path, Key: at, Err: fmt.Errorf("no element %q: %w", key, ErrNotFound), Tip: "there are: " + list(m.Keys)}
	}
	return m.group.Open(key)
}

// bareString reports whether o is how old versions wrote a string scalar: one
// string of fixed length in an array, without an encoding.
func bareString(o hdf5.Object) bool {
	d, ok := o.(*hdf5.Dataset)
	if !ok || d.Type.Class != hdf5.ClassString || !slices.Equal(d.Space.Dims, []uint64{1}) {
		return false
	}
	_, err := d.Attr("encoding-type")
	return errors.Is(err, hdf5.ErrNotFound)
}

// shape is the shape of an element, from headers alone where that is possible.
func (m *Mapping) shape(ctx context.Context, key string) ([]int, error) {
	o, err := m.group.Open(key)
	if err != nil {
		return nil, err
	}
	if d, ok := o.(*hdf5.Dataset); ok && d.Type.Class != hdf5.ClassCompound {
		dims := []int{}
		for _, n := range d.Space.Dims {
			dims = append(dims, int(n))
		}
		return dims, nil
	}
	e, err := m.file.element(ctx, o)
	if err != nil {
		return nil, err
	}
	return Shape(e), nil
}

// Records is a record array: named fields of one length.
type Records struct {
	Fields []*Column
}

// Awkward is an awkward array; its buffers are the members of Buffers.
type Awkward struct {
	Form    string // JSON
	Length  int64
	Buffers *Mapping
}

// Null is None.
type Null struct{}

// Unknown is an element of an encoding that this package does not know. It is
// listed, not read.
type Unknown struct {
	Encoding, Version string
}

// KindOf names an element in the words of AnnData's specification.
func KindOf(e Element) string {
	switch e := e.(type) {
	case *Array:
		if len(e.Dims) == 0 {
			return "scalar"
		}
		return "array"
	case *Matrix:
		return e.Encoding
	case *DataFrame:
		return "dataframe"
	case *Categorical:
		return "categorical"
	case *Mapping:
		return "dict"
	case *Records:
		return "rec-array"
	case *Awkward:
		return "awkward-array"
	case Null:
		return "null"
	case *Unknown:
		return "unknown encoding " + e.Encoding + " " + e.Version
	}
	return "nothing"
}

// encoding is what an element says of itself.
type encoding struct{ kind, version string }

// reader reads an element; the table below is keyed by encoding as in the
// specification.
type reader func(f *File, ctx context.Context, o hdf5.Object) (Element, error)

func readerOf(e encoding) reader {
	switch e {
	case encoding{"array", "0.2.0"}, encoding{"string-array", "0.2.0"}, encoding{"string", "0.2.0"},
		encoding{"numeric-scalar", "0.2.0"}, encoding{"bytes", "0.2.0"}, encoding{"rec-array", "0.2.0"},
		encoding{"string-array", "0.1.0"}, encoding{"array", "0.1.0"}:
		return (*File).readDataset
	case encoding{"csr_matrix", "0.1.0"}, encoding{"csc_matrix", "0.1.0"}:
		return (*File).readSparse
	case encoding{"dataframe", "0.1.0"}, encoding{"dataframe", "0.2.0"}:
		return func(f *File, _ context.Context, o hdf5.Object) (Element, error) { return f.frame(o, o.Path()) }
	case encoding{"categorical", "0.2.0"}, encoding{"categorical", "0.1.0"}:
		return (*File).readCategorical
	case encoding{"nullable-integer", "0.1.0"}, encoding{"nullable-boolean", "0.1.0"},
		encoding{"nullable-string-array", "0.1.0"}, encoding{"nullable-float", "0.1.0"}:
		return (*File).readNullable
	case encoding{"dict", "0.1.0"}, encoding{"anndata", "0.1.0"}, encoding{"raw", "0.1.0"}:
		return (*File).readMapping
	case encoding{"awkward-array", "0.1.0"}:
		return (*File).readAwkward
	case encoding{"null", "0.1.0"}:
		return func(*File, context.Context, hdf5.Object) (Element, error) { return Null{}, nil }
	}
	return nil
}

// element reads an object. With an error it gives nil, never a nil pointer of
// some type.
func (f *File) element(ctx context.Context, o hdf5.Object) (Element, error) {
	e, err := f.readElement(ctx, o)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// readElement reads an object by its encoding, or by its shape where it has
// none.
func (f *File) readElement(ctx context.Context, o hdf5.Object) (Element, error) {
	var e encoding
	var err error
	if e.kind, err = textAttr(o, "encoding-type"); err != nil {
		return nil, err
	}
	if e.version, err = textAttr(o, "encoding-version"); err != nil {
		return nil, err
	}
	if e.kind != "" {
		read := readerOf(e)
		if read == nil {
			return &Unknown{e.kind, e.version}, nil
		}
		return read(f, ctx, o)
	}
	switch o := o.(type) {
	case *hdf5.Dataset:
		if _, err := o.Attr("categories"); err == nil {
			return f.readReferenced(ctx, o)
		}
		return f.readDataset(ctx, o)
	case *hdf5.Group:
		if kind, err := textAttr(o, "h5sparse_format"); kind != "" || err != nil {
			return f.readSparse(ctx, o)
		}
		return f.readMapping(ctx, o)
	}
	return &Unknown{Encoding: "named type"}, nil
}

// asDataset and asGroup check the object that an encoding promises.
func (f *File) asDataset(o hdf5.Object) (*hdf5.Dataset, error) {
	d, ok := o.(*hdf5.Dataset)
	if !ok {
		return nil, f.fail(o.Path(), errors.New("expected a dataset, found a group"))
	}
	return d, nil
}

func (f *File) asGroup(o hdf5.Object) (*hdf5.Group, error) {
	g, ok := o.(*hdf5.Group)
	if !ok {
		return nil, f.fail(o.Path(), errors.New("expected a group, found a dataset"))
	}
	return g, nil
}

func (f *File) readDataset(ctx context.Context, o hdf5.Object) (Element, error) {
	d, err := f.asDataset(o)
	if err != nil {
		return nil, err
	}
	if d.Space.Null {
		return Null{}, nil
	}
	if d.Type.Class == hdf5.ClassCompound && !isComplex(d.Type) {
		v, err := d.Read(ctx)
		if err != nil {
			return nil, err
		}
		r := new(Records)
		for _, m := range d.Type.Members {
			field, err := v.Field(m.Name)
			if err != nil {
				return nil, err
			}
			a, err := array(field)
			if err != nil {
				return nil, err
			}
			r.Fields = append(r.Fields, &Column{Name: m.Name, Array: a})
		}
		return r, nil
	}
	return readArray(ctx, d)
}

func (f *File) readMapping(_ context.Context, o hdf5.Object) (Element, error) {
	g, err := f.asGroup(o)
	if err != nil {
		return nil, err
	}
	names, err := g.Names()
	return &Mapping{Keys: names, file: f, group: g}, err
}

func (f *File) readAwkward(ctx context.Context, o hdf5.Object) (Element, error) {
	m, err := f.readMapping(ctx, o)
	if err != nil {
		return nil, err
	}
	a := &Awkward{Buffers: m.(*Mapping)}
	if a.Form, err = textAttr(o, "form"); err != nil {
		return nil, err
	}
	n, err := intAttr(o, "length")
	a.Length = int64(n)
	return a, f.fail(o.Path(), err)
}

// intAttr is an attribute of one whole number.
func intAttr(o hdf5.Object, name string) (int, error) {
	a, err := o.Attr(name)
	if err != nil {
		return 0, err
	}
	n, err := a.Ints()
	if err != nil {
		return 0, err
	}
	if len(n) != 1 || n[0] < 0 || n[0] > 1<<48 {
		return 0, fmt.Errorf("the attribute %s is %d, not one number", name, n)
	}
	return int(n[0]), nil
}

// readNullable reads values beside a mask that is true where they are missing.
func (f *File) readNullable(ctx context.Context, o hdf5.Object) (Element, error) {
	g, err := f.asGroup(o)
	if err != nil {
		return nil, err
	}
	var part [2]*Array
	for i, name := range []string{"values", "mask"} {
		d, err := g.Dataset(name)
		if err != nil {
			return nil, err
		}
		if part[i], err = readArray(ctx, d); err != nil {
			return nil, err
		}
	}
	mask, ok := part[1].Values.([]bool)
	if !ok || len(mask) != part[0].Len() {
		return nil, f.fail(o.Path(), fmt.Errorf("mask of %d %s for %d values", part[1].Len(), part[1].DType, part[0].Len()))
	}
	part[0].Missing = mask
	return part[0], nil
}

func (f *File) readCategorical(ctx context.Context, o hdf5.Object) (Element, error) {
	g, err := f.asGroup(o)
	if err != nil {
		return nil, err
	}
	codes, err := g.Dataset("codes")
	if err != nil {
		return nil, err
	}
	categories, err := g.Open("categories")
	if err != nil {
		return nil, err
	}
	c, err := f.categorical(ctx, codes, categories)
	if err != nil {
		return nil, err
	}
	c.Ordered, err = boolAttr(g, "ordered")
	return c, err
}

// readReferenced reads a column of anndata 0.7: codes whose attribute points at
// the categories.
func (f *File) readReferenced(ctx context.Context, d *hdf5.Dataset) (Element, error) {
	a, err := d.Attr("categories")
	if err != nil {
		return nil, err
	}
	v, err := a.Data()
	if err != nil {
		return nil, err
	}
	objects, err := v.Objects()
	if err != nil {
		return nil, err
	}
	if len(objects) != 1 {
		return nil, f.fail(d.Path(), fmt.Errorf("%d references to categories", len(objects)))
	}
	c, err := f.categorical(ctx, d, objects[0])
	if err != nil {
		return nil, err
	}
	c.Ordered, err = boolAttr(objects[0], "ordered")
	return c, err
}

func boolAttr(o hdf5.Object, name string) (bool, error) {
	a, err := o.Attr(name)
	if errors.Is(err, hdf5.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	d, err := a.Data()
	if err != nil {
		return false, err
	}
	b, err := d.Bools()
	return err == nil && len(b) == 1 && b[0], err
}

func (f *File) categorical(ctx context.Context, codes *hdf5.Dataset, categories hdf5.Object) (*Categorical, error) {
	e, err := f.element(ctx, categories)
	if err != nil {
		return nil, err
	}
	list, ok := e.(*Array)
	if !ok || len(list.Dims) != 1 {
		return nil, f.fail(codes.Path(), fmt.Errorf("its categories are a %s", KindOf(e)))
	}
	v, err := codes.Read(ctx)
	if err != nil {
		return nil, err
	}
	c := &Categorical{Categories: list}
	if c.Codes, err = hdf5.Numbers[int64](v); err != nil {
		return nil, err
	}
	return c, f.fail(codes.Path(), c.check())
}

// check holds the codes against the categories.
func (c *Categorical) check() error {
	n := int64(c.Categories.Len())
	for i, code := range c.Codes {
		if code < -1 || code >= n {
			return fmt.Errorf("row %d has code %d, but there are %d categories", i, code, n)
		}
	}
	return nil
}
