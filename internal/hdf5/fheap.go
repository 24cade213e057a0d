package hdf5

import "math/bits"

// fractalHeap holds the links or attributes of one object in the newer format:
// specification, section III.G. Objects lie in a linear address space that is
// cut into direct blocks; indirect blocks arrange these in a doubling table.
//
// A heap is opened for one walk over its objects. It keeps the blocks it has
// seen, because an index visits objects in the order of their hashes, and it
// gives out each byte of the file once: an index that loops is thereby found
// out. It must not be used from several goroutines.
type fractalHeap struct {
	f       *File
	addr    uint64
	idLen   int
	offset  int    // bytes of an offset in an identifier and in a block
	length  int    // bytes of a length in an identifier
	checked bool   // direct blocks have a checksum
	maxObj  uint64 // largest managed object
	huge    uint64 // address of the B-tree of huge objects
	width   uint64 // blocks in a row of the doubling table
	start   uint64 // bytes of a block in the first two rows
	direct  uint64 // bytes of the largest direct block
	root    uint64
	rows    int // rows of the root indirect block, 0 when the root is direct

	blocks map[uint64][]byte // by the offset in the heap of a direct block
	tables map[uint64][]byte // child addresses, by the address of an indirect block
	hugeAt map[uint64]span   // huge objects, by key
	kept   uint64            // bytes in blocks and tables
	given  uint64            // bytes given out
}

// The kinds of objects, by bits 4 and 5 of an identifier.
const (
	heapManaged = 0
	heapHuge    = 1
	heapTiny    = 2
)

// fractalHeap reads the heap header at addr.
func (f *File) fractalHeap(addr uint64) (*fractalHeap, error) {
	if addr == undefined {
		return nil, corruptf("fractal heap at the undefined address")
	}
	o, l := f.sb.offsetSize, f.sb.lengthSize
	b, err := f.at(addr, uint64(26+3*o+12*l))
	if err != nil {
		return nil, err
	}
	if !sameMagic(b, "FRHP") {
		return nil, corruptf("no fractal heap at address %d", addr)
	}
	c := &cursor{b: b, pos: 4}
	if v := c.u8(); v != 0 {
		return nil, unsupportedf("fractal heap version %d", v)
	}
	h := &fractalHeap{
		f: f, addr: addr,
		blocks: make(map[uint64][]byte), tables: make(map[uint64][]byte),
	}
	h.idLen = int(c.u16())
	if n := c.u16(); n != 0 {
		return nil, unsupportedf("compressed fractal heap; h5repack rewrites the file without it")
	}
	if _, err = verify(b, "fractal heap header"); err != nil {
		return nil, err
	}
	h.checked = c.u8()&2 != 0
	h.maxObj = uint64(c.u32())
	c.skip(l) // next key of a huge object
	h.huge = c.addr(o)
	c.skip(l + o + 8*l) // free space and statistics
	h.width = uint64(c.u16())
	h.start, h.direct = c.uint(l), c.uint(l)
	maxBits := int(c.u16())
	c.skip(2) // rows that the root starts with
	h.root = c.addr(o)
	h.rows = int(c.u16())
	if err := c.err("fractal heap header"); err != nil {
		return nil, err
	}
	if maxBits == 0 || maxBits > 64 || !powerOf2(h.width) || !powerOf2(h.start) || !powerOf2(h.direct) ||
		h.start > h.direct || h.direct > 1<<32 || h.rows > 0 && h.firstBits()+h.rows-1 > maxBits {
		return nil, corruptf("fractal heap at address %d: %d rows of %d blocks of %d to %d bytes",
			addr, h.rows, h.width, h.start, h.direct)
	}
	h.offset = (maxBits + 7) / 8
	h.length = min((log2(h.direct)+7)/8, byteWidth(h.maxObj))
	return h, nil
}

func powerOf2(n uint64) bool { return n != 0 && n&(n-1) == 0 }

// log2 of a power of two; of another number, rounded down.
func log2(n uint64) int { return bits.Len64(n) - 1 }

// firstBits is the logarithm of the bytes in the first row.
func (h *fractalHeap) firstBits() int { return log2(h.start) + log2(h.width) }

