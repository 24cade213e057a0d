package hdf5

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sync/errgroup"
)

// smallRead is memory that any file may ask for; more has to be justified by
// what the file holds.
const smallRead = 64 << 20

// Read reads the whole dataset.
func (d *Dataset) Read(ctx context.Context) (*Data, error) {
	if d.Space.Null || len(d.Space.Dims) == 0 {
		return d.read(ctx, 0, 1)
	}
	return d.read(ctx, 0, d.Space.Dims[0])
}

// ReadRows reads rows [lo, hi) of the first dimension.
func (d *Dataset) ReadRows(ctx context.Context, lo, hi uint64) (*Data, error) {
	if len(d.Space.Dims) == 0 {
		return nil, d.fail(typef("a scalar has no rows"))
	}
	return d.read(ctx, lo, hi)
}

func (d *Dataset) read(ctx context.Context, lo, hi uint64) (*Data, error) {
	space := Space{Null: d.Space.Null}
	if len(d.Space.Dims) > 0 {
		if lo > hi || hi > d.Space.Dims[0] {
			return nil, d.fail(fmt.Errorf("rows [%d, %d) of %d", lo, hi, d.Space.Dims[0]))
		}
		space.Dims = append([]uint64{hi - lo}, d.Space.Dims[1:]...)
	}
	n, _ := space.Elements()
	size := n * uint64(d.Type.Size)
	if err := d.justify(size); err != nil {
		return nil, d.fail(err)
	}
	raw := make([]byte, size)
	if err := d.readBytes(ctx, lo, hi, raw); err != nil {
		return nil, d.fail(err)
	}
	return &Data{
		Type: d.Type, Space: space, file: d.file, path: d.path,
		raw: raw, stride: d.Type.Size, n: int(n),
	}, nil
}

// justify refuses a read that the file cannot fill: one that would take more
// memory than smallRead for a dataset that was hardly written to.
func (d *Dataset) justify(size uint64) error {
	if err := d.readable(); err != nil {
		return err
	}
	if size <= smallRead {
		return nil
	}
	have := uint64(0)
	switch d.Layout {
	case Compact:
		have = uint64(len(d.compact))
	case Contiguous:
		if d.addr != undefined {
			have = size
			if err := d.file.src.check(d.file.sb.base+d.addr, size); err != nil {
				return err
			}
		}
	case Chunked:
		refs, err := d.index()
		if err != nil {
			return err
		}
		stored := uint64(0)
		for _, r := range refs {
			stored += r.size
		}
		have = min(uint64(len(refs))*d.chunkBytes(), stored*maxInflation)
	}
	if size > smallRead+have {
		return corruptf("shape %v needs %d bytes, of which the file holds %d", d.Space.Dims, size, have)
	}
	return nil
}

// readBytes fills dst with rows [lo, hi) as they lie in the file.
func (d *Dataset) readBytes(ctx context.Context, lo, hi uint64, dst []byte) error {
	if err := errors.Join(ctx.Err(), d.readable()); err != nil {
		return err
	}
	if len(dst) == 0 {
		return nil
	}
	row := uint64(len(dst)) / (hi - lo)
	switch d.Layout {
	case Compact:
		copy(dst, d.compact[lo*row:])
		return nil
	case Contiguous:
		if d.addr == undefined {
			fillWith(dst, d.fill)
			return nil
		}
		return d.file.src.readFull(dst, d.file.sb.base+d.addr+lo*row)
	}
	return d.readChunks(ctx, lo, hi, dst)
}

