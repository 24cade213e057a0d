// Package filter undoes the filters that HDF5 chunks go through: deflate (a zlib
// stream), shuffle, fletcher32 and h5py's lzf, and of those that other programs
// need a plugin for, blosc (version 1), bitshuffle, lz4, zstd and bzip2; and applies
// those that the standard library has not.
//
// Start with [Decoder.Decode]; a writer, with [AppendShuffled], [AppendFletcher32]
// and [LZFEncoder]. A filter that is unknown or fails is an error, never data,
// whatever the file says about it being optional. The formats are those of the
// HDF5 File Format Specification, section IV.A.2.l, of the HDF5 library's
// documentation, of liblzf and of those whose names the filters have.
package filter

import "fmt"

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
type UnsupportedError struct {
	Filter Spec
	Codec  string // of the filter, if it is only one of several that it may use
}

// Error names the filter and what rewrites the file.
func (e *UnsupportedError) Error() string {
	with := ""
	if e.Codec != "" {
		with = " with " + e.Codec
	}
	where := ""
	if e.Filter.ID >= 256 { // not one of the library's own
		where = ", where the plugin of the filter is installed"
	}
	return fmt.Sprintf("the filter %v%s; rewrite the file with gzip%s (h5repack -f GZIP=4 IN OUT, or in Python with compression=\"gzip\")", e.Filter, with, where)
}

// Check returns an [*UnsupportedError] for the first filter that cannot be
// undone.
func (p Pipeline) Check() error {
	for _, s := range p {
		switch s.ID {
		case Deflate, Shuffle, Fletcher32, LZF, LZ4, Zstd, BZip2:
		case Blosc:
			// The parameters are two versions, the sizes of an element and of the chunk,
			// level, shuffle and codec.
			if len(s.Client) > 6 && s.Client[6] == bloscSnappy {
				return &UnsupportedError{Filter: s, Codec: "snappy"}
			}
		case Bitshuffle:
			if m := bitshuffleMode(s); m != bitshuffleNone && m != bitshuffleLZ4 && m != bitshuffleZstd {
				return &UnsupportedError{Filter: s, Codec: fmt.Sprintf("compression %d", m)}
			}
		default:
			return &UnsupportedError{Filter: s}
		}
	}
	return nil
}
