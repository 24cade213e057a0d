package h5ad

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// matrix copies a matrix, cut to a part, in the wanted encoding ("" keeps its
// own). Only what must change is decoded.
func (c *carrier) matrix(dst *hdf5.GroupWriter, name string, m *Matrix, sel part, want string, transform func(*Batch) error) error {
	if want == "" {
		want = m.Encoding
	}
	whole := sel.Rows == nil && sel.Cols == nil && m.keep == nil
	switch {
	case want == m.Encoding && transform == nil && want == Dense:
		return c.denseAsIs(dst, name, m, sel)
	case want == m.Encoding && transform == nil && whole:
		return c.sparseAsIs(dst, name, m)
	case want == CSC && m.Encoding == CSC && transform == nil:
		return c.rewrite(dst, name, m.transposed(), part{Rows: sel.Cols, Cols: sel.Rows}, CSR, true, nil)
	}
	return c.rewrite(dst, name, m, sel, want, false, transform)
}

func (c *carrier) denseAsIs(dst *hdf5.GroupWriter, name string, m *Matrix, sel part) error {
	d, err := c.w.copier.CopySubset(c.ctx, dst, name, m.data, sel)
	if err != nil {
		return err
	}
	if sel.Rows == nil && sel.Cols == nil {
		c.w.copier.Stands(d, m.data)
	}
	if err := c.w.copier.CopyAttrs(d, m.data); err != nil {
		return err
	}
	return encode(d, "array", "0.2.0")
}

// sparseAsIs copies the three vectors of a sparse matrix.
func (c *carrier) sparseAsIs(dst *hdf5.GroupWriter, name string, m *Matrix) error {
	g, err := dst.CreateGroup(name)
	if err != nil {
		return err
	}
	if m.group != nil {
		c.w.copier.Stands(g, m.group)
		if err := c.w.copier.CopyAttrs(g, m.group, "h5sparse_format", "h5sparse_shape"); err != nil {
			return err
		}
	}
	if err := encode(g, m.Encoding, "0.1.0"); err != nil {
		return err
	}
	if _, err := shapeAttr(m.group); err != nil {
		if err := g.SetAttr("shape", hdf5.NumbersValue([]int64{int64(m.NObs), int64(m.NVars)})); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		name string
		from *hdf5.Dataset
	}{{"data", m.data}, {"indices", m.index}, {"indptr", m.ptr}} {
		d, err := c.w.copier.CopyData(c.ctx, g, part.name, part.from)
		if err != nil {
			return err
		}
		if err := c.w.copier.CopyAttrs(d, part.from); err != nil {
			return err
		}
		if err := encode(d, "array", "0.2.0"); err != nil {
			return err
		}
	}
	return nil
}

// shapeAttr finds the attribute shape of a sparse group.
func shapeAttr(g *hdf5.Group) (*hdf5.Attr, error) {
	if g == nil {
		return nil, ErrNotFound
	}
	return g.Attr("shape")
}

// transposed is a CSC matrix seen as a CSR matrix of genes × cells.
func (m *Matrix) transposed() *Matrix {
	return &Matrix{
		Encoding: CSR, NObs: m.NVars, NVars: m.NObs, DType: m.DType, NNZ: m.NNZ,
		Compression: m.Compression, Chunks: m.Chunks,
		file: m.file, key: m.key, group: m.group, data: m.data, index: m.index, ptr: m.ptr,
	}
}

// rewrite decodes a matrix and writes it anew. flip says that it is the transpose
// of what is written.
func (c *carrier) rewrite(dst *hdf5.GroupWriter, name string, m *Matrix, sel part, want string, flip bool, transform func(*Batch) error) (err error) {
	spec := MatrixSpec{Encoding: want, NObs: m.NObs, NVars: m.NVars, DType: m.DType, like: m, flip: flip}
	if sel.Rows != nil {
		spec.NObs = len(sel.Rows)
	}
	if sel.Cols != nil {
		spec.NVars = len(sel.Cols)
	}
	if transform != nil {
		spec.DType = "float32"
	}
	mw, err := c.w.matrix(dst, name, spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mw.discard()) }()
	each := func(ctx context.Context, fn func(*Batch) error) error {
		return m.Each(ctx, Selection{Cells: sel.Rows, Genes: sel.Cols, Rows: RowOptions{Budget: c.w.opts.Memory}}, fn)
	}
	if transform != nil && c.opts.Values != nil {
		each = c.opts.Values
	}
	err = each(c.ctx, func(b *Batch) error {
		if transform != nil {
			if err := transform(b); err != nil {
				return err
			}
		}
		return mw.Append(c.ctx, b)
	})
	if err != nil {
		return err
	}
	return mw.Close(c.ctx)
}

// Selection is a part of a matrix.
type Selection struct {
	// Cells and Genes are the positions to keep, rising; nil keeps all.
	Cells, Genes []int
	// Rows says how the matrix is read. Its Start and End are for all cells only.
	Rows RowOptions
}

// skipRows is how many rows that are not wanted are read along with those that
// are, rather than begin anew.
const skipRows = 4096

// Each calls fn with the selected part of the matrix, batch by batch. The batch's
// Start counts the cells that are kept, its columns the genes that are kept; it
// is valid until fn returns.
func (m *Matrix) Each(ctx context.Context, sel Selection, fn func(*Batch) error) error {
	for i, k := range [][]int{sel.Cells, sel.Genes} {
		if n := []int{m.NObs, m.NVars}[i]; len(k) > 0 && k[len(k)-1] >= n {
			return m.file.fail(m.key, fmt.Errorf("%s %d of %d", []string{"row", "column"}[i], k[len(k)-1], n))
		}
	}
	var keep []int32
	if sel.Genes != nil {
		keep = make([]int32, m.NVars)
		for i := range keep {
			keep[i] = -1
		}
		for i, g := range sel.Genes {
			keep[g] = int32(i)
		}
	}
	var b Batch
	var picked []int32
	var rows []int
	done := 0
	for opts := range m.windows(sel) {
		r, err := m.Rows(ctx, opts)
		if err != nil {
			return err
		}
		for {
			err := r.Next(ctx, &b)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if sel.Cells != nil {
				rows = rows[:0]
				end := b.Start + b.NObs()
				for at := done; at < len(sel.Cells) && sel.Cells[at] < end; at++ {
					rows = append(rows, sel.Cells[at]-b.Start)
				}
				if len(rows) == 0 {
					continue
				}
				picked = b.narrow(rows, keep, picked)
			} else if keep != nil {
				picked = b.narrow(nil, keep, picked)
			}
			b.Start = done
			done += b.NObs()
			if err := fn(&b); err != nil {
				return err
			}
		}
	}
	return nil
}

// windows yields ranges of rows that hold all of the selected cells.
func (m *Matrix) windows(sel Selection) func(yield func(RowOptions) bool) {
	return func(yield func(RowOptions) bool) {
		cells, opts := sel.Cells, sel.Rows
		if m.NObs == 0 || cells != nil && len(cells) == 0 {
			return
		}
		if cells == nil || m.Encoding == CSC { // beginning anew would read all of a CSC matrix
			yield(opts)
			return
		}
		for len(cells) > 0 {
			n := 1
			for n < len(cells) && cells[n]-cells[n-1] <= skipRows {
				n++
			}
			opts.Start, opts.End = cells[0], cells[n-1]+1
			if !yield(opts) {
				return
			}
			cells = cells[n:]
		}
	}
}
