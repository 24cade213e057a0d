package dataset

import (
	"errors"
	"fmt"
	"io"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/internal/atomicfile"
)

// Options says how a dataset is written. The zero value refuses an existing
// output and works on one processor.
type Options struct {
	// Force replaces an existing output.
	Force bool
	// Inputs are paths that must not be written over.
	Inputs []string
	// Stdout is where "-" goes; it may carry txt and jsonl only.
	Stdout io.Writer
	// Format is that of the output; its zero value means what the name tells.
	Format Format
	// Nest makes structures of columns whose names have a dot, in Parquet only: those
	// named a.b and a.c are the members b and c of the structure a, and a[].b is b of the
	// structures in the list a, which has one entry a row. That is the form in which
	// trainers take messages. [Open] passes over such columns.
	Nest bool
	// Jobs is how many blocks of Parquet, txt and jsonl are encoded and compressed at a
	// time (0: 1). It has no influence on the bytes.
	Jobs int
}

// maxBlockBytes ends a block early whose values take this much, so that neither
// memory nor the 32-bit offsets of Arrow run out.
const maxBlockBytes = 256 << 20

// A sink writes blocks in one format. write takes the block over and returns one
// that is free for use, or nil.
type sink interface {
	write(b *Batch) (*Batch, error)
	close() error
}

// Writer writes the rows of a dataset. Commit makes the output appear; Abort,
// deferred, leaves nothing of what was not committed.
type Writer struct {
	schema Schema
	name   string
	sink   sink
	block  *Batch
	commit func() error
	abort  func() error
	closed bool

	rows  int64
	bytes int64
}

// Create opens a dataset at path for the given columns: a file, a folder if its
// name ends in .hf, or with "-" Options.Stdout. Errors of package atomicfile tell
// of an output that exists or is an input.
func Create(path string, schema Schema, opts Options) (*Writer, error) {
	format := opts.Format
	if format.Kind == "" {
		var err error
		if format, err = FormatOf(path); err != nil {
			return nil, err
		}
	}
	if err := checkFor(format, schema); err != nil {
		return nil, err
	}
	if opts.Nest {
		if err := checkNest(format, schema); err != nil {
			return nil, err
		}
	}
	w := &Writer{schema: schema, name: path, block: NewBatch(schema)}
	switch {
	case path == "-":
		if opts.Stdout == nil || format.Kind != "txt" && format.Kind != "jsonl" {
			return nil, fmt.Errorf("%s cannot be written to a pipe: write .jsonl or .txt, or name a file", format.Kind)
		}
		nothing := func() error { return nil }
		w.commit, w.abort = nothing, nothing
		w.sink = newTextSink(opts.Stdout, format, schema, opts.Jobs)
		return w, nil
	case format.Kind == "hf":
		dir, err := atomicfile.CreateDir(path, atomicfile.Options{Force: opts.Force, Inputs: opts.Inputs, Marker: hfState})
		if err != nil {
			return nil, err
		}
		w.commit, w.abort = dir.Commit, dir.Abort
		w.sink = newFolderSink(dir.Path(), schema)
		return w, nil
	}
	f, err := atomicfile.Create(path, atomicfile.Options{Force: opts.Force, Inputs: opts.Inputs})
	if err != nil {
		return nil, err
	}
	w.commit, w.abort = f.Commit, f.Abort
	switch format.Kind {
	case "parquet":
		w.sink, err = newParquetSink(f, schema, opts.Jobs, opts.Nest)
	case "arrow":
		w.sink, err = newArrowSink(f, schema)
	default:
		w.sink = newTextSink(f, format, schema, opts.Jobs)
	}
	if err != nil {
		return nil, errors.Join(err, f.Abort())
	}
	return w, nil
}

func checkFor(format Format, schema Schema) error {
	if err := schema.Check(); err != nil {
		return err
	}
	switch format.Kind {
	case "txt":
		return schema.Require("", ColumnSentence)
	case "jsonl", "parquet", "arrow", "hf":
		return nil
	}
	return fmt.Errorf("unknown format %q", format.Kind)
}

// Schema is the columns that are written. Of them, txt keeps the sentence alone.
func (w *Writer) Schema() Schema { return w.schema }

