package h5ad

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// errUnsorted means that the entries do not come cell by cell.
var errUnsorted = errors.New("the entries are not sorted by barcode")

// mtxHead is what a Matrix Market file says before its entries.
type mtxHead struct {
	rows, cols int
	entries    int64
	integers   bool
	pattern    bool // entries have no value: 1
	byCell     bool // rows are cells rather than features
	line       int
}

// head reads the banner, the comments and the size.
func (m mtxFolder) head(r *bufio.Reader, t *mtxTables) (h mtxHead, err error) {
	next := func() (string, error) {
		h.line++
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) > 0 {
			err = nil
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return strings.TrimRight(string(line), "\r\n"), err
	}
	banner, err := next()
	if err != nil {
		return h, err
	}
	words := strings.Fields(strings.ToLower(banner))
	if len(words) != 5 || words[0] != "%%matrixmarket" {
		return h, fmt.Errorf("expected a Matrix Market banner, found %q", short(banner))
	}
	if words[1] != "matrix" || words[2] != "coordinate" || words[4] != "general" {
		return h, fmt.Errorf("expected a general coordinate matrix, found %q", short(banner))
	}
	switch words[3] {
	case "integer":
		h.integers = true
	case "pattern":
		h.integers, h.pattern = true, true
	case "real", "double":
	default:
		return h, fmt.Errorf("values of the kind %q", short(words[3]))
	}
	line := "%"
	for strings.HasPrefix(line, "%") || strings.TrimSpace(line) == "" {
		if line, err = next(); err != nil {
			return h, err
		}
	}
	size := strings.Fields(line)
	if len(size) != 3 {
		return h, fmt.Errorf("expected rows, columns and entries, found %q", short(line))
	}
	var n [3]int64
	for i, s := range size {
		if n[i], err = strconv.ParseInt(s, 10, 64); err != nil || n[i] < 0 || i < 2 && n[i] > math.MaxInt32 {
			return h, fmt.Errorf("expected rows, columns and entries, found %q", short(line))
		}
	}
	h.rows, h.cols, h.entries = int(n[0]), int(n[1]), n[2]
	features, barcodes := len(t.keep), len(t.barcodes)
	switch {
	case h.rows == features && h.cols == barcodes:
	case h.rows == barcodes && h.cols == features:
		h.byCell = true
	default:
		return h, fmt.Errorf("a matrix of %d × %d, but %s has %d lines and %s %d", h.rows, h.cols, t.featuresFrom, features, t.barcodesFrom, barcodes)
	}
	if h.entries > int64(h.rows)*int64(h.cols) {
		return h, fmt.Errorf("%d entries in a matrix of %d × %d", h.entries, h.rows, h.cols)
	}
	return h, nil
}

// short cuts a text for a message.
func short(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

// mtxBatch is how many entries are gathered before they are written.
const mtxBatch = 512 << 10

// spool writes the folder as an AnnData file. With sort, entries may come in any
// order; otherwise errUnsorted says that they did.
func (m mtxFolder) spool(ctx context.Context, out *os.File, t *mtxTables, opts Options, sort bool) (err error) {
	in, err := m.open(m.matrix)
	if err != nil {
		return err
	}
	defer in.Close()
	r := bufio.NewReaderSize(in, 1<<20)
	h, err := m.head(r, t)
	if err != nil {
		return m.fail(m.matrix, h.line, err)
	}
	w, err := NewWriter(out, m.path, WriteOptions{Workers: opts.Workers})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	if err := t.annotations(ctx, w); err != nil {
		return err
	}
	dtype := "float32"
	if h.integers {
		dtype = "int32"
	}
	spec := MatrixSpec{NObs: len(t.barcodes), NVars: len(t.ids), DType: dtype}
	if sort {
		// Sorted by cell is what a transposition does to rows that are genes.
		spec = MatrixSpec{NObs: len(t.barcodes), NVars: len(t.ids), DType: dtype, gathered: true}
	}
	x, err := w.Matrix(ctx, "X", spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.discard()) }()
	e := &mtxEntries{ctx: ctx, h: h, keep: t.keep, x: x, sort: sort}
	if err := e.read(r); err != nil {
		return m.fail(m.matrix, e.h.line, err)
	}
	if err := x.Close(ctx); err != nil {
		return err
	}
	return w.Close()
}

// mtxEntries moves entries from a Matrix Market file to a matrix.
type mtxEntries struct {
	ctx  context.Context
	h    mtxHead
	keep []int32
	x    *MatrixWriter
	sort bool

	cells  []int32 // of the entries, with sort
	b      Batch
	cell   int // the last that came
	floats []float32
	ints   []int32
}

