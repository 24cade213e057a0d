package filter

import (
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/cellsentence/c2s/internal/inflate"
)

// ErrSize means that a chunk decodes to another size than it should.
var ErrSize = errors.New("wrong size")

// Decoder undoes pipelines. It keeps its memory from chunk to chunk and serves
// one goroutine at a time. The zero value is ready.
type Decoder struct {
	inflate inflate.Decoder
	zstd    *zstd.Decoder // made when it is needed
	stages  []stage
	buf     [2][]byte // what one stage gives to the next, in turns
	turn    int
	block   []byte // of a filter that works in blocks
	planes  []byte // of unbitshuffle
}

// stage is a filter to be undone.
type stage struct {
	index int // in the pipeline
	room  int // bytes that undoing it may give
}

// Decode undoes the filters of p on src, the last one first, leaving out those
// whose bit is set in mask. The result must fill dst exactly; after an error dst
// holds nothing of use. src is not changed and must not overlap dst. Whatever src
// says, no more memory is taken than for two buffers that are as large as dst and
// an eighth, two more as large as dst where a filter works in blocks, and the fixed
// tables of zstd and bzip2.
func (d *Decoder) Decode(p Pipeline, mask uint32, src, dst []byte) error {
	// What may lie between two stages is what the writer had there: the chunk, with
	// the checksums so far; behind a compression, what does not shrink may have
	// grown by a little.
	d.stages = d.stages[:0]
	room, slack := len(dst), 0
	for i, s := range p {
		if i < 32 && mask>>i&1 != 0 {
			continue
		}
		d.stages = append(d.stages, stage{i, room + slack})
		switch s.ID {
		case Shuffle:
		case Fletcher32:
			room += 4
		default:
			slack = len(dst)/8 + 256
		}
	}
	filled := false // dst has the result
	for k, st := range slices.Backward(d.stages) {
		s := p[st.index]
		var err error
		if s.ID == Fletcher32 {
			if src, err = checksummed(src); err != nil {
				return fmt.Errorf("%v: %w", s, err)
			}
			continue
		}
		to := dst
		if k == 0 {
			filled = true
		} else {
			to = d.scratch(st.room)
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
	if !filled {
		copy(dst, src)
	}
	return nil
}

// scratch returns n bytes that are not those of the call before.
func (d *Decoder) scratch(n int) []byte {
	d.turn = 1 - d.turn
	if cap(d.buf[d.turn]) < n {
		d.buf[d.turn] = make([]byte, n)
	}
	return d.buf[d.turn][:n]
}

// temporary returns n bytes for a block, at most as many as the filter gives. They
// are the same ones at each call.
func (d *Decoder) temporary(n int) []byte {
	if cap(d.block) < n {
		d.block = make([]byte, n)
	}
	return d.block[:n]
}

// undo undoes one filter and returns how many bytes of dst that gives.
func (d *Decoder) undo(s Spec, dst, src []byte) (int, error) {
	switch s.ID {
	case Deflate:
		return d.inflate.Zlib(dst, src)
	case LZF:
		return lzfDecode(dst, src)
	case LZ4:
		return lz4(dst, src)
	case Blosc:
		return d.blosc(dst, src)
	case Bitshuffle:
		return d.bitshuffle(s, dst, src)
	case Zstd:
		return d.zstandard(dst, src)
	case BZip2:
		return bunzip2(dst, src)
	case Shuffle:
		if len(s.Client) < 1 || s.Client[0] < 1 {
			return 0, errors.New("the size of an element is missing")
		}
		if len(src) > len(dst) {
			return 0, fmt.Errorf("%w: %d bytes for %d", ErrSize, len(src), len(dst))
		}
		unshuffle(dst[:len(src)], src, int(min(s.Client[0], 1<<30)))
		return len(src), nil
	}
	return 0, &UnsupportedError{Filter: s}
}
