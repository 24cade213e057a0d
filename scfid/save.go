package scfid

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Accumulate reads the rows from start, a multiple of BlockRows, up to end, and adds
// them up on up to workers goroutines (0: as many as there are processors). Accumulators
// of consecutive ranges that are merged in order have the moments of one over all to the
// same bytes. Rows that are not finite are a [*NonFiniteError].
func Accumulate(ctx context.Context, rows Rows, start, end, workers int) (*Accumulator, error) {
	d := rows.Dim()
	if start < 0 || end > rows.Len() || start > end || start%BlockRows != 0 {
		return nil, fmt.Errorf("rows %d to %d of %d: a range starts at a multiple of %d", start, end, rows.Len(), BlockRows)
	}
	a := NewAccumulator(d, start, workers)
	x := make([]float64, min(BlockRows, end-start)*d)
	var bad []int
	for at := start; at < end; at += BlockRows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x = x[:min(BlockRows, end-at)*d]
		if err := rows.ReadRows(ctx, at, x); err != nil {
			return nil, err
		}
		bad = appendNonFinite(bad, x, d, at)
		a.block(x)
	}
	if len(bad) > 0 {
		return nil, &NonFiniteError{Rows: bad}
	}
	return a, nil
}

// The saved form is this text, then little-endian numbers: dim, first and next block,
// whether the last block is short (0 or 1), and the number of nodes, as uint64; then for
// each node its level, index and rows, as uint64, and its mean, the low part of that,
// and the upper triangle of its scatter row by row, as float64.
const saved = "c2s moments 1\n"

// Bounds of what is read: more dimensions than any embedding has, and as many nodes as
// 2⁴⁸ blocks can leave.
const (
	maxDim   = 1 << 16
	maxNodes = 2 * 48
)

// Write saves what was added, exactly. No rows may follow.
func (a *Accumulator) Write(w io.Writer) error {
	a.flush()
	out := bufio.NewWriterSize(w, 1<<16)
	number := func(v uint64) {
		_, _ = out.Write(binary.LittleEndian.AppendUint64(out.AvailableBuffer(), v)) // Flush tells
	}
	numbers := func(x []float64) {
		for _, v := range x {
			number(math.Float64bits(v))
		}
	}
	_, _ = out.WriteString(saved)
	partial := uint64(0)
	if a.partial {
		partial = 1
	}
	for _, v := range []uint64{uint64(a.dim), uint64(a.first), uint64(a.next), partial, uint64(len(a.nodes))} {
		number(v)
	}
	for _, n := range a.nodes {
		number(uint64(n.level))
		number(uint64(n.index))
		number(uint64(n.n))
		numbers(n.mean)
		numbers(n.low)
		for i := range a.dim {
			numbers(n.scatter[i*a.dim+i:][:a.dim-i])
		}
	}
	return out.Flush()
}

// ReadAccumulator reads the size bytes that [Accumulator.Write] made. What is none of
// its work is an error with BadInput.
func ReadAccumulator(ctx context.Context, r io.Reader, size int64, workers int) (*Accumulator, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	var head [len(saved) + 5*8]byte
	if _, err := io.ReadFull(in, head[:]); err != nil || !bytes.HasPrefix(head[:], []byte(saved)) {
		return nil, badInput("these are no moments of c2s scfid --shard")
	}
	var v [5]uint64
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(head[len(saved)+8*i:])
	}
	dim, first, next, partial, count := v[0], v[1], v[2], v[3], v[4]
	if dim < 1 || dim > maxDim || first > next || next > 1<<48 || partial > 1 || count > maxNodes {
		return nil, badInput("the moments are damaged: %d dimensions, blocks %d to %d, %d nodes", dim, first, next, count)
	}
	// The size is held against the numbers before memory is taken for them.
	each := 8 * (3 + 2*int64(dim) + int64(dim)*int64(dim+1)/2)
	if want := int64(len(head)) + int64(count)*each; size != want {
		return nil, badInput("the moments are damaged: %d bytes, expected %d", size, want)
	}
	a := &Accumulator{dim: int(dim), workers: workers, first: int(first), next: int(next), partial: partial == 1}
	at := a.first
	for range count {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := a.readNode(in)
		if err != nil {
			return nil, err
		}
		// A node is full, but for the last where the set ends within a block.
		last, full := at+1<<n.level, BlockRows<<n.level
		whole, short := n.n == full, n.n < full && n.n > full-BlockRows
		if n.index != at>>n.level || at&(1<<n.level-1) != 0 || last > a.next || !whole && !short || short != (last == a.next && a.partial) {
			return nil, badInput("the moments are damaged: %d rows from block %d on", n.n, at)
		}
		nodes := len(a.nodes)
		if a.push(n); len(a.nodes) != nodes+1 {
			return nil, badInput("the moments are damaged: blocks before %d were not joined", last)
		}
		at = last
	}
	if at != a.next {
		return nil, badInput("the moments are damaged: they end at block %d, not %d", at, a.next)
	}
	return a, nil
}

func (a *Accumulator) readNode(in io.Reader) (n node, err error) {
	var head [3 * 8]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return n, err
	}
	var v [3]uint64
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(head[8*i:])
	}
	if v[0] > 47 || v[1] > 1<<48 || v[2] < 1 || v[2] > 1<<60 {
		return n, badInput("the moments are damaged: a node of level %d", v[0])
	}
	n = node{level: int(v[0]), index: int(v[1]), n: int(v[2])}
	n.mean, n.low, n.scatter = make([]float64, a.dim), make([]float64, a.dim), a.matrix()
	buf := make([]byte, 8*a.dim)
	read := func(x []float64) error {
		b := buf[:8*len(x)]
		if _, err := io.ReadFull(in, b); err != nil {
			return err
		}
		sum := 0.0
		for i := range x {
			x[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
			sum += x[i] - x[i]
		}
		if sum != 0 {
			return badInput("the moments are damaged: they hold NaN or an infinity")
		}
		return nil
	}
	if err := read(n.mean); err != nil {
		return n, err
	}
	if err := read(n.low); err != nil {
		return n, err
	}
	for i := range a.dim {
		if err := read(n.scatter[i*a.dim+i:][:a.dim-i]); err != nil {
			return n, err
		}
	}
	return n, nil
}
