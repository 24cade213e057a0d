package h5ad

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// sameFilter compares filters by what matters to the bytes.
func sameFilter(a, b filter.Spec) bool {
	return a.ID == b.ID && (a.ID == filter.LZF || slices.Equal(a.Client, b.Client))
}

// node copies any element, cut to a part, in the encoding of today.
func (c *carrier) node(dst *hdf5.GroupWriter, name string, o hdf5.Object, key string, sel part) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if e, ok := c.edit(key); ok {
		if e == nil {
			return nil
		}
		if err := c.w.aligned(key, e); err != nil {
			return err
		}
		return c.w.fail(key, c.w.element(c.ctx, dst, name, e))
	}
	kind, err := textAttr(o, "encoding-type")
	if err != nil {
		return err
	}
	version, err := textAttr(o, "encoding-version")
	if err != nil {
		return err
	}
	if kind != "" && readerOf(encoding{kind, version}) == nil {
		if sel.Rows != nil || sel.Cols != nil {
			return &Error{
				File: c.f.path, Key: o.Path(), Err: fmt.Errorf("unknown encoding %s %s, of which no part can be taken", kind, version),
				Tip: "leave it out with --drop " + key,
			}
		}
		c.warn("/%s has the unknown encoding %s %s: carried over as it is", key, kind, version)
		return c.w.copier.Copy(c.ctx, dst, name, o)
	}
	switch o := o.(type) {
	case *hdf5.Dataset:
		if _, err := o.Attr("categories"); err == nil && kind == "" {
			return c.referenced(dst, name, o, key, sel.Rows)
		}
		return c.dataset(dst, name, o, key, sel)
	case *hdf5.Group:
		if old, err := textAttr(o, "h5sparse_format"); old != "" || err != nil {
			kind = old + "_matrix"
		}
		return c.subgroup(dst, name, o, key, kind, sel)
	}
	return c.w.copier.Copy(c.ctx, dst, name, o)
}

func (c *carrier) subgroup(dst *hdf5.GroupWriter, name string, o *hdf5.Group, key, kind string, sel part) error {
	switch kind {
	case CSR, CSC:
		e, err := c.f.readSparse(c.ctx, o)
		if err != nil {
			return err
		}
		return c.matrix(dst, name, e.(*Matrix), sel, c.wanted(key), nil)
	case "dataframe":
		df, err := c.f.frame(o, o.Path())
		if err != nil {
			return err
		}
		return c.frame(dst, name, df, sel.Rows, key)
	case "categorical", "nullable-integer", "nullable-boolean", "nullable-string-array", "nullable-float":
		return c.parts(dst, name, o, key, kind, sel.Rows)
	case "awkward-array":
		if sel.Rows != nil {
			return c.awkwardRows(dst, name, o, sel.Rows)
		}
		return c.w.copier.Copy(c.ctx, dst, name, o)
	}
	if kind == "" {
		kind = "dict"
	}
	g, err := c.begin(dst, name, o, kind, "0.1.0")
	if err != nil {
		return err
	}
	c.w.groups[key] = g
	return c.members(g, o, key, sel)
}

// wanted is the encoding that a matrix gets.
func (c *carrier) wanted(key string) string {
	if strings.HasPrefix(key, "layers/") {
		return c.opts.Encoding
	}
	return ""
}

// begin makes a group with the attributes of another.
func (c *carrier) begin(dst *hdf5.GroupWriter, name string, o *hdf5.Group, kind, version string, except ...string) (*hdf5.GroupWriter, error) {
	g, err := dst.CreateGroup(name)
	if err != nil {
		return nil, err
	}
	c.w.copier.Stands(g, o)
	if err := c.w.copier.CopyAttrs(g, o, except...); err != nil {
		return nil, err
	}
	return g, encode(g, kind, version)
}

// members copies what a group holds, each cut to the part.
func (c *carrier) members(g *hdf5.GroupWriter, o *hdf5.Group, key string, sel part) error {
	links, err := o.Links()
	if err != nil {
		return err
	}
	for _, l := range links {
		at := key + "/" + l.Name
		switch {
		case key == "uns" && c.f.legacy && c.f.categoriesOf(l.Name):
			continue // they went to their columns
		case at == "layers/"+strings.TrimPrefix(c.opts.Matrix, "layers/") && strings.HasPrefix(c.opts.Matrix, "layers/"):
			continue // it became X
		case key == "uns/neighbors" && c.f.legacy && !c.f.root.Has("obsp") && (l.Name == "distances" || l.Name == "connectivities"):
			continue // they went to obsp
		}
		if l.Kind == hdf5.LinkSoft && c.edits[at] == nil && c.f.format != FormatH5MU {
			if err := g.SoftLink(l.Name, l.Target); err != nil {
				return err
			}
			continue
		}
		child, err := o.Open(l.Name)
		if err != nil {
			return err
		}
		if used, ok := c.colours[l.Name]; ok && key == "uns" {
			if d, ok := child.(*hdf5.Dataset); ok && len(d.Space.Dims) == 1 && int(d.Space.Dims[0]) == used[0] {
				if err := c.dataset(g, l.Name, d, at, part{Rows: used[1:]}); err != nil {
					return err
				}
				continue
			}
		}
		if err := c.node(g, l.Name, child, at, sel); err != nil {
			return err
		}
	}
	return nil
}

