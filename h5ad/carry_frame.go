package h5ad

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// frame copies a data frame of anndata 0.7 and later.
func (c *carrier) frame(dst *hdf5.GroupWriter, name string, df *DataFrame, rows []int, key string) error {
	if df.group == nil {
		return c.rewriteFrame(dst, name, df, rows, key)
	}
	order, changed := c.columnOrder(df, key)
	except := []string{}
	if changed {
		except = append(except, "column-order")
	}
	g, err := c.begin(dst, name, df.group, "dataframe", "0.2.0", except...)
	if err != nil {
		return err
	}
	c.w.groups[key] = g
	_, err = df.group.Attr("column-order")
	if changed || errors.Is(err, hdf5.ErrNotFound) {
		if err := c.w.frameHead(g, df.label, order); err != nil {
			return err
		}
	}
	for _, n := range append([]string{df.label}, df.Names...) {
		if _, edited := c.edits[key+"/"+n]; !edited && !df.group.Has(n) {
			return c.f.fail(df.key, fmt.Errorf("the column %q is listed in column-order but missing", n))
		}
	}
	names, err := df.group.Names()
	if err != nil {
		return err
	}
	for _, n := range names {
		if n == "__categories" {
			continue // they went to their columns
		}
		o, err := df.group.Open(n)
		if err != nil {
			return err
		}
		if err := c.node(g, n, o, key+"/"+n, part{Rows: rows}); err != nil {
			return err
		}
	}
	return c.newColumns(g, df, key)
}

// columnOrder is the columns after all edits, and whether that is a change.
func (c *carrier) columnOrder(df *DataFrame, key string) (order []string, changed bool) {
	for _, n := range df.Names {
		if e, ok := c.edits[key+"/"+n]; ok && e == nil {
			changed = true
			continue
		}
		order = append(order, n)
	}
	for _, n := range c.under(key) {
		if !df.Has(n) && n != df.label && c.edits[key+"/"+n] != nil {
			order = append(order, n)
			changed = true
		}
	}
	return order, changed
}

// under lists the names of edits right under a key.
func (c *carrier) under(key string) (names []string) {
	for _, k := range c.order {
		if n, ok := strings.CutPrefix(k, key+"/"); ok && !strings.Contains(n, "/") {
			names = append(names, n)
		}
	}
	return names
}

// newColumns writes the columns that the source does not have.
func (c *carrier) newColumns(g *hdf5.GroupWriter, df *DataFrame, key string) error {
	for _, n := range c.under(key) {
		at := key + "/" + n
		if df.group != nil && df.group.Has(n) || df.group == nil && df.Has(n) {
			continue
		}
		e, _ := c.edit(at)
		if e == nil {
			c.used[at] = false // there is nothing to delete
			continue
		}
		if err := c.column(g, n, at, e); err != nil {
			return err
		}
	}
	return nil
}

func (c *carrier) column(g *hdf5.GroupWriter, name, key string, e Element) error {
	rows, want := 0, c.w.nObs
	if strings.HasPrefix(key, "var/") {
		want = c.w.nVars
	}
	switch e := e.(type) {
	case *Array:
		rows = e.Len()
	case *Categorical:
		rows = len(e.Codes)
	case *Column:
		rows = e.Rows()
	default:
		return c.w.fail(key, fmt.Errorf("a %s cannot be a column", KindOf(e)))
	}
	if top, _, _ := strings.Cut(key, "/"); rows != want && (top == "obs" || top == "var") {
		return c.w.fail(key, fmt.Errorf("%d values for %d rows", rows, want))
	}
	return c.w.fail(key, c.w.element(c.ctx, g, name, e))
}

// rewriteFrame writes a data frame from its values: one that lies in compound
// data or in memory.
func (c *carrier) rewriteFrame(dst *hdf5.GroupWriter, name string, df *DataFrame, rows []int, key string) error {
	order, _ := c.columnOrder(df, key)
	g, err := c.w.subgroup(dst, name, "dataframe", "0.2.0")
	if err != nil {
		return err
	}
	c.w.groups[key] = g
	label := df.indexName()
	if err := c.w.frameHead(g, label, order); err != nil {
		return err
	}
	index, err := df.index(c.ctx)
	if err != nil {
		return err
	}
	if rows != nil {
		index = index.take(rows)
	}
	for _, n := range df.stored() {
		if n == label {
			if err := c.w.array(c.ctx, g, label, index); err != nil {
				return err
			}
			continue
		}
		if e, ok := c.edit(key + "/" + n); ok {
			if e == nil {
				continue
			}
			if err := c.column(g, n, key+"/"+n, e); err != nil {
				return err
			}
			continue
		}
		col, err := df.Column(c.ctx, n)
		if err != nil {
			return err
		}
		if rows != nil {
			cut, used, err := col.take(rows)
			if err != nil {
				return c.f.fail(df.key+"/"+n, err)
			}
			if col.Categorical != nil {
				c.recolour(key+"/"+n, col.Categories.Len(), used)
			}
			col = cut
		}
		if err := c.w.element(c.ctx, g, n, col); err != nil {
			return err
		}
	}
	return c.newColumns(g, df, key)
}

