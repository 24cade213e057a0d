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
)

// arrowMagic begins an Arrow file, filled up to eight bytes, and ends it, behind a
// footer and its length. What is between is a stream.
const arrowMagic = "ARROW1"

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
		_ = s.close() // the first error counts
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
