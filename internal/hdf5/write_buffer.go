package hdf5

import (
	"fmt"
	"io"
)

// wBufferSize is how much metadata is gathered before it is written: object
// headers and B-tree nodes are a few hundred bytes each.
const wBufferSize = 1 << 20

// wBuffer joins small writes that follow one another in the file.
type wBuffer struct {
	to      io.WriterAt
	pending []byte
	off     int64 // of pending
	written int64 // end of the furthest byte written
}

// writeAt writes b at off, now or at the next flush. It fills the few bytes
// that alignment leaves between two writes, so that they are always zero.
func (b *wBuffer) writeAt(p []byte, off int64) error {
	end := b.off + int64(len(b.pending))
	gap := off - end
	if len(b.pending) > 0 && (gap < 0 || gap >= 8 || len(b.pending)+len(p) > wBufferSize) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	if len(b.pending) > 0 {
		b.pending = append(b.pending, make([]byte, gap)...)
		b.pending = append(b.pending, p...)
		return nil
	}
	if len(p) >= wBufferSize/4 {
		return b.direct(p, off)
	}
	if gap = off - b.written; gap > 0 && gap < 8 {
		b.pending, off = append(b.pending, make([]byte, gap)...), b.written
	}
	b.off = off
	b.pending = append(b.pending, p...)
	return nil
}

func (b *wBuffer) flush() error {
	if len(b.pending) == 0 {
		return nil
	}
	err := b.direct(b.pending, b.off)
	b.pending = b.pending[:0]
	return err
}

func (b *wBuffer) direct(p []byte, off int64) error {
	if gap := off - b.written; gap > 0 && gap < 8 {
		if _, err := b.to.WriteAt(make([]byte, gap), b.written); err != nil {
			return fmt.Errorf("write %d bytes at %d: %w", gap, b.written, err)
		}
	}
	n, err := b.to.WriteAt(p, off)
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("write %d bytes at %d: %w", len(p), off, err)
	}
	b.written = max(b.written, off+int64(n))
	return nil
}

// finish writes what is left and makes the file size bytes long.
func (b *wBuffer) finish(size int64) error {
	if err := b.flush(); err != nil {
		return err
	}
	if t, ok := b.to.(interface{ Truncate(int64) error }); ok {
		return t.Truncate(size)
	}
	if b.written < size {
		return b.direct(make([]byte, min(8, size-b.written)), size-min(8, size-b.written))
	}
	return nil
}
