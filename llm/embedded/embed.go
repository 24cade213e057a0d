package embedded

import (
	"context"
	"fmt"
	"math"

	"github.com/cellsentence/c2s/llm"
)

// Embed implements [llm.Backend]. A mean is over all tokens, the beginning of text
// among them, as llama.cpp takes it.
func (b *Backend) Embed(ctx context.Context, texts []string, pooling llm.Pooling) ([][]float32, error) {
	if pooling != llm.PoolMean && pooling != llm.PoolLast {
		return nil, &llm.UnsupportedError{What: fmt.Sprintf("the pooling %q", pooling), Remedy: "choose mean or last"}
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		v, err := b.embed(ctx, text, pooling)
		if err != nil {
			return nil, fmt.Errorf("text %d of %d: %w", i+1, len(texts), err)
		}
		out[i] = v
	}
	return out, nil
}

func (b *Backend) embed(ctx context.Context, text string, pooling llm.Pooling) ([]float32, error) {
	ids := b.m.words.encode(text, true)
	if len(ids) == 0 {
		ids = []int32{b.m.words.eos}
	}
	if len(ids) > b.context {
		return nil, &llm.ContextError{Prompt: len(ids), Context: b.context}
	}
	s, release, err := b.take(ctx, ids)
	if err != nil {
		return nil, err
	}
	defer release()
	// The cache holds no states of earlier tokens: a mean reads all of them again.
	known, keep := min(s.shared(ids), len(ids)-1), 1
	if pooling == llm.PoolMean {
		known, keep = 0, len(ids)
	}
	s.truncate(known)
	states, err := s.read(ctx, ids[known:], keep)
	if err != nil {
		return nil, err
	}
	sum := make([]float64, b.m.width)
	for i, v := range states {
		sum[i%b.m.width] += float64(v)
	}
	square := 0.0
	for _, v := range sum {
		square += v * v
	}
	out := make([]float32, len(sum))
	for i, v := range sum {
		out[i] = float32(v / math.Sqrt(square))
	}
	return out, nil
}
