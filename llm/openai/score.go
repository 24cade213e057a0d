package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// tokens brings both forms of log-probabilities into one, with n alternatives.
func (l *logprobs) tokens(n int) []llm.Token {
	if l == nil {
		return nil
	}
	var out []llm.Token
	for _, c := range l.Content {
		t := llm.Token{ID: -1, Text: c.Token, Logprob: c.Logprob}
		if c.ID != nil {
			t.ID = *c.ID
		}
		for _, alt := range c.Top[:min(n, len(c.Top))] {
			a := llm.Token{ID: -1, Text: alt.Token, Logprob: alt.Logprob}
			if alt.ID != nil {
				a.ID = *alt.ID
			}
			t.Top = append(t.Top, a)
		}
		out = append(out, t)
	}
	for i, text := range l.Tokens {
		t := llm.Token{ID: -1, Text: text}
		if i < len(l.Logprobs) && l.Logprobs[i] != nil {
			t.Logprob = *l.Logprobs[i]
		}
		if i < len(l.Top) {
			// A map has no order: by probability, then by text.
			for _, alt := range slices.SortedFunc(maps.Keys(l.Top[i]), func(a, b string) int {
				return cmp.Or(cmp.Compare(l.Top[i][b], l.Top[i][a]), cmp.Compare(a, b))
			}) {
				if len(t.Top) < n {
					t.Top = append(t.Top, llm.Token{ID: -1, Text: alt, Logprob: l.Top[i][alt]})
				}
			}
		}
		out = append(out, t)
	}
	return out
}

// ends are the texts of the end of text that models for cell sentences have: Gemma's,
// GPT-NeoX's (Pythia) and Llama's.
var ends = []string{"<eos>", "<|endoftext|>", "</s>", "<|end_of_text|>"}

// try finds out what comes with an answer, and whether the server can score.
func (b *Backend) try(ctx context.Context, s *server) error {
	one := 1
	req := b.request(s, "a", &llm.Options{MaxTokens: one})
	var got event
	if err := b.e.Post(ctx, "/completions", req, &got); err != nil {
		return err
	}
	if len(got.Choices) == 1 {
		tokens := got.Choices[0].Logprobs.tokens(0)
		s.logprobs = len(tokens) > 0
		s.ids = s.logprobs && tokens[0].ID >= 0
	}
	found := map[int]bool{}
	for _, text := range ends {
		ids, err := b.tokens(ctx, s, text, false)
		if err != nil {
			return optional(err)
		}
		if len(ids) == 1 {
			found[ids[0]] = true
			s.end = ids[0]
		}
	}
	if len(found) != 1 {
		s.end = -1 // none, or it is not clear which one the model ends by
		return nil
	}
	start, err := b.tokens(ctx, s, "a", true)
	if err != nil || len(start) == 0 {
		return optional(err)
	}
	_, err = b.echo(ctx, s, [][]int{append(start, s.end)})
	if _, no := errors.AsType[*llm.UnsupportedError](err); no {
		return nil
	}
	s.score = err == nil
	return optional(err)
}

// tokens splits a text, at vLLM's /tokenize.
func (b *Backend) tokens(ctx context.Context, s *server, text string, start bool) ([]int, error) {
	var out struct {
		Tokens []int `json:"tokens"`
	}
	err := b.root.Post(ctx, "/tokenize", map[string]any{"model": s.model, "prompt": text, "add_special_tokens": start}, &out)
	return out.Tokens, err
}

// atOnce is the number of texts of one request.
const atOnce = 32

// Score implements [llm.Backend]: the server echoes prompt, continuation and end of
// text, given as ids, with the log-probability of each.
func (b *Backend) Score(ctx context.Context, prompt string, continuations []string) ([]llm.Score, error) {
	if len(continuations) == 0 {
		return nil, nil
	}
	s, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	if !s.score {
		return nil, &llm.UnsupportedError{
			What:   "scoring on " + b.e.String(),
			Remedy: "use llama-server's own endpoints (llamacpp://), vLLM, or the built-in engine",
		}
	}
	start, err := b.tokens(ctx, s, prompt, true)
	if err != nil {
		return nil, err
	}
	if len(start) == 0 {
		return nil, &llm.UnsupportedError{What: "an empty prompt", Remedy: "give the model something to continue"}
	}
	out := make([]llm.Score, 0, len(continuations))
	for part := range slices.Chunk(continuations, atOnce) {
		texts := make([][]int, len(part))
		for i, c := range part {
			ids, err := b.tokens(ctx, s, c, false)
			if err != nil {
				return nil, err
			}
			texts[i] = slices.Concat(start, ids, []int{s.end})
			// One more is generated, as some servers cannot do without.
			if len(texts[i])+1 > s.context {
				return nil, fmt.Errorf("continuation %q: %w", c, &llm.ContextError{Prompt: len(texts[i]), Context: s.context})
			}
		}
		logprobs, err := b.echo(ctx, s, texts)
		if err != nil {
			return nil, err
		}
		for i := range part {
			llm.Tally(ctx, len(texts[i]))
			score := llm.Score{Tokens: len(texts[i]) - len(start)}
			for _, v := range logprobs[i][len(start):] {
				score.Logprob += v
			}
			out = append(out, score)
		}
	}
	return out, nil
}

// echo gives the log-probability of each token of some texts; the first has none.
func (b *Backend) echo(ctx context.Context, s *server, texts [][]int) ([][]float64, error) {
	one := 1
	req := b.request(s, texts, &llm.Options{MaxTokens: one})
	req.Echo, req.IDs = true, true
	var got event
	if err := b.e.Post(ctx, "/completions", req, &got); err != nil {
		return nil, err
	}
	no := &llm.UnsupportedError{What: "echoing tokens on " + b.e.String(), Remedy: "use vLLM, or llama-server's own endpoints (llamacpp://)"}
	if len(got.Choices) != len(texts) {
		return nil, no
	}
	out := make([][]float64, len(texts))
	for i := range got.Choices {
		c := &got.Choices[i]
		if c.Index < 0 || c.Index >= len(texts) || out[c.Index] != nil || c.Logprobs == nil {
			return nil, no
		}
		ids := texts[c.Index]
		if len(c.Logprobs.Tokens) < len(ids) || len(c.Logprobs.Logprobs) < len(ids) {
			return nil, no
		}
		values := make([]float64, len(ids))
		for j, id := range ids {
			// "token_id:123", or the server has read other tokens than it was given.
			n, ok := strings.CutPrefix(c.Logprobs.Tokens[j], "token_id:")
			if got, err := strconv.Atoi(n); !ok || err != nil || got != id {
				return nil, no
			}
			if v := c.Logprobs.Logprobs[j]; v != nil {
				values[j] = *v
			} else if j > 0 {
				return nil, &endpoint.Error{What: fmt.Sprintf("%s gives no log-probability for token %d", b.e, j)}
			}
		}
		out[c.Index] = values
	}
	return out, nil
}
