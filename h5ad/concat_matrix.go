package h5ad

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// batchBytes is about how much of a dense array is read at a time.
const batchBytes = 4 << 20

// rowSource is an element of a file whose rows are joined: a sparse matrix, or an
// array of numbers of two or more dimensions.
type rowSource struct {
	m     *Matrix // sparse, or dense with its values in m.data
	array *Array  // from a table of anndata 0.5, read already
	dims  []int
	dtype string
}

// rowsOf is the source for a matrix, nil for none.
func rowsOf(m *Matrix) *rowSource {
	if m == nil {
		return nil
	}
	return &rowSource{m: m, dims: []int{m.NObs, m.NVars}, dtype: m.DType}
}

func (s *rowSource) sparse() bool { return s.m != nil && s.m.Encoding != Dense }

// unit is how many values lie under a row and a column.
func (s *rowSource) unit() int { return product(s.dims[2:]) }

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// step is how many rows to read at a time: whole chunks, so that each is decoded
// once, unless those are large.
func (s *rowSource) step() int {
	row := max(1, product(s.dims[1:])*8)
	n := max(1, batchBytes/row)
	if s.m != nil {
		if c := s.m.data.Chunk(); c != nil && c[0] < uint64(s.dims[0]) && int(c[0]) <= 16*n {
			n = max(1, n/int(c[0])) * int(c[0])
		}
	}
	return n
}

// read reads rows [lo, hi) of an array.
func (s *rowSource) read(ctx context.Context, lo, hi int, buf any) (any, error) {
	if s.array != nil {
		width := product(s.dims[1:])
		return window(numbersOf(s.array.Values), buf, int64(lo*width), int64(hi*width)), nil
	}
	return s.m.readValues(ctx, int64(lo), int64(hi), buf)
}

// justified holds the claimed size of an array against the file: deflate makes at
// most 1,032 bytes of one.
func (s *rowSource) justified() error {
	if s.m == nil || s.sparse() {
		return nil
	}
	n, ok := s.m.data.Space.Elements()
	if most := 1032 * uint64(s.m.file.h.Size()); !ok || n > 1<<20 && n > most/uint64(s.m.data.Type.Size) {
		return s.m.file.fail(s.m.key, fmt.Errorf("%v values in a file of %d bytes", s.dims, s.m.file.h.Size()))
	}
	return nil
}

// stackPlan is what a joined element looks like.
type stackPlan struct {
	dtype   string
	sparse  bool
	dims    []int   // of the output
	filters *Matrix // whose filters to take, nil for none
	have    []bool
	places  []place
}

// matrix joins a matrix whose columns are genes.
func (c *concatenation) matrix(key string, open func(*File) (*rowSource, error), genes *geneJoin) error {
	placeOf := func(f *File, _ *rowSource) (place, error) {
		if genes.same {
			return place{}, nil
		}
		vr := f.vr
		if key == "raw/X" {
			var err error
			if _, vr, err = f.Raw(c.ctx); err != nil {
				return place{}, err
			}
		}
		names, err := vr.Index(c.ctx)
		return genes.placeOf(names), err
	}
	p, err := c.plan(open, placeOf, len(genes.names))
	if err != nil {
		return err
	}
	lacking, absent := p.lacking()
	if lacking > 0 {
		c.warn("/%s: %d of %d files lack genes of the others, which are %s in their cells", key, lacking, len(c.about), p.gap())
	}
	if absent > 0 {
		c.warn("/%s: %d of %d files have none: %s in their cells, as %s", key, absent, len(c.about), p.gap(), p.dtype)
	}
	return c.stack(key, open, p)
}

