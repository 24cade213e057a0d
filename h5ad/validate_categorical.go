package h5ad

import (
	"errors"
	"strconv"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// categorical checks codes and categories.
func (c *checker) categorical(g *hdf5.Group) extent {
	key := g.Path()
	c.ordered(g)
	n := int64(-1)
	if o, ok := c.open(g, "categories"); ok {
		n = c.categories(key, o)
	}
	x := extent{kind: "categorical"}
	if d, ok := c.vector(g, "codes"); ok {
		x.dims = shapeOf(d)
		if e, ok := c.encoding(d); ok && (e.kind == "" || c.known(d.Path(), e)) {
			c.codes(key, d, n)
		}
	}
	return x
}

// ordered checks the attribute of that name: one bool, as h5py writes it.
func (c *checker) ordered(o hdf5.Object) {
	a, err := o.Attr("ordered")
	switch {
	case errors.Is(err, hdf5.ErrNotFound):
		c.flaw(o.Path(), "the attribute ordered is missing")
	case c.failed(o.Path(), err):
	case !a.Type.IsBool() || len(a.Space.Dims) > 0 || a.Space.Null:
		c.flaw(o.Path(), "the attribute ordered is not a bool but %s", dtype(a.Type))
	}
}

// referenced checks a column of anndata 0.7: codes whose attribute points at the
// categories.
func (c *checker) referenced(d *hdf5.Dataset) extent {
	x := extent{kind: "categorical", dims: shapeOf(d)}
	n := int64(-1)
	a, err := d.Attr("categories")
	if !c.failed(d.Path(), err) {
		v, err := a.Data()
		if !c.failed(d.Path(), err) {
			n = c.pointed(d, v)
		}
	}
	if len(x.dims) == 1 {
		c.codes(d.Path(), d, n)
	}
	return x
}

// pointed follows a reference to categories.
func (c *checker) pointed(d *hdf5.Dataset, v *hdf5.Data) int64 {
	key := d.Path()
	objects, err := v.Objects()
	var low *hdf5.Error
	switch {
	case err != nil && errors.As(err, &low) && low.BadInput():
		c.flaw(key, "its reference to categories leads nowhere: %v", low.Err)
		return -1
	case c.failed(key, err):
		return -1
	case len(objects) != 1:
		c.flaw(key, "%d references to categories instead of one", len(objects))
		return -1
	}
	if a, err := objects[0].Attr("ordered"); err == nil && !a.Type.IsBool() {
		c.flaw(key, "the attribute ordered of its categories is not a bool but %s", dtype(a.Type))
	}
	return c.categories(key, objects[0])
}

// categories checks the categories of the column at key: one dimension, each
// once, none missing. It gives their number, -1 when it cannot be told.
func (c *checker) categories(key string, o hdf5.Object) int64 {
	x := c.element(o, false)
	switch x.kind {
	case "":
		return -1
	case "array", "string-array", "nullable-integer", "nullable-boolean", "nullable-string-array":
	default:
		c.flaw(key, "its categories are %s", x.kind)
		return -1
	}
	if len(x.dims) != 1 {
		if x.dims != nil {
			c.flaw(key, "its categories have %d dimensions", len(x.dims))
		}
		return -1
	}
	d, ok := o.(*hdf5.Dataset)
	if g, isGroup := o.(*hdf5.Group); isGroup {
		c.noneMissing(key, g)
		var err error
		if d, err = g.Dataset("values"); err != nil {
			return -1 // told already
		}
		ok = true
	}
	if ok && x.dims[0] > 0 {
		c.unique(key, d)
	}
	return x.dims[0]
}

// noneMissing checks that no category is masked.
func (c *checker) noneMissing(key string, g *hdf5.Group) {
	mask, err := g.Dataset("mask")
	if err != nil || mask.Type.Size != 1 {
		return // told already
	}
	var missing tally
	c.data(mask, func(at uint64, v *hdf5.Data) error {
		for i, b := range v.Raw() {
			if b != 0 {
				missing.add(at+uint64(i), nil)
			}
		}
		return nil
	})
	if missing.n > 0 {
		c.flaw(key, "%s missing, the first is number %d", many(missing.n, "category is", "categories are"), missing.first)
	}
}

// unique checks that categories occur once. They were decoded before: what
// cannot be read was told.
func (c *checker) unique(key string, d *hdf5.Dataset) {
	again := func(n int, value any) {
		if s, ok := value.(string); ok {
			value = strconv.Quote(s)
		}
		if n > 0 {
			c.flaw(key, "%s before, the first is %v", many(uint64(n), "category occurred", "categories occurred"), value)
		}
	}
	switch t := d.Type; {
	case isText(t):
		r := newRepeats()
		if c.quiet(d, func(at uint64, v *hdf5.Data) error {
			s, err := v.Strings()
			r.add(at, s)
			return err
		}) {
			twice := c.repeated(d, r)
			again(int(twice.n), twice.value)
		}
	case t.Class == hdf5.ClassFloat:
		var all []float64
		if !gather64(c, d, &all) {
			return
		}
		missing := tally{}
		for i, x := range all {
			if x != x {
				missing.add(uint64(i), nil)
			}
		}
		if missing.n > 0 {
			c.flaw(key, "%s NaN, the first is number %d", many(missing.n, "category is", "categories are"), missing.first)
		}
		again(repeatedNumbers(all))
	case t.Class == hdf5.ClassInteger && !t.Signed && t.Size == 8:
		var all []uint64
		if !gather64(c, d, &all) {
			return
		}
		again(repeatedNumbers(all))
	case t.Class == hdf5.ClassInteger, t.Class == hdf5.ClassEnum:
		var all []int64
		if !gather64(c, d, &all) {
			return
		}
		again(repeatedNumbers(all))
	}
}

// gather64 reads all of a list that was read before.
func gather64[T Number](c *checker, d *hdf5.Dataset, to *[]T) bool {
	return c.quiet(d, func(_ uint64, v *hdf5.Data) error {
		x, err := hdf5.Numbers[T](v)
		*to = append(*to, x...)
		return err
	})
}

// quiet is data for what was read before: a flaw in it was told.
func (c *checker) quiet(d *hdf5.Dataset, fn func(at uint64, v *hdf5.Data) error) bool {
	told := len(c.found)
	ok := c.data(d, fn)
	c.found = c.found[:told]
	return ok
}

// codes checks the codes of the column at key against the number of categories,
// -1 when that is unknown.
func (c *checker) codes(key string, d *hdf5.Dataset, n int64) {
	if d.Type.Class != hdf5.ClassInteger {
		c.flaw(key, "its codes are %s instead of whole numbers", dtype(d.Type))
		c.values(d)
		return
	}
	var beyond, below tally
	visit(c, d, func(at uint64, v []int64) {
		for i, code := range v {
			switch {
			case code < -1:
				below.add(at+uint64(i), code)
			case n >= 0 && code >= n:
				beyond.add(at+uint64(i), code)
			}
		}
	})
	if beyond.n > 0 {
		c.flaw(key, "%s beyond the %d categories, the first in row %d: %d", many(beyond.n, "code is", "codes are"), n, beyond.first, beyond.value)
	}
	if below.n > 0 {
		c.flaw(key, "%s below -1, the first in row %d: %d", many(below.n, "code is", "codes are"), below.first, below.value)
	}
}
