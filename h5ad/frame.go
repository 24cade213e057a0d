package h5ad

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// DataFrame is obs, var or another table: an index and columns, all of one
// length. Columns are read when they are asked for.
type DataFrame struct {
	// Names lists the columns in their order.
	Names []string
	// Length is the number of rows.
	Length int

	file  *File
	key   string
	group *hdf5.Group // nil when the table is compound data or from memory
	label string      // name of the index, "" for _index
	index func(context.Context) (*Array, error)
	read  map[string]func(context.Context) (*Column, error)
	later []string // columns of Await
}

// Column is one column of a data frame: an Array or a Categorical.
type Column struct {
	Name string
	*Array
	*Categorical
}

// Categorical is values that repeat: a code for each row into a short list.
type Categorical struct {
	Codes      []int64 // −1 where the value is missing
	Categories *Array
	Ordered    bool
}

// Kind is categorical, string, bool, int or float, with the prefix nullable-
// where values may be missing.
func (c *Column) Kind() string {
	if c.Categorical != nil {
		return "categorical"
	}
	kind := "int"
	switch c.Values.(type) {
	case []string:
		kind = "string"
	case []bool:
		kind = "bool"
	case []float32, []float64:
		kind = "float"
	case []complex128:
		kind = "complex"
	}
	if c.Missing != nil {
		kind = "nullable-" + kind
	}
	return kind
}

// Text prints the value of a row; ok is false when it is missing.
func (c *Column) Text(row int) (s string, ok bool) {
	if c.Categorical == nil {
		return c.Array.Text(row)
	}
	code := c.Codes[row]
	if code < 0 {
		return "", false
	}
	return c.Categories.Text(int(code))
}

// Rows is the number of rows.
func (c *Column) Rows() int {
	if c.Categorical != nil {
		return len(c.Codes)
	}
	return c.Array.Len()
}

// Index is the row names. Numbers are printed.
func (df *DataFrame) Index(ctx context.Context) ([]string, error) {
	a, err := df.index(ctx)
	if err != nil {
		return nil, df.file.fail(df.key, err)
	}
	if s, ok := a.Values.([]string); ok && a.Missing == nil {
		return s, nil
	}
	out := make([]string, a.Len())
	for i := range out {
		s, ok := a.Text(i)
		if !ok {
			s = "nan"
		}
		out[i] = s
	}
	return out, nil
}

// indexName is the name under which the index is stored.
func (df *DataFrame) indexName() string {
	if df.label == "" || df.Has(df.label) {
		return "_index"
	}
	return df.label
}

// stored is the names of the index and the columns, sorted as HDF5 lists them.
func (df *DataFrame) stored() []string {
	names := append([]string{df.indexName()}, df.Names...)
	slices.Sort(names)
	return names
}

// Has reports whether there is a column of that name.
func (df *DataFrame) Has(name string) bool { return df.read[name] != nil }

// Column reads a column.
func (df *DataFrame) Column(ctx context.Context, name string) (*Column, error) {
	read := df.read[name]
	if read == nil {
		return nil, &Error{
			File: df.file.path, Key: df.key, Err: fmt.Errorf("no column %q: %w", name, ErrNotFound),
			Tip: "the columns are: " + list(df.Names),
		}
	}
	c, err := read(ctx)
	if err != nil {
		return nil, df.file.fail(df.key+"/"+name, err)
	}
	c.Name = name
	if n := c.Rows(); n != df.Length {
		return nil, df.file.fail(df.key+"/"+name, fmt.Errorf("%d values for %d rows", n, df.Length))
	}
	return c, nil
}

