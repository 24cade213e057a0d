// Package filter undoes the filters that HDF5 chunks go through: deflate,
// shuffle, fletcher32 and h5py's lzf.
//
// Start with [Decoder.Decode]. A filter that is unknown or fails is an error,
// never data, whatever the file says about it being optional. The formats are
// those of the HDF5 File Format Specification, section IV.A.2.l, of the HDF5
// library's documentation and of liblzf.
package filter

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cellsentence/c2s/internal/inflate"
)

// Registered filter numbers.
const (
	Deflate    = 1
	Shuffle    = 2
	Fletcher32 = 3
	SZIP       = 4
	NBit       = 5
	ScaleOff   = 6
	BZip2      = 307
	LZF        = 32000
	Blosc      = 32001
	LZ4        = 32004
	Bitshuffle = 32008
	ZFP        = 32013
	Zstd       = 32015
	Blosc2     = 32026
)

// name is what people call a filter.
func name(id uint16) string {
	switch id {
	case Deflate:
		return "gzip"
	case Shuffle:
		return "shuffle"
	case Fletcher32:
		return "fletcher32"
	case SZIP:
		return "szip"
	case NBit:
		return "nbit"
	case ScaleOff:
		return "scale-offset"
	case BZip2:
		return "bzip2"
	case LZF:
		return "lzf"
	case Blosc:
		return "blosc"
	case LZ4:
		return "lz4"
	case Bitshuffle:
		return "bitshuffle"
	case ZFP:
		return "zfp"
	case Zstd:
		return "zstd"
	case Blosc2:
		return "blosc2"
	}
	return ""
}

// Spec is one filter of a pipeline.
type Spec struct {
	ID       uint16
	Name     string   // as the file has it, often ""
	Optional bool     // the writer could leave it out where it failed
	Client   []uint32 // its parameters
}

// String is the filter's common name, or its number.
func (s Spec) String() string {
	if n := name(s.ID); n != "" {
		return n
	}
	if s.Name != "" {
		return fmt.Sprintf("%q (filter %d)", s.Name, s.ID)
	}
	return fmt.Sprintf("filter %d", s.ID)
}

// Pipeline is the filters in the order in which the writer applied them.
type Pipeline []Spec

// UnsupportedError names a filter that this package cannot undo.
type UnsupportedError struct{ Filter Spec }

// Error names the filter.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("the filter %v; rewrite the file with gzip (h5repack -f GZIP=4 IN OUT, or in Python with compression=\"gzip\")", e.Filter)
}

// Check returns an [*UnsupportedError] for the first filter that cannot be
// undone.
func (p Pipeline) Check() error {
	for _, s := range p {
		switch s.ID {
		case Deflate, Shuffle, Fletcher32, LZF:
		default:
			return &UnsupportedError{s}
		}
	}
	return nil
}

// ErrSize means that a chunk decodes to another size than it should.
var ErrSize = errors.New("wrong size")

// Decoder undoes pipelines. It keeps its memory from chunk to chunk and serves
// one goroutine at a time. The zero value is ready.
type Decoder struct {
	inflate inflate.Decoder
	buf     [2][]byte
}

// Decode undoes the filters of p on src, the last one first, leaving out those
// whose bit is set in mask. The result must fill dst exactly. src is not
// changed. No more memory is taken than dst has, and a little.
func (d *Decoder) Decode(p Pipeline, mask uint32, src, dst []byte) error {
	todo := make([]Spec, 0, 8)
	for i, s := range slices.Backward(p) {
		if i < 32 && mask>>i&1 != 0 {
			continue
		}
		todo = append(todo, s)
	}
	// Each checksum that is still to be undone adds four bytes to what the
	// filters before it may give.
	room := len(dst)
	for _, s := range todo {
		if s.ID == Fletcher32 {
			room += 4
		}
	}
	for i, s := range todo {
		if s.ID == Fletcher32 {
			var err error
			if src, err = checksummed(src); err != nil {
				return fmt.Errorf("%v: %w", s, err)
			}
			room -= 4
			continue
		}
		to := dst
		if i < len(todo)-1 {
			if cap(d.buf[i%2]) < room {
				d.buf[i%2] = make([]byte, room)
			}
			to = d.buf[i%2][:room]
		}
		n, err := d.undo(s, to, src)
		if err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
		src = to[:n]
	}
	if len(src) != len(dst) {
		return fmt.Errorf("%w: %d bytes, expected %d", ErrSize, len(src), len(dst))
	}
	if len(dst) > 0 && &src[0] != &dst[0] {
		copy(dst, src)
	}
	return nil
}

func (d *Decoder) undo(s Spec, dst, src []byte) (int, error) {
	switch s.ID {
	case Deflate:
		return d.inflate.Zlib(dst, src)
	case LZF:
		return lzfDecode(dst, src)
	case Shuffle:
		if len(s.Client) < 1 || s.Client[0] < 1 {
			return 0, errors.New("the size of an element is missing")
		}
		if len(src) > len(dst) {
			return 0, fmt.Errorf("%w: %d bytes for %d", ErrSize, len(src), len(dst))
		}
		unshuffle(dst, src, int(min(s.Client[0], 1<<30)))
		return len(src), nil
	}
	return 0, &UnsupportedError{s}
}
