package hdf5

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// wEarlyTree is from how many chunks on a dataset's index is written when the
// dataset is closed, rather than with the file, to give its memory back.
const wEarlyTree = 1 << 14

// DatasetSpec says what dataset to create. Only Type is required: without
// further fields it is a scalar.
type DatasetSpec struct {
	Type *Datatype
	// Dims is the shape; nil for a scalar. When the first dimension may grow (see
	// MaxDims), it becomes the number of rows that were appended, and Dims[0] is
	// the least there must be.
	Dims []uint64
	// MaxDims is up to where each dimension may be resized later; [Unlimited] for
	// no limit, nil for the shape itself. A shape that can grow needs chunks.
	MaxDims []uint64
	// Null makes a dataset that has a type but no elements.
	Null bool
	// Chunk is the shape of a chunk, nil for contiguous data. It may be larger
	// than the shape.
	Chunk []uint64
	// Filters go over each chunk, first to last; only with Chunk.
	Filters filter.Pipeline
	// Fill is the element (in file order) that stands where nothing was written;
	// nil for zeros.
	Fill []byte
	// Compact keeps the data in the object header; at most about 64 KB fit.
	Compact bool
	// Sparse allows the dataset to be closed before all elements were written.
	Sparse bool
}

// DatasetWriter is a dataset under construction. Elements come in row-major
// order by Append, or as chunks that are already compressed by AppendRawChunk.
type DatasetWriter struct {
	wObject
	spec     DatasetSpec
	layout   Layout
	typeBody []byte
	rowBytes uint64 // bytes of one step in the first dimension
	limit    uint64 // most bytes that may be appended
	got      uint64 // bytes appended
	rawMode  bool   // chunks come compressed
	closed   bool

	addr    uint64 // contiguous data or chunk index
	slab    []byte // compact data, or rows of the chunks that are not full yet
	columns uint64 // chunks that lie side by side in one step of the first dimension
	chunks  []wChunk
}

// CreateDataset adds a dataset. The name is a single one, not a path.
func (g *GroupWriter) CreateDataset(name string, spec DatasetSpec) (*DatasetWriter, error) {
	if err := g.admit(name); err != nil {
		return nil, err
	}
	d := &DatasetWriter{wObject: g.w.newObject(join(g.path, name)), spec: spec, addr: undefined}
	if err := d.setUp(); err != nil {
		return nil, g.w.wrap(d.path, err)
	}
	g.w.objects = append(g.w.objects, d)
	g.add(wMember{name: name, node: d})
	return d, nil
}

func (d *DatasetWriter) setUp() (err error) {
	s := &d.spec
	if d.typeBody, err = encDatatype(s.Type); err != nil {
		return err
	}
	s.Dims, s.MaxDims, s.Chunk = slices.Clone(s.Dims), slices.Clone(s.MaxDims), slices.Clone(s.Chunk)
	if _, err := encSpace(d.space()); err != nil {
		return err
	}
	if s.Null && len(s.Dims) > 0 {
		return wInvalidf("a null dataset has no shape")
	}
	if len(s.Fill) != 0 && len(s.Fill) != s.Type.Size {
		return wInvalidf("fill value of %d bytes for elements of %d", len(s.Fill), s.Type.Size)
	}
	if len(s.Fill) > wMaxMessage-8 {
		return wTooLarge("fill value", len(s.Fill)+8)
	}
	if d.rowBytes, err = d.rowSize(); err != nil {
		return err
	}
	rows := uint64(1)
	if len(s.Dims) > 0 {
		rows = s.Dims[0]
		if s.MaxDims != nil {
			rows = s.MaxDims[0]
		}
	}
	if s.Null {
		rows = 0
	}
	var ok bool
	if d.limit, ok = product([]uint64{rows, d.rowBytes}); !ok {
		d.limit = math.MaxInt64 // a limit that no file reaches
	}
	switch {
	case s.Compact && s.Chunk != nil:
		return wInvalidf("a dataset is compact or chunked, not both")
	case s.Chunk != nil:
		d.layout = Chunked
		err = d.setUpChunks()
	case len(s.Filters) > 0:
		return wInvalidf("filters need chunks")
	case s.MaxDims != nil && !slices.Equal(s.MaxDims, s.Dims):
		return wInvalidf("a dataset of shape %v that grows up to %v needs chunks", s.Dims, s.MaxDims)
	case s.Compact:
		d.layout = Compact
		if d.limit > wMaxMessage-8 {
			return wTooLarge("compact data", int(min(d.limit, math.MaxInt)))
		}
	default:
		d.layout = Contiguous
	}
	if err != nil {
		return err
	}
	messages, err := d.messages()
	if err != nil {
		return err
	}
	sizes := make([]int, len(messages))
	for i, m := range messages {
		sizes[i] = len(m.body)
		if d.layout == Compact && m.kind == msgLayout {
			sizes[i] += int(d.limit)
		}
	}
	d.plan = func() []int { return slices.Clone(sizes) }
	return nil
}

func (d *DatasetWriter) space() Space {
	return Space{Null: d.spec.Null, Dims: d.spec.Dims, MaxDims: d.spec.MaxDims}
}

// rowSize is the bytes of one step in the first dimension, of everything for a
// scalar.
func (d *DatasetWriter) rowSize() (uint64, error) {
	n := []uint64{uint64(d.spec.Type.Size)}
	if len(d.spec.Dims) > 1 {
		n = append(n, d.spec.Dims[1:]...)
	}
	p, ok := product(n)
	if !ok || p > math.MaxInt64 {
		return 0, fmt.Errorf("%w: shape %v", ErrTooLarge, d.spec.Dims)
	}
	return p, nil
}

