package hdf5

import (
	"bytes"
	"context"
	"slices"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// wCopyDepth is how deep groups may nest in what is copied.
const wCopyDepth = 1000

// wCopyBlock is how much of a contiguous dataset is copied at a time.
const wCopyBlock = 4 << 20

// Copier copies objects from files that are read into a file that is written.
// Compressed chunks are carried over bit for bit; datatypes, shapes, filters,
// fill values, attributes and hard and soft links stay; references lead to the
// copies. The source files must stay open until the writer is closed.
type Copier struct {
	// Skip, if set, leaves out the objects for whose path in the source it
	// returns true, with all that is in them.
	Skip func(path string) bool
	// Respec, if set, may change the chunks and filters of a dataset that is to be
	// copied, and returns true if it did: its elements are then encoded anew.
	Respec func(src *Dataset, spec *DatasetSpec) bool

	w      *Writer
	copies map[wSource]ObjectWriter
	moved  map[*File]uint64 // bytes of variable-length data copied
	lost   []string
}

// wSource identifies an object of a file that is read.
type wSource struct {
	file *File
	addr uint64
}

// NewCopier copies into the file of w.
func NewCopier(w *Writer) *Copier {
	return &Copier{w: w, copies: make(map[wSource]ObjectWriter), moved: make(map[*File]uint64)}
}

func sourceOf(o Object) wSource {
	switch o := o.(type) {
	case *Group:
		return wSource{o.file, o.Addr()}
	case *Dataset:
		return wSource{o.file, o.Addr()}
	case *NamedType:
		return wSource{o.file, o.Addr()}
	}
	return wSource{nil, o.Addr()}
}

// Stands declares that dst takes the place of src, which the caller did not copy
// as a whole: references to src will lead to dst.
func (c *Copier) Stands(dst ObjectWriter, src Object) { c.copies[sourceOf(src)] = dst }

// Lost lists the attributes and datasets with references to objects that were
// not copied, after [Writer.Close]; they were written as null references.
func (c *Copier) Lost() []string { return c.lost }

// Copy adds a copy of o to a group under a name. An object that was copied
// before becomes a second link to its copy.
func (c *Copier) Copy(ctx context.Context, dst *GroupWriter, name string, o Object) error {
	return c.copy(ctx, dst, name, o, 0)
}

func (c *Copier) copy(ctx context.Context, dst *GroupWriter, name string, o Object, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if depth > wCopyDepth {
		return c.w.wrap(o.Path(), wInvalidf("groups nest deeper than %d", wCopyDepth))
	}
	if done, ok := c.copies[sourceOf(o)]; ok {
		return dst.HardLink(name, done)
	}
	switch o := o.(type) {
	case *Group:
		g, err := dst.CreateGroup(name)
		if err != nil {
			return err
		}
		c.Stands(g, o)
		if err := c.CopyAttrs(g, o); err != nil {
			return err
		}
		return c.members(ctx, g, o, depth)
	case *Dataset:
		d, err := c.CopyData(ctx, dst, name, o)
		if err != nil {
			return err
		}
		c.Stands(d, o)
		return c.CopyAttrs(d, o)
	case *NamedType:
		t, err := dst.CommitType(name, o.Type)
		if err != nil {
			return err
		}
		c.Stands(t, o)
		return c.CopyAttrs(t, o)
	}
	return c.w.wrap(o.Path(), unsupportedf("copying a %T", o))
}

func (c *Copier) members(ctx context.Context, dst *GroupWriter, src *Group, depth int) error {
	links, err := src.Links()
	if err != nil {
		return err
	}
	for _, l := range links {
		path := join(src.path, l.Name)
		if c.Skip != nil && c.Skip(path) {
			continue
		}
		switch l.Kind {
		case LinkHard:
			o, err := src.file.object(l.Addr, path)
			if err != nil {
				return err
			}
			if err := c.copy(ctx, dst, l.Name, o, depth+1); err != nil {
				return err
			}
		case LinkSoft:
			if err := dst.SoftLink(l.Name, l.Target); err != nil {
				return err
			}
		default:
			return src.file.fail(path, unsupportedf("copying a link into another file (%s of %s)", l.Target, l.File))
		}
	}
	return nil
}

// CopyAttrs gives dst the attributes of src, but for those in except.
func (c *Copier) CopyAttrs(dst ObjectWriter, src Object, except ...string) error {
	attrs, err := src.Attrs()
	if err != nil {
		return err
	}
	for _, a := range attrs {
		if slices.Contains(except, a.Name) {
			continue
		}
		d, err := a.Data()
		if err != nil {
			return err
		}
		v, err := c.value(d)
		if err != nil {
			return err
		}
		if err := dst.SetAttr(a.Name, v); err != nil {
			return err
		}
	}
	return nil
}

// value is d with what it refers to.
func (c *Copier) value(d *Data) (Value, error) {
	v := Value{typ: d.Type, space: d.Space, raw: d.raw}
	if !wMoves(d.Type) {
		return v, nil
	}
	v.raw = append([]byte(nil), d.raw...)
	m := wMover{c: c, heap: d.file.newHeapReader(), path: d.path}
	err := m.elements(d.Type, v.raw, &v.fixes)
	return v, d.fail(err)
}

// wMoves reports whether elements of type t hold addresses, which differ from
// file to file.
func wMoves(t *Datatype) bool { return t.wHas(ClassVLen) || t.wHas(ClassReference) }

// CopyData adds a copy of a dataset without its attributes, which the caller
// sets. References to src do not lead to the copy unless it [Copier.Stands].
func (c *Copier) CopyData(ctx context.Context, dst *GroupWriter, name string, src *Dataset) (*DatasetWriter, error) {
	spec := wSpecOf(src)
	moves := wMoves(src.Type)
	if src.Layout == Virtual || src.outside {
		return nil, src.fail(src.readable())
	}
	if moves && wEncodable(spec.Filters) != nil {
		spec.Filters = filter.Pipeline{Deflate(4)}
	}
	if c.Respec != nil && !src.Type.wHas(ClassReference) && c.Respec(src, &spec) {
		return c.encode(ctx, dst, name, src, spec, Subset{})
	}
	d, err := dst.CreateDataset(name, spec)
	if err != nil {
		return nil, err
	}
	switch {
	case moves && src.Type.wHas(ClassReference):
		// What is referred to may be copied later.
		c.w.deferred = append(c.w.deferred, func() error {
			err := c.move(context.Background(), d, src)
			if err == nil {
				err = d.Close()
			}
			if err != nil {
				return c.w.stop(d.path, err)
			}
			return nil
		})
		return d, nil
	case moves:
		err = c.move(ctx, d, src)
	case src.Layout == Chunked:
		err = c.chunks(ctx, d, src)
	case src.Layout == Compact && !src.Space.Null:
		err = d.Append(ctx, src.compact[:d.limit])
	case src.addr != undefined && !src.Space.Null:
		err = c.contiguous(ctx, d, src)
	}
	if err != nil {
		return nil, err
	}
	return d, d.Close()
}

// wSpecOf is the spec of a dataset like src.
func wSpecOf(src *Dataset) DatasetSpec {
	spec := DatasetSpec{
		Type: src.Type, Dims: src.Space.Dims, MaxDims: src.Space.MaxDims, Null: src.Space.Null,
		Fill: src.fill, Compact: src.Layout == Compact && !src.Space.Null, Sparse: true,
	}
	if wMoves(src.Type) {
		// libhdf5 never reads what a fill value of such a type would point at.
		spec.Fill = nil
	}
	if src.Layout == Chunked {
		spec.Chunk, spec.Filters = src.chunk, src.filters
	}
	return spec
}

// chunks carries the chunks over as they are.
func (c *Copier) chunks(ctx context.Context, d *DatasetWriter, src *Dataset) error {
	refs, err := src.index()
	if err != nil {
		return src.fail(err)
	}
	grid := src.grid(src.Space.Dims)
	offset := make([]uint64, len(grid))
	var stored []byte
	d.rawMode = true
	for _, r := range refs {
		n := r.number
		for i := len(grid) - 1; i >= 0; i-- {
			offset[i] = n % grid[i] * src.chunk[i]
			n /= grid[i]
		}
		if uint64(cap(stored)) < r.size {
			stored = make([]byte, r.size)
		}
		stored = stored[:r.size]
		if err := src.file.src.readFull(stored, src.file.sb.base+r.addr); err != nil {
			return src.fail(err)
		}
		if err := d.AppendRawChunk(ctx, offset, r.mask, stored); err != nil {
			return err
		}
	}
	return nil
}

func (c *Copier) contiguous(ctx context.Context, d *DatasetWriter, src *Dataset) error {
	if err := src.file.src.check(src.file.sb.base+src.addr, d.limit); err != nil {
		return src.fail(err)
	}
	element := uint64(src.Type.Size)
	block := make([]byte, min(d.limit, max(1, wCopyBlock/element)*element))
	for at := uint64(0); at < d.limit; at += uint64(len(block)) {
		block = block[:min(uint64(len(block)), d.limit-at)]
		if err := src.file.src.readFull(block, src.file.sb.base+src.addr+at); err != nil {
			return src.fail(err)
		}
		if err := d.Append(ctx, block); err != nil {
			return err
		}
	}
	return nil
}

// move copies elements that hold addresses, row by row of chunks.
func (c *Copier) move(ctx context.Context, d *DatasetWriter, src *Dataset) error {
	if src.Space.Null || d.limit == 0 && d.rowBytes == 0 || src.Layout == Contiguous && src.addr == undefined {
		return nil
	}
	if src.Layout == Chunked {
		// Nothing was written: a chunk might be larger than all of the source.
		if refs, err := src.index(); err != nil || len(refs) == 0 {
			return src.fail(err)
		}
	}
	rows, step := uint64(1), uint64(1)
	if len(src.Space.Dims) > 0 {
		rows = src.Space.Dims[0]
		step = max(1, wCopyBlock/max(1, d.rowBytes))
		if src.Layout == Chunked { // so that no chunk is decoded twice
			step = (step + src.chunk[0] - 1) / src.chunk[0] * src.chunk[0]
		}
	}
	for lo := uint64(0); lo < rows; lo += step {
		data, err := src.read(ctx, lo, min(rows, lo+step))
		if err != nil {
			return err
		}
		v, err := c.value(data)
		if err != nil {
			return err
		}
		b, err := c.w.encodePatched(nil, v.raw, v.fixes)
		if err != nil {
			return c.w.stop(d.path, err)
		}
		if err := d.Append(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// wMover collects what elements refer to.
type wMover struct {
	c    *Copier
	heap *heapReader
	path string
}

// elements adds patches for all elements of type t in raw and clears what they
// replace.
func (m *wMover) elements(t *Datatype, raw []byte, fixes *[]wPatch) error {
	for off := 0; off+t.Size <= len(raw); off += t.Size {
		if err := m.element(t, raw, off, fixes); err != nil {
			return err
		}
	}
	return nil
}

func (m *wMover) element(t *Datatype, raw []byte, off int, fixes *[]wPatch) error {
	switch t.Class {
	case ClassCompound:
		for _, f := range t.Members {
			if !wMoves(f.Type) {
				continue
			}
			if err := m.element(f.Type, raw, off+f.Offset, fixes); err != nil {
				return err
			}
		}
	case ClassArray:
		if !wMoves(t.Base) {
			return nil
		}
		for k := 0; k+t.Base.Size <= t.Size; k += t.Base.Size {
			if err := m.element(t.Base, raw, off+k, fixes); err != nil {
				return err
			}
		}
	case ClassVLen:
		text, n, ok, err := m.heap.item(raw[off : off+t.Size])
		if err != nil {
			return err
		}
		clear(raw[off : off+t.Size])
		if !ok {
			return nil
		}
		size, fits := product([]uint64{uint64(n), uint64(t.Base.Size)})
		if !fits || size > uint64(len(text)) {
			return corruptf("%d elements in a heap object of %d bytes", n, len(text))
		}
		// Elements that share their data would make a small file a huge one.
		f := m.heap.f
		if m.c.moved[f] += size; m.c.moved[f] > uint64(f.src.size) {
			return corruptf("variable-length data overlap")
		}
		p := wPatch{off: off, data: wStringBytes(text[:size]), count: int(n)}
		if wMoves(t.Base) {
			p.data = bytes.Clone(p.data)
			if err := m.elements(t.Base, p.data, &p.sub); err != nil {
				return err
			}
		}
		*fixes = append(*fixes, p)
	case ClassReference:
		if t.RefType != RefObject {
			return unsupportedf("copying references other than to objects")
		}
		addr := (&cursor{b: raw[off : off+t.Size]}).addr(m.heap.f.sb.offsetSize)
		clear(raw[off : off+t.Size])
		if addr == 0 || addr == undefined {
			return nil
		}
		c, source, path := m.c, wSource{m.heap.f, addr}, m.path
		*fixes = append(*fixes, wPatch{off: off, ref: func(*Writer) (uint64, error) {
			if o, ok := c.copies[source]; ok {
				return o.Address()
			}
			if n := len(c.lost); n == 0 || c.lost[n-1] != path {
				c.lost = append(c.lost, path)
			}
			return 0, nil
		}})
	}
	return nil
}
