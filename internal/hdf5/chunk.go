package hdf5

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// maxInflation is the most that deflate can compress: 258 bytes in two bits.
// A chunk that claims more is refused before memory is taken for it. Other
// filters get the benefit of the doubt up to smallChunk.
const (
	maxInflation = 1032
	smallChunk   = 64 << 20
)

// chunkRef is where one chunk lies.
type chunkRef struct {
	number uint64 // position in the row-major grid of chunks
	addr   uint64
	size   uint64 // stored bytes
	mask   uint32 // filters that were skipped
}

func (d *Dataset) chunkBytes() uint64 {
	n, _ := product(d.chunk)
	return n * uint64(d.Type.Size)
}

// grid is the number of chunks in each dimension of the given extent.
func (d *Dataset) grid(dims []uint64) []uint64 {
	g := make([]uint64, len(dims))
	for i, n := range dims {
		if g[i] = Unlimited; n != Unlimited {
			g[i] = n / d.chunk[i]
			if n%d.chunk[i] != 0 {
				g[i]++
			}
		}
	}
	return g
}

// index reads the chunk index, once: each entry costs less memory than it
// takes in the file.
func (d *Dataset) index() ([]chunkRef, error) {
	d.once.Do(func() { d.chunks, d.err = d.readIndex() })
	return d.chunks, d.err
}

func (d *Dataset) readIndex() ([]chunkRef, error) {
	var refs []chunkRef
	grid := d.grid(d.Space.Dims)
	total, ok := product(grid)
	if !ok {
		return nil, corruptf("more chunks than can be counted")
	}
	stored, bytes := uint64(0), d.chunkBytes()
	add := func(r chunkRef) error {
		if r.number >= total {
			return nil // a chunk that a later resize cut off
		}
		if d.v4 != nil && d.v4.unfiltered(r.number, grid, d.Space.Dims, d.chunk) {
			r.mask = math.MaxUint32
		}
		if err := d.file.src.check(d.file.sb.base+r.addr, r.size); err != nil {
			return fmt.Errorf("chunk %d: %w", r.number, err)
		}
		if stored += r.size; stored > uint64(d.file.src.size) {
			return corruptf("the chunks overlap")
		}
		if len(d.filters) == 0 && r.size != bytes {
			return corruptf("chunk %d has %d bytes instead of %d", r.number, r.size, bytes)
		}
		if bytes > smallChunk && bytes/maxInflation > r.size {
			return corruptf("chunk %d of %d bytes is stored in %d", r.number, bytes, r.size)
		}
		refs = append(refs, r)
		return nil
	}
	var err error
	switch {
	case d.v4 != nil:
		limit := d.Space.MaxDims
		if limit == nil {
			limit = d.Space.Dims
		}
		err = d.file.readV4Index(*d.v4, grid, d.grid(limit), bytes, len(d.filters) > 0, add)
	case d.addr != undefined:
		err = d.chunkTree(d.addr, -1, grid, add)
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(refs, func(a, b chunkRef) int { return cmp.Compare(a.number, b.number) })
	for i := 1; i < len(refs); i++ {
		if refs[i].number == refs[i-1].number {
			return nil, corruptf("chunk %d occurs twice", refs[i].number)
		}
	}
	return refs, nil
}

// chunkTree walks a version 1 B-tree of chunks.
func (d *Dataset) chunkTree(addr uint64, want int, grid []uint64, add func(chunkRef) error) error {
	f := d.file
	n, level, err := f.treeNode(addr, 1, want)
	if err != nil {
		return err
	}
	key := 8 + 8*(len(d.chunk)+1)
	b, err := f.at(addr+8+uint64(2*f.sb.offsetSize), uint64(n)*uint64(key+f.sb.offsetSize))
	if err != nil {
		return err
	}
	c := &cursor{b: b}
	for range n {
		r := chunkRef{size: uint64(c.u32()), mask: c.u32()}
		inside := true
		for i, extent := range d.chunk {
			off := c.uint(8)
			if off%extent != 0 {
				return corruptf("chunk at offset %d is not a multiple of %d", off, extent)
			}
			inside = inside && off/extent < grid[i]
			r.number = r.number*grid[i] + off/extent
		}
		c.skip(8)
		r.addr = c.addr(f.sb.offsetSize)
		switch {
		case level > 0:
			err = d.chunkTree(r.addr, level-1, grid, add)
		case r.addr == undefined:
			err = corruptf("chunk at the undefined address")
		case inside:
			err = add(r)
		}
		if err != nil {
			return err
		}
	}
	return c.err("B-tree node")
}

// scratch is what one goroutine needs to decode chunks.
type scratch struct {
	dec    *filter.Decoder
	stored []byte
}

// decode reads and decodes a chunk into dst, which has the chunk's full size.
func (d *Dataset) decode(r chunkRef, s *scratch, dst []byte) error {
	f := d.file
	if len(d.filters) == 0 {
		return f.src.readFull(dst, f.sb.base+r.addr)
	}
	if uint64(cap(s.stored)) < r.size {
		s.stored = make([]byte, r.size)
	}
	s.stored = s.stored[:r.size]
	if err := f.src.readFull(s.stored, f.sb.base+r.addr); err != nil {
		return err
	}
	if err := s.dec.Decode(d.filters, r.mask, s.stored, dst); err != nil {
		return fmt.Errorf("%w: chunk %d at address %d: %w", ErrCorrupt, r.number, r.addr, err)
	}
	return nil
}

// chunkCache keeps decoded chunks of which only a part was used: the next row
// batch begins where the last one ended.
type chunkCache struct {
	mu     sync.Mutex
	chunks map[uint64][]byte
	order  []uint64
	bytes  int64
}

func (c *chunkCache) get(number uint64) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.chunks[number]
}

func (c *chunkCache) put(number uint64, b []byte, limit int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chunks == nil {
		c.chunks = make(map[uint64][]byte)
	}
	if c.chunks[number] != nil {
		return
	}
	c.chunks[number] = b
	c.order = append(c.order, number)
	c.bytes += int64(len(b))
	for len(c.order) > 1 && c.bytes > limit {
		c.bytes -= int64(len(c.chunks[c.order[0]]))
		delete(c.chunks, c.order[0])
		c.order = c.order[1:]
	}
}
