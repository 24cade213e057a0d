package dataset

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
	"github.com/klauspost/compress/zstd"
)

const (
	// parquetMagic begins and ends a file.
	parquetMagic = "PAR1"
	// arrowSchemaKey names the Arrow schema in the metadata (Apache Arrow, "Reading
	// and Writing the Apache Parquet Format": store_schema).
	arrowSchemaKey = "ARROW:schema"
	// maxRowGroups is what the format's 16-bit ordinals can number.
	maxRowGroups = math.MaxInt16 + 1
)

// parquetSink writes Parquet. The library's own writer of files loses errors in
// Close and makes a new zstd encoder for each page, so the row groups are put
// together here, of the same parts.
type parquetSink struct {
	out     *counter
	schema  *schema.Schema
	props   *parquet.WriterProperties
	meta    *metadata.FileMetaDataBuilder
	zstd    *zstd.Encoder
	groups  int
	levels  []int16
	strings []parquet.ByteArray
	ints    []int64
	floats  []float64
	bools   []bool
}

// counter knows how many bytes went through it.
type counter struct {
	io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

// Tell is the position in the file.
func (c *counter) Tell() int64 { return c.n }

// pager compresses pages with one encoder.
type pager struct {
	file.PageWriter
	zstd *zstd.Encoder
}

// Compress returns fresh memory, since pages wait for their dictionary.
func (p *pager) Compress(_ *bytes.Buffer, src []byte) []byte {
	return p.zstd.EncodeAll(src, make([]byte, 0, len(src)/3+64))
}

func newParquetSink(w io.Writer, columns Schema) (*parquetSink, error) {
	nodes := make(schema.FieldList, len(columns))
	opts := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCreatedBy("c2s"),
		parquet.WithVersion(parquet.V2_6),
		// Pages are cut between batches of this many rows, when they reach a megabyte.
		parquet.WithBatchSize(64),
		parquet.WithDictionaryDefault(false),
		// The library's statistics say that every column has no distinct value.
		parquet.WithStats(false),
	}
	for i, f := range columns {
		physical, logical := parquet.Types.ByteArray, schema.LogicalType(schema.StringLogicalType{})
		switch f.Kind {
		case Bool:
			physical, logical = parquet.Types.Boolean, schema.NoLogicalType{}
		case Int:
			physical, logical = parquet.Types.Int64, schema.NoLogicalType{}
		case Float:
			physical, logical = parquet.Types.Double, schema.NoLogicalType{}
		case Category:
			opts = append(opts, parquet.WithDictionaryFor(f.Name, true))
		}
		node, err := schema.NewPrimitiveNodeLogical(f.Name, parquet.Repetitions.Optional, logical, physical, -1, -1)
		if err != nil {
			return nil, err
		}
		nodes[i] = node
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		return nil, err
	}
	p := &parquetSink{out: &counter{Writer: w}, schema: schema.NewSchema(root), props: parquet.NewWriterProperties(opts...)}
	keys := metadata.NewKeyValueMetadata()
	text, err := arrowSchemaText(columns)
	if err != nil {
		return nil, err
	}
	if err := keys.Append(arrowSchemaKey, text); err != nil {
		return nil, err
	}
	p.meta = metadata.NewFileMetadataBuilder(p.schema, p.props, keys)
	if p.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err != nil {
		return nil, err
	}
	_, err = io.WriteString(p.out, parquetMagic)
	return p, err
}

// arrowSchemaText is the schema as a message of a stream, in base64.
func arrowSchemaText(columns Schema) (string, error) {
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(arrowSchema(columns, true)))
	if err := w.Close(); err != nil {
		return "", err
	}
	const endOfStream = 8
	return base64.StdEncoding.EncodeToString(b.Bytes()[:b.Len()-endOfStream]), nil
}

func (p *parquetSink) write(b *Batch) (*Batch, error) {
	if p.groups == maxRowGroups {
		return b, fmt.Errorf("a Parquet file has at most %d row groups of %d rows: write several files, or a folder (.hf)", maxRowGroups, BlockRows)
	}
	group := p.meta.AppendRowGroup()
	var total int64
	for i := range b.Columns {
		chunk := group.NextColumnChunk()
		pages, err := file.NewPageWriter(p.out, compress.Codecs.Zstd, compress.DefaultCompressionLevel, chunk,
			int16(p.groups), int16(i), memory.DefaultAllocator, false, nil, nil)
		if err != nil {
			return b, err
		}
		w := file.NewColumnChunkWriter(chunk, &pager{pages, p.zstd}, p.props)
		if err := guard(func() error { return p.column(w, &b.Columns[i]) }); err != nil {
			return b, err
		}
		if err := w.Close(); err != nil {
			return b, err
		}
		total += w.TotalBytesWritten()
	}
	group.SetNumRows(b.Rows())
	err := group.Finish(total, int16(p.groups))
	p.groups++
	return b, err
}

// column writes the values of a column: those that are there, and a level for each
// row that says whether it is.
func (p *parquetSink) column(w file.ColumnChunkWriter, c *Column) (err error) {
	p.levels = p.levels[:0]
	for _, missing := range c.Missing {
		level := int16(1)
		if missing {
			level = 0
		}
		p.levels = append(p.levels, level)
	}
	switch w := w.(type) {
	case *file.ByteArrayColumnChunkWriter:
		p.strings = p.strings[:0]
		for i, missing := range c.Missing {
			if !missing {
				p.strings = append(p.strings, c.TextAt(i))
			}
		}
		_, err = w.WriteBatch(p.strings, p.levels, nil)
	case *file.BooleanColumnChunkWriter:
		p.bools = present(p.bools[:0], c.Bools, c.Missing)
		_, err = w.WriteBatch(p.bools, p.levels, nil)
	case *file.Int64ColumnChunkWriter:
		p.ints = present(p.ints[:0], c.Ints, c.Missing)
		_, err = w.WriteBatch(p.ints, p.levels, nil)
	case *file.Float64ColumnChunkWriter:
		p.floats = present(p.floats[:0], c.Floats, c.Missing)
		_, err = w.WriteBatch(p.floats, p.levels, nil)
	default:
		err = errors.New("a column of an unknown type")
	}
	return err
}

// present appends the values that are not missing.
func present[T any](dst, values []T, missing []bool) []T {
	for i, v := range values {
		if !missing[i] {
			dst = append(dst, v)
		}
	}
	return dst
}

func (p *parquetSink) close() error {
	meta, err := p.meta.Finish()
	if err != nil {
		return err
	}
	n, err := meta.WriteTo(p.out, nil)
	if err != nil {
		return err
	}
	tail := binary.LittleEndian.AppendUint32(nil, uint32(n))
	_, err = p.out.Write(append(tail, parquetMagic...))
	return errors.Join(err, p.zstd.Close())
}