// plan looks at the element of each file: open gives nil where there is none.
func (c *concatenation) plan(open func(*File) (*rowSource, error), placeOf func(*File, *rowSource) (place, error), width int) (*stackPlan, error) {
	p := &stackPlan{dims: []int{c.total, width}}
	var types []string
	for i := range c.about {
		f, err := c.in.file(c.ctx, i)
		if err != nil {
			return nil, err
		}
		s, err := open(f)
		if err != nil {
			return nil, err
		}
		p.have = append(p.have, s != nil)
		if s == nil {
			types = append(types, "float64") // anndata fills in float64
			p.places = append(p.places, place{lacks: true})
			continue
		}
		if err := s.justified(); err != nil {
			return nil, err
		}
		at, err := placeOf(f, s)
		if err != nil {
			return nil, err
		}
		types = append(types, s.dtype)
		p.places = append(p.places, at)
		p.sparse = p.sparse || s.sparse()
		if p.filters == nil {
			p.dims = append(p.dims, s.dims[2:]...)
			if s.m != nil {
				// The filters of the first, not its types: the output has more rows.
				p.filters = &Matrix{data: s.m.data}
			}
		}
	}
	for i := range types {
		if !p.sparse && p.places[i].lacks {
			types[i] = withGaps(types[i])
		}
	}
	p.dtype = resultType(types)
	return p, nil
}

// lacking counts the files that lack columns, and those that have no such element.
func (p *stackPlan) lacking() (columns, absent int) {
	for i, at := range p.places {
		switch {
		case !p.have[i]:
			absent++
		case at.lacks:
			columns++
		}
	}
	return columns, absent
}

// gap is what stands where a file has no value.
func (p *stackPlan) gap() string {
	if p.sparse {
		return "0"
	}
	return "NaN"
}

// stack writes the rows of all files.
func (c *concatenation) stack(key string, open func(*File) (*rowSource, error), p *stackPlan) error {
	if p.sparse {
		return c.stackSparse(key, open, p)
	}
	return c.stackDense(key, open, p)
}

func (c *concatenation) stackSparse(key string, open func(*File) (*rowSource, error), p *stackPlan) (err error) {
	mw, err := c.w.Matrix(c.ctx, key, MatrixSpec{Encoding: CSR, NObs: p.dims[0], NVars: p.dims[1], DType: p.dtype, like: p.filters})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mw.discard()) }()
	var picked []int32
	var values any
	for i := range c.about {
		if !p.have[i] {
			if err := mw.Append(c.ctx, &Batch{Indptr: make([]int64, c.about[i].nObs+1), Values: cast([]uint8{}, p.dtype, nil)}); err != nil {
				return err
			}
			continue
		}
		f, err := c.in.file(c.ctx, i)
		if err != nil {
			return err
		}
		s, err := open(f)
		if err != nil {
			return err
		}
		err = s.m.Each(c.ctx, Selection{Rows: RowOptions{Budget: c.w.opts.Memory}}, func(b *Batch) error {
			if keep := p.places[i].keep; keep != nil {
				picked = b.narrow(nil, keep, picked)
			}
			out := *b // the batch keeps the type of what is read
			out.Values = cast(b.Values, p.dtype, values)
			if s.dtype != p.dtype {
				values = out.Values
			}
			if err := mw.Append(c.ctx, &out); err != nil {
				return err
			}
			c.progress(key, b.NObs())
			return nil
		})
		if err != nil {
			return err
		}
	}
	return mw.Close(c.ctx)
}

