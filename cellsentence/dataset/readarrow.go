package dataset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Types of messages, from Message.fbs.
const (
	messageSchema     = 1
	messageDictionary = 2
	messageRecords    = 3
)

// arrowMagic begins an Arrow file, filled up to eight bytes, and ends it, behind a
// footer and its length. What is between is a stream.
const arrowMagic = "ARROW1"

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

// readArrowSchema reads a schema that stands alone.
func readArrowSchema(b []byte) (s *arrow.Schema, err error) {
	err = guard(func() error {
		r, err := ipc.NewReader(&messages{r: bufio.NewReader(bytes.NewReader(b)), left: int64(len(b)), footer: true, budget: 1 << 20})
		if err != nil {
			return err
		}
		s = r.Schema()
		r.Release()
		return nil
	})
	return s, err
}

// arrowSource reads streams of Arrow, one after the other.
type arrowSource struct {
	files   []string // those that wait
	file    *os.File
	stream  *ipc.Reader
	schema  *arrow.Schema
	columns []int // positions in the stream
	opts    *ReadOptions
	record  arrow.Record
	row     int64 // the next of record
}

// openArrow opens a file, which may be a file or a stream of Arrow.
func (r *Reader) openArrow(f *os.File, size int64, opts *ReadOptions) error {
	s := &arrowSource{file: f, opts: opts}
	if err := s.start(size); err != nil {
		return err
	}
	if err := r.chooseArrow(s); err != nil {
		s.stream.Release()
		return err
	}
	return nil
}

func (r *Reader) chooseArrow(s *arrowSource) error {
	var all Schema
	var place []int
	for i, f := range s.schema.Fields() {
		kind, ok := arrowKind(f.Type)
		if !ok {
			r.skipped = append(r.skipped, f.Name)
			continue
		}
		if kind == Text {
			kind = kindOfText(f.Name)
		}
		all = append(all, Field{f.Name, kind})
		place = append(place, i)
	}
	columns, err := r.choose(all, s.opts)
	if err != nil {
		return err
	}
	for _, i := range columns {
		s.columns = append(s.columns, place[i])
	}
	r.source = s
	return nil
}

// openFolder opens a folder that datasets.save_to_disk, or this package, made.
func (r *Reader) openFolder(dir string, opts *ReadOptions) error {
	if _, err := os.Stat(filepath.Join(dir, "dataset_dict.json")); err == nil {
		return inputError(dir, "", "name the folder of one split in it", "this is a dictionary of datasets")
	}
	f, err := os.Open(filepath.Join(dir, hfState))
	if errors.Is(err, os.ErrNotExist) {
		return inputError(dir, "", "", "this folder is no Hugging Face dataset: it has no %s", hfState)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var state struct {
		Files []struct {
			Name string `json:"filename"`
		} `json:"_data_files"`
	}
	if err := json.NewDecoder(io.LimitReader(f, maxFooter)).Decode(&state); err != nil {
		return inputError(dir, hfState, "", "%w", err)
	}
	if len(state.Files) == 0 {
		return inputError(dir, hfState, "", "it lists no data")
	}
	s := &arrowSource{opts: opts}
	for _, file := range state.Files {
		path, err := within(dir, file.Name)
		if err != nil {
			return inputError(dir, hfState, "", "%w", err)
		}
		s.files = append(s.files, path)
	}
	if err := s.open(); err != nil {
		return err
	}
	if err := r.chooseArrow(s); err != nil {
		s.close() // the first error counts
		return err
	}
	return nil
}

// open opens the next file.
func (s *arrowSource) open() error {
	path := s.files[0]
	s.files = s.files[1:]
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	s.file = f
	st, err := f.Stat()
	if err == nil {
		err = s.start(st.Size())
	}
	if err != nil {
		f.Close()
		return at("", filepath.Base(path), err)
	}
	return nil
}

// start reads the schema of the open file.
func (s *arrowSource) start(size int64) error {
	begin, end, err := arrowStream(s.file, size)
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(io.NewSectionReader(s.file, begin, end-begin), 1<<20)
	stream, err := ipc.NewReader(&messages{r: in, left: end - begin, footer: begin > 0, budget: s.opts.budget()},
		ipc.WithAllocator(&limited{left: 2*s.opts.budget() + 1<<20}))
	if err != nil {
		return err
	}
	if s.schema == nil {
		s.schema = stream.Schema()
	} else if !s.schema.Equal(stream.Schema()) {
		stream.Release()
		return errors.New("its columns differ from those of the file before")
	}
	s.stream = stream
	return nil
}

// arrowStream is where the stream in a file begins and ends.
func arrowStream(f io.ReaderAt, size int64) (begin, end int64, err error) {
	var head [8]byte
	if size < int64(len(head)) {
		return 0, 0, io.ErrUnexpectedEOF
	}
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return 0, 0, err
	}
	if !bytes.HasPrefix(head[:], []byte(arrowMagic)) {
		return 0, size, nil
	}
	var tail [10]byte
	if size < int64(len(head)+len(tail)) {
		return 0, 0, io.ErrUnexpectedEOF
	}
	if _, err := f.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return 0, 0, err
	}
	footer := int64(binary.LittleEndian.Uint32(tail[:]))
	if string(tail[4:]) != arrowMagic || footer > size-int64(len(head)+len(tail)) {
		return 0, 0, io.ErrUnexpectedEOF
	}
	return int64(len(head)), size - int64(len(tail)) - footer, nil
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

