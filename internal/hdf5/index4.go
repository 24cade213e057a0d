package hdf5

import (
	"math/bits"
	"slices"
)

// The chunk indexes of the newer layout message: specification, section
// IV.A.2.i, version 4, and appendix C.
const (
	indexSingle     = 1
	indexImplicit   = 2
	indexFixed      = 3
	indexExtensible = 4
	indexTree2      = 5
)

// v4Index is the part of a layout message, version 4, that says how chunks are
// found. What else the indexes were made with they repeat themselves.
type v4Index struct {
	kind       uint8
	rawEdges   bool // see unfiltered
	addr       uint64
	filtered   bool // single chunk: its size and mask are known
	singleSize uint64
	singleMask uint32
}

// parseV4Index reads the index's type, parameters and address; the cursor
// stands behind the chunk dimensions.
func parseV4Index(c *cursor, f *File, flags uint8) (v4Index, error) {
	ix := v4Index{kind: c.u8(), rawEdges: flags&1 != 0}
	switch ix.kind {
	case indexSingle:
		if ix.filtered = flags&2 != 0; ix.filtered {
			ix.singleSize, ix.singleMask = c.uint(f.sb.lengthSize), c.u32()
		}
	case indexImplicit:
	case indexFixed:
		c.skip(1) // page bits
	case indexExtensible:
		c.skip(5) // bits, elements of the index block, pointers, elements, page bits
	case indexTree2:
		c.skip(6) // node size, percentages of split and merge
	default:
		if !c.bad {
			return ix, unsupportedf("chunk index of type %d", ix.kind)
		}
	}
	ix.addr = c.addr(f.sb.offsetSize)
	return ix, c.err("chunk index of a layout message")
}

// unfiltered reports whether a chunk of a filtered dataset was stored as it is,
// whatever its mask says, because it reaches past the extent dims.
func (ix *v4Index) unfiltered(number uint64, grid, dims, chunk []uint64) bool {
	if !ix.rawEdges {
		return false
	}
	for i, n := range slices.Backward(grid) {
		if (number%n+1)*chunk[i] > dims[i] {
			return true
		}
		number /= n
	}
	return false
}

// readV4Index calls add for each chunk that was written and lies within grid,
// the chunks per dimension of the current extent; maxGrid is the same of the
// largest extent, Unlimited where there is no bound.
func (f *File) readV4Index(ix v4Index, grid, maxGrid []uint64, chunkBytes uint64, filtered bool, add func(chunkRef) error) error {
	if ix.addr == undefined || len(grid) == 0 {
		return nil
	}
	if len(grid) != len(maxGrid) {
		return corruptf("chunk grid of %d dimensions within one of %d", len(grid), len(maxGrid))
	}
	for i, n := range grid {
		if n == 0 {
			return nil
		}
		if n > maxGrid[i] {
			return corruptf("%d chunks in dimension %d, at most %d are allowed", n, i, maxGrid[i])
		}
	}
	r := &chunkIndex{f: f, grid: grid, filtered: filtered, bytes: chunkBytes, add: add}
	switch ix.kind {
	case indexSingle:
		ref := chunkRef{addr: ix.addr, size: chunkBytes}
		if ix.filtered {
			ref.size, ref.mask = ix.singleSize, ix.singleMask
		}
		return add(ref)
	case indexImplicit:
		return r.implicit(ix.addr, maxGrid)
	case indexFixed:
		return r.fixedArray(ix.addr, maxGrid)
	case indexExtensible:
		return r.extensibleArray(ix.addr, maxGrid)
	}
	return r.tree(ix.addr)
}

// chunkIndex reads one index.
type chunkIndex struct {
	f        *File
	grid     []uint64
	filtered bool
	bytes    uint64
	add      func(chunkRef) error

	// An array numbers its elements in a grid of its own, of which the first
	// dimension is the slowest: order[i] is the dimension of the dataset that is
	// the i-th of the array.
	order []int
	wide  []uint64 // chunks per dimension, in the order of the array
	elem  int      // bytes of an element
	total uint64   // elements in the array

	heap   uint64 // address of the array's header, which each block repeats
	client uint8
}