// object returns the object with the identifier. The slice is shared and must
// not be written to.
func (h *fractalHeap) object(id []byte) ([]byte, error) {
	if len(id) == 0 || len(id) != h.idLen {
		return nil, corruptf("fractal heap identifier of %d bytes", len(id))
	}
	if v := id[0] >> 6; v != 0 {
		return nil, unsupportedf("fractal heap identifier version %d", v)
	}
	var b []byte
	var err error
	switch kind := id[0] >> 4 & 3; kind {
	case heapManaged:
		c := &cursor{b: id, pos: 1}
		off, n := c.uint(h.offset), c.uint(h.length)
		if err := c.err("fractal heap identifier"); err != nil {
			return nil, err
		}
		b, err = h.managed(off, n)
	case heapHuge:
		b, err = h.hugeObject(id)
	case heapTiny:
		b, err = tinyObject(id)
	default:
		return nil, unsupportedf("fractal heap object of kind %d", kind)
	}
	if err != nil {
		return nil, err
	}
	if err := h.give(uint64(len(b))); err != nil {
		return nil, err
	}
	return b, nil
}

// give counts bytes that are given out: all together they fit in the file.
func (h *fractalHeap) give(n uint64) error {
	if h.given += n; h.given > uint64(h.f.src.size) {
		return corruptf("fractal heap at address %d: its objects overlap", h.addr)
	}
	return nil
}

// tinyObject cuts out an object that lies within its identifier.
func tinyObject(id []byte) ([]byte, error) {
	n, rest := int(id[0]&15), id[1:]
	if len(rest) > 17 { // longer identifiers spend a second byte on the length
		n, rest = n<<8|int(rest[0]), rest[1:]
	}
	if n++; n > len(rest) {
		return nil, corruptf("tiny object of %d bytes in an identifier of %d", n, len(id))
	}
	return rest[:n:n], nil
}

// managed returns n bytes at an offset of the heap.
func (h *fractalHeap) managed(off, n uint64) ([]byte, error) {
	if n == 0 || n > h.maxObj {
		return nil, corruptf("fractal heap object of %d bytes", n)
	}
	base, b, err := h.directBlock(off)
	if err != nil {
		return nil, err
	}
	at := off - base
	if at < uint64(h.blockHead()) || at > uint64(len(b)) || n > uint64(len(b))-at {
		return nil, corruptf("fractal heap at address %d: object of %d bytes at %d reaches past its block", h.addr, n, off)
	}
	return b[at : at+n : at+n], nil
}

// blockHead is the bytes before the objects of a direct block.
func (h *fractalHeap) blockHead() int {
	n := 5 + h.f.sb.offsetSize + h.offset
	if h.checked {
		n += 4
	}
	return n
}

// directBlock finds the direct block that holds an offset of the heap, going
// down the doubling table: row 0 starts at 0, and row r at the size of a row
// times 2^(r−1).
func (h *fractalHeap) directBlock(off uint64) (base uint64, b []byte, err error) {
	if h.rows == 0 {
		b, err = h.readDirect(h.root, 0, h.start)
		return 0, b, err
	}
	addr, rows := h.root, h.rows
	for {
		in := off - base
		row, size, rowAt := 0, h.start, uint64(0)
		if in>>h.firstBits() != 0 {
			row = log2(in) - h.firstBits() + 1
			size <<= row - 1
			rowAt = 1 << log2(in)
		}
		if row >= rows {
			return 0, nil, corruptf("fractal heap at address %d: offset %d is outside", h.addr, off)
		}
		table, err := h.readIndirect(addr, base, rows)
		if err != nil {
			return 0, nil, err
		}
		col := (in - rowAt) / size
		base += rowAt + col*size
		o := h.f.sb.offsetSize
		c := &cursor{b: table, pos: int(uint64(row)*h.width+col) * o}
		if addr = c.addr(o); c.bad || addr == undefined {
			return 0, nil, corruptf("fractal heap at address %d: no block at offset %d", h.addr, off)
		}
		if size <= h.direct {
			b, err = h.readDirect(addr, base, size)
			return base, b, err
		}
		// Its blocks are smaller than itself, so that the way down ends.
		if rows = log2(size) - h.firstBits() + 1; rows < 1 {
			return 0, nil, corruptf("fractal heap at address %d: indirect block of %d bytes", h.addr, size)
		}
	}
}

// keep counts bytes of blocks that are kept.
func (h *fractalHeap) keep(n uint64) error {
	if h.kept += n; h.kept > uint64(h.f.src.size) {
		return corruptf("fractal heap at address %d: its blocks overlap", h.addr)
	}
	return nil
}