// Rows is how many rows were added.
func (w *Writer) Rows() int64 { return w.rows }

// Bytes is how many bytes the values added take, before encoding: for txt the size
// of the file before compression.
func (w *Writer) Bytes() int64 { return w.bytes }

// Append adds the given rows of a batch of the same schema; nil means all.
func (w *Writer) Append(b *Batch, rows []int) error {
	if len(b.Columns) != len(w.schema) {
		return fmt.Errorf("%s: a batch of %d columns for a dataset of %d", w.name, len(b.Columns), len(w.schema))
	}
	for i, f := range w.schema {
		if b.Schema[i].Name != f.Name || b.Columns[i].Kind.IsText() != f.Kind.IsText() ||
			!f.Kind.IsText() && b.Columns[i].Kind != f.Kind {
			return fmt.Errorf("%s: column %q (%s) of a batch stands where the dataset has %q (%s)",
				w.name, b.Schema[i].Name, b.Columns[i].Kind, f.Name, f.Kind)
		}
	}
	n := b.Rows()
	if rows != nil {
		n = len(rows)
	}
	for k := range n {
		row := k
		if rows != nil {
			row = rows[k]
		}
		for i := range w.block.Columns {
			w.block.Columns[i].Append(&b.Columns[i], row)
		}
		if err := w.added(); err != nil {
			return err
		}
	}
	return nil
}

// AppendSentences adds the sentences for which keep is true (nil keeps all) to a
// dataset of cells. The names of the cells and the labels, which are those of the
// schema in order, are looked up by row. Blocks end at multiples of [BlockRows].
func (w *Writer) AppendSentences(s *cellsentence.Sentences, names []string, labels []Label, keep func(i int) bool) error {
	if len(w.schema) != len(labels)+4 || w.schema[0].Name != ColumnCell {
		return fmt.Errorf("%s: sentences with %d labels for columns that are not those of a dataset of such cells", w.name, len(labels))
	}
	for i := range s.Len() {
		row := s.Start + i
		if row%BlockRows == 0 {
			if err := w.Cut(); err != nil {
				return err
			}
		}
		if keep != nil && !keep(i) {
			continue
		}
		c := w.block.Columns
		if row < len(names) {
			c[0].AppendString(names[row])
		} else {
			c[0].AppendMissing()
		}
		c[1].AppendText(s.At(i))
		for k := range labels {
			labels[k].read(&c[2+k], row)
		}
		c[len(c)-2].AppendInt(int64(s.NGenes[i]))
		c[len(c)-1].AppendFloat(s.Total[i])
		if err := w.added(); err != nil {
			return err
		}
	}
	return nil
}

// added ends the block when it is full.
func (w *Writer) added() error {
	w.rows++
	if w.block.Rows() < BlockRows && (w.block.Rows()%64 != 0 || w.block.size() < maxBlockBytes) {
		return nil
	}
	return w.Cut()
}

// Cut ends a block. It does nothing between blocks.
func (w *Writer) Cut() error {
	if w.block.Rows() == 0 {
		return nil
	}
	block := w.block
	w.block = nil
	w.bytes += int64(w.sizeOf(block))
	free, err := w.sink.write(block)
	if free == nil {
		free = NewBatch(w.schema)
	}
	free.Reset()
	w.block = free
	if err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	return nil
}

func (w *Writer) sizeOf(b *Batch) int {
	if t, ok := w.sink.(*textSink); ok && t.format.Kind == "txt" {
		return len(b.Column(ColumnSentence).Text) + b.Rows()
	}
	return b.size()
}

// Commit ends the dataset and gives it its name.
func (w *Writer) Commit() error {
	if w.closed {
		return errors.New("committed twice")
	}
	if err := w.Cut(); err != nil {
		return err
	}
	w.closed = true
	if err := w.sink.close(); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", w.name, err), w.abort())
	}
	return w.commit()
}

// Abort removes what was not committed.
func (w *Writer) Abort() error {
	if w.closed {
		return nil
	}
	w.closed = true
	return errors.Join(ignore(w.sink.close()), w.abort())
}

// ignore is for an error about an output that is going to be removed.
func ignore(error) error { return nil }
