package dataset

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// maxFooter bounds the metadata of a file. A row group of ten columns takes 2 KB, so
// that this is more than a hundred million rows.
const maxFooter = 64 << 20

// parquetFile is an open file whose footer was checked.
type parquetFile struct {
	f      *os.File
	end    int64 // of the data
	meta   *metadata.FileMetaData
	budget int64 // bytes of a page
	unpack unpacker
	pool   sync.Pool
}

func newParquetFile(f *os.File, size, budget int64) (*parquetFile, error) {
	footer, err := parquetFooter(f, size)
	if err != nil {
		return nil, err
	}
	meta, err := metadata.NewFileMetaData(footer, nil)
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	p := &parquetFile{f: f, end: size - int64(len(footer)) - 8, meta: meta, budget: budget}
	p.pool.New = func() any { return memory.NewResizableBuffer(memory.DefaultAllocator) }
	return p, nil
}

// parquetSource reads Parquet.
type parquetSource struct {
	*parquetFile
	columns []int // positions in the file
	opts    *ReadOptions

	group   int // the next row group
	left    int64
	chunks  []file.ColumnChunkReader
	levels  []int16
	strings []parquet.ByteArray
	ints    []int64
	small   []int32
	floats  []float64
	singles []float32
	bools   []bool
}

func (r *Reader) openParquet(f *os.File, size int64, opts *ReadOptions) error {
	p, err := newParquetFile(f, size, opts.budget())
	if err != nil {
		return err
	}
	s := &parquetSource{parquetFile: p, opts: opts}
	meta := p.meta
	dictionaries := arrowDictionaries(meta)
	var all Schema
	var place []int
	for i := range meta.Schema.NumColumns() {
		c := meta.Schema.Column(i)
		name := strings.Join(c.ColumnPath(), ".")
		kind, ok := parquetKind(c)
		if !ok {
			r.skipped = append(r.skipped, name)
			continue
		}
		if kind.IsText() {
			kind = Text
			if dictionaries[name] {
				kind = Category
			} else if dictionaries == nil {
				kind = kindOfText(name)
			}
		}
		all = append(all, Field{name, kind})
		place = append(place, i)
	}
	columns, err := r.choose(all, opts)
	if err != nil {
		return err
	}
	for _, i := range columns {
		s.columns = append(s.columns, place[i])
	}
	r.source = s
	return nil
}

