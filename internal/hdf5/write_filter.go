package hdf5

import (
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/cellsentence/c2s/internal/deflate"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// Deflate is the gzip filter at a level from 0 (stored) over 1 (fast) to 9
// (smallest). The usual 4 makes matrices smaller than zlib's 4 does, in a third of
// the time.
func Deflate(level int) filter.Spec {
	return filter.Spec{ID: filter.Deflate, Name: "deflate", Optional: true, Client: []uint32{uint32(level)}}
}

// Shuffle gathers the first bytes of all elements of a chunk, then the second
// ones and so on, which compresses better. It comes before the compression.
func Shuffle() filter.Spec {
	return filter.Spec{ID: filter.Shuffle, Name: "shuffle", Optional: true}
}

// Fletcher32 adds a checksum to each chunk. It comes last.
func Fletcher32() filter.Spec {
	return filter.Spec{ID: filter.Fletcher32, Name: "fletcher32"}
}

// LZF is the fast compression that h5py brings along; few other programs read it.
func LZF() filter.Spec {
	return filter.Spec{ID: filter.LZF, Name: "lzf", Optional: true}
}

// Zstd is Zstandard at a level from 1 to 22; readers need a plugin for it.
func Zstd(level int) filter.Spec {
	return filter.Spec{ID: filter.Zstd, Name: "zstd", Optional: true, Client: []uint32{uint32(level)}}
}

// wSettle fills in what a filter must know of its dataset, unless the caller
// (who copies a dataset) gave it. It does not change p.
func wSettle(p filter.Pipeline, elementSize int, chunkBytes uint64) filter.Pipeline {
	p = slices.Clone(p)
	for i, s := range p {
		if len(s.Client) > 0 {
			continue
		}
		switch s.ID {
		case filter.Shuffle:
			p[i].Client = []uint32{uint32(elementSize)}
		case filter.LZF:
			// The filter's revision, that of the library, and the size of a chunk.
			p[i].Client = []uint32{4, 0x0105, uint32(chunkBytes)}
		}
	}
	return p
}

// wEncodable says why the writer cannot apply a pipeline, if so. Chunks that are
// compressed already may have any.
func wEncodable(p filter.Pipeline) error {
	for _, s := range p {
		switch s.ID {
		case filter.Deflate:
			if len(s.Client) != 1 || s.Client[0] > 9 {
				return wInvalidf("deflate takes one level from 0 to 9, not %d", s.Client)
			}
		case filter.Zstd:
			if len(s.Client) > 0 && s.Client[0] > 22 {
				return wInvalidf("zstd takes a level from 1 to 22, not %d", s.Client)
			}
		case filter.Shuffle:
			if len(s.Client) != 1 || s.Client[0] == 0 {
				return wInvalidf("shuffle takes the size of an element, not %d", s.Client)
			}
		case filter.Fletcher32, filter.LZF:
		default:
			return unsupportedf("writing with the filter %v", s)
		}
	}
	return nil
}

// wCompressor compresses a whole chunk. Its output depends on src alone, not on
// what it compressed before.
type wCompressor interface {
	// compress appends the compressed src to dst.
	compress(dst, src []byte) ([]byte, error)
}

// wEncoder runs filter pipelines for one chunk at a time and keeps what they
// need from one chunk to the next.
type wEncoder struct {
	compressors map[[2]uint32]wCompressor // by filter and level
	lzf         filter.LZFEncoder
	buf         [2][]byte
}

// encode passes src through p. The result lies in src or in the encoder until
// its next call; a set bit of mask means that the filter was left out.
func (e *wEncoder) encode(p filter.Pipeline, src []byte) (out []byte, mask uint32, err error) {
	turn := 0 // the buffer that does not hold src
	for i, s := range p {
		dst := e.buf[turn][:0]
		switch s.ID {
		case filter.Shuffle:
			dst = filter.AppendShuffled(dst, src, int(s.Client[0]))
		case filter.Fletcher32:
			dst = filter.AppendFletcher32(dst, src)
		case filter.LZF:
			ok := false
			if dst, ok = e.lzf.Append(dst, src); !ok {
				// The filter cannot store what it cannot shrink.
				mask |= 1 << i
				continue
			}
		default:
			c, err := e.compressor(s)
			if err != nil {
				return nil, 0, err
			}
			if dst, err = c.compress(dst, src); err != nil {
				return nil, 0, fmt.Errorf("%v: %w", s, err)
			}
		}
		e.buf[turn] = dst
		src = dst
		turn = 1 - turn
	}
	return src, mask, nil
}

func (e *wEncoder) compressor(s filter.Spec) (wCompressor, error) {
	key := [2]uint32{uint32(s.ID)}
	if len(s.Client) > 0 {
		key[1] = s.Client[0]
	}
	if c := e.compressors[key]; c != nil {
		return c, nil
	}
	var c wCompressor
	switch s.ID {
	case filter.Deflate:
		c = &wDeflate{level: int(key[1])}
	case filter.Zstd:
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1),
			zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(int(key[1]))))
		if err != nil {
			return nil, err
		}
		c = wZstd{z}
	default:
		return nil, unsupportedf("writing with the filter %v", s)
	}
	if e.compressors == nil {
		e.compressors = make(map[[2]uint32]wCompressor)
	}
	e.compressors[key] = c
	return c, nil
}

type wDeflate struct {
	encoder deflate.Encoder
	level   int
}

func (d *wDeflate) compress(dst, src []byte) ([]byte, error) {
	return d.encoder.AppendZlib(dst, src, d.level), nil
}

type wZstd struct{ z *zstd.Encoder }

func (z wZstd) compress(dst, src []byte) ([]byte, error) { return z.z.EncodeAll(src, dst), nil }