// fillWith repeats one element over dst.
func fillWith(dst, element []byte) {
	if len(element) == 0 {
		clear(dst)
		return
	}
	for n := copy(dst, element); n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// readChunks decodes the chunks that rows [lo, hi) touch, in parallel.
func (d *Dataset) readChunks(ctx context.Context, lo, hi uint64, dst []byte) error {
	refs, err := d.index()
	if err != nil {
		return err
	}
	grid := d.grid(d.Space.Dims)
	across := uint64(1)
	for _, g := range grid[1:] {
		across *= g
	}
	first, last := lo/d.chunk[0]*across, ((hi-1)/d.chunk[0]+1)*across
	at := func(n uint64) int {
		i, _ := slices.BinarySearchFunc(refs, n, func(r chunkRef, n uint64) int { return cmp.Compare(r.number, n) })
		return i
	}
	refs = refs[at(first):at(last)]
	if uint64(len(refs)) < last-first {
		fillWith(dst, d.fill) // what was never written reads as the fill value
	}
	g, ctx := errgroup.WithContext(ctx)
	var taken atomic.Int64
	for range min(d.file.workers, len(refs)) {
		g.Go(func() error {
			s := d.file.borrow()
			defer d.file.giveBack(s)
			for {
				i := int(taken.Add(1)) - 1
				if i >= len(refs) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := d.place(refs[i], grid, lo, hi, dst, s); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// place puts what rows [lo, hi) take of one chunk into dst.
func (d *Dataset) place(ref chunkRef, grid []uint64, lo, hi uint64, dst []byte, s *scratch) error {
	size := uint64(d.Type.Size)
	b := box{rank: len(grid)}
	rest := ref.number
	for i := b.rank - 1; i >= 0; i-- {
		at := rest % grid[i] * d.chunk[i]
		rest /= grid[i]
		from, to := at, min(at+d.chunk[i], d.Space.Dims[i])
		origin := uint64(0)
		b.dst[i] = d.Space.Dims[i]
		if i == 0 {
			from, to, origin = max(from, lo), min(to, hi), lo
			b.dst[0] = hi - lo
		}
		b.src[i], b.n[i] = d.chunk[i], to-from
		b.srcAt[i], b.dstAt[i] = from-at, from-origin
	}
	bytes := d.chunkBytes()
	whole := b.whole()
	if to, n := b.flat(); whole && n*size == bytes {
		return d.decode(ref, s, dst[to*size:to*size+bytes])
	}
	src := d.cache.get(ref.number)
	if src == nil {
		src = make([]byte, bytes)
		if err := d.decode(ref, s, src); err != nil {
			return err
		}
		if !b.used(d.Space.Dims[0], lo, hi) {
			d.cache.put(ref.number, src, d.file.cache)
		}
	}
	b.runs(func(from, to, n uint64) { copy(dst[to*size:(to+n)*size], src[from*size:]) })
	return nil
}

// box is the part of a chunk that a read takes: n elements in each dimension,
// at srcAt in a chunk of shape src and at dstAt in a result of shape dst.
type box struct {
	rank                      int
	n, src, dst, srcAt, dstAt [maxRank]uint64
}

// whole reports whether the chunk is taken as a whole and lies in the result
// as one run.
func (b *box) whole() bool {
	for i := range b.rank {
		if b.n[i] != b.src[i] || i > 0 && b.n[i] != b.dst[i] {
			return false
		}
	}
	return true
}

// flat is the place in the result of a whole chunk, and its elements.
func (b *box) flat() (at, n uint64) {
	n = 1
	for i := range b.rank {
		at = at*b.dst[i] + b.dstAt[i]
		n *= b.n[i]
	}
	return at, n
}

// used reports whether no later row of the chunk is left to read.
func (b *box) used(rows, lo, hi uint64) bool {
	end := lo + b.dstAt[0] + b.n[0]
	return b.srcAt[0]+b.n[0] == b.src[0] || end == rows && end <= hi
}

// runs calls fn for each contiguous run: its offsets in chunk and result and
// its length, in elements.
func (b *box) runs(fn func(from, to, n uint64)) {
	var walk func(dim int, from, to uint64)
	walk = func(dim int, from, to uint64) {
		from = from*b.src[dim] + b.srcAt[dim]
		to = to*b.dst[dim] + b.dstAt[dim]
		if dim == b.rank-1 {
			fn(from, to, b.n[dim])
			return
		}
		for i := range b.n[dim] {
			walk(dim+1, from+i, to+i)
		}
	}
	walk(0, 0, 0)
}

// ReadInto reads rows [lo, hi) into dst, converted to T. A value that T cannot
// hold exactly is an error; float64 to float32 and floats to integers are
// refused. Data whose type is T as it lies in the file goes straight to dst.
func ReadInto[T Number](ctx context.Context, d *Dataset, lo, hi uint64, dst []T) error {
	if len(d.Space.Dims) == 0 || lo > hi || hi > d.Space.Dims[0] {
		return d.fail(fmt.Errorf("rows [%d, %d) of shape %v", lo, hi, d.Space.Dims))
	}
	n := hi - lo
	for _, w := range d.Space.Dims[1:] {
		n *= w
	}
	if uint64(len(dst)) != n {
		return d.fail(fmt.Errorf("%d elements for a slice of %d", n, len(dst)))
	}
	if n == 0 {
		return d.fail(d.readable())
	}
	if native[T](d.Type) {
		raw := unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), len(dst)*d.Type.Size)
		return d.fail(d.readBytes(ctx, lo, hi, raw))
	}
	v, err := d.read(ctx, lo, hi)
	if err != nil {
		return err
	}
	return d.fail(convert(v, dst))
}
