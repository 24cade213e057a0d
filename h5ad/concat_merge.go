package h5ad

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// merger decides which elements of the genes' annotation are kept. These are not
// joined but taken from a file, in the places of the joined genes.
type merger[T any] struct {
	c     *concatenation
	key   string
	lists [][]string
	read  func(f *File, name string, from []int) (T, error)
	equal func(a, b T) bool
}

// merge gives the elements that are kept, in the order in which anndata meets
// them. It holds two values at a time, and those that are kept.
func (m *merger[T]) merge() (names []string, kept map[string]T, err error) {
	kept = map[string]T{}
	for _, name := range m.order() {
		v, why, err := m.one(name)
		switch {
		case errors.Is(err, errNotStacked):
			why = err.Error()
		case err != nil:
			return nil, nil, err
		}
		if why != "" {
			m.c.drop(m.key+"/"+name, "%s", why)
			continue
		}
		names = append(names, name)
		kept[name] = v
	}
	return names, kept, nil
}

// order is all names; those that all files have are in the order of the last file
// where only they can be kept.
func (m *merger[T]) order() []string {
	names := firstSeen(m.lists)
	if m.c.opts.Merge != MergeSame {
		return names
	}
	last := m.lists[len(m.lists)-1]
	slices.SortStableFunc(names, func(a, b string) int {
		return slices.Index(last, a) - slices.Index(last, b) // −1 is dropped anyway
	})
	return names
}

// one is the value of an element, or why there is none.
func (m *merger[T]) one(name string) (v T, why string, err error) {
	var in []int
	for i, l := range m.lists {
		if slices.Contains(l, name) {
			in = append(in, i)
		}
	}
	switch merge := m.c.opts.Merge; {
	case merge == "" || merge == MergeNone:
		return v, "not merged (merge none)", nil
	case merge == MergeSame && len(in) < len(m.lists):
		return v, fmt.Sprintf("in %d of %d files", len(in), len(m.lists)), nil
	case merge == MergeOnly && len(in) > 1:
		return v, fmt.Sprintf("in %d files, not in one only", len(in)), nil
	case merge == MergeFirst:
		in = in[:1]
	}
	for k, i := range in {
		f, err := m.c.in.file(m.c.ctx, i)
		if err != nil {
			return v, "", err
		}
		genes, err := f.vr.Index(m.c.ctx)
		if err != nil {
			return v, "", err
		}
		next, err := m.read(f, name, m.c.genes.placeOf(genes).from(len(m.c.genes.names)))
		if err != nil {
			return v, "", err
		}
		if k > 0 && !m.equal(v, next) {
			return v, fmt.Sprintf("%s and %s differ in it", m.c.in.paths[in[0]], m.c.in.paths[i]), nil
		}
		if k == 0 {
			v = next
		}
	}
	return v, "", nil
}

// vars writes the annotation of the joined genes.
func (c *concatenation) vars() error {
	c.lostGenes("var", c.genes)
	m := merger[columnPart]{
		c: c, key: "var", lists: c.lists(func(a *fileFacts) []string { return a.vr }),
		read: func(f *File, name string, from []int) (columnPart, error) {
			col, err := f.vr.Column(c.ctx, name)
			return columnPart{column: col, n: len(c.genes.names), from: from}, err
		},
		equal: equalParts,
	}
	names, kept, err := m.merge()
	if err != nil {
		return err
	}
	df := c.geneFrame("var", names, c.genes)
	for n, p := range kept {
		df.read[n] = func(context.Context) (*Column, error) { return c.column("/var/"+n, []columnPart{p}) }
	}
	return c.w.Set(c.ctx, "var", df)
}

// equalParts compares as pandas does: types, values and gaps.
func equalParts(a, b columnPart) bool {
	if a.categorical() != b.categorical() {
		return false
	}
	if a.categorical() {
		x, y := a.column.Categorical, b.column.Categorical
		if x.Ordered != y.Ordered || x.Categories.Len() != y.Categories.Len() || x.Categories.DType != y.Categories.DType ||
			x.Ordered && !sameValues(x.Categories.Values, y.Categories.Values) {
			return false
		}
	}
	v, w := a.plain(), b.plain()
	if v.gaps == nil && w.gaps != nil || v.gaps != nil && w.gaps == nil {
		if slices.Contains(v.gaps, true) || slices.Contains(w.gaps, true) {
			return false
		}
	} else if !slices.Equal(v.gaps, w.gaps) {
		return false
	}
	return v.dtype == w.dtype && v.nullable == w.nullable && sameValues(v.values, w.values)
}

// sameValues compares slices of one type; NaN equals NaN.
func sameValues(a, b any) bool {
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		return false
	}
	switch x := a.(type) {
	case []string:
		return slices.Equal(x, b.([]string))
	case []float32:
		return slices.EqualFunc(x, b.([]float32), sameNumber)
	case []float64:
		return slices.EqualFunc(x, b.([]float64), sameNumber)
	case []complex128:
		return slices.EqualFunc(x, b.([]complex128), sameNumber)
	}
	return reflect.DeepEqual(a, b)
}

func sameNumber[T comparable](a, b T) bool { return a == b || a != a && b != b }

// varm writes the arrays that belong to genes. Sparse matrices and data frames are
// not merged.
func (c *concatenation) varm() error {
	m := merger[*Array]{
		c: c, key: "varm", lists: c.lists(func(a *fileFacts) []string { return a.varm }),
		read: c.geneArray,
		equal: func(a, b *Array) bool {
			return a.DType == b.DType && slices.Equal(a.Dims, b.Dims) && sameValues(a.Values, b.Values)
		},
	}
	names, kept, err := m.merge()
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, n := range names {
		if err := c.w.Set(c.ctx, "varm/"+n, kept[n]); err != nil {
			return err
		}
	}
	_, err = c.w.group("varm")
	return err
}

// geneArray reads an array of varm in the places of the joined genes; genes that
// the file lacks are NaN.
func (c *concatenation) geneArray(f *File, name string, from []int) (*Array, error) {
	s, _, err := f.member(c.ctx, "varm", name)
	if err != nil {
		return nil, err
	}
	if s == nil || s.sparse() {
		return nil, fmt.Errorf("%w: only arrays are merged", errNotStacked)
	}
	if s.dims[0] != f.NVars() {
		return nil, f.fail(join(f.root.Path(), "varm/"+name), fmt.Errorf("%d rows for %d genes", s.dims[0], f.NVars()))
	}
	a := s.array
	if a == nil {
		if a, err = readArray(c.ctx, s.m.data); err != nil {
			return nil, err
		}
	}
	if from == nil {
		return a, nil
	}
	width := product(a.Dims[1:])
	out := &Array{DType: a.DType, Dims: append([]int{len(from)}, a.Dims[1:]...), Values: rowsAt(a.Values, from, width)}
	gaps := make([]bool, len(from))
	for i, r := range from {
		gaps[i] = r < 0
	}
	if slices.Contains(gaps, true) {
		out.DType = withGaps(a.DType)
		if out.DType != a.DType {
			out.Values = cast(numbersOf(out.Values), out.DType, nil)
		}
		setNaN(out.Values, gaps, width)
	}
	return out, nil
}
