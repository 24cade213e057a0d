package checkpoint

import (
	"context"
	"errors"
	"io"

	"github.com/cellsentence/c2s/llm/gguf"
)

// tensor is one of the model to be written, and where its numbers are.
type tensor struct {
	name  string
	shape []int64 // the longest rows' length last
	typ   gguf.Type
	file  string // for messages
	parts []part // in order
	// change, if not nil, is applied to all numbers.
	change func([]float32)
}

// part is a run of bytes of a file. It begins and ends with a row of the tensor.
type part struct {
	in         io.ReaderAt
	begin, end int64
}

// tensorOf is a whole tensor of a folder under the name that GGUF has for it.
func tensorOf(name string, s *stored) tensor {
	return tensor{name: name, shape: s.shape, typ: floats[s.dtype], file: s.file, parts: []part{{s.in, s.begin, s.end}}}
}

// target is the type in which a tensor is written where matrices become want.
// Vectors are small and stay exact, as everywhere in GGUF.
func (t *tensor) target(want gguf.Type) gguf.Type {
	if len(t.shape) < 2 {
		return gguf.F32
	}
	if want == gguf.Q8_0 && t.shape[len(t.shape)-1]%32 != 0 {
		return gguf.F16 // rows of blocks that do not fit, as the other converters have it
	}
	return want
}

func (t *tensor) values() int64 {
	n := int64(1)
	for _, d := range t.shape {
		n *= d
	}
	return n
}

// chunk is the number of values that are in memory at a time, a multiple of all
// blocks.
const chunk = 1 << 18

// copier moves numbers from files of a checkpoint to one writer.
type copier struct {
	ctx     context.Context // of the one call of Write that it serves
	moved   func(int64)     // is told the bytes that were read
	in, out []byte
	values  []float32
}

// pieces reads a tensor's bytes, most at a time.
func (c *copier) pieces(t *tensor, most int64, do func(raw []byte) error) error {
	if int64(len(c.in)) < most {
		c.in = make([]byte, most)
	}
	for _, p := range t.parts {
		for at := p.begin; at < p.end; {
			if c.ctx.Err() != nil {
				return context.Cause(c.ctx)
			}
			raw := c.in[:min(most, p.end-at)]
			if n, err := p.in.ReadAt(raw, at); n < len(raw) {
				if errors.Is(err, io.EOF) {
					err = badf(t.file, "tensor "+t.name, "truncated while it was read")
				}
				return err
			}
			if err := do(raw); err != nil {
				return err
			}
			at += int64(len(raw))
			c.moved(int64(len(raw)))
		}
	}
	return nil
}

// raw writes a tensor of any type byte by byte.
func (c *copier) raw(w io.Writer, t *tensor) error {
	return c.pieces(t, 4*chunk, func(raw []byte) error {
		_, err := w.Write(raw)
		return err
	})
}

// convert writes a tensor's numbers as a type.
func (c *copier) convert(w io.Writer, t *tensor, typ gguf.Type) error {
	width := 4
	if t.typ != gguf.F32 {
		width = 2
	}
	if c.values == nil {
		c.values = make([]float32, chunk)
	}
	return c.pieces(t, int64(width*chunk), func(raw []byte) error {
		values := c.values[:len(raw)/width]
		if err := gguf.Decode(values, t.typ, raw); err != nil {
			return err
		}
		if t.change != nil {
			t.change(values)
		}
		var err error
		if c.out, err = gguf.Encode(c.out[:0], typ, values); err != nil {
			return badf(t.file, "tensor "+t.name, "%w", err).
				tip("BF16 and F32 have the widest range; a number that is none means a damaged checkpoint")
		}
		_, err = w.Write(c.out)
		return err
	})
}
