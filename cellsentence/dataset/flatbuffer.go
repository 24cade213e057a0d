package dataset

import (
	"encoding/binary"
	"errors"
)

// errMessage is what readers of Arrow say about messages that cannot be.
var errMessage = errors.New("an Arrow message is damaged")

// table is a table of a FlatBuffers message (flatbuffers.dev, "FlatBuffer
// Internals"). All its methods check what they read against the end of the message.
type table struct {
	b  []byte
	at int
}

func u32(b []byte, at int) (int, error) {
	if at < 0 || at > len(b)-4 {
		return 0, errMessage
	}
	return int(binary.LittleEndian.Uint32(b[at:])), nil
}

// root is the table that a message begins with.
func root(b []byte) (table, error) {
	at, err := u32(b, 0)
	if err != nil || at > len(b)-4 {
		return table{}, errMessage
	}
	return table{b, at}, nil
}

// field is the place of a field, 0 if it is not set.
func (t table) field(id int) (int, error) {
	back, err := u32(t.b, t.at)
	if err != nil {
		return 0, err
	}
	vtable := t.at - int(int32(back))
	if vtable < 0 || vtable > len(t.b)-4 {
		return 0, errMessage
	}
	size := int(binary.LittleEndian.Uint16(t.b[vtable:]))
	slot := 4 + 2*id
	if slot+2 > size {
		return 0, nil
	}
	if vtable+slot+2 > len(t.b) {
		return 0, errMessage
	}
	offset := int(binary.LittleEndian.Uint16(t.b[vtable+slot:]))
	if offset == 0 {
		return 0, nil
	}
	if t.at+offset >= len(t.b) {
		return 0, errMessage
	}
	return t.at + offset, nil
}

// int64 is a field of eight bytes.
func (t table) int64(id int) (int64, error) {
	at, err := t.field(id)
	if err != nil || at == 0 {
		return 0, err
	}
	if at > len(t.b)-8 {
		return 0, errMessage
	}
	return int64(binary.LittleEndian.Uint64(t.b[at:])), nil
}

// byte is a field of one byte.
func (t table) byte(id int) (byte, error) {
	at, err := t.field(id)
	if err != nil || at == 0 {
		return 0, err
	}
	return t.b[at], nil
}

// table is a field that is a table; ok is false if it is not set.
func (t table) table(id int) (sub table, ok bool, err error) {
	at, err := t.field(id)
	if err != nil || at == 0 {
		return table{}, false, err
	}
	by, err := u32(t.b, at)
	if err != nil || at+by > len(t.b)-4 {
		return table{}, false, errMessage
	}
	return table{t.b, at + by}, true, nil
}

// vector is the place and the length of a field that is a vector of entries of some
// bytes, all of which are there.
func (t table) vector(id, bytes int) (at, n int, err error) {
	sub, ok, err := t.table(id)
	if err != nil || !ok {
		return 0, 0, err
	}
	n, err = u32(t.b, sub.at)
	if err != nil || n > (len(t.b)-sub.at-4)/bytes {
		return 0, 0, errMessage
	}
	return sub.at + 4, n, nil
}

// entry is entry i of a vector of tables.
func (t table) entry(at, i int) (table, error) {
	by, err := u32(t.b, at+4*i)
	if err != nil || at+4*i+by > len(t.b)-4 {
		return table{}, errMessage
	}
	return table{t.b, at + 4*i + by}, nil
}
