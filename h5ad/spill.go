package h5ad

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
)

// spillBuckets is into how many ranges of columns a matrix is cut when it is
// transposed.
const spillBuckets = 256

// spill turns rows into columns. Values are gathered by range of columns; what
// the budget does not hold goes to a temporary file, and each range is sorted
// when it is drained; within a column values stay in the order in which they came.
// The file has no name where the system allows that, so that
// nothing stays behind when the process is killed.
type spill struct {
	folder  string
	width   int // columns of a bucket
	size    int // bytes of a value
	budget  int64
	counts  []int64 // values of each column
	buckets []spillBucket
	held    int64 // bytes in memory
	file    *os.File
	end     int64
	named   bool
}

// spillBucket holds records: column, row, value.
type spillBucket struct {
	mem    []byte
	blocks []spillBlock
}

type spillBlock struct{ at, n int64 }

func newSpill(nVars, size int, budget int64, folder string) *spill {
	width := max(1, (nVars+spillBuckets-1)/spillBuckets)
	return &spill{folder: folder, width: width, size: size, budget: budget, counts: make([]int64, nVars), buckets: make([]spillBucket, (nVars+width-1)/width)}
}

func (s *spill) record() int { return 8 + s.size }

// add takes values, which are encoded, with their column and row.
func (s *spill) add(columns, rows []int32, values []byte) error {
	for k, c := range columns {
		s.counts[c]++
		m := &s.buckets[int(c)/s.width]
		m.mem = binary.LittleEndian.AppendUint32(m.mem, uint32(c))
		m.mem = binary.LittleEndian.AppendUint32(m.mem, uint32(rows[k]))
		m.mem = append(m.mem, values[k*s.size:(k+1)*s.size]...)
	}
	s.held += int64(len(columns) * s.record())
	// Half of the budget: slices that grow take up to twice what they hold.
	if s.held > s.budget/2 {
		return s.flush()
	}
	return nil
}

// flush moves what is in memory to the file.
func (s *spill) flush() error {
	if s.file == nil {
		f, err := os.CreateTemp(s.folder, ".c2s-transpose-*")
		if err != nil {
			return err
		}
		s.file = f
		s.named = os.Remove(f.Name()) != nil
	}
	for i := range s.buckets {
		m := &s.buckets[i]
		if len(m.mem) == 0 {
			continue
		}
		if _, err := s.file.WriteAt(m.mem, s.end); err != nil {
			return err
		}
		m.blocks = append(m.blocks, spillBlock{s.end, int64(len(m.mem))})
		s.end += int64(len(m.mem))
		m.mem = m.mem[:0]
	}
	s.held = 0
	return nil
}

// drain calls fn with the values of the columns in their order, as many columns at
// a time as the budget holds.
func (s *spill) drain(ctx context.Context, fn func(rows []int32, values []byte) error) error {
	for i := range s.buckets {
		lo, end := i*s.width, min((i+1)*s.width, len(s.counts))
		for lo < end {
			if err := ctx.Err(); err != nil {
				return err
			}
			hi, n := lo+1, s.counts[lo]
			for hi < end && (n+s.counts[hi])*int64(4+s.size) <= s.budget/2 {
				n += s.counts[hi]
				hi++
			}
			if err := s.sorted(&s.buckets[i], lo, hi, n, fn); err != nil {
				return err
			}
			lo = hi
		}
		s.buckets[i].mem = nil
	}
	return nil
}

// sorted calls fn with columns [lo, hi), which hold n values.
func (s *spill) sorted(b *spillBucket, lo, hi int, n int64, fn func([]int32, []byte) error) error {
	rows, values := make([]int32, n), make([]byte, n*int64(s.size))
	at := make([]int64, hi-lo)
	for c := lo + 1; c < hi; c++ {
		at[c-lo] = at[c-lo-1] + s.counts[c-1]
	}
	place := func(mem []byte) {
		for step := s.record(); len(mem) >= step; mem = mem[step:] {
			c := int(binary.LittleEndian.Uint32(mem))
			if c < lo || c >= hi {
				continue
			}
			k := at[c-lo]
			at[c-lo]++
			rows[k] = int32(binary.LittleEndian.Uint32(mem[4:]))
			copy(values[k*int64(s.size):], mem[8:step])
		}
	}
	var buf []byte
	most := int64(1<<20) / int64(s.record()) * int64(s.record())
	for _, k := range b.blocks {
		for k.n > 0 {
			buf = grow(buf, int(min(k.n, most)))
			if _, err := s.file.ReadAt(buf, k.at); err != nil {
				return err
			}
			place(buf)
			k.at, k.n = k.at+int64(len(buf)), k.n-int64(len(buf))
		}
	}
	place(b.mem)
	return fn(rows, values)
}

// close removes the file. Closing again does nothing.
func (s *spill) close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	err := f.Close()
	if s.named {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
