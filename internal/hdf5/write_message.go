package hdf5

import (
	"encoding/binary"
	"fmt"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// wMaxMessage is the most that the 16 bits of a message's size allow, as a
// multiple of 8.
const wMaxMessage = 1<<16 - 8

// wMessage is a message of an object header.
type wMessage struct {
	kind  uint16
	flags uint8
	body  []byte
}

// wConstant marks a message that never changes, as libhdf5 marks datatypes.
const wConstant = 1

func wTooLarge(what string, n int) error {
	return fmt.Errorf("%w: %s of %d bytes; the format allows %d", ErrTooLarge, what, n, wMaxMessage)
}

// encSpace is the body of a dataspace message.
func encSpace(s Space) ([]byte, error) {
	if s.Null {
		return []byte{2, 0, 0, 2}, nil // version 1 has no null dataspace
	}
	if len(s.Dims) > maxRank {
		return nil, wInvalidf("%d dimensions; at most %d are possible", len(s.Dims), maxRank)
	}
	if s.MaxDims != nil && len(s.MaxDims) != len(s.Dims) {
		return nil, wInvalidf("%d maximum dimensions for %d dimensions", len(s.MaxDims), len(s.Dims))
	}
	b := []byte{1, byte(len(s.Dims)), 0, 0, 0, 0, 0, 0}
	for _, d := range s.Dims {
		b = binary.LittleEndian.AppendUint64(b, d)
	}
	if len(s.Dims) == 0 {
		return b, nil
	}
	b[2] = 1 // maximum dimensions follow: libhdf5 writes them always
	for i := range s.Dims {
		limit := s.Dims[i]
		if s.MaxDims != nil {
			limit = s.MaxDims[i]
		}
		if limit < s.Dims[i] {
			return nil, wInvalidf("dimension %d is %d, above its maximum %d", i, s.Dims[i], limit)
		}
		b = binary.LittleEndian.AppendUint64(b, limit)
	}
	return b, nil
}

// encFill is the body of a fill value message of version 2.
func encFill(t *Datatype, layout Layout, fill []byte) []byte {
	alloc := map[Layout]byte{Compact: 1, Contiguous: 2, Chunked: 3}[layout] // early, late, chunk by chunk
	when := byte(2)                                                         // only if the user set a value
	if t.wHas(ClassVLen) {
		when = 0 // always: an address must never be garbage
	}
	b := []byte{2, alloc, when, 1}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(fill)))
	return append(b, fill...)
}

// encFilters is the body of a filter message of version 1.
func encFilters(p filter.Pipeline) ([]byte, error) {
	if len(p) > 32 {
		return nil, wInvalidf("%d filters; at most 32 are possible", len(p))
	}
	le := binary.LittleEndian
	b := []byte{1, byte(len(p)), 0, 0, 0, 0, 0, 0}
	for _, s := range p {
		name := 0
		if s.Name != "" {
			name = wPad8(len(s.Name) + 1)
		}
		if name > wMaxMessage || len(s.Client) > wMaxMessage/4 {
			return nil, wTooLarge("filter "+s.Name, name+4*len(s.Client))
		}
		b = le.AppendUint16(b, s.ID)
		b = le.AppendUint16(b, uint16(name))
		b = le.AppendUint16(b, uint16(wBit(s.Optional, 0)))
		b = le.AppendUint16(b, uint16(len(s.Client)))
		b = wAppendPadded(b, s.Name, name)
		for _, v := range s.Client {
			b = le.AppendUint32(b, v)
		}
		if len(s.Client)%2 == 1 {
			b = append(b, 0, 0, 0, 0)
		}
	}
	if len(b) > wMaxMessage {
		return nil, wTooLarge("filter message", len(b))
	}
	return b, nil
}

// encContiguous is the body of a layout message for contiguous data.
func encContiguous(addr, size uint64) []byte {
	b := []byte{3, byte(Contiguous)}
	b = binary.LittleEndian.AppendUint64(b, addr)
	return binary.LittleEndian.AppendUint64(b, size)
}

// encCompact is the same for data within the message.
func encCompact(data []byte) []byte {
	b := []byte{3, byte(Compact)}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

// encChunked is the same for chunks indexed by the B-tree at addr.
func encChunked(addr uint64, chunk []uint64, elementSize int) []byte {
	b := []byte{3, byte(Chunked), byte(len(chunk) + 1)}
	b = binary.LittleEndian.AppendUint64(b, addr)
	for _, c := range chunk {
		b = binary.LittleEndian.AppendUint32(b, uint32(c))
	}
	return binary.LittleEndian.AppendUint32(b, uint32(elementSize))
}

// encAttrHead is an attribute message up to its value. Version 1 pads its parts
// to 8 bytes; version 3 is for names that are not ASCII and says that they are
// UTF-8.
func encAttrHead(name string, typ, space []byte) []byte {
	version := byte(1)
	for i := range len(name) {
		if name[i] >= 0x80 {
			version = 3
		}
	}
	le := binary.LittleEndian
	b := []byte{version, 0}
	b = le.AppendUint16(b, uint16(len(name)+1))
	b = le.AppendUint16(b, uint16(len(typ)))
	b = le.AppendUint16(b, uint16(len(space)))
	if version == 3 {
		b = append(b, byte(UTF8))
		b = append(append(b, name...), 0)
		return append(append(b, typ...), space...)
	}
	b = wAppendPadded(b, name, wPad8(len(name)+1))
	b = wAppendPadded(b, typ, wPad8(len(typ)))
	return wAppendPadded(b, space, wPad8(len(space)))
}
