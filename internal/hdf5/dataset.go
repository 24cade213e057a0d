package hdf5

import (
	"fmt"
	"math"
	"sync"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// Layout is how the elements of a dataset are stored.
type Layout uint8

// The layouts.
const (
	Compact    Layout = 0 // within the object header
	Contiguous Layout = 1
	Chunked    Layout = 2
	Virtual    Layout = 3
)

// Dataset is an HDF5 dataset. Opening one reads its header only.
type Dataset struct {
	object
	Type   *Datatype
	Space  Space
	Layout Layout

	filters filter.Pipeline
	fill    []byte // one element, nil for zeros
	compact []byte
	addr    uint64   // contiguous data, or the chunk index
	size    uint64   // bytes of contiguous data
	chunk   []uint64 // chunk dimensions, without the element size
	v4      *v4Index
	outside bool // in files with external storage the data lie elsewhere

	once   sync.Once
	chunks []chunkRef
	err    error
	cache  chunkCache
}

// Chunk is the shape of a chunk, nil for a dataset that is not chunked.
func (d *Dataset) Chunk() []uint64 { return d.chunk }

// Filters is the pipeline that each chunk went through when it was written.
func (d *Dataset) Filters() filter.Pipeline { return d.filters }

func (d *Dataset) init() error {
	for _, m := range d.hdr.messages {
		var err error
		if m.shared() && m.kind != msgDatatype && m.kind != msgAttribute {
			return unsupportedf("shared header message of type %d; h5repack rewrites the file without them", m.kind)
		}
		switch m.kind {
		case msgDataspace:
			d.Space, err = d.file.parseSpace(m.body)
		case msgDatatype:
			d.Type, err = d.file.datatype(m.body, m.shared(), 0)
		case msgFilters:
			d.filters, err = parseFilters(m.body)
		case msgFillOld:
			if d.fill == nil {
				c := &cursor{b: m.body}
				d.fill = c.bytes(int(c.u32()))
				err = c.err("fill value message")
			}
		case msgFill:
			d.fill, err = parseFill(m.body)
		case msgLayout:
			err = d.parseLayout(m.body)
		case msgExternal:
			d.outside = true
		}
		if err != nil {
			return err
		}
	}
	if d.Type == nil {
		return corruptf("dataset without a datatype")
	}
	return d.check()
}

// check holds the parts of the header against one another and the file.
func (d *Dataset) check() error {
	if d.fill != nil && len(d.fill) != d.Type.Size {
		if len(d.fill) != 0 {
			return corruptf("fill value of %d bytes for elements of %d", len(d.fill), d.Type.Size)
		}
		d.fill = nil
	}
	n, _ := d.Space.Elements()
	total, ok := product([]uint64{n, uint64(max(1, d.Type.Size))})
	if !ok || total > math.MaxInt64 {
		return corruptf("dataset of shape %v overflows", d.Space.Dims)
	}
	total = n * uint64(d.Type.Size)
	switch d.Layout {
	case Compact:
		if uint64(len(d.compact)) < total {
			return corruptf("compact data of %d bytes for %d", len(d.compact), total)
		}
	case Contiguous:
		if d.addr != undefined && d.size < total {
			return corruptf("contiguous data of %d bytes for shape %v of %d-byte elements", d.size, d.Space.Dims, d.Type.Size)
		}
	case Chunked:
		if len(d.chunk) != len(d.Space.Dims) {
			return corruptf("chunks of %d dimensions in a dataset of %d", len(d.chunk), len(d.Space.Dims))
		}
		bytes, ok := product(append([]uint64{uint64(d.Type.Size)}, d.chunk...))
		if !ok || bytes == 0 || bytes > math.MaxUint32 {
			return corruptf("chunks of shape %v with %d-byte elements", d.chunk, d.Type.Size)
		}
	}
	return nil
}

func parseFilters(b []byte) (filter.Pipeline, error) {
	c := &cursor{b: b}
	version, n := c.u8(), int(c.u8())
	if version != 1 && version != 2 {
		return nil, unsupportedf("filter message version %d", version)
	}
	if n > 32 {
		return nil, corruptf("%d filters", n)
	}
	if version == 1 {
		c.skip(6)
	}
	var p filter.Pipeline
	for range n {
		var s filter.Spec
		s.ID = c.u16()
		name := 0
		if version == 1 || s.ID >= 256 {
			name = int(c.u16())
		}
		s.Optional = c.u16()&1 != 0
		values := int(c.u16())
		if version == 1 {
			name = (name + 7) / 8 * 8
		}
		s.Name = cString(c.bytes(name))
		if !c.need(4 * values) {
			break
		}
		for range values {
			s.Client = append(s.Client, c.u32())
		}
		if version == 1 && values%2 == 1 {
			c.skip(4)
		}
		p = append(p, s)
	}
	return p, c.err("filter message")
}

func parseFill(b []byte) ([]byte, error) {
	c := &cursor{b: b}
	var fill []byte
	switch version := c.u8(); version {
	case 1, 2:
		c.skip(2) // times of allocation and of filling
		if defined := c.u8(); version == 1 || defined != 0 {
			n := c.u32()
			if n == math.MaxUint32 { // "no value", as version 1 says it
				n = 0
			}
			fill = c.bytes(int(n))
		}
	case 3:
		if c.u8()&0x20 != 0 {
			fill = c.bytes(int(c.u32()))
		}
	default:
		return nil, unsupportedf("fill value message version %d", version)
	}
	return fill, c.err("fill value message")
}

func (d *Dataset) parseLayout(b []byte) error {
	f := d.file
	c := &cursor{b: b}
	version := c.u8()
	switch version {
	case 1, 2:
		rank := int(c.u8())
		d.Layout = Layout(c.u8())
		c.skip(5)
		if d.Layout != Compact {
			d.addr = c.addr(f.sb.offsetSize)
		}
		dims := make([]uint64, 0, maxRank)
		for range min(rank, maxRank+1) {
			dims = append(dims, uint64(c.u32()))
		}
		switch d.Layout {
		case Compact:
			d.compact = c.bytes(int(c.u32()))
		case Contiguous:
			// These versions store no size: the extent decides, once it is known.
			d.size = undefined >> 1
		case Chunked:
			if len(dims) < 1 {
				return corruptf("chunked layout without dimensions")
			}
			d.chunk = dims[:len(dims)-1]
		}
	case 3:
		switch d.Layout = Layout(c.u8()); d.Layout {
		case Compact:
			d.compact = c.bytes(int(c.u16()))
		case Contiguous:
			d.addr, d.size = c.addr(f.sb.offsetSize), c.uint(f.sb.lengthSize)
		case Chunked:
			rank := int(c.u8())
			d.addr = c.addr(f.sb.offsetSize)
			if rank < 1 || rank > maxRank+1 {
				return corruptf("chunks of %d dimensions", rank-1)
			}
			for range rank - 1 {
				d.chunk = append(d.chunk, uint64(c.u32()))
			}
		}
	case 4, 5:
		switch d.Layout = Layout(c.u8()); d.Layout {
		case Compact:
			d.compact = c.bytes(int(c.u16()))
		case Contiguous:
			d.addr, d.size = c.addr(f.sb.offsetSize), c.uint(f.sb.lengthSize)
		case Chunked:
			flags, rank, width := c.u8(), int(c.u8()), int(c.u8())
			if rank < 1 || rank > maxRank+1 || width < 1 || width > 8 {
				return corruptf("chunks of %d dimensions, %d bytes each", rank-1, width)
			}
			for range rank - 1 {
				d.chunk = append(d.chunk, c.uint(width))
			}
			c.skip(width)
			ix, err := parseV4Index(c, f, flags)
			if err != nil {
				return err
			}
			d.v4 = &ix
		}
	default:
		return unsupportedf("data layout message version %d", version)
	}
	if err := c.err("data layout message"); err != nil {
		return err
	}
	if d.Layout > Virtual {
		return corruptf("layout class %d", d.Layout)
	}
	return nil
}

// readable says why no data can be read, if so.
func (d *Dataset) readable() error {
	if d.outside {
		return unsupportedf("data in external files; h5repack -f GZIP=4 IN OUT brings them into one")
	}
	if d.Layout == Virtual {
		return unsupportedf("virtual dataset; h5repack -f GZIP=4 IN OUT, run where its sources are, makes one of them, or read those")
	}
	if err := d.filters.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return nil
}