func (c *concatenation) stackDense(key string, open func(*File) (*rowSource, error), p *stackPlan) error {
	typ := typeNamed(p.dtype)
	if typ == nil {
		return c.w.fail(key, fmt.Errorf("a matrix cannot hold %s", p.dtype))
	}
	g, name, err := c.w.place(key)
	if err != nil {
		return err
	}
	if err := c.w.aligned(key, &Array{Dims: p.dims}); err != nil {
		return err
	}
	spec := hdf5.DatasetSpec{Type: typ}
	for _, n := range p.dims {
		spec.Dims = append(spec.Dims, uint64(n))
	}
	filters := c.w.filter
	if p.filters != nil && c.w.opts.Compression.Method == "" {
		filters = rewritable(p.filters.data.Filters())
	}
	if len(filters) > 0 && product(p.dims) > 0 {
		spec.Chunk, spec.Filters = chunkOf(spec.Dims, typ.Size), filters
	}
	d, err := g.CreateDataset(name, spec)
	if err != nil {
		return err
	}
	for i := range c.about {
		f, err := c.in.file(c.ctx, i)
		if err != nil {
			return err
		}
		s := &rowSource{dims: append([]int{c.about[i].nObs, 0}, p.dims[2:]...), dtype: "uint8", array: &Array{Values: []uint8{}}}
		if p.have[i] {
			if s, err = open(f); err != nil {
				return err
			}
		}
		if err := c.denseRows(d, key, s, p, p.places[i], typ); err != nil {
			return f.fail("/"+key, err)
		}
	}
	if err := d.Close(); err != nil {
		return err
	}
	return encode(d, "array", "0.2.0")
}

// denseRows appends the rows of one file.
func (c *concatenation) denseRows(d *hdf5.DatasetWriter, key string, s *rowSource, p *stackPlan, at place, typ *hdf5.Datatype) error {
	var buf, typed any
	var raw, out []byte
	unit := s.unit() * typ.Size
	// A row of gaps, which each row begins as.
	blank := make([]byte, p.dims[1]*unit)
	if at.lacks {
		nan, err := encodeAs(nil, typ, cast([]float64{gap}, p.dtype, nil))
		if err != nil {
			return err
		}
		for k := range blank {
			blank[k] = nan[k%len(nan)]
		}
	}
	for lo := 0; lo < s.dims[0]; {
		hi := min(s.dims[0], (lo/s.step()+1)*s.step())
		values, err := s.read(c.ctx, lo, hi, buf)
		if err != nil {
			return err
		}
		buf = values
		values = cast(values, p.dtype, typed)
		if s.dtype != p.dtype {
			typed = values
		}
		if raw, err = encodeAs(raw[:0], typ, values); err != nil {
			return err
		}
		if at.keep != nil || at.lacks {
			out = slices.Grow(out[:0], (hi-lo)*len(blank))
			for row := range hi - lo {
				out = append(out, blank...)
				to := out[row*len(blank):]
				from := raw[row*s.dims[1]*unit:]
				for k, j := range at.keep {
					if j >= 0 {
						copy(to[int(j)*unit:int(j+1)*unit], from[k*unit:])
					}
				}
			}
			raw, out = out, raw
		}
		if err := d.Append(c.ctx, raw); err != nil {
			return err
		}
		c.progress(key, hi-lo)
		lo = hi
	}
	return nil
}

func (c *concatenation) progress(key string, cells int) {
	if key == "X" && c.opts.Progress != nil {
		c.opts.Progress(int64(cells))
	}
}

// x joins X, which all files must have, or none.
func (c *concatenation) x() error {
	have, lacks := -1, -1
	for i := range c.about {
		if c.about[i].x {
			have = i
		} else {
			lacks = i
		}
	}
	switch {
	case have < 0:
		return nil
	case lacks >= 0:
		return &Error{
			File: c.in.paths[lacks], Err: fmt.Errorf("the file has no X, but %s has: %w", c.in.paths[have], ErrNotFound),
			Tip: "make a layer its X (c2s convert --layer NAME), or leave it out",
		}
	}
	return c.matrix("X", func(f *File) (*rowSource, error) {
		m, err := f.X()
		return rowsOf(m), err
	}, c.genes)
}

func (c *concatenation) layers() error {
	names := c.joined("layers", c.lists(func(a *fileFacts) []string { return a.layers }))
	slices.Sort(names)
	for _, n := range names {
		err := c.matrix("layers/"+n, func(f *File) (*rowSource, error) {
			if !slices.Contains(f.Layers(), n) {
				return nil, nil
			}
			m, err := f.Layer(c.ctx, n)
			return rowsOf(m), err
		}, c.genes)
		if err != nil {
			return err
		}
	}
	_, err := c.w.group("layers")
	return err
}
