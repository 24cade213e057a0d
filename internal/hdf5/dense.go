package hdf5

// denseLinks lists the links that a group of the newer format keeps in a
// fractal heap.
func (f *File) denseLinks(linkInfo []byte) ([]Link, error) {
	c := &cursor{b: linkInfo}
	if v := c.u8(); v != 0 && !c.bad {
		return nil, unsupportedf("link info message version %d", v)
	}
	flags := c.u8()
	if flags&1 != 0 {
		c.skip(8) // highest creation order
	}
	heap := c.addr(f.sb.offsetSize)
	index := c.addr(f.sb.offsetSize)
	if err := c.err("link info message"); err != nil {
		return nil, err
	}
	if heap == undefined {
		return nil, nil
	}
	var links []Link
	err := f.denseRecords(heap, index, 5, 4, func(b []byte) error {
		l, err := f.parseLink(b)
		links = append(links, l)
		return err
	})
	return links, err
}

// denseAttrs lists the attributes that an object of the newer format keeps in a
// fractal heap.
func (o *object) denseAttrs(attrInfo []byte) ([]*Attr, error) {
	f := o.file
	c := &cursor{b: attrInfo}
	if v := c.u8(); v != 0 && !c.bad {
		return nil, unsupportedf("attribute info message version %d", v)
	}
	flags := c.u8()
	if flags&1 != 0 {
		c.skip(2) // highest creation order
	}
	heap := c.addr(f.sb.offsetSize)
	index := c.addr(f.sb.offsetSize)
	if err := c.err("attribute info message"); err != nil {
		return nil, err
	}
	if heap == undefined {
		return nil, nil
	}
	var out []*Attr
	err := f.denseRecords(heap, index, 8, 0, func(b []byte) error {
		a, err := o.parseAttr(b)
		out = append(out, a)
		return err
	})
	return out, err
}

// denseRecords calls fn with the heap object behind each record of a version 2
// B-tree of the given type; the heap's identifier starts at idAt in a record.
func (f *File) denseRecords(heap, index uint64, kind uint8, idAt int, fn func([]byte) error) error {
	h, err := f.fractalHeap(heap)
	if err != nil {
		return err
	}
	return f.walkTree2(index, kind, func(rec []byte) error {
		if len(rec) < idAt+h.idLen {
			return corruptf("B-tree record of %d bytes", len(rec))
		}
		b, err := h.object(rec[idAt : idAt+h.idLen])
		if err != nil {
			return err
		}
		return fn(b)
	})
}
