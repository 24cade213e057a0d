package hdf5

import (
	"context"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// Subset is a part of a dataset: rows of the first dimension and columns of the
// second, each rising. nil takes all.
type Subset struct{ Rows, Cols []int }

// CopySubset adds a copy of a part of a dataset without its attributes, which the
// caller sets. Chunks and filters stay as far as they suit the new shape.
func (c *Copier) CopySubset(ctx context.Context, dst *GroupWriter, name string, src *Dataset, part Subset) (*DatasetWriter, error) {
	if part.Rows == nil && part.Cols == nil {
		return c.CopyData(ctx, dst, name, src)
	}
	spec := wSpecOf(src)
	for i, keep := range [][]int{part.Rows, part.Cols} {
		if keep == nil {
			continue
		}
		if err := src.holds(i, keep); err != nil {
			return nil, err
		}
		spec.Dims = slices.Clone(spec.Dims)
		spec.Dims[i] = uint64(len(keep))
	}
	if spec.MaxDims != nil {
		spec.MaxDims = slices.Clone(spec.MaxDims)
		for i, n := range spec.MaxDims {
			if n != Unlimited {
				spec.MaxDims[i] = spec.Dims[i]
			}
		}
	}
	spec.suit()
	if c.Respec != nil {
		c.Respec(src, &spec)
	}
	return c.encode(ctx, dst, name, src, spec, part)
}

// holds reports an index that dimension i does not have, or that does not rise.
func (d *Dataset) holds(i int, keep []int) error {
	if i >= len(d.Space.Dims) {
		return d.fail(typef("a part of dimension %d of a dataset of %d", i, len(d.Space.Dims)))
	}
	last := -1
	for _, k := range keep {
		if k <= last || uint64(k) >= d.Space.Dims[i] {
			return d.fail(typef("element %d after %d of dimension %d, which has %d", k, last, i, d.Space.Dims[i]))
		}
		last = k
	}
	return nil
}

// suit makes chunks no larger than a shape that does not grow, and replaces
// filters that cannot be written.
func (s *DatasetSpec) suit() {
	if s.Chunk == nil {
		return
	}
	s.Chunk = slices.Clone(s.Chunk)
	for i, n := range s.Dims {
		s.Chunk[i] = max(1, min(s.Chunk[i], n))
	}
	if wEncodable(wSettle(s.Filters, s.Type.Size, 1)) != nil {
		s.Filters = filter.Pipeline{Deflate(4)}
	}
	for i := range s.Filters {
		if s.Filters[i].ID == filter.LZF { // it names the size of a chunk
			s.Filters = slices.Clone(s.Filters)
			s.Filters[i].Client = nil
		}
	}
}

// encode copies a part of src element by element.
func (c *Copier) encode(ctx context.Context, dst *GroupWriter, name string, src *Dataset, spec DatasetSpec, part Subset) (*DatasetWriter, error) {
	if src.Type.wHas(ClassReference) {
		return nil, src.fail(unsupportedf("copying a part of a dataset of references"))
	}
	d, err := dst.CreateDataset(name, spec)
	if err != nil {
		return nil, err
	}
	rows := uint64(1)
	if len(src.Space.Dims) > 0 {
		rows = src.Space.Dims[0]
	}
	if n, _ := d.space().Elements(); n == 0 {
		return d, d.Close()
	}
	step := max(1, wCopyBlock/max(1, src.rowSize()))
	if src.Layout == Chunked { // so that no chunk is decoded twice
		step = (step + src.chunk[0] - 1) / src.chunk[0] * src.chunk[0]
	}
	left := part.Rows
	for lo := uint64(0); lo < rows; lo += step {
		hi := min(rows, lo+step)
		var mine []int
		if part.Rows != nil {
			n, _ := slices.BinarySearch(left, int(hi))
			mine, left = left[:n], left[n:]
			if n == 0 {
				continue
			}
		}
		data, err := src.read(ctx, lo, hi)
		if err != nil {
			return nil, err
		}
		if part.Rows != nil || part.Cols != nil {
			data.raw = src.gather(data.raw, mine, int(lo), part)
		}
		v, err := c.value(data)
		if err != nil {
			return nil, err
		}
		b := v.raw
		if len(v.fixes) > 0 {
			if b, err = c.w.encodePatched(nil, v.raw, v.fixes); err != nil {
				return nil, c.w.stop(d.path, err)
			}
		}
		if err := d.Append(ctx, b); err != nil {
			return nil, err
		}
	}
	return d, d.Close()
}

// rowSize is the bytes of one step in the first dimension.
func (d *Dataset) rowSize() uint64 {
	n := uint64(d.Type.Size)
	if len(d.Space.Dims) > 1 {
		for _, k := range d.Space.Dims[1:] {
			n *= k
		}
	}
	return n
}

// gather takes the part of raw, which begins with row lo, in place: every element
// moves towards the front.
func (d *Dataset) gather(raw []byte, rows []int, lo int, part Subset) []byte {
	row := int(d.rowSize())
	cell, cols := row, part.Cols
	if cols != nil {
		cell = row / int(d.Space.Dims[1])
	}
	n := len(rows)
	if part.Rows == nil {
		n = len(raw) / row
	}
	out := raw[:0]
	for i := range n {
		at := i * row
		if part.Rows != nil {
			at = (rows[i] - lo) * row
		}
		if cols == nil {
			out = append(out, raw[at:at+row]...)
			continue
		}
		for _, c := range cols {
			out = append(out, raw[at+c*cell:at+(c+1)*cell]...)
		}
	}
	return out
}