// columns writes the fields of a table of anndata 0.5, which held obsm and varm,
// as arrays.
func (c *carrier) columns(key string, r *Records, rows []int) error {
	g, err := c.w.group(key)
	if err != nil {
		return err
	}
	fields := slices.SortedFunc(slices.Values(r.Fields), func(a, b *Column) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range fields {
		if e, ok := c.edit(key + "/" + f.Name); ok {
			if e == nil {
				continue
			}
			if err := c.w.Set(c.ctx, key+"/"+f.Name, e); err != nil {
				return err
			}
			continue
		}
		a := f.Array
		if a == nil || len(a.Dims) == 0 {
			return c.f.fail("/"+key, fmt.Errorf("the field %q is no array", f.Name))
		}
		if rows != nil {
			var err error
			if a, err = c.rows("/"+key+"/"+f.Name, a, rows); err != nil {
				return err
			}
		}
		if err := c.w.array(c.ctx, g, f.Name, a); err != nil {
			return err
		}
	}
	return nil
}

// legacyGraphs copies to obsp the graphs that anndata 0.6 kept in uns.
func (c *carrier) legacyGraphs(m *Mapping, sel part) error {
	g, err := c.w.group("obsp")
	if err != nil {
		return err
	}
	for _, k := range m.Keys {
		o, err := m.group.Open(k)
		if err != nil {
			return err
		}
		if err := c.node(g, k, o, "obsp/"+k, sel); err != nil {
			return err
		}
	}
	return nil
}

// raw copies raw, whose cells are those of obs and whose genes are its own.
func (c *carrier) raw() error {
	if c.opts.Matrix == "raw" || !c.f.HasRaw() {
		return nil
	}
	if e, ok := c.edit("raw"); ok {
		if e == nil {
			return nil
		}
		return c.w.Set(c.ctx, "raw", e)
	}
	m, vr, err := c.f.Raw(c.ctx)
	if err != nil {
		return err
	}
	var g *hdf5.GroupWriter
	if o, err := c.f.root.Open("raw"); err == nil {
		src, err := c.f.asGroup(o)
		if err != nil {
			return err
		}
		// anndata 0.7 gave raw a shape, which would be wrong for a part of it.
		if g, err = c.begin(c.w.h.Root(), "raw", src, "raw", "0.1.0", "shape"); err != nil {
			return err
		}
		c.w.groups["raw"] = g
	} else if g, err = c.w.group("raw"); err != nil {
		return err
	}
	if err := c.matrix(g, "X", m, part{Rows: c.opts.Cells}, "", nil); err != nil {
		return err
	}
	if err := c.frame(g, "var", vr, nil, "raw/var"); err != nil {
		return err
	}
	return c.rawRest(g, "raw/varm", "varm", part{})
}

// rawVarm makes varm of raw's, which goes with raw's genes.
func (c *carrier) rawVarm(sel part) error {
	return c.rawRest(c.w.h.Root(), "varm", "varm", sel)
}

// rawRest copies raw.varm to dst.
func (c *carrier) rawRest(dst *hdf5.GroupWriter, key, name string, sel part) error {
	for _, at := range []string{"raw/varm", "raw.varm"} {
		if !hasPath(c.f.root, at) {
			continue
		}
		o, err := c.f.root.Open(at)
		if err != nil {
			return err
		}
		e, err := c.f.element(c.ctx, o)
		if err != nil {
			return err
		}
		if r, ok := e.(*Records); ok {
			return c.columns(key, r, sel.Rows)
		}
		return c.node(dst, name, o, key, sel)
	}
	return nil
}

// awkwardRows takes rows of an awkward array without looking into it: an index in
// front of it says which.
func (c *carrier) awkwardRows(dst *hdf5.GroupWriter, name string, o *hdf5.Group, rows []int) error {
	form, err := textAttr(o, "form")
	if err != nil {
		return err
	}
	names, err := o.Names()
	if err != nil {
		return err
	}
	label := "rows"
	for i := 2; slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, label+"-") }); i++ {
		label = fmt.Sprintf("rows%d", i)
	}
	g, err := c.begin(dst, name, o, "awkward-array", "0.1.0", "form", "length")
	if err != nil {
		return err
	}
	err = errors.Join(
		g.SetAttr("form", hdf5.StringValue(fmt.Sprintf(`{"class": "IndexedArray", "index": "i64", "content": %s, "parameters": {}, "form_key": %q}`, form, label))),
		g.SetAttr("length", hdf5.NumberValue(int64(len(rows)))))
	if err != nil {
		return err
	}
	for _, n := range names {
		child, err := o.Open(n)
		if err != nil {
			return err
		}
		if err := c.w.copier.Copy(c.ctx, g, n, child); err != nil {
			return err
		}
	}
	if n, err := intAttr(o, "length"); err != nil || len(rows) > 0 && rows[len(rows)-1] >= n {
		return c.f.fail(o.Path(), fmt.Errorf("%d rows, but row %d is to be kept: %w", n, rows[max(0, len(rows)-1)], errors.Join(err)))
	}
	index := make([]int64, len(rows))
	for i, r := range rows {
		index[i] = int64(r)
	}
	return c.w.array(c.ctx, g, label+"-index", &Array{Dims: []int{len(index)}, Values: index})
}
