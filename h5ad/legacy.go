package h5ad

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// compound opens a table of anndata 0.6 or older: a compound dataset whose
// first field is the index.
func (df *DataFrame) compound(d *hdf5.Dataset) error {
	f := df.file
	if d.Type.Class != hdf5.ClassCompound || len(d.Space.Dims) != 1 || len(d.Type.Members) == 0 {
		return f.fail(df.key, errors.New("expected a table: a group, or compound data of one dimension"))
	}
	df.Length = int(d.Space.Dims[0])
	var mu sync.Mutex
	var whole *hdf5.Data
	field := func(ctx context.Context, name string) (*Array, error) {
		mu.Lock()
		defer mu.Unlock()
		if whole == nil {
			v, err := d.Read(ctx)
			if err != nil {
				return nil, err
			}
			whole = v
		}
		v, err := whole.Field(name)
		if err != nil {
			return nil, err
		}
		return array(v)
	}
	index := d.Type.Members[0].Name
	if index != "index" { // what pandas calls an index without a name
		df.label = index
	}
	df.index = func(ctx context.Context) (*Array, error) { return field(ctx, index) }
	for _, m := range d.Type.Members[1:] {
		name := m.Name
		df.Names = append(df.Names, name)
		df.read[name] = func(ctx context.Context) (*Column, error) {
			a, err := field(ctx, name)
			if err != nil {
				return nil, err
			}
			c, err := f.unsCategories(ctx, name, a)
			if err != nil {
				return nil, err
			}
			if c != nil {
				return &Column{Categorical: c}, nil
			}
			return &Column{Array: a}, nil
		}
	}
	return nil
}

// unsCategories makes a categorical of a column of integers, if uns holds a list
// of categories by its name and the codes fit: a list belongs to the column of
// obs or of var of that name, or to both.
func (f *File) unsCategories(ctx context.Context, name string, codes *Array) (*Categorical, error) {
	switch codes.Values.(type) {
	case []int8, []int16, []int32, []int64:
	default:
		return nil, nil
	}
	key := "uns/" + name + "_categories"
	if !f.root.Has("uns") {
		return nil, nil
	}
	uns, err := f.root.Group("uns")
	if err != nil || !uns.Has(name+"_categories") {
		return nil, err
	}
	d, err := f.root.Dataset(key)
	if err != nil {
		return nil, err
	}
	categories, err := readArray(ctx, d)
	if err != nil {
		return nil, err
	}
	if len(categories.Dims) == 0 { // a scalar stands for a list of one
		categories.Dims = []int{1}
	}
	c := &Categorical{Categories: categories, Codes: make([]int64, codes.Len())}
	for i := range c.Codes {
		switch v := codes.Values.(type) {
		case []int8:
			c.Codes[i] = int64(v[i])
		case []int16:
			c.Codes[i] = int64(v[i])
		case []int32:
			c.Codes[i] = int64(v[i])
		case []int64:
			c.Codes[i] = v[i]
		}
	}
	if c.check() != nil {
		return nil, nil // numbers that happen to share the name
	}
	return c, nil
}

// categoriesOf reports whether uns/key is a list of categories of an old file,
// which belongs to a column rather than to uns.
func (f *File) categoriesOf(key string) bool {
	const suffix = "_categories"
	if !f.legacy || len(key) <= len(suffix) || key[len(key)-len(suffix):] != suffix {
		return false
	}
	name := key[:len(key)-len(suffix)]
	return f.obs.Has(name) || f.vr.Has(name)
}

// legacyGraphs is obsp of an old file: the graphs that lie in uns/neighbors.
func (f *File) legacyGraphs() (Element, error) {
	m := &Mapping{file: f}
	if !hasPath(f.root, "uns/neighbors") {
		return m, nil
	}
	o, err := f.root.Open("uns/neighbors")
	if err != nil {
		return nil, err
	}
	g, ok := o.(*hdf5.Group)
	if !ok {
		return m, nil
	}
	m.group = g
	if m.Keys, err = g.Names(); err != nil {
		return nil, err
	}
	m.Keys = slices.DeleteFunc(m.Keys, func(k string) bool { return k != "connectivities" && k != "distances" })
	return m, nil
}
