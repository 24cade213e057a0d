package h5ad

import (
	"context"
	"errors"
	"fmt"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// errLater is what reading a column of Await gives.
var errLater = errors.New("its values come after the data frame was written")

// Await adds columns to a data frame in memory whose values come when the frame is
// written: [Writer.Texts] or [Writer.Set] then writes each, before [Writer.Close].
func (df *DataFrame) Await(names ...string) error {
	for _, n := range names {
		if df.Has(n) {
			return fmt.Errorf("two columns are called %q", n)
		}
		df.Names, df.later = append(df.Names, n), append(df.later, n)
		df.read[n] = func(context.Context) (*Column, error) { return nil, errLater }
	}
	return nil
}

// TextWriter is a column of texts under construction, to which values are appended: a
// text lies in the file as soon as it is, so that a column may be larger than the memory.
type TextWriter struct {
	w    *Writer
	key  string
	v    *vector
	rows int
}

// Texts starts an array of texts at a key such as obs/cell_sentence.
func (w *Writer) Texts(ctx context.Context, key string) (*TextWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g, name, err := w.place(key)
	if err != nil {
		return nil, err
	}
	return &TextWriter{w: w, key: key, v: &vector{w: w, group: g, name: name, typ: hdf5.StringType(), kind: "string-array"}}, nil
}

// Append adds a text, which must not hold a NUL: HDF5 would end it there.
func (t *TextWriter) Append(ctx context.Context, text string) error {
	desc, err := t.w.elements(nil, &Array{Values: []string{text}})
	if err != nil {
		return t.w.fail(t.key, err)
	}
	t.rows++
	return t.w.fail(t.key, t.v.append(ctx, desc))
}

// Close completes the column.
func (t *TextWriter) Close(ctx context.Context) error {
	if err := t.w.aligned(t.key, &Array{Dims: []int{t.rows}}); err != nil {
		return err
	}
	return t.w.fail(t.key, t.v.close(ctx))
}
