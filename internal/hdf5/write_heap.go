package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"
)

const (
	// wDescriptorSize is the size of a variable-length element in a dataset: a
	// count, the address of a global heap collection and an index in it.
	wDescriptorSize = 4 + 8 + 4

	wHeapHead = 16 // of a collection, and of each object in it
	// Collections begin at the smallest size that libhdf5 makes and double, so
	// that small files waste little and large ones have few.
	wHeapMin = 4 << 10
	wHeapMax = 64 << 10
)

// wHeap puts variable-length values into global heap collections.
type wHeap struct {
	w    *Writer
	addr uint64 // of the open collection
	buf  []byte // its content so far, nil when there is none
	size int    // its full size
	next uint16 // index of its next object
}

// put stores data, which are count elements, and appends their descriptor to
// desc. Nothing is stored for no elements.
func (h *wHeap) put(desc, data []byte, count int) ([]byte, error) {
	le := binary.LittleEndian
	if count == 0 {
		return append(desc, make([]byte, wDescriptorSize)...), nil
	}
	if uint64(count) > math.MaxUint32 || uint64(len(data)) > math.MaxUint32-wHeapMax {
		return nil, fmt.Errorf("%w: variable-length value of %d bytes", ErrTooLarge, len(data))
	}
	addr, index, err := h.store(data)
	if err != nil {
		return nil, err
	}
	desc = le.AppendUint32(desc, uint32(count))
	desc = le.AppendUint64(desc, addr)
	return le.AppendUint32(desc, uint32(index)), nil
}

func (h *wHeap) store(data []byte) (addr uint64, index uint16, err error) {
	need := wHeapHead + wPad8(len(data))
	if len(h.buf)+need > h.size {
		if need > wHeapMax/4 {
			return h.storeAlone(data)
		}
		if err := h.open(need); err != nil {
			return 0, 0, err
		}
	}
	h.buf = encHeapObject(h.buf, h.next, data)
	h.next++
	return h.addr, h.next - 1, nil
}

// open starts a new collection with room for need bytes.
func (h *wHeap) open(need int) error {
	if err := h.flush(); err != nil {
		return err
	}
	size := min(max(wHeapMin, 2*h.size), wHeapMax)
	for size < wHeapHead+need {
		size *= 2
	}
	addr, err := h.w.alloc(uint64(size))
	if err != nil {
		return err
	}
	h.addr, h.size, h.next = addr, size, 1
	h.buf = encHeapHead(h.buf[:0], size)
	return nil
}

// flush writes the open collection.
func (h *wHeap) flush() error {
	if len(h.buf) == 0 {
		return nil
	}
	err := h.w.writeAt(encHeapEnd(h.buf, h.size), h.addr)
	h.buf = h.buf[:0]
	return err
}

// storeAlone gives a large value a collection of its own, so that the open one
// goes on being filled.
func (h *wHeap) storeAlone(data []byte) (addr uint64, index uint16, err error) {
	size := max(wHeapMin, 2*wHeapHead+wPad8(len(data)))
	b := encHeapHead(make([]byte, 0, size), size)
	b = encHeapObject(b, 1, data)
	addr, err = h.w.put(encHeapEnd(b, size))
	return addr, 1, err
}

func encHeapHead(b []byte, size int) []byte {
	b = append(b, 'G', 'C', 'O', 'L', 1, 0, 0, 0)
	return binary.LittleEndian.AppendUint64(b, uint64(size))
}

func encHeapObject(b []byte, index uint16, data []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, index)
	b = append(b, 0, 0, 0, 0, 0, 0) // a reference count that nobody keeps
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	return wAppendPadded(b, data, wPad8(len(data)))
}

// encHeapEnd appends object 0, the free space, which counts its own head.
func encHeapEnd(b []byte, size int) []byte {
	free := size - len(b)
	if free >= wHeapHead {
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
		b = binary.LittleEndian.AppendUint64(b, uint64(free))
	}
	return append(b, make([]byte, size-len(b))...)
}
