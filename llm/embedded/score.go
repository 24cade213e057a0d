package embedded

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/llm"
)

// Score implements [llm.Backend].
func (b *Backend) Score(ctx context.Context, prompt string, continuations []string) ([]llm.Score, error) {
	s, state, _, release, err := b.start(ctx, prompt)
	if err != nil {
		return nil, err
	}
	defer release()
	length := len(s.tokens)
	first, err := b.m.logits(ctx, nil, state)
	if err != nil {
		return nil, err
	}
	var atFirst, later sampler
	atFirst.look(first)
	var logits []float32
	out := make([]llm.Score, len(continuations))
	for i, text := range continuations {
		ids := b.m.words.encode(text, false)
		if length+len(ids) >= b.context {
			return nil, fmt.Errorf("continuation %q: %w", text, &llm.ContextError{Prompt: length + len(ids), Context: b.context})
		}
		s.truncate(length)
		states, err := s.read(ctx, ids, len(ids))
		if err != nil {
			return nil, err
		}
		ids = append(ids, b.m.words.eos)
		sum := atFirst.logprob(first, ids[0])
		for j, id := range ids[1:] {
			if logits, err = b.m.logits(ctx, logits, states[j*b.m.width:(j+1)*b.m.width]); err != nil {
				return nil, err
			}
			later.look(logits)
			sum += later.logprob(logits, id)
		}
		out[i] = llm.Score{Logprob: sum, Tokens: len(ids)}
	}
	s.truncate(length)
	return out, nil
}
