package h5ad

import (
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// extent is what the check of an element tells about it.
type extent struct {
	kind string  // as in encoding-type; "" when it cannot be told
	dims []int64 // nil when they cannot be told; -1 for a single one
	// names is the index of a data frame, when it is strings.
	names *hdf5.Dataset
}

// visited is an element that was met, and how.
type visited struct {
	addr   uint64
	finite bool
}

// deepest is how far elements may be nested; Python gives up at about that depth.
const deepest = 500

// element checks an element of any encoding. finite asks for values that are
// neither NaN nor infinite. Another name of what was checked is not checked
// again.
func (c *checker) element(o hdf5.Object, finite bool) extent {
	if c.stopped() {
		return extent{}
	}
	at := visited{o.Addr(), finite}
	if x, met := c.met[at]; met {
		if x == nil {
			c.flaw(o.Path(), "it contains itself")
			return extent{}
		}
		return *x
	}
	if c.depth == deepest {
		c.flaw(o.Path(), "elements are nested more than %d deep", deepest)
		return extent{}
	}
	c.depth++
	c.met[at] = nil
	x := c.check(o, finite)
	c.met[at] = &x
	c.depth--
	return x
}

func (c *checker) check(o hdf5.Object, finite bool) extent {
	e, ok := c.encoding(o)
	if !ok && e.kind == "" {
		return extent{}
	}
	if e.kind == "" {
		e.kind = c.bare(o)
	} else if ok && !c.known(o.Path(), e) {
		return extent{}
	}
	switch e.kind {
	case "": // bare has told why
		return extent{}
	case "array", "string-array", "string", "numeric-scalar", "bytes", "rec-array", "null", referenced:
		d, ok := o.(*hdf5.Dataset)
		if !ok {
			c.flaw(o.Path(), "%s must be a dataset, but it is %s", e.kind, objectKind(o))
			return extent{}
		}
		if e.kind == referenced {
			return c.referenced(d)
		}
		return c.array(d, e.kind, finite)
	}
	g, ok := o.(*hdf5.Group)
	if !ok {
		c.flaw(o.Path(), "%s must be a group, but it is %s", e.kind, objectKind(o))
		return extent{}
	}
	switch e.kind {
	case CSR, CSC:
		return c.sparse(g, e.kind, "shape", finite)
	case oldSparse:
		return c.oldSparse(g, finite)
	case "dataframe":
		return c.frame(g)
	case "categorical":
		return c.categorical(g)
	case "nullable-integer", "nullable-boolean", "nullable-string-array":
		return c.nullable(g, e.kind)
	case "awkward-array":
		return c.awkward(g)
	case "anndata":
		c.annData(g, e)
	case "raw":
		c.raw(g, -1)
	default:
		c.mapping(g, func(o hdf5.Object) { c.element(o, false) })
	}
	return extent{kind: e.kind}
}

// Kinds of elements of old versions, which have no encoding of their own.
const (
	referenced = "categories by reference"
	oldSparse  = "h5sparse"
)

// bare tells the kind of an element without an encoding by its HDF5 object.
func (c *checker) bare(o hdf5.Object) string {
	has := func(attr string) bool {
		_, err := o.Attr(attr)
		return err == nil
	}
	switch o := o.(type) {
	case *hdf5.Group:
		if has("h5sparse_format") {
			return oldSparse
		}
		return "dict"
	case *hdf5.Dataset:
		switch {
		case has("categories"):
			return referenced
		case o.Type.Class == hdf5.ClassCompound && !isComplex(o.Type):
			return "rec-array"
		}
		return "array"
	}
	c.flaw(o.Path(), "a named type is no element of an AnnData")
	return ""
}

// known reports an encoding that anndata does not know.
func (c *checker) known(key string, e encoding) bool {
	var versions []string
	switch e.kind {
	case "array", "string-array", "string", "numeric-scalar", "bytes", "rec-array", "categorical":
		versions = []string{"0.2.0"}
	case "dataframe":
		versions = []string{"0.1.0", "0.2.0"}
	case CSR, CSC, "dict", "nullable-integer", "nullable-boolean", "nullable-string-array", "awkward-array", "null", "anndata", "raw":
		versions = []string{"0.1.0"}
	default:
		c.flaw(key, "unknown encoding-type %q", e.kind)
		return false
	}
	if !slices.Contains(versions, e.version) {
		c.flaw(key, "unknown encoding-version %q of %s", e.version, e.kind)
		return false
	}
	return true
}

// array checks a dataset against its encoding and decodes it.
func (c *checker) array(d *hdf5.Dataset, kind string, finite bool) extent {
	key := d.Path()
	x := extent{kind: kind, dims: shapeOf(d)}
	if d.Space.Null {
		if kind != "null" && kind != "array" {
			c.flaw(key, "%s has no value: its dataspace is null", kind)
		}
		x.kind = "null"
		return x
	}
	scalar := kind == "string" || kind == "numeric-scalar" || kind == "bytes"
	records := d.Type.Class == hdf5.ClassCompound && !isComplex(d.Type)
	switch text := isText(d.Type); {
	case kind == "null":
		c.flaw(key, "null has the shape %v instead of a null dataspace", d.Space.Dims)
	case scalar && len(d.Space.Dims) > 0:
		c.flaw(key, "%s has the shape %v instead of one value", kind, d.Space.Dims)
	case (kind == "string" || kind == "string-array") && !text,
		kind == "numeric-scalar" && (text || records),
		kind == "rec-array" && !records:
		c.flaw(key, "%s holds values of type %s", kind, dtype(d.Type))
	}
	if finite && d.Type.Class == hdf5.ClassFloat && len(d.Space.Dims) > 0 {
		bad, _ := c.nonFinite(d)
		if w := width(d); bad.n > 0 {
			c.flaw(key, "%s not finite, the first in row %d, column %d: %v", many(bad.n, "value is", "values are"), bad.first/w, bad.first%w, bad.value)
		}
		return x
	}
	c.values(d)
	return x
}

// shapeOf is the shape of a dataset.
func shapeOf(d *hdf5.Dataset) []int64 {
	dims := make([]int64, len(d.Space.Dims))
	for i, n := range d.Space.Dims {
		dims[i] = int64(n)
	}
	return dims
}

// nonFinite counts NaN and infinite values, and reports whether all were read.
func (c *checker) nonFinite(d *hdf5.Dataset) (tally, bool) {
	if d.Type.Size <= 4 {
		return notFinite[float32](c, d)
	}
	return notFinite[float64](c, d)
}

func notFinite[T float32 | float64](c *checker, d *hdf5.Dataset) (bad tally, ok bool) {
	ok = visit(c, d, func(at uint64, v []T) {
		for i, x := range v {
			if x-x != 0 {
				bad.add(at+uint64(i), x)
			}
		}
	})
	return bad, ok
}

// mapping calls check for each member of a group.
func (c *checker) mapping(g *hdf5.Group, check func(o hdf5.Object)) {
	names, _ := c.names(g)
	for _, name := range names {
		if c.stopped() {
			return
		}
		if o, ok := c.open(g, name); ok {
			check(o)
		}
	}
}

// nullable checks values beside a mask.
func (c *checker) nullable(g *hdf5.Group, kind string) extent {
	x := extent{kind: kind}
	values, ok := c.vector(g, "values")
	if ok {
		x.dims = shapeOf(values)
		t := values.Type
		right := t.Class == hdf5.ClassInteger
		switch kind {
		case "nullable-boolean":
			right = t.IsBool()
		case "nullable-string-array":
			right = isText(t)
		}
		if !right {
			c.flaw(values.Path(), "%s holds values of type %s", kind, dtype(t))
		}
		c.part(values)
	}
	mask, masked := c.vector(g, "mask")
	if !masked {
		return x
	}
	if !mask.Type.IsBool() {
		c.flaw(mask.Path(), "the mask is %s instead of bool", dtype(mask.Type))
	}
	if ok && mask.Space.Dims[0] != values.Space.Dims[0] {
		c.flaw(mask.Path(), "a mask of %d for %d values", mask.Space.Dims[0], values.Space.Dims[0])
	}
	c.part(mask)
	return x
}

// part checks a dataset that is part of an element: its encoding must be an
// array's, if it has one.
func (c *checker) part(d *hdf5.Dataset) { c.element(d, false) }