// prefix checks what direct and indirect blocks begin with and returns the
// cursor behind it.
func (h *fractalHeap) prefix(b []byte, magic string, addr, base uint64) (*cursor, error) {
	c := &cursor{b: b, pos: 5}
	heap, at := c.addr(h.f.sb.offsetSize), c.uint(h.offset)
	if !sameMagic(b, magic) || c.bad || b[4] != 0 {
		return nil, corruptf("no %s block at address %d", magic, addr)
	}
	if heap != h.addr || at != base {
		return nil, corruptf("%s block at address %d: it belongs to another place", magic, addr)
	}
	return c, nil
}

// readIndirect returns the child addresses of an indirect block.
func (h *fractalHeap) readIndirect(addr, base uint64, rows int) ([]byte, error) {
	if t, ok := h.tables[addr]; ok {
		return t, nil
	}
	o := uint64(h.f.sb.offsetSize)
	b, err := h.f.at(addr, 5+o+uint64(h.offset)+uint64(rows)*h.width*o+4)
	if err != nil {
		return nil, err
	}
	if err := h.keep(uint64(len(b))); err != nil {
		return nil, err
	}
	c, err := h.prefix(b, "FHIB", addr, base)
	if err != nil {
		return nil, err
	}
	if c.b, err = verify(b, "indirect block of a fractal heap"); err != nil {
		return nil, err
	}
	h.tables[addr] = c.rest()
	return c.rest(), nil
}

// readDirect returns a direct block as a whole: offsets count its head.
func (h *fractalHeap) readDirect(addr, base, size uint64) ([]byte, error) {
	if b, ok := h.blocks[base]; ok {
		return b, nil
	}
	if addr == undefined || size < uint64(h.blockHead()) {
		return nil, corruptf("fractal heap at address %d: direct block of %d bytes", h.addr, size)
	}
	b, err := h.f.at(addr, size)
	if err != nil {
		return nil, err
	}
	if err := h.keep(size); err != nil {
		return nil, err
	}
	c, err := h.prefix(b, "FHDB", addr, base)
	if err != nil {
		return nil, err
	}
	if h.checked {
		// The checksum lies in the middle and was computed with zeros there.
		flat := make([]byte, len(b))
		copy(flat, b)
		at := c.pos
		want := c.u32()
		clear(flat[at:c.pos])
		if got := lookup3(flat); got != want {
			return nil, corruptf("direct block at address %d: checksum is %08x, the file says %08x", addr, got, want)
		}
	}
	h.blocks[base] = b
	return b, nil
}

// hugeObject returns an object that lies by itself in the file. Where an
// identifier has the room it holds the address; else it is a key of a B-tree.
func (h *fractalHeap) hugeObject(id []byte) ([]byte, error) {
	o, l := h.f.sb.offsetSize, h.f.sb.lengthSize
	c := &cursor{b: id, pos: 1}
	var s span
	if o+l <= len(id)-1 {
		s = span{c.addr(o), c.uint(l)}
	} else {
		key := c.uint(min(len(id)-1, 8))
		if err := h.readHuge(); err != nil {
			return nil, err
		}
		var ok bool
		if s, ok = h.hugeAt[key]; !ok {
			return nil, corruptf("fractal heap at address %d: no huge object %d", h.addr, key)
		}
	}
	if s.n == 0 || s.n > uint64(h.f.src.size)-h.given { // before the memory is taken
		return nil, corruptf("fractal heap at address %d: huge object of %d bytes", h.addr, s.n)
	}
	return h.f.at(s.off, s.n)
}

// readHuge lists the huge objects, once: a B-tree of type 1 holds address,
// length and key of each.
func (h *fractalHeap) readHuge() error {
	if h.hugeAt != nil {
		return nil
	}
	h.hugeAt = make(map[uint64]span)
	if h.huge == undefined {
		return nil
	}
	o, l := h.f.sb.offsetSize, h.f.sb.lengthSize
	n := uint64(0)
	return h.f.walkTree2(h.huge, 1, func(rec []byte) error {
		if n += uint64(len(rec)); n > uint64(h.f.src.size) {
			return corruptf("version 2 B-tree with a loop")
		}
		c := &cursor{b: rec}
		s := span{c.addr(o), c.uint(l)}
		h.hugeAt[c.uint(l)] = s
		return c.err("record of a huge object")
	})
}
