package embedded

import (
	"context"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/answer"
)

// start reads a prompt and gives the sequence with the state at its last token.
func (b *Backend) start(ctx context.Context, prompt string) (s *sequence, state []float32, known int, release func(), err error) {
	ids := b.m.words.encode(prompt, true)
	if len(ids) == 0 {
		// A model without a beginning of text needs something to continue.
		ids = []int32{b.m.words.eos}
	}
	if len(ids) >= b.context {
		return nil, nil, 0, nil, &llm.ContextError{Prompt: len(ids), Context: b.context}
	}
	s, release, err = b.take(ctx, ids)
	if err != nil {
		return nil, nil, 0, nil, err
	}
	known = min(s.shared(ids), len(ids)-1) // the last token's state is needed
	s.truncate(known)
	state, err = s.read(ctx, ids[known:], 1)
	if err != nil {
		release()
		return nil, nil, 0, nil, err
	}
	return s, state, known, release, nil
}

// Generate implements [llm.Backend].
func (b *Backend) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if err := opt.Check(); err != nil {
		return nil, err
	}
	if opt.Grammar != "" {
		return nil, &llm.UnsupportedError{What: "a grammar", Remedy: "llama-server knows grammars; a closed list of answers can be scored instead"}
	}
	s, state, known, release, err := b.start(ctx, prompt)
	if err != nil {
		return nil, err
	}
	defer release()
	result := &llm.Answer{Stop: llm.StopLimit, PromptTokens: len(s.tokens), CachedTokens: known}
	limit := b.context - len(s.tokens)
	if opt.MaxTokens > 0 {
		limit = min(limit, opt.MaxTokens)
	}
	draw := sampler{opt: opt}
	out := answer.Builder{Stops: opt.Stop, OnToken: onToken}
	var logits []float32
	for step := range limit {
		if logits, err = b.m.logits(ctx, logits, state); err != nil {
			return nil, err
		}
		draw.look(logits)
		id := draw.pick(logits, step)
		logprob := draw.logprob(logits, id)
		if b.m.words.end(id) {
			result.Stop, result.EndLogprob = llm.StopEnd, &logprob
			break
		}
		result.AnswerTokens++
		token := llm.Token{ID: int(id), Logprob: logprob, Top: draw.most(logits, opt.TopLogprobs, b.m.words)}
		stopped, err := out.Add(token, b.m.words.piece(id))
		if err != nil {
			return nil, err
		}
		if stopped {
			result.Stop = llm.StopString
			break
		}
		if step+1 == limit {
			break
		}
		if state, err = s.read(ctx, []int32{id}, 1); err != nil {
			return nil, err
		}
	}
	if result.Stop != llm.StopString {
		if err := out.Finish(); err != nil {
			return nil, err
		}
	}
	result.Text, result.Tokens = out.Text(), out.Tokens()
	return result, nil
}
