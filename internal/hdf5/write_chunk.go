package hdf5

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// wChunk is a chunk in the file.
type wChunk struct {
	number uint64 // position in the grid of chunks, in row-major order
	addr   uint64
	size   uint32
	mask   uint32
}

func (d *DatasetWriter) setUpChunks() error {
	s := &d.spec
	if s.Null || len(s.Dims) == 0 {
		return wInvalidf("a dataset without dimensions cannot have chunks")
	}
	if len(s.Chunk) != len(s.Dims) {
		return wInvalidf("chunks of %d dimensions in a dataset of %d", len(s.Chunk), len(s.Dims))
	}
	for i, c := range s.Chunk {
		if c < 1 || c > math.MaxUint32 {
			return wInvalidf("chunk dimension %d is %d", i, c)
		}
	}
	bytes, ok := product(append([]uint64{uint64(s.Type.Size)}, s.Chunk...))
	if !ok || bytes > math.MaxUint32 {
		return fmt.Errorf("%w: chunks of shape %v; a chunk has less than 4 GiB", ErrTooLarge, s.Chunk)
	}
	s.Filters = wSettle(s.Filters, s.Type.Size, bytes)
	if rows, ok := product([]uint64{s.Chunk[0], d.rowBytes}); !ok || rows > math.MaxInt64 {
		return fmt.Errorf("%w: chunks of shape %v in the shape %v", ErrTooLarge, s.Chunk, s.Dims)
	}
	d.columns = 1
	for i := 1; i < len(s.Dims); i++ {
		d.columns *= (s.Dims[i] + s.Chunk[i] - 1) / s.Chunk[i]
	}
	return nil
}

func (d *DatasetWriter) chunkBytes() int {
	n, _ := product(d.spec.Chunk)
	return int(n) * d.spec.Type.Size
}

// narrow reports whether a chunk has the rows of the dataset, byte for byte.
func (d *DatasetWriter) narrow() bool { return slices.Equal(d.spec.Dims[1:], d.spec.Chunk[1:]) }

// slabBytes is the size of the rows that one row of chunks covers.
func (d *DatasetWriter) slabBytes() int {
	rows := d.spec.Chunk[0]
	if !d.narrow() { // rows that cannot come need no room
		rows = min(rows, d.limit/d.rowBytes)
	}
	return int(rows * d.rowBytes)
}

// appendChunked gathers rows until the chunks they lie in are full.
func (d *DatasetWriter) appendChunked(ctx context.Context, raw []byte) error {
	full := d.slabBytes()
	at := d.got
	for len(raw) > 0 {
		if d.slab == nil {
			d.slab = d.w.queue.buffer(full)[:0]
		}
		n := min(len(raw), full-len(d.slab))
		d.slab = append(d.slab, raw[:n]...)
		raw, at = raw[n:], at+uint64(n)
		if len(d.slab) == full {
			if err := d.submitSlab(ctx, (at-1)/uint64(full)); err != nil {
				return err
			}
		}
	}
	return nil
}

// submitSlab hands the chunks of the gathered rows to the queue; step counts
// such rows of chunks.
func (d *DatasetWriter) submitSlab(ctx context.Context, step uint64) error {
	size := d.chunkBytes()
	if d.narrow() {
		chunk := d.slab
		d.slab = nil
		if n := len(chunk); n < size {
			chunk = chunk[:size]
			fillWith(chunk[n:], d.spec.Fill)
		}
		return d.w.queue.submit(ctx, &wJob{ds: d, number: step, raw: chunk})
	}
	rows := uint64(len(d.slab)) / d.rowBytes
	corner := make([]uint64, len(d.spec.Dims)) // of the chunk; corner[0] stays 0 in the slab
	for column := range d.columns {
		chunk := d.w.queue.buffer(size)
		d.cut(chunk, corner, rows)
		if err := d.w.queue.submit(ctx, &wJob{ds: d, number: step*d.columns + column, raw: chunk}); err != nil {
			return err
		}
		for i := len(corner) - 1; i > 0; i-- {
			if corner[i] += d.spec.Chunk[i]; corner[i] < d.spec.Dims[i] {
				break
			}
			corner[i] = 0
		}
	}
	d.w.queue.giveBack(nil, d.slab)
	d.slab = nil
	return nil
}

