package hdf5

import "math/bits"

// walkTree2 calls fn with each record of a version 2 B-tree, in its order.
func (f *File) walkTree2(addr uint64, kind uint8, fn func(rec []byte) error) error {
	o, l := uint64(f.sb.offsetSize), uint64(f.sb.lengthSize)
	b, err := f.at(addr, 22+o+l)
	if err != nil {
		return err
	}
	if !sameMagic(b, "BTHD") {
		return corruptf("no version 2 B-tree at address %d", addr)
	}
	if b, err = verify(b, "version 2 B-tree header"); err != nil {
		return err
	}
	c := &cursor{b: b, pos: 4}
	if v := c.u8(); v != 0 {
		return unsupportedf("version 2 B-tree, header version %d", v)
	}
	t := &tree2{f: f, kind: c.u8(), fn: fn}
	if t.kind != kind {
		return corruptf("version 2 B-tree of type %d, expected %d", t.kind, kind)
	}
	t.nodeSize, t.recSize = uint64(c.u32()), int(c.u16())
	depth := int(c.u16())
	c.skip(2)
	root := c.addr(f.sb.offsetSize)
	n := uint64(c.u16())
	if err := c.err("version 2 B-tree header"); err != nil {
		return err
	}
	if t.recSize == 0 || depth > maxTreeDepth || t.nodeSize < 16 {
		return corruptf("version 2 B-tree of depth %d with nodes of %d bytes and records of %d", depth, t.nodeSize, t.recSize)
	}
	if root == undefined || n == 0 {
		return nil
	}
	t.plan(depth)
	return t.walk(root, n, depth)
}

type tree2 struct {
	f        *File
	kind     uint8
	nodeSize uint64
	recSize  int
	fn       func([]byte) error
	visited  int

	// For a node at depth d: the width of its children's record counts, and of
	// the counts of all records below them.
	countWidth []int
	totalWidth []int
}

// plan computes how wide the counts are that internal nodes store: wide enough
// for the most records that fit in a child.
func (t *tree2) plan(depth int) {
	const overhead = 10 // signature, version, type, checksum
	most := (t.nodeSize - overhead) / uint64(t.recSize)
	total := most
	t.countWidth, t.totalWidth = make([]int, depth+1), make([]int, depth+1)
	w := byteWidth(most)
	for d := 1; d <= depth; d++ {
		t.countWidth[d] = w
		pointer := t.f.sb.offsetSize + w
		if d > 1 {
			t.totalWidth[d] = byteWidth(total)
			pointer += t.totalWidth[d]
		}
		in := uint64(0) // a node too small for a pointer is refused when it is read
		if room := t.nodeSize - overhead; room > uint64(pointer) {
			in = (room - uint64(pointer)) / uint64(t.recSize+pointer)
		}
		hi, lo := bits.Mul64(in+1, total)
		if hi != 0 || lo > 1<<62 {
			lo = 1 << 62
		}
		total = lo + in
	}
}

// byteWidth is how many bytes hold n.
func byteWidth(n uint64) int { return max(1, (bits.Len64(n)+7)/8) }

func (t *tree2) walk(addr, n uint64, depth int) error {
	if t.visited++; t.visited > maxLinks {
		return corruptf("version 2 B-tree of more than %d nodes", maxLinks)
	}
	if n > t.nodeSize/uint64(t.recSize) {
		return corruptf("version 2 B-tree node of %d records", n)
	}
	magic, size := "BTLF", 6+n*uint64(t.recSize)
	if depth > 0 {
		magic = "BTIN"
		size += (n + 1) * uint64(t.f.sb.offsetSize+t.countWidth[depth]+t.totalWidth[depth])
	}
	if size+4 > t.nodeSize {
		return corruptf("version 2 B-tree node of %d records", n)
	}
	b, err := t.f.at(addr, size+4)
	if err != nil {
		return err
	}
	if !sameMagic(b, magic) || b[5] != t.kind {
		return corruptf("no %s node at address %d", magic, addr)
	}
	if b, err = verify(b, "version 2 B-tree node"); err != nil {
		return err
	}
	c := &cursor{b: b, pos: 6}
	recs := c.bytes(int(n) * t.recSize)
	for i := range int(n) + 1 {
		if depth > 0 {
			child := c.addr(t.f.sb.offsetSize)
			count := c.uint(t.countWidth[depth])
			c.skip(t.totalWidth[depth])
			if err := t.walk(child, count, depth-1); err != nil {
				return err
			}
		}
		if i < int(n) {
			if err := t.fn(recs[i*t.recSize : (i+1)*t.recSize]); err != nil {
				return err
			}
		}
	}
	return nil
}
