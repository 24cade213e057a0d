package hdf5

import (
	"bytes"
	"strings"
)

// cString is b up to its first NUL.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// collection is a global heap collection, where variable-length values live.
type collection struct {
	text  string // its bytes; strings are cut out of it without copying
	items []heapItem
}

type heapItem struct {
	off, n uint32
	ok     bool
}

// maxHeapCache bounds the collections that are kept from one read to the next.
const maxHeapCache = 8 << 20

// readCollection reads the collection at addr, past the cache.
func (f *File) readCollection(addr uint64) (*collection, error) {
	head, err := f.at(addr, uint64(8+f.sb.lengthSize))
	if err != nil {
		return nil, err
	}
	if !sameMagic(head, "GCOL") {
		return nil, corruptf("no global heap at address %d", addr)
	}
	if head[4] != 1 {
		return nil, unsupportedf("global heap version %d", head[4])
	}
	size := (&cursor{b: head, pos: 8}).uint(f.sb.lengthSize)
	if size < uint64(len(head)) || size > 1<<32-1 {
		return nil, corruptf("global heap of %d bytes at address %d", size, addr)
	}
	if err := f.src.check(f.sb.base+addr, size); err != nil {
		return nil, err
	}
	b, err := f.at(addr, size)
	if err != nil {
		return nil, err
	}
	col := &collection{text: string(b)}
	c := &cursor{b: b, pos: len(head)}
	for len(c.rest()) >= 8+f.sb.lengthSize {
		index := int(c.u16())
		c.skip(6)
		n := c.uint(f.sb.lengthSize)
		if index == 0 {
			break // free space, always last
		}
		if n > uint64(len(c.rest())) {
			return nil, corruptf("global heap at address %d: object %d reaches past its end", addr, index)
		}
		for len(col.items) <= index {
			col.items = append(col.items, heapItem{})
		}
		col.items[index] = heapItem{uint32(c.pos), uint32(n), true}
		c.skip(int(min((n+7)/8*8, uint64(len(c.rest())))))
	}
	return col, nil
}

// heapReader follows references into global heaps during one read. What it
// has opened it keeps, because the strings it gave out share that memory; their
// sum is bounded by the size of the file, so that overlapping heaps are found
// out rather than paid for.
type heapReader struct {
	f      *File
	opened map[uint64]*collection
	bytes  uint64
	last   *collection
	lastAt uint64
}

func (f *File) newHeapReader() *heapReader {
	return &heapReader{f: f, opened: make(map[uint64]*collection)}
}

func (h *heapReader) collection(addr uint64) (*collection, error) {
	if h.last != nil && h.lastAt == addr {
		return h.last, nil
	}
	col := h.opened[addr]
	if col == nil {
		var err error
		if col, err = h.f.cachedCollection(addr); err != nil {
			return nil, err
		}
		if h.bytes += uint64(len(col.text)); h.bytes > uint64(h.f.src.size) {
			return nil, corruptf("global heaps overlap")
		}
		h.opened[addr] = col
	}
	h.last, h.lastAt = col, addr
	return col, nil
}

// item is the heap object behind a variable-length descriptor: count, address
// and index. ok is false for a null reference.
func (h *heapReader) item(desc []byte) (data string, count uint32, ok bool, err error) {
	c := &cursor{b: desc}
	count = c.u32()
	addr := c.addr(h.f.sb.offsetSize)
	index := c.u32()
	if err := c.err("variable-length element"); err != nil {
		return "", 0, false, err
	}
	if count == 0 || addr == 0 || addr == undefined {
		return "", 0, false, nil
	}
	col, err := h.collection(addr)
	if err != nil {
		return "", 0, false, err
	}
	if uint64(index) >= uint64(len(col.items)) || !col.items[index].ok {
		return "", 0, false, corruptf("global heap at address %d has no object %d", addr, index)
	}
	it := col.items[index]
	return col.text[it.off : it.off+it.n], count, true, nil
}

// str is a variable-length string: like h5py it ends at its first NUL.
func (h *heapReader) str(desc []byte) (string, error) {
	s, n, ok, err := h.item(desc)
	if err != nil || !ok {
		return "", err
	}
	if uint64(n) > uint64(len(s)) {
		return "", corruptf("string of %d bytes in a heap object of %d", n, len(s))
	}
	s = s[:n]
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	return s, nil
}

// cachedCollection keeps a few collections from one read to the next: the
// attributes of many objects share one.
func (f *File) cachedCollection(addr uint64) (*collection, error) {
	f.mu.Lock()
	col := f.heaps[addr]
	f.mu.Unlock()
	if col != nil {
		return col, nil
	}
	col, err := f.readCollection(addr)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bytes+int64(len(col.text)) > maxHeapCache {
		clear(f.heaps) // rare, and cheaper than keeping an order of use
		f.bytes = 0
	}
	if len(col.text) <= maxHeapCache {
		if f.heaps[addr] == nil {
			f.bytes += int64(len(col.text))
		}
		f.heaps[addr] = col
	}
	return col, nil
}
