package hdf5

import "encoding/binary"

// wTree writes a version 1 B-tree over n children that are known and sorted.
// Each node has width children but the last of its level, which has the rest.
type wTree struct {
	kind    uint8 // 0: groups, 1: chunks
	width   int
	keySize int
	// key appends the key to the left of child i; i == n gives the last one.
	key func(b []byte, i int) []byte
	// child is the address of child i.
	child func(i int) uint64
}

// write writes the tree, one level after the other from the leaves, and returns
// the address of its root. A tree without children has one empty node.
func (t *wTree) write(w *Writer, n int) (root uint64, err error) {
	le := binary.LittleEndian
	size := 24 + (t.width+1)*t.keySize + t.width*8
	size = wPad8(size)
	child, count := t.child, n // of the level below
	span := 1                  // leaves below one child
	for level := 0; ; level++ {
		nodes := max(1, (count+t.width-1)/t.width)
		first, err := w.alloc(uint64(nodes) * uint64(size))
		if err != nil {
			return 0, err
		}
		at := func(i int) uint64 { return first + uint64(i)*uint64(size) }
		buf := make([]byte, 0, size)
		for i := range nodes {
			lo, hi := i*t.width, min(count, (i+1)*t.width)
			b := append(buf[:0], 'T', 'R', 'E', 'E', t.kind, byte(level))
			b = le.AppendUint16(b, uint16(hi-lo))
			left, right := uint64(undefined), uint64(undefined)
			if i > 0 {
				left = at(i - 1)
			}
			if i+1 < nodes {
				right = at(i + 1)
			}
			b = le.AppendUint64(b, left)
			b = le.AppendUint64(b, right)
			for j := lo; j < hi; j++ {
				b = t.key(b, j*span)
				b = le.AppendUint64(b, child(j))
			}
			b = t.key(b, min(n, hi*span))
			if err := w.writeAt(append(b, make([]byte, size-len(b))...), at(i)); err != nil {
				return 0, err
			}
		}
		if nodes == 1 {
			return first, nil
		}
		child, count, span = at, nodes, span*t.width
	}
}