// Append writes the next elements, as they lie in the file; they need not end
// with a row or a chunk. It copies raw.
func (d *DatasetWriter) Append(ctx context.Context, raw []byte) error {
	if err := d.w.ready(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	n := uint64(len(raw))
	switch {
	case d.closed:
		return d.w.wrap(d.path, ErrClosed)
	case d.rawMode:
		return d.w.wrap(d.path, wInvalidf("elements after chunks that were compressed already"))
	case n%uint64(d.spec.Type.Size) != 0:
		return d.w.wrap(d.path, wInvalidf("%d bytes for elements of %d", n, d.spec.Type.Size))
	case n > d.limit-d.got:
		return d.w.wrap(d.path, fmt.Errorf("%w: more elements than the shape %v has", ErrTooLarge, d.spec.Dims))
	}
	if n == 0 {
		return nil
	}
	switch d.layout {
	case Compact:
		d.slab = append(d.slab, raw...)
	case Chunked:
		if d.got == 0 {
			if err := wEncodable(d.spec.Filters); err != nil {
				return d.w.wrap(d.path, err)
			}
		}
		if err := d.appendChunked(ctx, raw); err != nil {
			return d.w.stop(d.path, err)
		}
	default:
		if err := d.appendContiguous(raw); err != nil {
			return d.w.stop(d.path, err)
		}
	}
	d.got += n
	return nil
}

func (d *DatasetWriter) appendContiguous(raw []byte) (err error) {
	if d.addr == undefined {
		if d.addr, err = d.w.alloc(d.limit); err != nil {
			return err
		}
	}
	return d.w.writeAt(raw, d.addr+d.got)
}

// Close ends the dataset: no more elements can be written. It is an error if
// elements are missing, unless the dataset is sparse. Closing it again does
// nothing; [Writer.Close] closes what is left open.
func (d *DatasetWriter) Close() error {
	if err := d.w.ready(); err != nil {
		return err
	}
	if d.closed {
		return nil
	}
	if !d.rawMode {
		if err := d.settleShape(); err != nil {
			return d.w.wrap(d.path, err)
		}
	}
	if d.layout == Chunked {
		if err := d.closeChunks(); err != nil {
			return d.w.stop(d.path, err)
		}
	}
	d.closed = true
	return nil
}

// settleShape sets the first dimension to what was appended.
func (d *DatasetWriter) settleShape() error {
	s := &d.spec
	rows := uint64(0)
	if d.rowBytes > 0 {
		if rows = d.got / d.rowBytes; d.got%d.rowBytes != 0 {
			return wInvalidf("the last row has %d of its %d bytes", d.got%d.rowBytes, d.rowBytes)
		}
	}
	want := uint64(1)
	if len(s.Dims) > 0 {
		want = s.Dims[0]
	}
	if rows < want && d.rowBytes > 0 && !s.Null && !s.Sparse {
		return wInvalidf("%d of %d rows were written", rows, want)
	}
	if len(s.Dims) > 0 && rows > want {
		s.Dims[0] = rows
	}
	if d.layout == Compact {
		d.slab = append(d.slab, make([]byte, int(d.limit)-len(d.slab))...)
	}
	if d.layout == Contiguous && d.got > 0 && d.got < d.limit {
		return d.fillContiguous()
	}
	return nil
}

// fillContiguous fills what a sparse dataset leaves of its space. Zeros need not
// be written: the file was empty.
func (d *DatasetWriter) fillContiguous() error {
	if len(bytes.Trim(d.spec.Fill, "\x00")) == 0 {
		return nil
	}
	block := make([]byte, max(1, (64<<10)/d.spec.Type.Size)*d.spec.Type.Size)
	fillWith(block, d.spec.Fill)
	for d.got < d.limit {
		part := block[:min(uint64(len(block)), d.limit-d.got)]
		if err := d.w.writeAt(part, d.addr+d.got); err != nil {
			return d.w.stop(d.path, err)
		}
		d.got += uint64(len(part))
	}
	return nil
}

// messages are the header's messages without the attributes.
func (d *DatasetWriter) messages() ([]wMessage, error) {
	space, err := encSpace(d.space())
	if err != nil {
		return nil, err
	}
	m := []wMessage{
		{msgDataspace, 0, space},
		{msgDatatype, wConstant, d.typeBody},
		{msgFill, wConstant, encFill(d.spec.Type, d.layout, d.spec.Fill)},
	}
	if len(d.spec.Filters) > 0 {
		body, err := encFilters(d.spec.Filters)
		if err != nil {
			return nil, err
		}
		m = append(m, wMessage{msgFilters, wConstant, body})
	}
	switch d.layout {
	case Compact:
		m = append(m, wMessage{msgLayout, 0, encCompact(d.slab)})
	case Chunked:
		m = append(m, wMessage{msgLayout, 0, encChunked(d.addr, d.spec.Chunk, d.spec.Type.Size)})
	default:
		m = append(m, wMessage{msgLayout, 0, encContiguous(d.addr, d.limit)})
	}
	return m, nil
}

func (d *DatasetWriter) finish() ([]wMessage, error) {
	if err := d.writeTree(); err != nil {
		return nil, err
	}
	return d.messages()
}
