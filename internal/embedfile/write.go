package embedfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Writer writes a matrix to an .npy file row by row, little-endian and in C order.
type Writer[T float32 | float64] struct {
	w    io.Writer
	left int // numbers to come
	buf  []byte
}

// NewWriter writes the header of a matrix of n rows of d numbers.
func NewWriter[T float32 | float64](w io.Writer, n, d int) (*Writer[T], error) {
	if n < 0 || d < 1 || n > math.MaxInt/d {
		return nil, fmt.Errorf("a matrix of %d × %d cannot be written", n, d)
	}
	return &Writer[T]{w: w, left: n * d}, writeHeader(w, descr[T](), n, d)
}

func descr[T float32 | float64]() string {
	if _, ok := any(T(0)).(float32); ok {
		return "<f4"
	}
	return "<f8"
}

// Write appends numbers, in the order of rows.
func (w *Writer[T]) Write(x []T) error {
	if len(x) > w.left {
		return fmt.Errorf("%d numbers more than the matrix holds", len(x)-w.left)
	}
	w.left -= len(x)
	for len(x) > 0 {
		n := min(len(x), bufferSize/8)
		w.buf = appendNumbers(w.buf[:0], x[:n])
		if _, err := w.w.Write(w.buf); err != nil {
			return err
		}
		x = x[n:]
	}
	return nil
}

// Close reports whether the matrix is complete. It does not close what lies below.
func (w *Writer[T]) Close() error {
	if w.left != 0 {
		return fmt.Errorf("%d numbers of the matrix were not written", w.left)
	}
	return nil
}

func appendNumbers[T float32 | float64](b []byte, x []T) []byte {
	for _, v := range x {
		switch v := any(v).(type) {
		case float32:
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		case float64:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	return b
}
