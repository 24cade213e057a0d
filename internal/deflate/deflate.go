// Package deflate compresses whole slices, such as the chunks of an HDF5 dataset,
// into zlib streams (RFC 1950) of deflate data (RFC 1951). It knows that they are
// arrays: it finds out how wide the elements are, looks for repetitions where
// elements begin, and compares the upper bytes of each with those of the one
// before. So column indices and values of a sparse matrix become smaller than zlib
// makes them, several times as fast; other data are as small as with zlib.
//
// Start with [Encoder.AppendZlib]. The parts are the width of the elements
// (width.go), the search for repetitions (find.go), what is taken of those
// (parse.go), the blocks (block.go) and their prefix codes (codes.go, huffman.go).
package deflate

import (
	"encoding/binary"
	"slices"

	"github.com/cellsentence/c2s/internal/inflate"
)

// What the format allows.
const (
	minMatch    = 3 // bytes of a repetition
	maxMatch    = 258
	window      = 1 << 15 // bytes that one reaches back
	litSymbols  = 286
	distSymbols = 30
	endOfBlock  = 256
	maxBits     = 15 // of a word of a code
	maxStored   = 1<<16 - 1
)

// Encoder holds the tables of a compression, half a MiB. Its zero value is ready;
// it may be used again, but not by two goroutines at once. What it makes of a slice
// depends on that and the level alone.
type Encoder struct {
	src    []byte
	find   finder
	tokens []token
	count  counts // of the symbols in tokens
	codes  codes

	out  []byte
	bits uint64 // to be appended to out, the lowest first
	n    uint   // how many
}

// AppendZlib appends the zlib stream of src to dst, at a level from 0 (stored)
// over 1 (fast) to 9 (small); another is taken as the nearest of these. dst and src
// must not overlap.
func (e *Encoder) AppendZlib(dst, src []byte, level int) []byte {
	level = min(max(level, 0), 9)
	// Blocks that do not shrink are stored, each behind five bytes; all but the last
	// are for as many bytes as tokens at least. Eight bytes are written at a time.
	dst = slices.Grow(dst, len(src)+5*(len(src)/blockTokens+len(src)/maxStored+2)+16)
	// A window of 32 KiB; what the level is called; and a multiple of 31.
	header := uint16(0x7800) | [...]uint16{0, 0, 1, 1, 1, 1, 2, 2, 3, 3}[level]<<6
	dst = binary.BigEndian.AppendUint16(dst, header+31-header%31)

	e.src, e.out, e.bits, e.n = src, dst, 0, 0
	if level == 0 {
		e.stored(src, true)
	} else {
		e.parse(efforts[level])
	}
	dst = e.out
	e.src, e.out = nil, nil
	return binary.BigEndian.AppendUint32(dst, inflate.Adler32(src))
}
