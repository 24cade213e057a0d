package embedfile

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// blockSize is the memory that a spool takes at a time, and what it writes at once.
const blockSize = 1 << 20

// Spool keeps rows that come one after another, so that they can be read again in
// any order: in memory as far as the budget reaches, then in a temporary file. It is
// for formats whose rows can only be had in order, or by unpacking many others.
type Spool struct {
	name   string
	dim    int
	narrow bool
	budget int64
	blocks blocks   // what is not in the file: all of it, or the last block
	file   *os.File // nil while the budget lasts
	named  bool     // the file must be removed by its name
	end    int64    // of the file
	n      int64    // numbers
}

// NewSpool starts a spool of rows of dim numbers; name stands for it in errors. With
// narrow they are kept as float32, which is all that some sources hold. budget is
// the memory in bytes, 0 meaning DefaultBudget.
func NewSpool(name string, dim int, narrow bool, budget int64) (*Spool, error) {
	if dim < 1 {
		return nil, fmt.Errorf("%s: rows of %d numbers", name, dim)
	}
	if budget <= 0 {
		budget = DefaultBudget
	}
	return &Spool{name: name, dim: dim, narrow: narrow, budget: budget}, nil
}

// size is the bytes of a number.
func (s *Spool) size() int {
	if s.narrow {
		return 4
	}
	return 8
}

// Append adds numbers, in the order of rows.
func (s *Spool) Append(x []float64) error {
	var narrow [512]float32
	for len(x) > 0 {
		b := s.blocks.tail()
		n := min(len(x), len(narrow), (blockSize-len(*b))/s.size())
		if s.narrow {
			for i, v := range x[:n] {
				narrow[i] = float32(v)
			}
			*b = appendNumbers(*b, narrow[:n])
		} else {
			*b = appendNumbers(*b, x[:n])
		}
		x, s.n = x[n:], s.n+int64(n)
		if len(*b) == blockSize && (s.file != nil || int64(len(s.blocks))*blockSize >= s.budget) {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush moves what is in memory to the file.
func (s *Spool) flush() error {
	if s.file == nil {
		f, err := os.CreateTemp("", "c2s-embedding-*")
		if err != nil {
			return err
		}
		// Where an open file can lose its name, nothing is left of a killed process.
		s.file, s.named = f, os.Remove(f.Name()) != nil
	}
	for _, b := range s.blocks {
		if _, err := s.file.WriteAt(b, s.end); err != nil {
			return err
		}
		s.end += int64(len(b))
	}
	s.blocks = append(s.blocks[:0:0], s.blocks[0][:0])
	return nil
}

// Array ends the spool and gives its rows. Closing the array removes the file.
func (s *Spool) Array() (*Array, error) {
	if s.n%int64(s.dim) != 0 {
		return nil, fmt.Errorf("%s: %d numbers are no rows of %d", s.name, s.n, s.dim)
	}
	t := dtype{kind: 'f', size: s.size()}
	head := header{dtype: t, shape: []int{int(s.n / int64(s.dim)), s.dim}, size: s.n * int64(t.size)}
	if s.file == nil {
		return newArray(s.name, s.blocks, head, 0), nil
	}
	if err := s.flush(); err != nil {
		return nil, err
	}
	s.blocks = nil
	a := newArray(s.name, s.file, head, 0)
	a.close = s.Close
	return a, nil
}

// Close gives the rows up. After the array was closed it does nothing.
func (s *Spool) Close() error {
	s.blocks = nil
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

// blocks is memory of blockSize bytes each, but the last.
type blocks [][]byte

// tail is a block with room for a few numbers.
func (b *blocks) tail() *[]byte {
	if k := len(*b); k == 0 || len((*b)[k-1]) == blockSize {
		*b = append(*b, make([]byte, 0, blockSize))
	}
	return &(*b)[len(*b)-1]
}

// ReadAt implements [io.ReaderAt].
func (b blocks) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	for n < len(p) {
		k := int(at / blockSize)
		if k >= len(b) {
			return n, io.EOF
		}
		c := copy(p[n:], b[k][min(int(at%blockSize), len(b[k])):])
		if c == 0 {
			return n, io.EOF
		}
		n, at = n+c, at+int64(c)
	}
	return n, nil
}