// arrowKind is the kind of a column; false for those that cannot be read.
func arrowKind(t arrow.DataType) (Kind, bool) {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING:
		return Text, true
	case arrow.DICTIONARY:
		value := t.(*arrow.DictionaryType).ValueType.ID()
		return Category, value == arrow.STRING || value == arrow.LARGE_STRING
	case arrow.BOOL:
		return Bool, true
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32:
		return Int, true
	case arrow.FLOAT32, arrow.FLOAT64:
		return Float, true
	}
	return 0, false
}

func (s *arrowSource) next(b *Batch) error {
	for s.record == nil || s.row == s.record.NumRows() {
		s.record, s.row = nil, 0
		if s.stream.Next() {
			s.record = s.stream.Record()
			continue
		}
		if err := s.stream.Err(); err != nil {
			return err
		}
		if len(s.files) == 0 {
			return io.EOF
		}
		s.stream.Release()
		s.file.Close() // it was only read
		if err := s.open(); err != nil {
			return err
		}
	}
	n := min(s.record.NumRows()-s.row, int64(s.opts.rows()))
	for i := range b.Columns {
		a := s.record.Column(s.columns[i])
		if int64(a.Len()) != s.record.NumRows() {
			return errMessage
		}
		if err := appendArrow(&b.Columns[i], a, int(s.row), int(s.row+n)); err != nil {
			return at("", "column "+b.Schema[i].Name, err)
		}
	}
	s.row += n
	b.Last = s.row == s.record.NumRows()
	return nil
}

// appendArrow adds entries lo to hi of an array.
func appendArrow(c *Column, a arrow.Array, lo, hi int) error {
	var add func(i int)
	switch a := a.(type) {
	case *array.String:
		add = func(i int) { c.AppendString(a.Value(i)) }
	case *array.LargeString:
		add = func(i int) { c.AppendString(a.Value(i)) }
	case *array.Dictionary:
		switch words := a.Dictionary().(type) {
		case *array.String:
			add = func(i int) { c.AppendString(words.Value(a.GetValueIndex(i))) }
		case *array.LargeString:
			add = func(i int) { c.AppendString(words.Value(a.GetValueIndex(i))) }
		}
	case *array.Boolean:
		add = func(i int) { c.AppendBool(a.Value(i)) }
	case *array.Int8:
		add = func(i int) { c.AppendInt(int64(a.Value(i))) }
	case *array.Int16:
		add = func(i int) { c.AppendInt(int64(a.Value(i))) }
	case *array.Int32:
		add = func(i int) { c.AppendInt(int64(a.Value(i))) }
	case *array.Int64:
		add = func(i int) { c.AppendInt(a.Value(i)) }
	case *array.Uint8:
		add = func(i int) { c.AppendInt(int64(a.Value(i))) }
	case *array.Uint16:
		add = func(i int) { c.AppendInt(int64(a.Value(i))) }
	case *array.Uint32:
		add = func(i int) { c.AppendInt(int64(a.Value(i))) }
	case *array.Float32:
		add = func(i int) { c.AppendFloat(float64(a.Value(i))) }
	case *array.Float64:
		add = func(i int) { c.AppendFloat(a.Value(i)) }
	}
	if add == nil {
		return fmt.Errorf("values of the type %v cannot be read", a.DataType())
	}
	for i := lo; i < hi; i++ {
		if a.IsNull(i) {
			c.AppendMissing()
		} else {
			add(i)
		}
	}
	return nil
}

func (s *arrowSource) close() error {
	if s.stream != nil {
		s.stream.Release()
	}
	return s.file.Close()
}
