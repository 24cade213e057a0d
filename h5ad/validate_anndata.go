package h5ad

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// axes is what the annotations of an AnnData say of its shape.
type axes struct{ obs, vr extent }

// annData checks an AnnData: the root, a modality, or one within uns.
func (c *checker) annData(g *hdf5.Group, e encoding) axes {
	switch {
	case e.kind == "":
		c.note(g.Path(), "no encoding-type: written by anndata 0.7 or older")
	case e.kind != "anndata":
		c.flaw(g.Path(), "expected an anndata, found %s", e.kind)
	default:
		c.known(g.Path(), e)
	}
	a := axes{c.annotation(g, "obs"), c.annotation(g, "var")}
	nObs, nVars := a.obs.dims[0], a.vr.dims[0]
	if g.Has("X") {
		c.matrix(g, "X", nObs, nVars, "var")
	}
	if layers, ok := c.mappingOf(g, "layers"); ok {
		names, _ := c.names(layers)
		for _, name := range names {
			c.matrix(layers, name, nObs, nVars, "var")
		}
	}
	if g.Has("raw") {
		if o, ok := c.open(g, "raw"); ok {
			if raw, ok := o.(*hdf5.Group); ok {
				if e, ok := c.encoding(o); ok && e.kind != "" && c.known(o.Path(), e) && e.kind != "raw" {
					c.flaw(o.Path(), "expected raw, found %s", e.kind)
				}
				c.raw(raw, nObs)
			} else {
				c.flaw(o.Path(), "expected a group, found %s", objectKind(o))
			}
		}
	}
	c.dottedRaw(g, nObs)
	c.aligned(g, "obsm", a.obs, "obs")
	c.aligned(g, "varm", a.vr, "var")
	c.pairwise(g, "obsp", nObs, "obs")
	c.pairwise(g, "varp", nVars, "var")
	if uns, ok := c.mappingOf(g, "uns"); ok {
		c.mapping(uns, func(o hdf5.Object) { c.element(o, false) })
	}
	c.strays(g)
	return a
}

// strays reports parts that anndata does not know: it refuses the file for them.
func (c *checker) strays(g *hdf5.Group) {
	known := []string{"X", "layers", "obs", "obsm", "obsp", "raw", "uns", "var", "varm", "varp"}
	names, _ := c.names(g)
	for _, name := range names {
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "raw.") {
			c.flaw(join(g.Path(), name), "an AnnData has no such part")
		}
	}
}

// mappingOf opens a mapping, which need not be there.
func (c *checker) mappingOf(g *hdf5.Group, name string) (*hdf5.Group, bool) {
	if !g.Has(name) {
		return nil, false
	}
	o, ok := c.open(g, name)
	if !ok {
		return nil, false
	}
	sub, ok := o.(*hdf5.Group)
	if !ok {
		c.flaw(o.Path(), "expected a mapping, found %s", objectKind(o))
		return nil, false
	}
	e, ok := c.encoding(o)
	if ok && e.kind != "" && c.known(o.Path(), e) && e.kind != "dict" {
		c.flaw(o.Path(), "expected a dict, found %s", e.kind)
		return nil, false
	}
	return sub, true
}

// matrix checks X or a layer: two dimensions, numbers, all finite, and as many
// rows and columns as obs and var have, -1 where that is unknown.
func (c *checker) matrix(g *hdf5.Group, name string, nObs, nVars int64, columnsOf string) {
	o, ok := c.open(g, name)
	if !ok {
		return
	}
	key := o.Path()
	x := c.element(o, true)
	switch x.kind {
	case "":
		return
	case "null":
		if name != "X" {
			c.flaw(key, "expected a matrix, found null")
		}
		return // anndata 0.12.0 wrote a missing X this way
	case CSR, CSC:
	case "array":
		if len(x.dims) != 2 {
			c.flaw(key, "a matrix must have two dimensions, but it has %d", len(x.dims))
			return
		}
		d := o.(*hdf5.Dataset)
		switch d.Type.Class {
		case hdf5.ClassInteger, hdf5.ClassFloat, hdf5.ClassEnum, hdf5.ClassBitfield:
		default:
			c.flaw(key, "a matrix must hold numbers, but it holds %s", dtype(d.Type))
		}
	default:
		c.flaw(key, "expected a matrix, found %s", x.kind)
		return
	}
	if x.dims == nil {
		return
	}
	if wrong(x.dims[0], nObs) || wrong(x.dims[1], nVars) {
		c.flaw(key, "its shape is %d × %d, but obs has %s rows and %s %s", x.dims[0], x.dims[1], count(nObs), columnsOf, count(nVars))
	}
}