// setOrder prepares the numbering of an array whose slowest dimension is first,
// and which else follows the order of the dataset.
func (r *chunkIndex) setOrder(first int, maxGrid []uint64) {
	r.order = append(r.order, first)
	for i := range maxGrid {
		if i != first {
			r.order = append(r.order, i)
		}
	}
	for _, i := range r.order {
		r.wide = append(r.wide, maxGrid[i])
	}
}

// element passes on what the element of an array says about a chunk.
func (r *chunkIndex) element(n uint64, c *cursor) error {
	ref := chunkRef{addr: c.addr(r.f.sb.offsetSize), size: r.bytes}
	if r.filtered {
		ref.size = c.uint(r.elem - r.f.sb.offsetSize - 4)
		ref.mask = c.u32()
	}
	if ref.addr == undefined {
		return nil
	}
	return r.place(n, ref)
}

// place finds the number of an array's element n in the grid of the current
// extent; a chunk outside was cut off by a resize.
func (r *chunkIndex) place(n uint64, ref chunkRef) error {
	var at [maxRank]uint64
	for i := len(r.order) - 1; i > 0; i-- {
		at[r.order[i]] = n % r.wide[i]
		n /= r.wide[i]
	}
	at[r.order[0]] = n
	for i, extent := range r.grid {
		if at[i] >= extent {
			return nil
		}
		ref.number = ref.number*extent + at[i]
	}
	return r.add(ref)
}

// checkElement checks the size of the elements of an array or the part of a
// record that is like one.
func (r *chunkIndex) checkElement(what string) error {
	width := r.elem - r.f.sb.offsetSize
	if r.filtered {
		width -= 4 // the mask; what remains is the size, whose width varies
		if width >= 1 && width <= 8 {
			return nil
		}
	} else if width == 0 {
		return nil
	}
	return corruptf("%s: elements of %d bytes", what, r.elem)
}

// implicit has no index at all: the chunks lie one behind the other.
func (r *chunkIndex) implicit(addr uint64, maxGrid []uint64) error {
	if r.filtered {
		return corruptf("implicit chunk index of filtered chunks")
	}
	r.setOrder(0, maxGrid)
	n, ok := product(maxGrid)
	hi, size := bits.Mul64(n, r.bytes)
	if !ok || hi != 0 {
		return corruptf("more chunks than can be counted")
	}
	if _, err := r.f.span(addr, size); err != nil {
		return err
	}
	for i := range n {
		if err := r.place(i, chunkRef{addr: addr + i*r.bytes, size: r.bytes}); err != nil {
			return err
		}
	}
	return nil
}

// span checks that n bytes at an address lie within the file.
func (f *File) span(addr, n uint64) (span, error) {
	if addr > undefined-f.sb.base {
		return span{}, corruptf("address %d", addr)
	}
	return span{addr, n}, f.src.check(f.sb.base+addr, n)
}

// tree reads a version 2 B-tree of chunks.
func (r *chunkIndex) tree(addr uint64) error {
	kind, what := uint8(10), "B-tree of chunks"
	if r.filtered {
		kind = 11
	}
	read := uint64(0)
	return r.f.walkTree2(addr, kind, func(rec []byte) error {
		if read += uint64(len(rec)); read > uint64(r.f.src.size) {
			return corruptf("%s with a loop", what)
		}
		r.elem = len(rec) - 8*len(r.grid)
		if err := r.checkElement(what); err != nil {
			return err
		}
		c := &cursor{b: rec}
		ref := chunkRef{addr: c.addr(r.f.sb.offsetSize), size: r.bytes}
		if r.filtered {
			ref.size, ref.mask = c.uint(r.elem-r.f.sb.offsetSize-4), c.u32()
		}
		inside := true
		for _, extent := range r.grid {
			at := c.uint(8)
			inside = inside && at < extent
			ref.number = ref.number*extent + at
		}
		if !inside || ref.addr == undefined {
			return nil
		}
		return r.add(ref)
	})
}
