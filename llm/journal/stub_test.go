package journal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cellsentence/c2s/llm"
)

// stub counts what it is asked.
type stub struct {
	info llm.Info
	err  error
	gate chan struct{} // if not nil, an answer takes one

	mu    sync.Mutex
	asked map[string]int
}

func newStub() *stub {
	return &stub{asked: map[string]int{}, info: llm.Info{Backend: "stub", Model: "m", Digest: "sha256:1", Context: 512, Slots: 4, Logprobs: true, Score: true, Pooling: []llm.Pooling{llm.PoolMean}}}
}

func (s *stub) ask(ctx context.Context, what string) error {
	s.mu.Lock()
	s.asked[what]++
	s.mu.Unlock()
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return s.err
}

// answerTo has every field set, so that none is lost on the way.
func answerTo(prompt string) *llm.Answer {
	end := -0.1
	return &llm.Answer{
		Text: " answer to " + prompt, Stop: llm.StopEnd, EndLogprob: &end, PromptTokens: 5, CachedTokens: 3, AnswerTokens: 2,
		Tokens: []llm.Token{
			{ID: 7, Text: " answer", Logprob: -1.0 / 3, Top: []llm.Token{{ID: 7, Text: " answer", Logprob: -1.0 / 3}, {ID: 8, Text: "<é>", Logprob: -math.SmallestNonzeroFloat64}}},
			{ID: 9, Text: " to " + prompt, Logprob: -1e300},
		},
	}
}

func (s *stub) Generate(ctx context.Context, prompt string, _ llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if err := s.ask(ctx, prompt); err != nil {
		return nil, err
	}
	a := answerTo(prompt)
	if onToken != nil {
		for _, t := range a.Tokens {
			if err := onToken(t); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

func (s *stub) Score(ctx context.Context, prompt string, continuations []string) ([]llm.Score, error) {
	if err := s.ask(ctx, fmt.Sprint(prompt, continuations)); err != nil {
		return nil, err
	}
	out := make([]llm.Score, len(continuations))
	for i, c := range continuations {
		out[i] = llm.Score{Logprob: -float64(len(c)) / 7, Tokens: len(c)}
	}
	return out, nil
}

func (s *stub) Embed(ctx context.Context, texts []string, _ llm.Pooling) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		if err := s.ask(ctx, text); err != nil {
			return nil, err
		}
		out[i] = []float32{float32(len(text)), float32(text[0]) / 3, -0, math.MaxFloat32}
	}
	return out, nil
}

func (s *stub) Info(context.Context) (*llm.Info, error) {
	i := s.info
	return &i, nil
}

func start(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func wrap(t testing.TB, j *Journal, b llm.Backend) *Backend {
	t.Helper()
	w, err := j.Wrap(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func temp(t testing.TB) string { return filepath.Join(t.TempDir(), "answers.db") }

var errDown = errors.New("the server is down")
