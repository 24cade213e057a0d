package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"

	"github.com/cellsentence/c2s/internal/atomicfile"
)

// FileName is the name of a screen's table in its folder.
const FileName = "scores.tsv.gz"

// columns are the names in the second line of a file.
const columns = "context\tarm\titem\tdose\tcluster\tcell_type\tcell\tdraw\tu\texpr\tvalid\tcopy"

// names of the contexts and arms in a file.
func contextNames() [2]string { return [2]string{"pos", "neu"} }

func armNames() [4]string { return [4]string{"vehicle", "compound", "interferon", "both"} }

// Writer writes a table row by row, as gzip-compressed text: a line "# " with the
// header as JSON, a line with the names of the columns, and a line a row, tabs
// between the columns. Items, doses, clusters and cell types are places in the lists
// of the header, counted from 0. The same rows give the same bytes.
type Writer struct {
	header Header
	zip    *gzip.Writer
	out    *bufio.Writer
	line   []byte
	rows   int
}

// NewWriter writes the header to w. The caller closes the writer, then w.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	if err := h.check(); err != nil {
		return nil, &Error{Err: err}
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("the header of a screen's table: %w", err)
	}
	if len(text) > maxHeader {
		return nil, fmt.Errorf("the header of a screen's table has %d bytes, more than %d", len(text), maxHeader)
	}
	zip := gzip.NewWriter(w)
	out := bufio.NewWriterSize(zip, 1<<16)
	if _, err := fmt.Fprintf(out, "# %s\n%s\n", text, columns); err != nil {
		return nil, err
	}
	return &Writer{header: h, zip: zip, out: out}, nil
}

// Write writes a row. A row that the header does not allow is an [*Error].
func (w *Writer) Write(r Row) error {
	if column, err := w.header.checkRow(r); err != nil {
		return &Error{Err: fmt.Errorf("row %d (counted from 0): %s: %w", w.rows, column, err)}
	}
	w.rows++
	b := w.line[:0]
	b = append(b, contextNames()[r.Context]...)
	b = append(b, '\t')
	b = append(b, armNames()[r.Arm]...)
	for _, v := range [...]int64{int64(r.Item), int64(r.Dose), int64(r.Cluster), int64(r.CellType), int64(r.Cell), int64(r.Draw)} {
		b = append(b, '\t')
		b = strconv.AppendInt(b, v, 10)
	}
	for _, v := range [...]float32{r.U, r.Expr} {
		if b = append(b, '\t'); v == v { // a missing score is an empty field
			b = strconv.AppendFloat(b, float64(v), 'g', -1, 32)
		}
	}
	b = append(b, '\t', bit(r.Valid), '\t', bit(r.Copy), '\n')
	w.line = b
	_, err := w.out.Write(b)
	return err
}

// Close ends the compressed stream; it does not close what the stream goes to.
func (w *Writer) Close() error {
	return errors.Join(w.out.Flush(), w.zip.Close())
}

func bit(v bool) byte {
	if v {
		return '1'
	}
	return '0'
}

// Write writes a table to w.
func Write(w io.Writer, t *Table) error {
	out, err := NewWriter(w, t.Header)
	if err != nil {
		return err
	}
	for i := range t.Len() {
		if err := out.Write(t.Row(i)); err != nil {
			return err
		}
	}
	return out.Close()
}

// WriteFile writes a table to a file, which appears when it is whole.
func WriteFile(path string, t *Table, opts atomicfile.Options) (err error) {
	f, err := atomicfile.Create(path, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Abort()) }()
	if err := Write(f, t); err != nil {
		return err
	}
	return f.Commit()
}