// wrong compares lengths of which either may be unknown.
func wrong(got, want int64) bool { return got >= 0 && want >= 0 && got != want }

func count(n int64) string {
	if n < 0 {
		return "an unknown number of"
	}
	return fmt.Sprint(n)
}

// raw checks raw: its own X, var and varm.
func (c *checker) raw(g *hdf5.Group, nObs int64) {
	vr := c.annotation(g, "var")
	if !g.Has("X") {
		c.flaw(join(g.Path(), "X"), "missing")
	} else {
		c.matrix(g, "X", nObs, vr.dims[0], "raw.var")
	}
	c.aligned(g, "varm", vr, "raw.var")
}

// dottedRaw checks raw as anndata 0.6 and older had it: members of the root.
func (c *checker) dottedRaw(g *hdf5.Group, nObs int64) {
	if !g.Has("raw.X") {
		return
	}
	vr := c.annotation(g, "raw.var")
	c.matrix(g, "raw.X", nObs, vr.dims[0], "raw.var")
	c.aligned(g, "raw.varm", vr, "raw.var")
}

// aligned checks obsm or varm: each member has a row for each of its axis.
func (c *checker) aligned(g *hdf5.Group, name string, axis extent, axisName string) {
	n := axis.dims[0]
	if !g.Has(name) {
		return
	}
	if o, err := g.Open(name); err == nil {
		if d, ok := o.(*hdf5.Dataset); ok && d.Type.Class == hdf5.ClassCompound { // anndata 0.5
			c.values(d)
			if len(d.Space.Dims) != 1 || wrong(int64(d.Space.Dims[0]), n) {
				c.flaw(d.Path(), "its shape is %v, but %s has %s rows", d.Space.Dims, axisName, count(n))
			}
			return
		}
	}
	m, ok := c.mappingOf(g, name)
	if !ok {
		return
	}
	c.mapping(m, func(o hdf5.Object) {
		x := c.element(o, false)
		switch x.kind {
		case "":
			return
		case "array", "string-array", "rec-array", CSR, CSC, "dataframe", "awkward-array":
		default:
			c.flaw(o.Path(), "%s cannot be aligned to %s", x.kind, axisName)
			return
		}
		switch {
		case x.dims == nil:
		case len(x.dims) == 0:
			c.flaw(o.Path(), "a scalar cannot be aligned to %s", axisName)
		case wrong(x.dims[0], n):
			c.flaw(o.Path(), "%d rows, but %s has %d", x.dims[0], axisName, n)
		case x.names != nil && axis.names != nil:
			c.sameNames(o.Path(), x.names, axis.names, axisName)
		}
	})
}

// pairwise checks obsp or varp: each member is square.
func (c *checker) pairwise(g *hdf5.Group, name string, n int64, axisName string) {
	m, ok := c.mappingOf(g, name)
	if !ok {
		return
	}
	c.mapping(m, func(o hdf5.Object) {
		x := c.element(o, false)
		switch x.kind {
		case "":
			return
		case "array", CSR, CSC, "awkward-array":
		default:
			c.flaw(o.Path(), "%s cannot be pairs of %s", x.kind, axisName)
			return
		}
		switch {
		case x.dims == nil:
		case len(x.dims) < 2:
			c.flaw(o.Path(), "pairs of %s must have two dimensions, but it has %d", axisName, len(x.dims))
		case x.dims[0] != x.dims[1]:
			c.flaw(o.Path(), "its shape is %d × %d, which is not square", x.dims[0], x.dims[1])
		case wrong(x.dims[0], n):
			c.flaw(o.Path(), "its shape is %d × %d, but %s has %d rows", x.dims[0], x.dims[1], axisName, n)
		}
	})
}

