package hdf5

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"unsafe"
)

// Visit calls fn with rows [lo, hi) as T. Contiguous data that lie in a local
// file as T are mapped and not copied; all else is read into *buf, which grows
// as needed. The slice must not be written to, nor used once fn has returned.
// A file that shrinks meanwhile is an error, as with a read.
func Visit[T Number](ctx context.Context, d *Dataset, lo, hi uint64, buf *[]T, fn func([]T) error) error {
	if native[T](d.Type) && len(d.Space.Dims) > 0 && lo < hi && hi <= d.Space.Dims[0] {
		done, err := d.mapped(lo, hi, func(b []byte) error {
			size := unsafe.Sizeof(*new(T))
			if uintptr(unsafe.Pointer(&b[0]))%size != 0 {
				return errUnaligned
			}
			return fn(unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/int(size)))
		})
		if done && !errors.Is(err, errUnaligned) {
			return err
		}
	}
	n := hi - lo
	for _, w := range d.Space.Dims[min(1, len(d.Space.Dims)):] {
		n *= w
	}
	if err := d.justify(n * uint64(d.Type.Size)); err != nil {
		return d.fail(err)
	}
	if uint64(cap(*buf)) < n {
		*buf = make([]T, n)
	}
	*buf = (*buf)[:n]
	if err := ReadInto(ctx, d, lo, hi, *buf); err != nil {
		return err
	}
	return fn(*buf)
}

var errUnaligned = errors.New("data are not aligned in memory")

// mapped calls fn with the bytes of rows [lo, hi) of contiguous data, mapped
// into memory. done is false when the file cannot be mapped. The pages are let
// go before mapped returns.
func (d *Dataset) mapped(lo, hi uint64, fn func([]byte) error) (done bool, err error) {
	f := d.file
	if f.osFile == nil || f.noMap || d.Layout != Contiguous || d.addr == undefined || d.readable() != nil {
		return false, nil
	}
	row := uint64(d.Type.Size)
	for _, w := range d.Space.Dims[1:] {
		row *= w
	}
	off, n := f.sb.base+d.addr+lo*row, (hi-lo)*row
	if n == 0 || f.src.check(off, n) != nil {
		return false, nil
	}
	b, release, ok := mapFile(f.osFile, int64(off), int(n))
	if !ok {
		return false, nil
	}
	defer release()
	return true, d.guard(fn, b)
}

// guard calls fn and turns a fault, the file having shrunk under its mapping,
// into an error. Other panics pass.
func (d *Dataset) guard(fn func([]byte) error, b []byte) (err error) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = d.fail(fmt.Errorf("%w: the file shrank while it was read", ErrTruncated))
		default:
			panic(r)
		}
	}()
	return fn(b)
}
