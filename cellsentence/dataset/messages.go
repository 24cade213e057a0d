package dataset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Types of messages, from Message.fbs.
const (
	messageSchema     = 1
	messageDictionary = 2
	messageRecords    = 3
)

// messages passes on a stream of Arrow messages, each of which it has checked: the
// library makes room for whatever a message says of itself.
type messages struct {
	r      *bufio.Reader
	left   int64 // bytes of the file
	footer bool  // of a file, which may end without a mark
	budget int64
	buf    bytes.Buffer // the message that is passed on
	body   int64        // what of it is still in r
	ended  bool
	fields int // of the schema
}

func (m *messages) Read(p []byte) (int, error) {
	for m.buf.Len() == 0 && m.body == 0 {
		if m.ended {
			return 0, io.EOF
		}
		if err := m.next(); err != nil {
			return 0, err
		}
	}
	if m.buf.Len() > 0 {
		return m.buf.Read(p)
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.body)])
	m.body -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next reads and checks the head of a message.
func (m *messages) next() error {
	var head [8]byte
	if m.left == 0 && m.footer {
		m.ended = true // the footer stands for the mark of the end
		return nil
	}
	if m.left < int64(len(head)) {
		return io.ErrUnexpectedEOF
	}
	if _, err := io.ReadFull(m.r, head[:]); err != nil {
		return err
	}
	size := int64(int32(binary.LittleEndian.Uint32(head[4:])))
	m.left -= 8
	switch {
	case binary.LittleEndian.Uint32(head[:]) != 0xffffffff:
		return errors.New("this is no Arrow stream of version 0.15 or later")
	case size == 0:
		m.ended = true
		m.buf.Write(head[:])
		return nil
	case size < 0 || size > m.left || size > maxFooter:
		return errMessage
	}
	meta := make([]byte, size)
	if _, err := io.ReadFull(m.r, meta); err != nil {
		return err
	}
	m.left -= size
	body, err := m.check(meta)
	if err != nil {
		return err
	}
	if body < 0 || body > m.left {
		return io.ErrUnexpectedEOF
	}
	if body > m.budget {
		return fmt.Errorf("a record batch of %d bytes is too large for the memory set aside", body)
	}
	m.left -= body
	m.body = body
	m.buf.Write(head[:])
	m.buf.Write(meta)
	return nil
}

// check looks at a message as far as the library relies on it; it returns the size
// of the body. Fields are numbered as in Message.fbs and Schema.fbs.
func (m *messages) check(meta []byte) (int64, error) {
	t, err := root(meta)
	if err != nil {
		return 0, err
	}
	kind, err := t.byte(1)
	if err != nil {
		return 0, err
	}
	header, ok, err := t.table(2)
	if err != nil || !ok {
		return 0, errMessage
	}
	switch kind {
	case messageSchema:
		err = m.checkSchema(header)
	case messageDictionary:
		if header, ok, err = header.table(1); err == nil && !ok {
			err = errMessage
		}
		if err == nil {
			err = m.checkRecords(header)
		}
	case messageRecords:
		err = m.checkRecords(header)
	default:
		err = errMessage
	}
	if err != nil {
		return 0, err
	}
	if err := checkPairs(t, 4); err != nil {
		return 0, err
	}
	return t.int64(3)
}

func (m *messages) checkSchema(t table) error {
	at, n, err := t.vector(1, 4)
	if err != nil {
		return err
	}
	if n > maxColumns {
		return fmt.Errorf("there are %d columns, and %d can be read", n, maxColumns)
	}
	if err := checkPairs(t, 2); err != nil {
		return err
	}
	for i := range n {
		f, err := t.entry(at, i)
		if err == nil {
			err = m.checkField(f, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkField checks the vectors of a field and its children.
func (m *messages) checkField(f table, depth int) error {
	m.fields++
	if depth > maxThriftDepth || m.fields > maxColumns {
		return errMessage
	}
	if err := checkPairs(f, 6); err != nil {
		return err
	}
	kind, err := f.byte(2)
	if err != nil {
		return err
	}
	const union = 14
	if kind == union {
		return errors.New("columns that are unions cannot be read")
	}
	at, n, err := f.vector(5, 4)
	if err != nil {
		return err
	}
	for i := range n {
		child, err := f.entry(at, i)
		if err == nil {
			err = m.checkField(child, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkPairs checks a field that is a vector of keys and values.
func checkPairs(t table, id int) error {
	_, n, err := t.vector(id, 4)
	if err == nil && n > maxColumns {
		err = errMessage
	}
	return err
}

// checkRecords checks a RecordBatch: its nodes and buffers are structures of
// sixteen bytes.
func (m *messages) checkRecords(t table) error {
	rows, err := t.int64(0)
	if err != nil || rows < 0 || rows > m.budget {
		return errMessage
	}
	for _, id := range []int{1, 2} {
		if _, _, err := t.vector(id, 16); err != nil {
			return err
		}
	}
	packed, err := t.field(3)
	if err == nil && packed != 0 {
		err = &Error{Err: errors.New("compressed record batches cannot be read"), Tip: "write them without compression, or as Parquet"}
	}
	return err
}

// limited is an allocator that panics rather than go beyond its limit; guard turns
// that into an error. What the library releases comes back.
type limited struct {
	memory.GoAllocator
	left int64
}

// Allocate gives size bytes.
func (l *limited) Allocate(size int) []byte {
	if l.left -= int64(size); l.left < 0 {
		panic("more memory asked for than is set aside")
	}
	return l.GoAllocator.Allocate(size)
}

// Reallocate resizes b.
func (l *limited) Reallocate(size int, b []byte) []byte {
	if l.left -= int64(size - len(b)); l.left < 0 {
		panic("more memory asked for than is set aside")
	}
	return l.GoAllocator.Reallocate(size, b)
}

// Free takes b back.
func (l *limited) Free(b []byte) { l.left += int64(len(b)) }
