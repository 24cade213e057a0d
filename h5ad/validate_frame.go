package h5ad

import (
	"errors"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// unknownTable is a data frame of which nothing could be told.
func unknownTable() extent { return extent{kind: "dataframe", dims: []int64{-1, -1}} }

// annotation checks obs, var or raw.var.
func (c *checker) annotation(g *hdf5.Group, name string) extent {
	if !g.Has(name) {
		c.flaw(join(g.Path(), name), "missing")
		return unknownTable()
	}
	o, ok := c.open(g, name)
	if !ok {
		return unknownTable()
	}
	if d, ok := o.(*hdf5.Dataset); ok {
		return c.compound(d)
	}
	sub, ok := o.(*hdf5.Group)
	if !ok {
		c.flaw(o.Path(), "expected a data frame, found %s", objectKind(o))
		return unknownTable()
	}
	e, ok := c.encoding(o)
	switch {
	case !ok:
	case e.kind == "":
		c.flaw(o.Path(), "expected a dataframe, but encoding-type is missing")
	case c.known(o.Path(), e) && e.kind != "dataframe":
		c.flaw(o.Path(), "expected a dataframe, found %s", e.kind)
		return unknownTable()
	}
	return c.frame(sub)
}

// compound checks a table of anndata 0.6 or older, whose first field is the
// index.
func (c *checker) compound(d *hdf5.Dataset) extent {
	if d.Type.Class != hdf5.ClassCompound || len(d.Space.Dims) != 1 || len(d.Type.Members) == 0 {
		c.flaw(d.Path(), "expected a data frame: a group, or compound data of one dimension")
		return unknownTable()
	}
	c.records(d)
	return extent{kind: "dataframe", dims: []int64{int64(d.Space.Dims[0]), int64(len(d.Type.Members) - 1)}}
}

// frame checks a data frame that is a group.
func (c *checker) frame(g *hdf5.Group) extent {
	key := g.Path()
	t := unknownTable()
	index, err := textAttr(g, "_index")
	switch {
	case c.failed(key, err):
		index = ""
	case index == "":
		c.flaw(key, "the attribute _index, which names the index, is missing")
	case !g.Has(index):
		c.flaw(key, "the index is %q, but there is no such member", index)
	default:
		c.index(g, index, &t)
	}
	order, known := c.columnOrder(g)
	seen := map[string]bool{}
	for _, name := range order {
		if c.stopped() {
			return t
		}
		switch {
		case seen[name]:
			c.flaw(key, "column-order names %q twice", name)
			continue
		case name == "_index":
			c.flaw(key, "column-order names _index, which is reserved for the index")
		case !g.Has(name):
			c.flaw(join(key, name), "column-order names this column, but it is missing")
		case name != index:
			c.column(g, name, t.dims[0])
		}
		seen[name] = true
	}
	if !known {
		return t
	}
	t.dims[1] = int64(len(seen))
	names, _ := c.names(g)
	for _, name := range names {
		if !seen[name] && name != index && name != "__categories" {
			c.note(join(key, name), "column-order does not name it: readers ignore it")
		}
	}
	return t
}

// columnOrder reads the names of the columns.
func (c *checker) columnOrder(g *hdf5.Group) (names []string, ok bool) {
	a, err := g.Attr("column-order")
	switch {
	case errors.Is(err, hdf5.ErrNotFound):
		c.flaw(g.Path(), "the attribute column-order is missing")
		return nil, false
	case c.failed(g.Path(), err):
		return nil, false
	case a.Space.Null:
		c.flaw(g.Path(), "the attribute column-order is a null dataspace instead of an empty list")
		return nil, false
	case len(a.Space.Dims) != 1:
		c.flaw(g.Path(), "the attribute column-order is not a list")
		return nil, false
	}
	names, err = a.Strings()
	return names, !c.failed(g.Path(), err)
}

// index checks the index of a frame and sets its length.
func (c *checker) index(g *hdf5.Group, name string, t *extent) {
	o, ok := c.open(g, name)
	if !ok {
		return
	}
	x := c.element(o, false)
	if x.dims == nil {
		return
	}
	if len(x.dims) != 1 {
		c.flaw(o.Path(), "an index must have one dimension, but it has %d", len(x.dims))
		return
	}
	t.dims[0] = x.dims[0]
	d, ok := o.(*hdf5.Dataset)
	if sub, isGroup := o.(*hdf5.Group); isGroup && x.kind == "nullable-string-array" {
		if d, ok = c.vector(sub, "values"); !ok {
			return
		}
	}
	if !ok || !isText(d.Type) {
		return
	}
	t.names = d
	r := newRepeats()
	if !c.data(d, func(at uint64, v *hdf5.Data) error {
		s, err := v.Strings()
		r.add(at, s)
		return err
	}) {
		return
	}
	if twice := c.repeated(d, r); twice.n > 0 {
		c.note(o.Path(), "%s before, the first in row %d: %q", many(twice.n, "name occurred", "names occurred"), twice.first, twice.value)
	}
}

// column checks a column of a frame of that many rows.
func (c *checker) column(g *hdf5.Group, name string, rows int64) {
	o, ok := c.open(g, name)
	if !ok {
		return
	}
	x := c.element(o, false)
	switch x.kind {
	case "":
		return
	case "array", "string-array", "categorical", "nullable-integer", "nullable-boolean", "nullable-string-array":
	default:
		c.flaw(o.Path(), "a column cannot be %s", x.kind)
		return
	}
	switch {
	case x.dims == nil:
	case len(x.dims) != 1:
		c.flaw(o.Path(), "a column must have one dimension, but it has %d", len(x.dims))
	case rows >= 0 && x.dims[0] != rows:
		c.flaw(o.Path(), "%d values for %d rows", x.dims[0], rows)
	}
}

// sameNames checks that the index of a frame in obsm or varm is that of obs or
// var, as anndata demands.
func (c *checker) sameNames(key string, mine, theirs *hdf5.Dataset, axis string) {
	if mine == nil || theirs == nil || mine.Space.Dims[0] != theirs.Space.Dims[0] {
		return // told elsewhere
	}
	var differ tally
	c.data(mine, func(at uint64, v *hdf5.Data) error {
		a, err := v.Strings()
		if err != nil {
			return err
		}
		other, err := theirs.ReadRows(c.ctx, at, at+uint64(len(a)))
		if err != nil {
			return err
		}
		b, err := other.Strings()
		if err != nil {
			return err
		}
		for i := range a {
			if a[i] != b[i] {
				differ.add(at+uint64(i), a[i])
			}
		}
		return nil
	})
	if differ.n > 0 {
		c.flaw(key, "%s from those of %s, the first in row %d: %q", many(differ.n, "name differs", "names differ"), axis, differ.first, differ.value)
	}
}
