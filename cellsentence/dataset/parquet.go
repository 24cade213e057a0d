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
// Close, makes a new zstd encoder for each page and works on one processor, so the row
// groups are put together here, of the same parts: first each block is written to
// nowhere, beside others, for its compressed pages, and then with these to the file.
type parquetSink struct {
	inOrder[[][][]byte] // the pages of each column
	out                 *counter
	schema              *schema.Schema
	props               *parquet.WriterProperties
	meta                *metadata.FileMetaDataBuilder
	zstd                *zstd.Encoder
	groups              int
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

// pager compresses pages and keeps them, or takes those that were kept.
type pager struct {
	file.PageWriter
	zstd *zstd.Encoder // nil: the pages are there
	kept [][]byte
}

// Compress gives memory that stays as it is, since pages wait for their dictionary.
func (p *pager) Compress(_ *bytes.Buffer, src []byte) []byte {
	if p.zstd == nil {
		page := p.kept[0]
		p.kept = p.kept[1:]
		return page
	}
	page := p.zstd.EncodeAll(src, make([]byte, 0, len(src)/3+64))
	p.kept = append(p.kept, page)
	return page
}

func newParquetSink(w io.Writer, columns Schema, jobs int, nest bool) (*parquetSink, error) {
	leaves := make(schema.FieldList, len(columns))
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
		name, presence := f.Name, parquet.Repetitions.Optional
		if nest {
			name, presence = leafOf(f.Name)
		}
		node, err := schema.NewPrimitiveNodeLogical(name, presence, logical, physical, -1, -1)
		if err != nil {
			return nil, err
		}
		leaves[i] = node
	}
	nodes := leaves
	if nest {
		var err error
		if nodes, err = nested(columns, leaves); err != nil {
			return nil, err
		}
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		return nil, err
	}
	p := &parquetSink{
		out: &counter{Writer: w}, schema: schema.NewSchema(root), props: parquet.NewWriterProperties(opts...),
	}
	p.inOrder = inOrder[[][][]byte]{jobs: max(jobs, 1), make: p.compress, emit: p.put}
	keys := metadata.NewKeyValueMetadata()
	if !nest { // readers take the types of Parquet then
		text, err := arrowSchemaText(columns)
		if err != nil {
			return nil, err
		}
		if err := keys.Append(arrowSchemaKey, text); err != nil {
			return nil, err
		}
	}
	p.meta = metadata.NewFileMetadataBuilder(p.schema, p.props, keys)
	if p.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(p.jobs)); err != nil {
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

// compress makes the pages of a block.
func (p *parquetSink) compress(b *Batch) ([][][]byte, error) {
	pages := make([][][]byte, len(b.Columns))
	group := metadata.NewFileMetadataBuilder(p.schema, p.props, nil).AppendRowGroup()
	for i := range b.Columns {
		to := &pager{zstd: p.zstd}
		if _, err := p.chunk(&counter{Writer: io.Discard}, group, to, &b.Columns[i], 0, i); err != nil {
			return nil, err
		}
		pages[i] = to.kept
	}
	return pages, nil
}

// put writes a row group.
func (p *parquetSink) put(b *Batch, pages [][][]byte) error {
	if p.groups == maxRowGroups {
		return fmt.Errorf("a Parquet file has at most %d row groups of %d rows: write several files, or a folder (.hf)", maxRowGroups, BlockRows)
	}
	group := p.meta.AppendRowGroup()
	var total int64
	err := guard(func() error {
		for i := range b.Columns {
			n, err := p.chunk(p.out, group, &pager{kept: pages[i]}, &b.Columns[i], p.groups, i)
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	if err != nil {
		return err
	}
	group.SetNumRows(b.Rows())
	err = group.Finish(total, int16(p.groups))
	p.groups++
	return err
}

// chunk writes a column of a row group and returns its bytes.
func (p *parquetSink) chunk(out *counter, group *metadata.RowGroupMetaDataBuilder, pages *pager, c *Column, ordinal, column int) (n int64, err error) {
	chunk := group.NextColumnChunk()
	pages.PageWriter, err = file.NewPageWriter(out, compress.Codecs.Zstd, compress.DefaultCompressionLevel, chunk,
		int16(ordinal), int16(column), memory.DefaultAllocator, false, nil, nil)
	if err != nil {
		return 0, err
	}
	w := file.NewColumnChunkWriter(chunk, pages, p.props)
	if err := writeColumn(w, c); err != nil {
		return 0, err
	}
	err = w.Close()
	return w.TotalBytesWritten(), err
}

// writeColumn writes the values of a column: those that are there, and a level for
// each row that says whether it is.
func writeColumn(w file.ColumnChunkWriter, c *Column) (err error) {
	levels := make([]int16, len(c.Missing))
	for i, missing := range c.Missing {
		if !missing {
			levels[i] = 1
		}
	}
	var repeats []int16
	if w.Descr().MaxRepetitionLevel() > 0 {
		repeats = make([]int16, len(levels)) // each list has one entry
	}
	switch w := w.(type) {
	case *file.ByteArrayColumnChunkWriter:
		strings := make([]parquet.ByteArray, 0, len(c.Missing))
		for i, missing := range c.Missing {
			if !missing {
				strings = append(strings, c.TextAt(i))
			}
		}
		_, err = w.WriteBatch(strings, levels, repeats)
	case *file.BooleanColumnChunkWriter:
		_, err = w.WriteBatch(present(c.Bools, c.Missing), levels, repeats)
	case *file.Int64ColumnChunkWriter:
		_, err = w.WriteBatch(present(c.Ints, c.Missing), levels, repeats)
	case *file.Float64ColumnChunkWriter:
		_, err = w.WriteBatch(present(c.Floats, c.Missing), levels, repeats)
	default:
		err = errors.New("a column of an unknown type")
	}
	return err
}

// present is the values that are not missing.
func present[T any](values []T, missing []bool) []T {
	out := make([]T, 0, len(values))
	for i, v := range values {
		if !missing[i] {
			out = append(out, v)
		}
	}
	return out
}

func (p *parquetSink) close() error {
	if err := p.flush(); err != nil {
		return err
	}
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
