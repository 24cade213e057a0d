package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Of the header of a Blosc chunk.
const (
	bloscHeader     = 16
	bloscVersion    = 2
	bloscShuffle    = 1 << 0
	bloscStored     = 1 << 1
	bloscBitshuffle = 1 << 2
	bloscUnknown    = 1 << 3
	bloscWhole      = 1 << 4 // blocks are not split
)

// A block is split into one stream for each byte of an element, for elements of
// at most 16 bytes and streams of at least 128.
const (
	bloscMostStreams = 16
	bloscLeastStream = 128
)

// bloscSnappy is a codec as the parameters of the filter number them.
const bloscSnappy = 3

// bloscFormats names the codecs as the upper three bits of the flags number them;
// lz4hc is lz4.
var bloscFormats = [8]string{"blosclz", "lz4", "snappy", "zlib", "zstd"}

// blosc undoes Blosc 1 (README_CHUNK_FORMAT.rst of c-blosc). A header of 16 bytes
// has versions, flags, the size of an element, and in four bytes each, the lower
// ones first, the size of all, of a block and of the chunk. Then come the offsets
// of the blocks, from the beginning of the header on, and the blocks: one stream
// or several, each behind its length and stored as it is if it did not shrink.
func (d *Decoder) blosc(dst, src []byte) (int, error) {
	if len(src) < bloscHeader {
		return 0, errShort
	}
	flags, size := src[2], int(src[3])
	total, block, stored := binary.LittleEndian.Uint32(src[4:]), binary.LittleEndian.Uint32(src[8:]), binary.LittleEndian.Uint32(src[12:])
	both := flags&bloscShuffle != 0 && flags&bloscBitshuffle != 0
	switch {
	case src[0] != bloscVersion || both || flags&bloscUnknown != 0:
		return 0, fmt.Errorf("a chunk of version %d with flags %02x", src[0], flags)
	case uint64(total) > uint64(len(dst)):
		return 0, fmt.Errorf("%w: %d bytes for %d", ErrSize, total, len(dst))
	case uint64(stored) > uint64(len(src)):
		return 0, errShort
	case total == 0:
		return 0, nil
	case block == 0 || size == 0:
		return 0, errors.New("blocks of no bytes, or elements")
	}
	dst = dst[:total]
	src = src[:max(bloscHeader, stored)]
	if flags&bloscStored != 0 {
		if len(src)-bloscHeader != len(dst) {
			return 0, fmt.Errorf("%w: %d bytes are stored for %d", ErrSize, len(src)-bloscHeader, len(dst))
		}
		return copy(dst, src[bloscHeader:]), nil
	}
	table := src[bloscHeader:]
	if blocks := (uint64(total) + uint64(block) - 1) / uint64(block); blocks > uint64(len(table)/4) {
		return 0, errShort
	}
	for at, i := 0, 0; at < len(dst); i++ {
		out := dst[at:][:min(uint64(block), uint64(len(dst)-at))]
		start := binary.LittleEndian.Uint32(table[4*i:])
		if uint64(start) > uint64(len(src)) {
			return at, errShort
		}
		streams := 1
		if flags&bloscWhole == 0 && len(out) == int(block) && size <= bloscMostStreams && len(out)/size >= bloscLeastStream {
			streams = size
		}
		if err := d.bloscBlock(out, src[start:], flags, size, streams); err != nil {
			return at, fmt.Errorf("block %d: %w", i, err)
		}
		at += len(out)
	}
	return len(dst), nil
}

// bloscBlock undoes one block of elements of some bytes in some streams.
func (d *Decoder) bloscBlock(dst, src []byte, flags byte, size, streams int) error {
	to := dst
	shuffled := flags&bloscShuffle != 0 && size > 1
	// Blosc leaves a block as it is whose elements do not come in eights.
	bits := flags&bloscBitshuffle != 0 && len(dst) >= size && len(dst)/size%8 == 0
	if shuffled || bits {
		to = d.temporary(len(dst))
	}
	part := len(dst) / streams
	if part*streams != len(dst) {
		return fmt.Errorf("%d bytes in %d streams", len(dst), streams)
	}
	for i := range streams {
		var in []byte
		var err error
		if in, src, err = prefixed(src, binary.LittleEndian); err != nil {
			return err
		}
		if err := d.bloscStream(to[i*part:][:part:part], in, flags>>5); err != nil {
			return err
		}
	}
	switch {
	case shuffled:
		unshuffle(dst, to, size)
	case bits:
		whole := len(dst) / size * size
		d.unbitshuffle(dst[:whole], to[:whole], size)
		copy(dst[whole:], to[whole:])
	}
	return nil
}

// bloscStream fills dst.
func (d *Decoder) bloscStream(dst, src []byte, format byte) error {
	if len(src) == len(dst) {
		copy(dst, src)
		return nil
	}
	codec := bloscFormats[format]
	n, err := 0, error(nil)
	switch codec {
	case "blosclz":
		n, err = blosclz(dst, src)
	case "lz4":
		n, err = lz4Block(dst, src)
	case "zlib":
		n, err = d.inflate.Zlib(dst, src)
	case "zstd":
		n, err = d.zstandard(dst, src)
	default:
		return &UnsupportedError{Filter: Spec{ID: Blosc}, Codec: codec}
	}
	if err == nil && n != len(dst) {
		err = fmt.Errorf("%w: %d bytes, expected %d", ErrSize, n, len(dst))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", codec, err)
	}
	return nil
}
