package embedfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
)

// DefaultBudget is the memory in bytes up to which a matrix in Fortran order is
// transposed when it is opened.
const DefaultBudget = 1 << 30

// bufferSize is how many bytes are read and widened at a time: few enough to stay
// in a processor's cache.
const bufferSize = 1 << 18

// Array is a matrix in an .npy file, one row a cell. It serves several goroutines.
type Array struct {
	name   string
	r      io.ReaderAt
	file   *os.File // the same, nil where r is none
	close  func() error
	head   header
	data   int64     // where the numbers start
	inCore []float64 // row by row, of a transposed Fortran order
	bufs   sync.Pool
}

// Open opens the .npy file at path. budget is the memory in bytes that a matrix in
// Fortran order may take, 0 meaning DefaultBudget; larger ones are read column by
// column, which is slow for single rows.
func Open(ctx context.Context, path string, budget int64) (*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		_ = f.Close() // the first error counts
		return nil, err
	}
	a, err := NewArray(ctx, f, st.Size(), path, budget)
	if err != nil {
		_ = f.Close() // the first error counts
		return nil, err
	}
	a.file, a.close = f, f.Close
	return a, nil
}

// NewArray reads the .npy file of size bytes behind r; name stands for it in errors.
func NewArray(ctx context.Context, r io.ReaderAt, size int64, name string, budget int64) (*Array, error) {
	h, at, err := readHeader(io.NewSectionReader(r, 0, size))
	if errors.Is(err, errPickled) {
		return nil, &Error{name, err, "save it with numpy.save(file, array.astype('float32'))"}
	}
	if err != nil {
		return nil, bad(name, "%w", err)
	}
	if len(h.shape) != 2 || h.shape[1] < 1 {
		return nil, bad(name, "its shape is %s: embeddings are a matrix of cells × dimensions", shapeText(h.shape))
	}
	if have := size - at; have < h.size {
		return nil, bad(name, "a shape of %s needs %d bytes of numbers, the file has %d: it was cut off", shapeText(h.shape), h.size, have)
	}
	a := newArray(name, r, h, at)
	if budget <= 0 {
		budget = DefaultBudget
	}
	// Division, not multiplication: sizes are a stranger's.
	if n, d := int64(a.Len()), int64(a.Dim()); h.fortran && n > 0 && d <= budget/8/n {
		x := make([]float64, n*d)
		for start := 0; start < a.Len(); start += stripRows {
			if err := a.ReadRows(ctx, start, x[start*a.Dim():min(int(n), start+stripRows)*a.Dim()]); err != nil {
				return nil, err
			}
		}
		a.inCore = x
	}
	return a, nil
}

// newArray is an array of what r holds from data on.
func newArray(name string, r io.ReaderAt, head header, data int64) *Array {
	a := &Array{name: name, r: r, head: head, data: data}
	a.bufs.New = func() any { b := make([]byte, bufferSize); return &b }
	return a
}

// stripRows is how many rows of a Fortran order are gathered at a time.
const stripRows = 4096

func shapeText(shape []int) string {
	s := fmt.Sprint(shape)
	return "(" + s[1:len(s)-1] + ")"
}

// Close closes the file.
func (a *Array) Close() error {
	if a.close == nil {
		return nil
	}
	return a.close()
}

// Len is the number of rows.
func (a *Array) Len() int { return a.head.shape[0] }

// Dim is the length of a row.
func (a *Array) Dim() int { return a.head.shape[1] }

// ReadRows fills dst, whose length is a multiple of Dim, with the rows from start
// on.
func (a *Array) ReadRows(ctx context.Context, start int, dst []float64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n, d := a.Len(), a.Dim()
	if start < 0 || len(dst)%d != 0 || len(dst)/d > n-start {
		return fmt.Errorf("%s: %d numbers from row %d of %d rows of %d", a.name, len(dst), start, n, d)
	}
	switch {
	case a.inCore != nil:
		copy(dst, a.inCore[start*d:])
		return nil
	case a.head.fortran:
		return a.readColumns(start, dst)
	}
	return a.read(int64(start)*int64(d), dst)
}

// mapFrom is the number of bytes from which on a map of the file pays: 460 MB of float32
// in the page cache took 0.13 s of a processor out of maps of 4,096 rows and 0.16 s
// through a buffer (BenchmarkMapped). For few bytes making the map is dearer than a copy.
const mapFrom = 1 << 20

// read fills dst with numbers from the at-th of the file on.
func (a *Array) read(at int64, dst []float64) error {
	t := a.head.dtype
	if n := len(dst) * t.size; a.file != nil && n >= mapFrom {
		if done, err := a.readMapped(a.data+at*int64(t.size), n, dst); done {
			return err
		}
	}
	buf := a.bufs.Get().(*[]byte)
	defer a.bufs.Put(buf)
	for len(dst) > 0 {
		n := min(len(dst), bufferSize/t.size)
		b := (*buf)[:n*t.size]
		if _, err := a.r.ReadAt(b, a.data+at*int64(t.size)); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		t.decode(dst[:n], b)
		dst, at = dst[n:], at+int64(n)
	}
	return nil
}

// readMapped is read through a map of the n bytes at off; done is false where there can
// be none. The map lasts as long as the call, so that a file that is cut off meanwhile
// is an error, as it is for other reads, and not the end of the program.
func (a *Array) readMapped(off int64, n int, dst []float64) (done bool, err error) {
	b, release, ok := mapFile(a.file, off, n)
	if !ok {
		return false, nil
	}
	defer release()
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = bad(a.name, "the file shrank while it was read")
		default:
			panic(r)
		}
	}()
	a.head.dtype.decode(dst, b)
	return true, nil
}

// readColumns gathers rows from columns that stand one after another.
func (a *Array) readColumns(start int, dst []float64) error {
	n, d := a.Len(), a.Dim()
	column := make([]float64, len(dst)/d)
	for j := range d {
		if err := a.read(int64(j)*int64(n)+int64(start), column); err != nil {
			return err
		}
		for i, v := range column {
			dst[i*d+j] = v
		}
	}
	return nil
}