// parquetFooter reads the metadata at the end of a file and walks over it.
func parquetFooter(f io.ReaderAt, size int64) ([]byte, error) {
	var tail [8]byte
	if size < 12 {
		return nil, errors.New("the file is too short to be Parquet")
	}
	if _, err := f.ReadAt(tail[:4], 0); err != nil {
		return nil, err
	}
	if string(tail[:4]) != parquetMagic {
		return nil, errors.New("this is no Parquet file")
	}
	if _, err := f.ReadAt(tail[:], size-8); err != nil {
		return nil, err
	}
	switch string(tail[4:]) {
	case parquetMagic:
	case "PARE":
		return nil, errors.New("the file is encrypted")
	default:
		return nil, &Error{Err: errors.New("the file is cut short: its footer is missing"), Tip: "copy or make it again"}
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-12 || n > maxFooter {
		return nil, errors.New("the footer has an impossible size")
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, size-8-n); err != nil {
		return nil, err
	}
	return b, checkFooter(b)
}

// checkFooter walks over the structure FileMetaData of parquet.thrift. Its field 2
// is the list of the columns, in which field 5 is the number of a group's children.
func checkFooter(b []byte) error {
	t := &thrift{b: b, structs: maxThriftStructs}
	columns := 0
	err := t.fields(0, func(id int, kind byte) (bool, error) {
		if id != 2 {
			return false, nil
		}
		if kind != thriftList {
			return false, errThrift
		}
		n, of, err := t.list()
		if err != nil || of != thriftStruct {
			return false, errors.Join(err, errThrift)
		}
		if columns = n; n > maxColumns {
			return false, fmt.Errorf("there are %d columns, and %d can be read", n, maxColumns)
		}
		for range n {
			err := t.fields(1, func(id int, kind byte) (bool, error) {
				if id != 5 {
					return false, nil
				}
				children := int32(0)
				done, err := t.int32Field(kind, &children)
				if children < 0 || int(children) >= n {
					err = errThrift
				}
				return done, err
			})
			if err != nil {
				return false, err
			}
		}
		return true, nil
	})
	if err == nil && columns == 0 {
		err = errThrift
	}
	return err
}

// arrowDictionaries tells, from the Arrow schema in the metadata, which columns are
// dictionaries; nil if there is no such schema.
func arrowDictionaries(meta *metadata.FileMetaData) map[string]bool {
	text := meta.KeyValueMetadata().FindValue(arrowSchemaKey)
	if text == nil {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(*text)
	if err != nil {
		return nil
	}
	s, err := readArrowSchema(b)
	if err != nil {
		return nil // a hint, not data
	}
	out := map[string]bool{}
	for _, f := range s.Fields() {
		out[f.Name] = f.Type.ID() == arrow.DICTIONARY
	}
	return out
}

// parquetKind is the kind of a column; false for those that cannot be read.
func parquetKind(c *schema.Column) (Kind, bool) {
	if c.MaxRepetitionLevel() > 0 || c.MaxDefinitionLevel() > 1 || len(c.ColumnPath()) != 1 {
		return 0, false
	}
	plain, integer := false, false
	switch l := c.LogicalType().(type) {
	case schema.NoLogicalType, schema.UnknownLogicalType, schema.NullLogicalType, nil:
		plain = true
	case *schema.IntLogicalType:
		integer = l.IsSigned() || l.BitWidth() < 64
	case schema.StringLogicalType, schema.EnumLogicalType, schema.JSONLogicalType:
		return Text, c.PhysicalType() == parquet.Types.ByteArray
	}
	switch c.PhysicalType() {
	case parquet.Types.Boolean:
		return Bool, plain
	case parquet.Types.Int32, parquet.Types.Int64:
		return Int, plain || integer
	case parquet.Types.Float, parquet.Types.Double:
		return Float, plain
	}
	return 0, false
}

func (s *parquetSource) next(b *Batch) error {
	for s.left == 0 {
		if s.group == len(s.meta.RowGroups) {
			return io.EOF
		}
		if err := s.openGroup(b.Schema); err != nil {
			return at("", fmt.Sprintf("row group %d", s.group), err)
		}
		s.group++
	}
	n := int(min(s.left, int64(s.opts.rows())))
	for i := range b.Columns {
		if err := s.column(s.chunks[i], &b.Columns[i], n); err != nil {
			return at("", fmt.Sprintf("row group %d, column %s", s.group-1, b.Schema[i].Name), err)
		}
	}
	s.left -= int64(n)
	b.Last = s.left == 0
	return nil
}

// openGroup opens the columns of a row group.
func (s *parquetSource) openGroup(columns Schema) error {
	group := s.meta.RowGroup(s.group)
	rows := group.NumRows()
	if rows < 0 {
		return errors.New("it has a negative number of rows")
	}
	s.chunks = s.chunks[:0]
	for k, i := range s.columns {
		c, values, err := s.chunk(group, i)
		if err == nil && values != rows {
			err = errPlace
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", columns[k].Name, err)
		}
		s.chunks = append(s.chunks, c)
	}
	s.left = rows
	return nil
}

var errPlace = errors.New("its place in the file is impossible")

// chunk opens the i-th column of a row group, and tells how many values, missing
// ones counted, it claims to have.
func (p *parquetFile) chunk(group *metadata.RowGroupMetaData, i int) (file.ColumnChunkReader, int64, error) {
	chunk, err := group.ColumnChunk(i)
	if err != nil {
		return nil, 0, err
	}
	begin := chunk.DataPageOffset()
	if chunk.HasDictionaryPage() {
		if d := chunk.DictionaryPageOffset(); d > 0 && d < begin {
			begin = d
		}
	}
	size, values := chunk.TotalCompressedSize(), chunk.NumValues()
	if begin < 4 || size < 0 || size > p.end-begin || values < 0 {
		return nil, 0, errPlace
	}
	c := p.meta.Schema.Column(i)
	fixed := 1
	switch c.PhysicalType() {
	case parquet.Types.Int64, parquet.Types.Double:
		fixed = 8
	case parquet.Types.Int32, parquet.Types.Float, parquet.Types.ByteArray: // a string has its length before it
		fixed = 4
	case parquet.Types.FixedLenByteArray:
		fixed = max(1, c.TypeLength())
	}
	pages := &pageReader{
		r: p.f, at: begin, end: begin + size, values: values, codec: chunk.Compression(),
		budget: p.budget, unpack: &p.unpack, fixed: fixed,
	}
	return file.NewColumnReader(c, pages, memory.DefaultAllocator, &p.pool), values, nil
}

func (p *parquetFile) close() error {
	p.unpack.close()
	return p.f.Close()
}

// room makes a slice of n.
func room[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// column reads n rows of a column.
func (s *parquetSource) column(r file.ColumnChunkReader, c *Column, n int) error {
	s.levels = room(s.levels, n)
	switch r := r.(type) {
	case *file.ByteArrayColumnChunkReader:
		s.strings = room(s.strings, n)
		return read(s, r, r.ReadBatch, s.strings, c.Kind.IsText(), c, func(v parquet.ByteArray) { c.AppendText(v) })
	case *file.BooleanColumnChunkReader:
		s.bools = room(s.bools, n)
		return read(s, r, r.ReadBatch, s.bools, c.Kind == Bool, c, c.AppendBool)
	case *file.Int64ColumnChunkReader:
		s.ints = room(s.ints, n)
		return read(s, r, r.ReadBatch, s.ints, c.Kind == Int, c, c.AppendInt)
	case *file.Int32ColumnChunkReader:
		s.small = room(s.small, n)
		unsigned := false
		if l, ok := r.Descriptor().LogicalType().(*schema.IntLogicalType); ok {
			unsigned = !l.IsSigned()
		}
		return read(s, r, r.ReadBatch, s.small, c.Kind == Int, c, func(v int32) {
			if unsigned {
				c.AppendInt(int64(uint32(v)))
			} else {
				c.AppendInt(int64(v))
			}
		})
	case *file.Float64ColumnChunkReader:
		s.floats = room(s.floats, n)
		return read(s, r, r.ReadBatch, s.floats, c.Kind == Float, c, c.AppendFloat)
	case *file.Float32ColumnChunkReader:
		s.singles = room(s.singles, n)
		return read(s, r, r.ReadBatch, s.singles, c.Kind == Float, c, func(v float32) { c.AppendFloat(float64(v)) })
	}
	return errors.New("a column of an unknown type")
}

// read reads as many rows as values has room for.
func read[T any](s *parquetSource, r file.ColumnChunkReader, batch func(int64, []T, []int16, []int16) (int64, int, error),
	values []T, fits bool, c *Column, add func(T),
) error {
	if !fits {
		return errors.New("a column of another type than the schema says")
	}
	for left := len(values); left > 0; {
		optional := r.Descriptor().MaxDefinitionLevel() > 0
		levels := s.levels[:left]
		rows, n, err := batch(int64(left), values[:left], levels, nil)
		switch {
		case err != nil:
			return err
		case rows <= 0 || rows > int64(left) || n > int(rows):
			if err := r.Err(); err != nil {
				return err
			}
			return errors.New("it has fewer values than rows")
		}
		k := 0
		for i := range int(rows) {
			if optional && levels[i] == 0 {
				c.AppendMissing()
				continue
			}
			if k == n {
				return errors.New("it has fewer values than its levels say")
			}
			add(values[k])
			k++
		}
		left -= int(rows)
	}
	return nil
}
