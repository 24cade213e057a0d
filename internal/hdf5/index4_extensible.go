package hdf5

// extensible is an extensible array: specification, section VII.D. Its first
// elements lie in the index block. The others lie in data blocks, which grow:
// they are grouped into super blocks, of which number u has 2^(u/2) data blocks
// of 2^((u+1)/2) times the smallest size. The data blocks of the first super
// blocks are listed in the index block, the others in blocks of their own.
type extensible struct {
	*chunkIndex
	offset   uint64 // bytes of an element's number
	supers   int    // super blocks
	inIndex  uint64 // elements in the index block
	least    uint64 // elements in the smallest data block
	pointers uint64 // data blocks per super block from which on it is a block of its own
	perPage  uint64 // elements in a page of the data blocks that have pages
}

const whatExtensible = "extensible array"

// extensibleArray reads the index of datasets of which one dimension has no
// bound. That dimension is the slowest of the array.
func (r *chunkIndex) extensibleArray(addr uint64, maxGrid []uint64) error {
	free := -1
	for i, n := range maxGrid {
		if n != Unlimited {
			continue
		}
		if free >= 0 {
			return corruptf("%s for a dataset with two unlimited dimensions", whatExtensible)
		}
		free = i
	}
	if free < 0 {
		return corruptf("%s for a dataset without an unlimited dimension", whatExtensible)
	}
	r.setOrder(free, maxGrid)

	l := r.f.sb.lengthSize
	c, err := r.begin(addr, 16+uint64(6*l+r.f.sb.offsetSize), "EAHD", whatExtensible)
	if err != nil {
		return err
	}
	bits := int(c.u8())
	a := &extensible{
		chunkIndex: r, offset: uint64(bits+7) / 8,
		inIndex: uint64(c.u8()), least: uint64(c.u8()), pointers: uint64(c.u8()),
	}
	pageBits := c.u8()
	c.skip(4 * l) // statistics
	r.total = c.uint(l)
	c.skip(l)
	index := c.addr(r.f.sb.offsetSize)
	if err := c.err(whatExtensible); err != nil {
		return err
	}
	if bits < 1 || bits > 56 || pageBits > 56 || !powerOf2(a.least) || log2(a.least) > bits ||
		!powerOf2(a.pointers) || r.total > 1<<bits {
		return corruptf("%s of 2^%d elements, in blocks of at least %d and pages of 2^%d", whatExtensible, bits, a.least, pageBits)
	}
	a.supers = 1 + bits - log2(a.least)
	a.perPage = 1 << pageBits
	if index == undefined {
		return nil
	}
	return a.indexBlock(index)
}

// super is the number of data blocks in super block u, and of elements in each.
func (a *extensible) super(u int) (blocks, each uint64) {
	return 1 << (u / 2), a.least << ((u + 1) / 2)
}

func (a *extensible) indexBlock(addr uint64) error {
	o := uint64(a.f.sb.offsetSize)
	listed := min(2*log2(a.pointers), a.supers) // super blocks that have no block of their own
	addresses := uint64(a.supers - listed)
	for u := range listed {
		n, _ := a.super(u)
		addresses += n
	}
	c, err := a.block(addr, a.head()+a.inIndex*uint64(a.elem)+addresses*o+4, "EAIB", whatExtensible)
	if err != nil {
		return err
	}
	first := &cursor{b: c.bytes(int(a.inIndex) * a.elem)}
	if err := a.elements(first, 0, a.inIndex); err != nil {
		return err
	}
	from, before := a.inIndex, uint64(0)
	for u := range a.supers {
		blocks, each := a.super(u)
		if u >= listed {
			if err := a.superBlock(c.addr(int(o)), u, from); err != nil {
				return err
			}
			from += blocks * each
			continue
		}
		start := from - a.inIndex
		for range blocks {
			// The HDF5 library numbers these blocks as if those of the earlier
			// super blocks were as large.
			d := dataBlock{from: from, n: each, other: start + before*each}
			if err := a.dataBlock(c.addr(int(o)), d); err != nil {
				return err
			}
			from += each
			before++
		}
	}
	return c.err(whatExtensible)
}

// numbered checks the number in a block's head: of its first element, without
// those in the index block. other is another number that is right, too.
func (a *extensible) numbered(c *cursor, from, other uint64) error {
	if n := c.uint(int(a.offset)); n != from-a.inIndex && n != other {
		return corruptf("%s: block of elements from %d where %d was expected", whatExtensible, n, from-a.inIndex)
	}
	return nil
}

// superBlock reads super block u, whose first element has the number from.
func (a *extensible) superBlock(addr uint64, u int, from uint64) error {
	if addr == undefined || from >= a.total {
		return nil
	}
	blocks, each := a.super(u)
	o := uint64(a.f.sb.offsetSize)
	pages, mapBytes := uint64(0), uint64(0)
	if each > a.perPage {
		pages = each / a.perPage
		mapBytes = blocks * ((pages + 7) / 8)
	}
	c, err := a.block(addr, a.head()+a.offset+mapBytes+blocks*o+4, "EASB", whatExtensible)
	if err != nil {
		return err
	}
	if err := a.numbered(c, from, from-a.inIndex); err != nil {
		return err
	}
	written := c.bytes(int(mapBytes))
	for i := range blocks {
		// The bits of all blocks follow one another without gaps, although the
		// map has room for whole bytes.
		d := dataBlock{from: from + i*each, n: each, written: written, firstBit: i * pages}
		d.other = d.from - a.inIndex
		if err := a.dataBlock(c.addr(int(o)), d); err != nil {
			return err
		}
	}
	return c.err(whatExtensible)
}

// dataBlock is n elements from a number on. If these are in pages then written
// says, from firstBit on, which pages were written.
type dataBlock struct {
	from, n, other uint64
	written        []byte
	firstBit       uint64
}

func (a *extensible) dataBlock(addr uint64, d dataBlock) error {
	if addr == undefined || d.from >= a.total {
		return nil
	}
	size := a.head() + a.offset + 4
	paged := d.n > a.perPage
	if !paged {
		size += d.n * uint64(a.elem)
	} else if len(d.written) == 0 {
		return corruptf("%s: pages in a block of %d elements", whatExtensible, d.n)
	}
	c, err := a.block(addr, size, "EADB", whatExtensible)
	if err != nil {
		return err
	}
	if err := a.numbered(c, d.from, d.other); err != nil {
		return err
	}
	if !paged {
		return a.elements(c, d.from, d.n)
	}
	for i := range d.n / a.perPage {
		if !bit(d.written, d.firstBit+i) {
			continue
		}
		at := addr + size + i*(a.perPage*uint64(a.elem)+4)
		if err := a.page(at, d.from+i*a.perPage, a.perPage); err != nil {
			return err
		}
	}
	return nil
}
