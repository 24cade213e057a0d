package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// arrowSchema is the columns as Arrow has them; categories become dictionaries if
// the format keeps them in each block.
func arrowSchema(schema Schema, dictionaries bool) *arrow.Schema {
	fields := make([]arrow.Field, len(schema))
	for i, f := range schema {
		var t arrow.DataType = arrow.BinaryTypes.String
		switch {
		case f.Kind == Category && dictionaries:
			t = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: t}
		case f.Kind == Bool:
			t = arrow.FixedWidthTypes.Boolean
		case f.Kind == Int:
			t = arrow.PrimitiveTypes.Int64
		case f.Kind == Float:
			t = arrow.PrimitiveTypes.Float64
		}
		fields[i] = arrow.Field{Name: f.Name, Type: t, Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// recordWriter is what the writers of Arrow files and streams have in common.
type recordWriter interface {
	Write(arrow.Record) error
	Close() error
}

// arrowSink writes one Arrow file or stream.
type arrowSink struct {
	w      recordWriter
	schema *arrow.Schema
}

// newArrowSink writes an Arrow file, which has an index of its blocks at the end.
func newArrowSink(w io.WriteSeeker, schema Schema) (*arrowSink, error) {
	s := arrowSchema(schema, false)
	file, err := ipc.NewFileWriter(w, ipc.WithSchema(s))
	if err != nil {
		return nil, err
	}
	return &arrowSink{file, s}, nil
}

func (a *arrowSink) write(b *Batch) (*Batch, error) {
	return b, a.w.Write(record(a.schema, b))
}

func (a *arrowSink) close() error { return a.w.Close() }

// record wraps the memory of a batch: Arrow's layout differs in the offsets of
// strings and in that flags take a bit.
func record(schema *arrow.Schema, b *Batch) arrow.Record {
	n := b.Rows()
	columns := make([]arrow.Array, len(b.Columns))
	for i := range b.Columns {
		c := &b.Columns[i]
		buffers := []*memory.Buffer{nil}
		nulls := c.countMissing()
		if nulls > 0 {
			buffers[0] = bits(c.Missing, false)
		}
		switch c.Kind {
		case Bool:
			buffers = append(buffers, bits(c.Bools, true))
		case Int:
			buffers = append(buffers, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(c.Ints)))
		case Float:
			buffers = append(buffers, memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(c.Floats)))
		default:
			offsets := make([]int32, n+1)
			for k, end := range c.Ends {
				offsets[k+1] = int32(end)
			}
			buffers = append(buffers, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(c.Text))
		}
		data := array.NewData(schema.Field(i).Type, n, buffers, nil, nulls, 0)
		columns[i] = array.MakeFromData(data)
	}
	return array.NewRecord(schema, columns, int64(n))
}

// bits sets a bit for each flag that equals want.
func bits(flags []bool, want bool) *memory.Buffer {
	b := make([]byte, bitutil.BytesForBits(int64(len(flags))))
	for i, f := range flags {
		if f == want {
			bitutil.SetBit(b, i)
		}
	}
	return memory.NewBufferBytes(b)
}

// Names of the files that datasets.load_from_disk reads, beside the data.
const (
	hfState = "state.json"
	hfInfo  = "dataset_info.json"
)

// hfBlocks is how many blocks go into a data file: at most 65,536 rows, some hundred
// megabytes of whole sentences, as the datasets library itself makes them.
const hfBlocks = 16

// folderSink writes the folder of a Hugging Face dataset: streams of Arrow.
type folderSink struct {
	dir     string
	columns Schema
	schema  *arrow.Schema
	hash    hash.Hash // of all data
	files   int
	blocks  int // in the open file
	file    *os.File
	w       *ipc.Writer
}

func newFolderSink(dir string, schema Schema) *folderSink {
	return &folderSink{dir: dir, columns: schema, schema: arrowSchema(schema, false), hash: sha256.New()}
}

func (d *folderSink) write(b *Batch) (*Batch, error) {
	if d.blocks == hfBlocks {
		if err := d.end(); err != nil {
			return b, err
		}
	}
	if d.file == nil {
		if err := d.begin(); err != nil {
			return b, err
		}
	}
	d.blocks++
	return b, d.w.Write(record(d.schema, b))
}

// part is the name of a data file while their number is unknown.
func (d *folderSink) part(i int) string { return filepath.Join(d.dir, fmt.Sprintf("data-%05d", i)) }

func (d *folderSink) begin() (err error) {
	if d.file, err = os.Create(d.part(d.files)); err != nil {
		return err
	}
	d.files++
	d.w = ipc.NewWriter(io.MultiWriter(d.file, d.hash), ipc.WithSchema(d.schema))
	return nil
}

func (d *folderSink) end() error {
	if d.file == nil {
		return nil
	}
	err := errors.Join(d.w.Close(), d.file.Close())
	d.file, d.blocks = nil, 0
	return err
}

func (d *folderSink) close() error {
	if d.files == 0 { // a dataset without rows has a file, too
		if err := d.begin(); err != nil {
			return err
		}
	}
	if err := d.end(); err != nil {
		return err
	}
	type dataFile struct {
		Name string `json:"filename"`
	}
	files := make([]dataFile, d.files)
	for i := range files {
		files[i].Name = fmt.Sprintf("data-%05d-of-%05d.arrow", i, d.files)
		if err := os.Rename(d.part(i), filepath.Join(d.dir, files[i].Name)); err != nil {
			return err
		}
	}
	type feature struct {
		DType string `json:"dtype"`
		Type  string `json:"_type"`
	}
	features := ordered{}
	for i, f := range d.columns {
		t := d.schema.Field(i).Type.Name() // string, bool, int64 or float64, but for two
		switch f.Kind {
		case Bool:
			t = "bool"
		case Text, Category:
			t = "string"
		}
		features = append(features, member{f.Name, feature{t, "Value"}})
	}
	err := writeJSON(filepath.Join(d.dir, hfInfo), ordered{
		{"citation", ""}, {"description", ""}, {"features", features}, {"homepage", ""}, {"license", ""},
	})
	if err != nil {
		return err
	}
	return writeJSON(filepath.Join(d.dir, hfState), ordered{
		{"_data_files", files},
		// The library keys its caches with it, so that equal data may share one.
		{"_fingerprint", hex.EncodeToString(d.hash.Sum(nil))[:16]},
		{"_format_columns", nil},
		{"_format_kwargs", struct{}{}},
		{"_format_type", nil},
		{"_output_all_columns", false},
		{"_split", nil},
	})
}

// ordered is a JSON object whose members keep their order.
type ordered []member

type member struct {
	key   string
	value any
}

// MarshalJSON writes the members in order.
func (o ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, []byte(m.key)), ':')
		v, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b = append(b, v...)
	}
	return append(b, '}'), nil
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o666)
}
