package hdf5

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// Metadata is read through a cache of blocks: object headers, heaps and B-tree
// nodes are small and lie together, and a network file system or an HTTP range
// reader answers few large requests better than many small ones.
const (
	blockSize = 64 << 10
	maxBlocks = 64 // 4 MiB
)

// source is the file under the parser. All offsets are absolute.
type source struct {
	r    io.ReaderAt
	size int64

	mu     sync.Mutex
	blocks map[int64]*block
	clock  int64
}

type block struct {
	data []byte
	used int64
}

func newSource(r io.ReaderAt, size int64) *source {
	return &source{r: r, size: size, blocks: make(map[int64]*block)}
}

// check reports whether n bytes at off lie within the file.
func (s *source) check(off, n uint64) error {
	if off > uint64(s.size) || n > uint64(s.size)-off {
		return fmt.Errorf("%w: %d bytes at offset %d reach past the end of the file (%d bytes)", ErrTruncated, n, off, s.size)
	}
	return nil
}

// at returns n bytes of metadata at off. The slice is shared and must not be
// written to.
func (s *source) at(off, n uint64) ([]byte, error) {
	if err := s.check(off, n); err != nil {
		return nil, err
	}
	first := off / blockSize
	if n > 0 && first == (off+n-1)/blockSize {
		b, err := s.block(int64(first))
		if err != nil {
			return nil, err
		}
		lo := off - first*blockSize
		if lo+n > uint64(len(b)) {
			return nil, fmt.Errorf("%w: the file shrank while it was read", ErrTruncated)
		}
		return b[lo : lo+n : lo+n], nil
	}
	buf := make([]byte, n)
	return buf, s.readFull(buf, off)
}

// readFull fills dst from off, past the cache.
func (s *source) readFull(dst []byte, off uint64) error {
	if err := s.check(off, uint64(len(dst))); err != nil {
		return err
	}
	n, err := s.r.ReadAt(dst, int64(off))
	if n == len(dst) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: read %d of %d bytes at offset %d", ErrTruncated, n, len(dst), off)
	}
	return fmt.Errorf("read %d bytes at offset %d: %w", len(dst), off, err)
}

func (s *source) block(i int64) ([]byte, error) {
	s.mu.Lock()
	s.clock++
	if b := s.blocks[i]; b != nil {
		b.used = s.clock
		s.mu.Unlock()
		return b.data, nil
	}
	s.mu.Unlock()

	off := i * blockSize
	data := make([]byte, min(blockSize, s.size-off))
	if err := s.readFull(data, uint64(off)); err != nil {
		return nil, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.blocks) >= maxBlocks {
		oldest, when := int64(0), int64(1<<62)
		for k, b := range s.blocks {
			if b.used < when {
				oldest, when = k, b.used
			}
		}
		delete(s.blocks, oldest)
	}
	s.blocks[i] = &block{data: data, used: s.clock}
	return data, nil
}
