package gguf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

const keyAlignment = "general.alignment"

// File is an open GGUF file. It does not change and is safe for concurrent use.
type File struct {
	// Version is that of the format, 2 or 3.
	Version uint32
	// Tensors are in the order of the file.
	Tensors []Tensor

	name   string
	size   int64
	keys   []string
	values map[string]any
	index  map[string]int
	base   int64 // of the data

	// data is the whole file where it lies in memory or is mapped, else nil.
	data    []byte
	from    io.ReaderAt
	release func() error
}

// Open reads the head of a file. On local file systems of Linux the weights are
// mapped, so that opening costs no memory and processes share it: the file must
// not be cut short while it is open. [File.Close] ends that.
func Open(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := open(in, path)
	if err != nil {
		_ = in.Close()
		return nil, err
	}
	return f, nil
}

func open(in *os.File, path string) (*File, error) {
	st, err := in.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, &Error{File: path, Err: fmt.Errorf("%w: no regular file", ErrNotGGUF)}
	}
	f := &File{name: path, size: st.Size(), from: in, release: in.Close}
	if err := f.parse(in); err != nil {
		return nil, err
	}
	if data, unmap, ok := mapFile(in, f.size); ok {
		f.data = data
		f.release = func() error { return errors.Join(unmap(), in.Close()) }
	}
	return f, nil
}

// Parse reads a file that lies in memory, which must not change. The name is for
// messages.
func Parse(data []byte, name string) (*File, error) {
	f := &File{name: name, size: int64(len(data)), data: data, release: func() error { return nil }}
	if err := f.parse(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	return f, nil
}

// Close ends the use of the file and of all slices that Data gave.
func (f *File) Close() error { return f.release() }

// Size is that of the file in bytes.
func (f *File) Size() int64 { return f.size }

// Keys are the names of the metadata, in the order of the file.
func (f *File) Keys() []string { return f.keys }

// Value is what stands under a key, or nil: a number, a bool or a string, or a
// slice of them, of the type that the file says (uint8 … float64).
func (f *File) Value(key string) any { return f.values[key] }

// Get is the value of a key, which must have the type T. Errors wrap
// [ErrNotFound], or [ErrCorrupt] for another type.
func Get[T any](f *File, key string) (T, error) {
	v, ok := f.values[key]
	if !ok {
		var zero T
		return zero, f.fail(key, fmt.Errorf("%w: the file lacks this key", ErrNotFound))
	}
	t, ok := v.(T)
	if !ok {
		return t, f.fail(key, corruptf("it holds %T, not %T", v, t))
	}
	return t, nil
}

// Uint is the value of a key that holds an integer of any width, none below zero.
// Errors are those of [Get].
func (f *File) Uint(key string) (uint64, error) {
	v, err := Get[any](f, key)
	if err != nil {
		return 0, err
	}
	n := int64(-1)
	switch v := v.(type) {
	case uint8:
		n = int64(v)
	case uint16:
		n = int64(v)
	case uint32:
		n = int64(v)
	case uint64:
		n = int64(min(v, math.MaxInt64))
	case int8:
		n = int64(v)
	case int16:
		n = int64(v)
	case int32:
		n = int64(v)
	case int64:
		n = v
	}
	if n < 0 {
		return 0, f.fail(key, corruptf("it holds %v, where a count is needed", v))
	}
	return uint64(n), nil
}

// Tensor is the tensor of a name. The error wraps [ErrNotFound].
func (f *File) Tensor(name string) (*Tensor, error) {
	i, ok := f.index[name]
	if !ok {
		return nil, f.fail("tensor "+name, fmt.Errorf("%w: the file lacks this tensor", ErrNotFound))
	}
	return &f.Tensors[i], nil
}

// Data is the stored bytes of a tensor of this file: part of the file where that
// is mapped or in memory, else read anew.
func (f *File) Data(t *Tensor) ([]byte, error) {
	lo, hi := f.base+t.offset, f.base+t.offset+t.size
	if f.data != nil {
		return f.data[lo:hi:hi], nil
	}
	out := make([]byte, t.size)
	if _, err := f.from.ReadAt(out, lo); err != nil {
		if errors.Is(err, io.EOF) {
			err = ErrTruncated
		}
		return nil, f.fail("tensor "+t.Name, err)
	}
	return out, nil
}

// Section reads the stored bytes of a tensor of this file piece by piece, without
// mapping them.
func (f *File) Section(t *Tensor) *io.SectionReader {
	if f.from == nil {
		return io.NewSectionReader(bytes.NewReader(f.data), f.base+t.offset, t.size)
	}
	return io.NewSectionReader(f.from, f.base+t.offset, t.size)
}

func (f *File) fail(place string, err error) error {
	return &Error{File: f.name, Place: place, Err: err}
}

// Reader reads the whole file, from its first byte on.
func (f *File) Reader() *io.SectionReader {
	if f.data != nil {
		return io.NewSectionReader(bytes.NewReader(f.data), 0, f.size)
	}
	return io.NewSectionReader(f.from, 0, f.size)
}
