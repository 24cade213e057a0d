package dataset

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

// ReadOptions says how a dataset is read. The zero value reads all columns.
type ReadOptions struct {
	// Columns are those to read, in this order (nil: all). One that is not there is
	// an error.
	Columns []string
	// Stdin is where "-" comes from: txt or jsonl, which its beginning tells.
	Stdin io.Reader
	// Rows is how many rows a batch has at most (0: [BlockRows]).
	Rows int
	// Budget bounds the bytes that a page, a record batch or a line may take
	// (0: 1 GiB).
	Budget int64
}

func (o *ReadOptions) rows() int {
	if o.Rows <= 0 {
		return BlockRows
	}
	return o.Rows
}

func (o *ReadOptions) budget() int64 {
	if o.Budget <= 0 {
		return 1 << 30
	}
	return o.Budget
}

// A source reads rows of one format. next fills an empty batch whose schema is that
// of the source; it returns io.EOF behind the last row.
type source interface {
	next(b *Batch) error
	close() error
}

// Reader reads the rows of a dataset in order.
type Reader struct {
	name    string
	schema  Schema
	skipped []string
	source  source
	start   int64
}

// Open opens a dataset: a file or folder of one of the formats, or with "-"
// ReadOptions.Stdin. Errors of the file are of the type [*Error].
func Open(ctx context.Context, path string, opts ReadOptions) (*Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &Reader{name: path}
	err := guard(func() error { return r.open(ctx, path, &opts) })
	if err != nil {
		if r.source != nil {
			_ = r.source.close() // the first error counts
		}
		return nil, at(path, "", err)
	}
	return r, nil
}

func (r *Reader) open(ctx context.Context, path string, opts *ReadOptions) error {
	if path == "-" {
		if opts.Stdin == nil {
			return errors.New("there is no standard input")
		}
		return r.openPipe(opts)
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return r.openFolder(path, opts)
	}
	format, err := FormatOf(path)
	switch {
	case err != nil:
		return &Error{File: path, Err: errors.New("the name tells no format"), Tip: (&UnknownFormatError{}).Hint()}
	case format.Kind == "hf":
		return inputError(path, "", "", "a Hugging Face dataset is a folder, and this is a file")
	case !st.Mode().IsRegular() && format.Kind != "txt" && format.Kind != "jsonl":
		return inputError(path, "", "write it to a file first", "%s cannot be read from a pipe or device", format.Kind)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	switch format.Kind {
	case "parquet":
		err = r.openParquet(f, st.Size(), opts)
	case "arrow":
		err = r.openArrow(f, st.Size(), opts)
	default:
		err = r.openText(ctx, f, format, st.Mode().IsRegular(), opts)
	}
	if r.source == nil {
		f.Close()
	}
	return err
}

// openPipe tells jsonl by its first character.
func (r *Reader) openPipe(opts *ReadOptions) error {
	in, _, err := decompress(opts.Stdin, "")
	if err != nil {
		return err
	}
	in = bufio.NewReader(in)
	first, err := in.(*bufio.Reader).Peek(1)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return r.textSource(in, nil, bytes.Equal(first, []byte("{")), opts)
}

// Schema is the columns that are read.
func (r *Reader) Schema() Schema { return r.schema }

// Skipped lists columns of kinds that this package does not read, such as lists.
func (r *Reader) Skipped() []string { return slices.Clone(r.skipped) }

// choose sets the columns to read, given those of the file; it returns the position
// in the file of each.
func (r *Reader) choose(all Schema, opts *ReadOptions) ([]int, error) {
	if err := all.Check(); err != nil {
		return nil, err
	}
	names := opts.Columns
	if names == nil {
		names = all.Names()
	}
	if err := all.Require(r.name, names...); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there is no column that can be read")
	}
	columns := make([]int, len(names))
	r.schema = make(Schema, len(names))
	for i, name := range names {
		columns[i] = all.Index(name)
		r.schema[i] = all[columns[i]]
	}
	return columns, r.schema.Check()
}

// Next reads rows into b, which must come from [NewBatch] with the reader's schema;
// it is reset first. The error is io.EOF behind the last row.
func (r *Reader) Next(ctx context.Context, b *Batch) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	b.Reset()
	b.Start = r.start
	err := guard(func() error { return r.source.next(b) })
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case err != nil:
		return at(r.name, "", err)
	}
	r.start += int64(b.Rows())
	return nil
}

// All yields the rows in batches. The batch is valid until the next iteration; an
// error is the last thing yielded.
func (r *Reader) All(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		b := NewBatch(r.schema)
		for {
			err := r.Next(ctx, b)
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(nil, err)
				return
			case !yield(b, nil):
				return
			}
		}
	}
}

// Close closes the files.
func (r *Reader) Close() error { return r.source.close() }

// Read yields all rows of a dataset in batches; see [Open] and [Reader.All].
func Read(ctx context.Context, path string, opts ReadOptions) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		r, err := Open(ctx, path, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = r.Close() }() // it is only read
		for b, err := range r.All(ctx) {
			if !yield(b, err) {
				return
			}
		}
	}
}

// within joins a name from a file to the folder that the file is in.
func within(dir, name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("%q leads out of the folder", name)
	}
	return filepath.Join(dir, name), nil
}