// cut copies the chunk at a corner out of the slab, which has some rows, and
// fills what lies outside.
func (d *DatasetWriter) cut(chunk []byte, corner []uint64, rows uint64) {
	dims, shape, element := d.spec.Dims, d.spec.Chunk, uint64(d.spec.Type.Size)
	last := len(dims) - 1
	extent := make([]uint64, len(dims)) // of the chunk that lies inside
	whole := true
	for i := range dims {
		n := dims[i]
		if i == 0 {
			n = rows
		}
		extent[i] = min(shape[i], n-corner[i])
		whole = whole && extent[i] == shape[i]
	}
	if !whole {
		fillWith(chunk, d.spec.Fill)
	}
	run := extent[last] * element
	pos := make([]uint64, len(dims)) // within the chunk, of the run
	for {
		from, to := uint64(0), uint64(0)
		for i := range dims {
			n := dims[i]
			if i == 0 {
				n = rows
			}
			from, to = from*n+corner[i]+pos[i], to*shape[i]+pos[i]
		}
		copy(chunk[to*element:][:run], d.slab[from*element:])
		i := last - 1
		for ; i >= 0; i-- {
			if pos[i]++; pos[i] < extent[i] {
				break
			}
			pos[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// AppendRawChunk writes a chunk as it lies in another file, compressed by the
// pipeline of the dataset, of which mask says what was left out. The chunk is
// the one whose first element has the given offset. It copies stored.
//
// The shape is that of the spec. Chunks may come in any order, each once.
func (d *DatasetWriter) AppendRawChunk(ctx context.Context, offset []uint64, mask uint32, stored []byte) error {
	if err := d.w.ready(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	switch s := &d.spec; {
	case d.closed:
		err = ErrClosed
	case d.layout != Chunked:
		err = wInvalidf("a chunk for a dataset that has none")
	case d.got > 0:
		err = wInvalidf("a compressed chunk after elements")
	case len(offset) != len(s.Dims):
		err = wInvalidf("a chunk at %v in a dataset of %d dimensions", offset, len(s.Dims))
	case len(s.Filters) == 0 && len(stored) != d.chunkBytes():
		err = wInvalidf("a chunk of %d bytes instead of %d", len(stored), d.chunkBytes())
	case len(stored) == 0 || uint64(len(stored)) > math.MaxUint32:
		err = wInvalidf("a chunk of %d bytes", len(stored))
	}
	number := uint64(0)
	for i := 0; err == nil && i < len(offset); i++ {
		c := d.spec.Chunk[i]
		if offset[i]%c != 0 || offset[i] >= d.spec.Dims[i] {
			err = wInvalidf("no chunk begins at %v", offset)
		}
		number = number*((d.spec.Dims[i]+c-1)/c) + offset[i]/c
	}
	if err != nil {
		return d.w.wrap(d.path, err)
	}
	d.rawMode = true
	mask &= 1<<len(d.spec.Filters) - 1 // bits beyond the pipeline mean nothing
	job := &wJob{ds: d, number: number, stored: d.w.queue.buffer(len(stored)), mask: mask}
	copy(job.stored, stored)
	return d.w.queue.submit(ctx, job)
}

// store writes a compressed chunk; the queue calls it in the order of the calls.
func (d *DatasetWriter) store(job *wJob) error {
	if uint64(len(job.stored)) > math.MaxUint32 {
		return fmt.Errorf("%w: a compressed chunk of %d bytes", ErrTooLarge, len(job.stored))
	}
	addr, err := d.w.extend(uint64(len(job.stored)))
	if err != nil {
		return err
	}
	d.chunks = append(d.chunks, wChunk{job.number, addr, uint32(len(job.stored)), job.mask})
	return d.w.writeAt(job.stored, addr)
}

// closeChunks hands over the last chunks.
func (d *DatasetWriter) closeChunks() error {
	if len(d.slab) > 0 {
		step := (d.got - 1) / uint64(d.slabBytes())
		if err := d.submitSlab(context.Background(), step); err != nil {
			return err
		}
	}
	if len(d.chunks) < wEarlyTree {
		return nil
	}
	if err := d.w.drain(); err != nil {
		return err
	}
	return d.writeTree()
}

// writeTree writes the index of the chunks, once all are in the file.
func (d *DatasetWriter) writeTree() error {
	if d.layout != Chunked || d.addr != undefined {
		return nil
	}
	slices.SortFunc(d.chunks, func(a, b wChunk) int { return cmp.Compare(a.number, b.number) })
	for i := 1; i < len(d.chunks); i++ {
		if d.chunks[i].number == d.chunks[i-1].number {
			return wInvalidf("two chunks were written at %v", d.corner(d.chunks[i].number))
		}
	}
	if total := d.columns * ((d.spec.Dims[0] + d.spec.Chunk[0] - 1) / d.spec.Chunk[0]); !d.spec.Sparse && uint64(len(d.chunks)) < total {
		return wInvalidf("%d of %d chunks were written", len(d.chunks), total)
	}
	if len(d.chunks) == 0 {
		return nil
	}
	tree := wTree{
		kind: 1, width: 2 * wChunkK, keySize: 8 + 8*(len(d.spec.Dims)+1),
		key: d.chunkKey, child: func(i int) uint64 { return d.chunks[i].addr },
	}
	addr, err := tree.write(d.w, len(d.chunks))
	d.addr, d.chunks = addr, nil
	return err
}

// corner is the offset of the first element of a chunk.
func (d *DatasetWriter) corner(number uint64) []uint64 {
	c := make([]uint64, len(d.spec.Dims))
	for i := len(c) - 1; i >= 0; i-- {
		n := (d.spec.Dims[i] + d.spec.Chunk[i] - 1) / d.spec.Chunk[i]
		c[i] = number % n * d.spec.Chunk[i]
		number /= n
	}
	return c
}

// chunkKey appends the key of chunk i: its size, mask and offset. The last key
// is just past the last chunk in every dimension, as libhdf5 writes it.
func (d *DatasetWriter) chunkKey(b []byte, i int) []byte {
	le := binary.LittleEndian
	if i < len(d.chunks) {
		c := d.chunks[i]
		b = le.AppendUint32(b, c.size)
		b = le.AppendUint32(b, c.mask)
		for _, x := range d.corner(c.number) {
			b = le.AppendUint64(b, x)
		}
		return le.AppendUint64(b, 0)
	}
	b = le.AppendUint64(b, 0)
	for k, x := range d.corner(d.chunks[i-1].number) {
		b = le.AppendUint64(b, x+d.spec.Chunk[k])
	}
	return le.AppendUint64(b, uint64(d.spec.Type.Size))
}
