package h5ad

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// obsm joins the arrays, sparse matrices and data frames of obsm.
func (c *concatenation) obsm() error {
	names := c.joined("obsm", c.lists(func(a *fileFacts) []string { return a.obsm }))
	slices.Sort(names)
	for _, n := range names {
		frames, err := c.obsmKind(n)
		switch {
		case errors.Is(err, errNotStacked):
			c.drop("obsm/"+n, "%v", err)
		case err != nil:
			return err
		case frames:
			err = c.obsmFrame(n)
		default:
			err = c.obsmArray(n)
		}
		if err != nil && !errors.Is(err, errNotStacked) {
			return err
		}
	}
	_, err := c.w.group("obsm")
	return err
}

// errNotStacked means that an element is of a kind that is not joined.
var errNotStacked = errors.New("not joined")

// obsmKind tells whether an element is a data frame in all files that have it,
// which anndata requires if it is one in any.
func (c *concatenation) obsmKind(name string) (frames bool, err error) {
	n, all := 0, 0
	var dims []int
	for i := range c.about {
		if !slices.Contains(c.about[i].obsm, name) {
			continue
		}
		all++
		f, err := c.in.file(c.ctx, i)
		if err != nil {
			return false, err
		}
		s, df, err := f.member(c.ctx, "obsm", name)
		switch {
		case err != nil:
			return false, err
		case df != nil:
			n++
			continue
		case s.dims[0] != f.NObs():
			return false, f.fail(join(f.root.Path(), "obsm/"+name), fmt.Errorf("%d rows for %d cells", s.dims[0], f.NObs()))
		case dims != nil && !slices.Equal(dims, s.dims[2:]):
			return false, fmt.Errorf("%w: arrays of several shapes", errNotStacked)
		}
		dims = append([]int{}, s.dims[2:]...)
	}
	if n > 0 && n < all {
		return false, fmt.Errorf("%w: a data frame in some files, an array in others", errNotStacked)
	}
	return n > 0, nil
}

// member opens an element of obsm or varm as rows or as a data frame, or says why
// it is neither.
func (f *File) member(ctx context.Context, mapping, name string) (*rowSource, *DataFrame, error) {
	e, err := f.Aligned(ctx, mapping)
	if err != nil {
		return nil, nil, err
	}
	if r, ok := e.(*Records); ok {
		for _, field := range r.Fields {
			if field.Name == name && field.Array != nil {
				s, err := rowsOfArray(field.Array)
				return s, nil, err
			}
		}
		return nil, nil, f.fail(join(f.root.Path(), mapping+"/"+name), ErrNotFound)
	}
	o, err := f.root.Open(mapping + "/" + name)
	if err != nil {
		return nil, nil, err
	}
	kind, err := textAttr(o, "encoding-type")
	if err != nil {
		return nil, nil, err
	}
	if d, ok := o.(*hdf5.Dataset); ok {
		m := &Matrix{Encoding: Dense, DType: dtype(d.Type), file: f, key: d.Path(), data: d}
		dims := []int{}
		for _, n := range d.Space.Dims {
			dims = append(dims, int(n))
		}
		if typeNamed(m.DType) == nil || len(dims) < 2 {
			return nil, nil, fmt.Errorf("%w: an array of %s of %d dimensions", errNotStacked, m.DType, len(dims))
		}
		return &rowSource{m: m, dims: dims, dtype: m.DType}, nil, nil
	}
	if old, err := textAttr(o, "h5sparse_format"); err != nil {
		return nil, nil, err
	} else if old != "" {
		kind = old + "_matrix"
	}
	switch kind {
	case CSR, CSC:
		e, err := f.readSparse(ctx, o)
		if err != nil {
			return nil, nil, err
		}
		return rowsOf(e.(*Matrix)), nil, nil
	case "dataframe":
		df, err := f.frame(o, o.Path())
		return nil, df, err
	}
	return nil, nil, fmt.Errorf("%w: its encoding is %q", errNotStacked, kind)
}

// rowsOfArray is the source for an array in memory.
func rowsOfArray(a *Array) (*rowSource, error) {
	if typeNamed(a.DType) == nil || len(a.Dims) < 2 {
		return nil, fmt.Errorf("%w: an array of %s of %d dimensions", errNotStacked, a.DType, len(a.Dims))
	}
	return &rowSource{array: a, dims: a.Dims, dtype: a.DType}, nil
}

// mostColumns is how many columns an array of obsm may have that are not those of
// the other files.
const mostColumns = 1 << 24

// obsmArray joins arrays and sparse matrices, whose columns have no names: an
// inner join keeps the first ones that all have.
func (c *concatenation) obsmArray(name string) error {
	width := -1
	open := func(f *File) (*rowSource, error) {
		if has, err := f.names(c.ctx, "obsm"); err != nil || !slices.Contains(has, name) {
			return nil, err
		}
		s, _, err := f.member(c.ctx, "obsm", name)
		return s, err
	}
	most := 0
	for i := range c.about {
		f, err := c.in.file(c.ctx, i)
		if err != nil {
			return err
		}
		s, err := open(f)
		if err != nil {
			return err
		}
		if s == nil {
			continue
		}
		n := s.dims[1]
		most = max(most, n)
		if width < 0 || (n > width) == c.outer() {
			width = n
		}
	}
	if width < most {
		c.drop("obsm/"+name, "columns from %d on, which not all files have", width)
	}
	p, err := c.plan(open, func(_ *File, s *rowSource) (place, error) {
		n := s.dims[1]
		if n == width {
			return place{}, nil
		}
		if n > mostColumns {
			return place{}, fmt.Errorf("%w: %d columns", errNotStacked, n)
		}
		at := place{keep: make([]int32, n), lacks: n < width}
		for i := range at.keep {
			at.keep[i] = int32(i)
			if i >= width {
				at.keep[i] = -1
			}
		}
		return at, nil
	}, width)
	if err != nil {
		return err
	}
	return c.stack("obsm/"+name, open, p)
}