// dataset copies an array or a scalar.
func (c *carrier) dataset(dst *hdf5.GroupWriter, name string, d *hdf5.Dataset, key string, sel part) error {
	want := c.wanted(key)
	if (want == CSR || want == CSC) && len(d.Space.Dims) == 2 {
		m, err := c.f.matrix(c.ctx, d)
		if err != nil {
			return err
		}
		return c.matrix(dst, name, m, sel, want, nil)
	}
	kind, err := textAttr(d, "encoding-type")
	if err != nil {
		return err
	}
	if (sel.Rows != nil || sel.Cols != nil) && len(d.Space.Dims) == 0 {
		return c.f.fail(d.Path(), errors.New("expected an array aligned with cells or genes, found a scalar"))
	}
	var out *hdf5.DatasetWriter
	if text := fixedText(d); text && sel.Cols == nil {
		if out, err = c.text(dst, name, d, key, sel.Rows); err != nil {
			return err
		}
	} else if out, err = c.w.copier.CopySubset(c.ctx, dst, name, d, sel); err != nil {
		return err
	}
	if sel.Rows == nil && sel.Cols == nil {
		c.w.copier.Stands(out, d)
	}
	if err := c.w.copier.CopyAttrs(out, d, "categories"); err != nil {
		return err
	}
	if kind != "" || d.Space.Null {
		return nil
	}
	return encode(out, datasetKind(d, key), "0.2.0")
}

// fixedText reports whether a dataset holds strings of fixed length, which the
// specification has no more.
func fixedText(d *hdf5.Dataset) bool { return d.Type.Class == hdf5.ClassString && !d.Space.Null }

// text writes strings of fixed length as strings of variable length.
func (c *carrier) text(dst *hdf5.GroupWriter, name string, d *hdf5.Dataset, key string, rows []int) (*hdf5.DatasetWriter, error) {
	a, err := readArray(c.ctx, d)
	if err != nil {
		return nil, err
	}
	if bareString(d) && rows == nil && strings.HasPrefix(key, "uns/") {
		a.Dims = nil
	}
	if rows != nil {
		if a, err = c.rows(d.Path(), a, rows); err != nil {
			return nil, err
		}
	}
	v, _, err := arrayValue(a)
	if err != nil {
		return nil, err
	}
	return dst.WriteValue(c.ctx, name, v, c.w.spec(v))
}

// datasetKind is the encoding of a dataset that does not say what it is.
func datasetKind(d *hdf5.Dataset, key string) string {
	scalar := len(d.Space.Dims) == 0
	name := dtype(d.Type)
	switch {
	case name == "string" && (scalar || bareString(d) && strings.HasPrefix(key, "uns/")):
		return "string"
	case name == "string":
		return "string-array"
	case d.Type.Class == hdf5.ClassCompound && !isComplex(d.Type):
		return "rec-array"
	case scalar:
		return "numeric-scalar"
	}
	return "array"
}

// parts copies a categorical or a nullable array: its members lie side by side.
func (c *carrier) parts(dst *hdf5.GroupWriter, name string, o *hdf5.Group, key, kind string, rows []int) error {
	version := "0.1.0"
	if kind == "categorical" {
		version = "0.2.0"
		if rows != nil {
			return c.usedOnly(dst, name, o, key, rows)
		}
	}
	g, err := c.begin(dst, name, o, kind, version)
	if err != nil {
		return err
	}
	names, err := o.Names()
	if err != nil {
		return err
	}
	for _, n := range names {
		child, err := o.Open(n)
		if err != nil {
			return err
		}
		sel := part{Rows: rows}
		if n == "categories" {
			sel = part{}
		}
		if err := c.node(g, n, child, key+"/"+n, sel); err != nil {
			return err
		}
	}
	return nil
}

// usedOnly writes a categorical column without the categories that
// no row has any more, as anndata does.
func (c *carrier) usedOnly(dst *hdf5.GroupWriter, name string, o *hdf5.Group, key string, rows []int) error {
	codes, err := o.Dataset("codes")
	if err != nil {
		return err
	}
	categories, err := o.Open("categories")
	if err != nil {
		return err
	}
	all, err := c.f.categorical(c.ctx, codes, categories)
	if err != nil {
		return err
	}
	cut, used, err := all.take(rows)
	if err != nil {
		return c.f.fail(codes.Path(), err)
	}
	g, err := c.begin(dst, name, o, "categorical", "0.2.0")
	if err != nil {
		return err
	}
	c.recolour(key, all.Categories.Len(), used)
	if err := c.node(g, "categories", categories, key+"/categories", part{Rows: used}); err != nil {
		return err
	}
	return c.w.array(c.ctx, g, "codes", codesArray(cut.Codes, len(used)))
}

// recolour notes which categories of a column of obs or var stay, for its colours
// in uns.
func (c *carrier) recolour(key string, n int, used []int) {
	top, column, _ := strings.Cut(key, "/")
	if len(used) != n && (top == "obs" || top == "var") {
		c.colours[column+"_colors"] = append([]int{n}, used...)
	}
}

// referenced writes a categorical column of anndata 0.7 in the form of today: its
// codes point at their categories.
func (c *carrier) referenced(dst *hdf5.GroupWriter, name string, d *hdf5.Dataset, key string, rows []int) error {
	e, err := c.f.readReferenced(c.ctx, d)
	if err != nil {
		return err
	}
	col := e.(*Categorical)
	if rows != nil {
		cut, used, err := col.take(rows)
		if err != nil {
			return c.f.fail(d.Path(), err)
		}
		c.recolour(key, col.Categories.Len(), used)
		cut.Categories = col.Categories.take(used)
		col = cut
	}
	return c.w.fail(key, c.w.categorical(c.ctx, dst, name, col))
}