// muData checks an .h5mu: its modalities, and how the global axes map to theirs.
func (c *checker) muData(root *hdf5.Group) {
	mods := map[string]axes{}
	g, ok := c.mappingOf(root, "mod")
	if !ok {
		if !root.Has("mod") {
			c.flaw("/mod", "missing")
		}
		return
	}
	c.mapping(g, func(o hdf5.Object) {
		m, ok := o.(*hdf5.Group)
		if !ok {
			c.flaw(o.Path(), "expected a modality, found %s", objectKind(o))
			return
		}
		e, _ := c.encoding(m)
		mods[o.Path()[len("/mod/"):]] = c.annData(m, e)
	})
	if a, err := g.Attr("mod-order"); err == nil {
		order, err := a.Strings()
		c.failed("/mod", err)
		for _, name := range order {
			if !g.Has(name) {
				c.flaw("/mod", "mod-order names %q, but there is no such modality", name)
			}
		}
	} else if !errors.Is(err, hdf5.ErrNotFound) {
		c.failed("/mod", err)
	}
	all := axes{c.annotation(root, "obs"), c.annotation(root, "var")}
	c.aligned(root, "obsm", all.obs, "obs")
	c.aligned(root, "varm", all.vr, "var")
	c.pairwise(root, "obsp", all.obs.dims[0], "obs")
	c.pairwise(root, "varp", all.vr.dims[0], "var")
	c.axisMap(root, "obsmap", all.obs, "obs", mods, func(a axes) extent { return a.obs })
	c.axisMap(root, "varmap", all.vr, "var", mods, func(a axes) extent { return a.vr })
	if uns, ok := c.mappingOf(root, "uns"); ok {
		c.mapping(uns, func(o hdf5.Object) { c.element(o, false) })
	}
}

// axisMap checks obsmap or varmap: for each modality, where the rows of the
// global axis are in its own, counted from 1, and 0 where they are absent.
func (c *checker) axisMap(root *hdf5.Group, name string, axis extent, axisName string, mods map[string]axes, of func(axes) extent) {
	g, ok := c.mappingOf(root, name)
	if !ok {
		return
	}
	names, _ := c.names(g)
	for _, mod := range names {
		a, known := mods[mod]
		if !known {
			c.flaw(join(g.Path(), mod), "there is no such modality")
			continue
		}
		d, ok := c.vector(g, mod)
		if !ok {
			continue
		}
		if d.Type.Class != hdf5.ClassInteger {
			c.flaw(d.Path(), "expected whole numbers, found %s", dtype(d.Type))
			continue
		}
		if wrong(int64(d.Space.Dims[0]), axis.dims[0]) {
			c.flaw(d.Path(), "%d values for %d rows of %s", d.Space.Dims[0], axis.dims[0], axisName)
		}
		n := of(a).dims[0]
		var beyond, twice tally
		seen := bitset{size: n + 1}
		visit(c, d, func(at uint64, v []int64) {
			for i, x := range v {
				switch {
				case x < 0 || n >= 0 && x > n:
					beyond.add(at+uint64(i), x)
				case x > 0 && n >= 0 && seen.put(uint64(x)):
					twice.add(at+uint64(i), x)
				}
			}
		})
		if beyond.n > 0 {
			c.flaw(d.Path(), "%s outside the %d rows of the modality, the first in row %d: %d", many(beyond.n, "position is", "positions are"), n, beyond.first, beyond.value)
		}
		if twice.n > 0 {
			c.flaw(d.Path(), "%s before, the first in row %d: %d", many(twice.n, "position occurred", "positions occurred"), twice.first, twice.value)
		}
	}
}
