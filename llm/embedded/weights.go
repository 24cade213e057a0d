package embedded

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/kernel"
	"github.com/cellsentence/c2s/llm/gguf"
)

// weights is the numbers of a model. Matrices stay as the file has them.
type weights struct {
	embedding  kernel.Matrix
	output     kernel.Matrix // the embedding itself where the file has no other
	outputNorm []float32
	layers     []layer
}

// layer is one block of the model.
type layer struct {
	attentionNorm, afterAttentionNorm, feedNorm, afterFeedNorm []float32

	query, key, value, attentionOut kernel.Matrix
	gate, up, down                  kernel.Matrix
}

// loader finds tensors and keeps the first error.
type loader struct {
	f   *gguf.File
	err error
}

func loadWeights(f *gguf.File, s *shape, words int) (*weights, error) {
	l := loader{f: f}
	w := &weights{
		embedding:  l.matrix("token_embd", words, s.width),
		outputNorm: l.vector("output_norm", s.width),
	}
	w.output = w.embedding
	if _, err := f.Tensor("output.weight"); err == nil {
		w.output = l.matrix("output", words, s.width)
	}
	for i := range s.layers {
		if l.err != nil {
			break // a file that lacks tensors must not make us list a thousand layers
		}
		at := func(name string) string { return fmt.Sprintf("blk.%d.%s", i, name) }
		w.layers = append(w.layers, layer{
			attentionNorm:      l.vector(at("attn_norm"), s.width),
			afterAttentionNorm: l.vector(at("post_attention_norm"), s.width),
			feedNorm:           l.vector(at("ffn_norm"), s.width),
			afterFeedNorm:      l.vector(at("post_ffw_norm"), s.width),
			query:              l.matrix(at("attn_q"), s.heads*s.head, s.width),
			key:                l.matrix(at("attn_k"), s.kvHeads*s.head, s.width),
			value:              l.matrix(at("attn_v"), s.kvHeads*s.head, s.width),
			attentionOut:       l.matrix(at("attn_output"), s.width, s.heads*s.head),
			gate:               l.matrix(at("ffn_gate"), s.feed, s.width),
			up:                 l.matrix(at("ffn_up"), s.feed, s.width),
			down:               l.matrix(at("ffn_down"), s.width, s.feed),
		})
	}
	return w, l.err
}

// tensor is the bytes of a tensor of a shape.
func (l *loader) tensor(name string, want ...int64) (gguf.Type, []byte) {
	if l.err != nil {
		return 0, nil
	}
	t, err := l.f.Tensor(name + ".weight")
	if err != nil {
		l.err = err
		return 0, nil
	}
	if !slices.Equal(t.Shape, want) {
		l.err = fmt.Errorf("tensor %s.weight is %v, where the model's sizes ask for %v", name, t.Shape, want)
		return 0, nil
	}
	data, err := l.f.Data(t)
	l.err = err
	return t.Type, data
}

func (l *loader) matrix(name string, rows, cols int) kernel.Matrix {
	stored, data := l.tensor(name, int64(rows), int64(cols))
	if l.err != nil {
		return kernel.Matrix{}
	}
	m := kernel.Matrix{Rows: rows, Cols: cols, Data: data}
	switch stored {
	case gguf.F32:
		m.Type = kernel.F32
	case gguf.F16:
		m.Type = kernel.F16
	case gguf.Q8_0:
		m.Type = kernel.Q8
	default:
		l.err = fmt.Errorf("tensor %s.weight is stored as %v; the built-in engine reads F32, F16 and Q8_0, a server of llama.cpp or Ollama reads others", name, stored)
	}
	return m
}

func (l *loader) vector(name string, n int) []float32 {
	stored, data := l.tensor(name, int64(n))
	if l.err == nil && stored != gguf.F32 {
		l.err = fmt.Errorf("tensor %s.weight is stored as %v, where F32 is usual", name, stored)
	}
	if l.err != nil {
		return nil
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}
