package hdf5

// block reads n bytes of a block of an array, checksum included, and returns a
// cursor behind the head that all of them share.
func (r *chunkIndex) block(addr, n uint64, magic, what string) (*cursor, error) {
	b, err := r.f.at(addr, n)
	if err != nil {
		return nil, err
	}
	if !sameMagic(b, magic) {
		return nil, corruptf("no %s at address %d", what, addr)
	}
	if v := b[4]; v != 0 {
		return nil, unsupportedf("%s version %d", what, v)
	}
	if b, err = verify(b, what); err != nil {
		return nil, err
	}
	c := &cursor{b: b, pos: 5}
	if client := c.u8(); client != r.client {
		return nil, corruptf("%s at address %d is for clients of type %d, not %d", what, addr, client, r.client)
	}
	if magic[2:] == "HD" {
		return c, nil
	}
	if heap := c.addr(r.f.sb.offsetSize); heap != r.heap {
		return nil, corruptf("%s at address %d belongs to another array", what, addr)
	}
	return c, nil
}

// head is the bytes of the head of a block, without its checksum.
func (r *chunkIndex) head() uint64 { return 6 + uint64(r.f.sb.offsetSize) }

// begin opens the header of an array.
func (r *chunkIndex) begin(addr, n uint64, magic, what string) (*cursor, error) {
	r.heap = addr
	if r.filtered {
		r.client = 1
	}
	c, err := r.block(addr, n, magic, what)
	if err != nil {
		return nil, err
	}
	r.elem = int(c.u8())
	return c, r.checkElement(what)
}

// elements passes on n elements, of which the first has the number from.
func (r *chunkIndex) elements(c *cursor, from, n uint64) error {
	for i := range n {
		if from+i >= r.total {
			return nil
		}
		if err := r.element(from+i, c); err != nil {
			return err
		}
	}
	return c.err("elements of a chunk index")
}

// page reads n elements with a checksum behind them.
func (r *chunkIndex) page(addr, from, n uint64) error {
	b, err := r.f.at(addr, n*uint64(r.elem)+4)
	if err != nil {
		return err
	}
	if b, err = verify(b, "page of a chunk index"); err != nil {
		return err
	}
	return r.elements(&cursor{b: b}, from, n)
}

// bit is the i-th bit of a map, which begins with the highest of each byte.
func bit(m []byte, i uint64) bool { return m[i/8]&(0x80>>(i%8)) != 0 }

// fixedArray reads the index of datasets whose every dimension is bounded:
// specification, section VII.C.
func (r *chunkIndex) fixedArray(addr uint64, maxGrid []uint64) error {
	const what = "fixed array"
	o, l := uint64(r.f.sb.offsetSize), r.f.sb.lengthSize
	c, err := r.begin(addr, 12+o+uint64(l), "FAHD", what)
	if err != nil {
		return err
	}
	pageBits := c.u8()
	r.total = c.uint(l)
	data := c.addr(int(o))
	if err := c.err(what); err != nil {
		return err
	}
	r.setOrder(0, maxGrid)
	if n, ok := product(maxGrid); !ok || n != r.total || pageBits > 62 {
		return corruptf("%s of %d elements, in pages of 2^%d, for a grid of %v chunks", what, r.total, pageBits, maxGrid)
	}
	if data == undefined {
		return nil
	}
	// Each element takes at least a bit of the file, so that products of this
	// number do not overflow; the blocks themselves are checked as they are read.
	if _, err := r.f.span(data, r.total/8); err != nil {
		return err
	}
	perPage := uint64(1) << pageBits
	if r.total <= perPage {
		c, err := r.block(data, r.head()+r.total*uint64(r.elem)+4, "FADB", what)
		if err != nil {
			return err
		}
		return r.elements(c, 0, r.total)
	}
	// The block has pages, and a bit for each that says whether it was written.
	pages := (r.total + perPage - 1) / perPage
	size := r.head() + (pages+7)/8 + 4
	if c, err = r.block(data, size, "FADB", what); err != nil {
		return err
	}
	written := c.rest()
	for i := range pages {
		if !bit(written, i) {
			continue
		}
		from := i * perPage
		at := data + size + i*(perPage*uint64(r.elem)+4)
		if err := r.page(at, from, min(perPage, r.total-from)); err != nil {
			return err
		}
	}
	return nil
}