// list joins names for a message, the first twenty of them.
func list(names []string) string {
	if len(names) == 0 {
		return "(none)"
	}
	s := ""
	for i, n := range names {
		if i == 20 {
			return fmt.Sprintf("%s … (%d in all)", s, len(names))
		}
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s
}

// frame opens a data frame of any version.
func (f *File) frame(o hdf5.Object, key string) (*DataFrame, error) {
	df := &DataFrame{file: f, key: key, read: map[string]func(context.Context) (*Column, error){}}
	err := errors.New("expected a data frame, found a named type")
	switch o := o.(type) {
	case *hdf5.Dataset:
		err = df.compound(o)
	case *hdf5.Group:
		err = df.members(o)
	}
	if err != nil {
		return nil, f.fail(key, err)
	}
	// Much is allocated by the row, so a table that the file cannot hold ends
	// here: deflate makes at most 1,032 bytes of one.
	if most := 1032 * f.h.Size(); df.Length > 1<<20 && int64(df.Length) > most {
		return nil, f.fail(key, fmt.Errorf("%d rows in a file of %d bytes", df.Length, f.h.Size()))
	}
	return df, nil
}

// members opens a data frame of anndata 0.7 and later.
func (df *DataFrame) members(g *hdf5.Group) error {
	df.group = g
	name, err := textAttr(g, "_index")
	if err != nil {
		return df.file.fail(df.key, err)
	}
	if name == "" {
		return df.file.fail(df.key, errors.New("the attribute _index, which names the index, is missing"))
	}
	df.label = name
	index, err := df.file.columnReader(g, name)
	if err != nil {
		return err
	}
	df.index = func(ctx context.Context) (*Array, error) {
		c, err := index(ctx)
		if err != nil {
			return nil, err
		}
		if c.Categorical == nil {
			return c.Array, nil
		}
		out := make([]string, len(c.Codes))
		for i := range out {
			out[i], _ = c.Text(i)
		}
		return &Array{DType: "string", Dims: []int{len(out)}, Values: out}, nil
	}
	if df.Length, err = df.file.firstDim(g, name); err != nil {
		return err
	}
	a, err := g.Attr("column-order")
	if errors.Is(err, hdf5.ErrNotFound) {
		links, err := g.Names()
		if err != nil {
			return err
		}
		for _, n := range links {
			if n != name && n != "__categories" {
				df.Names = append(df.Names, n)
			}
		}
	} else if err != nil {
		return err
	} else if df.Names, err = a.Strings(); err != nil {
		return err
	}
	for _, n := range df.Names {
		if df.read[n], err = df.file.columnReader(g, n); err != nil {
			return err
		}
	}
	return nil
}

// firstDim is the length of the column of that name, from its header alone.
func (f *File) firstDim(g *hdf5.Group, name string) (int, error) {
	o, err := g.Open(name)
	if err != nil {
		return 0, err
	}
	key := o.Path()
	if sub, ok := o.(*hdf5.Group); ok {
		member := "values"
		if sub.Has("codes") {
			member = "codes"
		}
		if o, err = sub.Open(member); err != nil {
			return 0, err
		}
	}
	d, ok := o.(*hdf5.Dataset)
	if !ok || len(d.Space.Dims) != 1 {
		return 0, f.fail(key, errors.New("expected a column of one dimension"))
	}
	return int(d.Space.Dims[0]), nil
}

// columnReader defers the reading of a column; a missing member fails when the
// column is asked for.
func (f *File) columnReader(g *hdf5.Group, name string) (func(context.Context) (*Column, error), error) {
	return func(ctx context.Context) (*Column, error) {
		o, err := g.Open(name)
		if err != nil {
			return nil, err
		}
		e, err := f.element(ctx, o)
		if err != nil {
			return nil, err
		}
		switch e := e.(type) {
		case *Array:
			return &Column{Array: e}, nil
		case *Categorical:
			return &Column{Categorical: e}, nil
		}
		return nil, f.fail(o.Path(), fmt.Errorf("a %s cannot be a column", KindOf(e)))
	}, nil
}

// textAttr is a string attribute, "" when there is none.
func textAttr(o hdf5.Object, name string) (string, error) {
	a, err := o.Attr(name)
	if errors.Is(err, hdf5.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return a.Text()
}