func (e *mtxEntries) read(r *bufio.Reader) error {
	e.b.Indptr = []int64{0}
	nCells, nGenes := e.h.cols, e.h.rows
	if e.h.byCell {
		nCells, nGenes = nGenes, nCells
	}
	for n := int64(0); n < e.h.entries; n++ {
		line, err := r.ReadSlice('\n')
		e.h.line++
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return errors.New("the line is too long")
		case errors.Is(err, io.EOF) && len(bytes.TrimSpace(line)) > 0:
		case errors.Is(err, io.EOF):
			return fmt.Errorf("the file ends after %d of %d entries: %w", n, e.h.entries, io.ErrUnexpectedEOF)
		case err != nil:
			return err
		}
		gene, cell, err := e.entry(line)
		if err != nil {
			return err
		}
		if e.h.byCell {
			gene, cell = cell, gene
		}
		if gene < 1 || gene > nGenes || cell < 1 || cell > nCells {
			return fmt.Errorf("entry %q is outside the matrix of %d × %d", short(string(bytes.TrimSpace(line))), e.h.rows, e.h.cols)
		}
		if err := e.put(cell-1, e.keep[gene-1]); err != nil {
			return err
		}
	}
	for {
		line, err := r.ReadSlice('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			e.h.line++
			return fmt.Errorf("more than the %d entries that were announced", e.h.entries)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if e.sort {
		return e.flush()
	}
	if err := e.upTo(nCells); err != nil {
		return err
	}
	return e.flush()
}

// entry reads the two numbers of a line and appends its value.
func (e *mtxEntries) entry(line []byte) (i, j int, err error) {
	i, rest, ok := leadingInt(line)
	if ok {
		j, rest, ok = leadingInt(rest)
	}
	rest = bytes.TrimSpace(rest)
	if !ok || (len(rest) == 0) != e.h.pattern {
		return 0, 0, fmt.Errorf("expected two numbers and a value, found %q", short(string(bytes.TrimSpace(line))))
	}
	switch {
	case e.h.pattern:
		e.ints = append(e.ints, 1)
	case e.h.integers:
		v, left, ok := leadingInt(rest)
		if !ok || len(bytes.TrimSpace(left)) > 0 || v > math.MaxInt32 {
			n, err := strconv.ParseInt(string(rest), 10, 32)
			if err != nil {
				return 0, 0, fmt.Errorf("%q is not a whole number of 32 bits", short(string(rest)))
			}
			v = int(n)
		}
		e.ints = append(e.ints, int32(v))
	default:
		v, err := strconv.ParseFloat(string(rest), 32)
		if err != nil {
			return 0, 0, fmt.Errorf("%q is not a number", short(string(rest)))
		}
		e.floats = append(e.floats, float32(v))
	}
	return i, j, nil
}

// leadingInt reads digits after blanks.
func leadingInt(b []byte) (n int, rest []byte, ok bool) {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	start := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' && i-start < 18 {
		n = n*10 + int(b[i]-'0')
		i++
	}
	end := i == len(b) || b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r'
	return n, b[i:], i > start && end
}

// put takes the value that entry appended.
func (e *mtxEntries) put(cell int, gene int32) error {
	if gene < 0 { // of a feature that is no gene
		e.floats, e.ints = e.floats[:max(0, len(e.floats)-1)], e.ints[:max(0, len(e.ints)-1)]
		return nil
	}
	if e.sort {
		e.cells = append(e.cells, int32(cell))
	} else if err := e.upTo(cell); err != nil {
		return err
	}
	e.b.Indices = append(e.b.Indices, gene)
	if e.sort && len(e.b.Indices) >= mtxBatch {
		return e.flush()
	}
	return nil
}

// upTo ends the rows before that of a cell.
func (e *mtxEntries) upTo(cell int) error {
	if cell < e.cell {
		return errUnsorted
	}
	for e.cell < cell {
		// The value of the entry that goes to the new row is not in Indices yet.
		e.b.Indptr = append(e.b.Indptr, int64(len(e.b.Indices)))
		e.cell++
		if len(e.b.Indices) >= mtxBatch || len(e.b.Indptr) > mtxBatch {
			if err := e.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes what was gathered; a value without an index stays.
func (e *mtxEntries) flush() error {
	if err := e.ctx.Err(); err != nil {
		return err
	}
	n := len(e.b.Indices)
	if e.h.integers {
		e.b.Values = e.ints[:n]
	} else {
		e.b.Values = e.floats[:n]
	}
	var err error
	if e.sort {
		err = e.x.gather(e.cells, &e.b)
	} else {
		err = e.x.Append(e.ctx, &e.b)
	}
	e.ints = append(e.ints[:0], e.ints[min(n, len(e.ints)):]...)
	e.floats = append(e.floats[:0], e.floats[min(n, len(e.floats)):]...)
	e.b.Indices, e.b.Indptr, e.cells = e.b.Indices[:0], append(e.b.Indptr[:0], 0), e.cells[:0]
	return err
}
