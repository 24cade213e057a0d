package dataset

import (
	"encoding/binary"
	"errors"
)

// Types of Thrift's compact protocol
// (github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13
)

var (
	errThrift      = errors.New("its metadata is damaged")
	errThriftShort = errors.New("its metadata is cut short")
)

// thrift walks over data in Thrift's compact protocol without keeping any of it.
// The library makes room for what a list claims to hold before it reads it, and
// descends as deep as the data say, so that a file is walked first.
type thrift struct {
	b       []byte
	at      int
	structs int // how many more structures are allowed
}

// Bounds on the metadata of a file. A row group of ten columns has about 70
// structures, so that the second allows for 300 million rows and more.
const (
	maxThriftDepth   = 16
	maxThriftStructs = 1 << 23
)

func (t *thrift) byte() (byte, error) {
	if t.at >= len(t.b) {
		return 0, errThriftShort
	}
	t.at++
	return t.b[t.at-1], nil
}

func (t *thrift) uvarint() (uint64, error) {
	v, n := binary.Uvarint(t.b[t.at:])
	switch {
	case n == 0:
		return 0, errThriftShort
	case n < 0:
		return 0, errThrift
	}
	t.at += n
	return v, nil
}

func (t *thrift) varint() (int64, error) {
	v, err := t.uvarint()
	return int64(v>>1) ^ -int64(v&1), err
}

// fields calls visit for each field of a structure. It must read the value, or
// leave it, by returning false, to be walked over.
func (t *thrift) fields(depth int, visit func(id int, kind byte) (bool, error)) error {
	if t.structs--; t.structs < 0 || depth > maxThriftDepth {
		return errThrift
	}
	id := 0
	for {
		head, err := t.byte()
		if err != nil {
			return err
		}
		if head == 0 {
			return nil
		}
		if delta := int(head >> 4); delta > 0 {
			id += delta
		} else {
			v, err := t.varint()
			if err != nil {
				return err
			}
			id = int(int16(v))
		}
		kind := head & 15
		done, err := visit(id, kind)
		if err == nil && !done {
			err = t.skip(kind, depth, false)
		}
		if err != nil {
			return err
		}
	}
}

// list reads the head of a list. A list cannot have more entries than bytes.
func (t *thrift) list() (n int, kind byte, err error) {
	head, err := t.byte()
	if err != nil {
		return 0, 0, err
	}
	size := uint64(head >> 4)
	if size == 15 {
		if size, err = t.uvarint(); err != nil {
			return 0, 0, err
		}
	}
	if size > uint64(len(t.b)-t.at) {
		return 0, 0, errThriftShort
	}
	return int(size), head & 15, nil
}

// skip walks over a value. In a list or map a boolean takes a byte, in a structure
// none.
func (t *thrift) skip(kind byte, depth int, element bool) error {
	n := 0
	switch kind {
	case thriftTrue, thriftFalse:
		if element {
			n = 1
		}
	case thriftByte:
		n = 1
	case thriftI16, thriftI32, thriftI64:
		_, err := t.uvarint()
		return err
	case thriftDouble:
		n = 8
	case thriftUUID:
		n = 16
	case thriftBinary:
		size, err := t.uvarint()
		if err != nil {
			return err
		}
		if size > uint64(len(t.b)-t.at) {
			return errThriftShort
		}
		n = int(size)
	case thriftList, thriftSet:
		size, of, err := t.list()
		for ; err == nil && size > 0; size-- {
			err = t.skip(of, depth+1, true)
		}
		return err
	case thriftStruct:
		return t.fields(depth+1, func(int, byte) (bool, error) { return false, nil })
	case thriftMap:
		return errThrift // the Parquet format has none
	default:
		return errThrift
	}
	if n > len(t.b)-t.at {
		return errThriftShort
	}
	t.at += n
	return nil
}

// int32Field reads an integer field into dst.
func (t *thrift) int32Field(kind byte, dst *int32) (bool, error) {
	if kind != thriftI32 && kind != thriftI16 && kind != thriftByte {
		return false, errThrift
	}
	v, err := t.varint()
	if int64(int32(v)) != v {
		return false, errThrift
	}
	*dst = int32(v)
	return true, err
}
