package pool_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/pool"
)

// server is a fake one: it has so many slots, as a real one has, and takes so long.
type server struct {
	name  string
	delay time.Duration
	slots chan struct{}
	info  llm.Info
	// answer, if not nil, replaces the usual one.
	answer func(ctx context.Context, prompt string, onToken func(llm.Token) error) (*llm.Answer, error)

	mu    sync.Mutex
	asked map[string]int // by prompt
	order []string
	dead  chan struct{} // closed while it is
	dies  int           // at this request, 0 for never
	lost  int           // requests in work when it died
	busy  int
}

func newServer(name string, slots int, delay time.Duration) *server {
	return &server{
		name: name, delay: delay, slots: make(chan struct{}, slots), asked: map[string]int{}, dead: make(chan struct{}),
		info: llm.Info{Backend: "stub", Endpoint: name, Version: "1", Model: "m", Digest: "sha256:1", Context: 512, Slots: slots, Logprobs: true, TopLogprobs: 5, TokenIDs: true, Score: true, Pooling: []llm.Pooling{llm.PoolMean}, Repeats: true},
	}
}

func (s *server) endpoint() pool.Endpoint { return pool.Endpoint{Name: s.name, Backend: s} }

func (s *server) gone() error {
	return &llm.UnreachableError{Endpoint: s.name, Err: errors.New("connection refused"), Tip: "start it"}
}

func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = s.busy
	close(s.dead)
}

func (s *server) revive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead, s.dies = make(chan struct{}), 0
}

// work takes a slot and the time, counts, and reports whether the server lives. What
// is refused was not asked.
func (s *server) work(ctx context.Context, prompt string) error {
	s.mu.Lock()
	dead := s.dead
	s.mu.Unlock()
	select {
	case <-dead:
		return s.gone()
	default:
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-dead:
		return s.gone()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	s.mu.Lock()
	s.asked[prompt]++
	s.order = append(s.order, prompt)
	s.busy++
	n := len(s.order)
	s.mu.Unlock()
	if s.dies > 0 && n == s.dies {
		s.kill()
	}
	defer func() {
		s.mu.Lock()
		s.busy--
		s.mu.Unlock()
	}()
	t := time.NewTimer(s.delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-dead:
		return s.gone()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *server) Generate(ctx context.Context, prompt string, _ llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if err := s.work(ctx, prompt); err != nil {
		return nil, err
	}
	if s.answer != nil {
		return s.answer(ctx, prompt, onToken)
	}
	return &llm.Answer{Text: "answer to " + prompt, Stop: llm.StopEnd}, nil
}

func (s *server) Score(ctx context.Context, prompt string, continuations []string) ([]llm.Score, error) {
	if err := s.work(ctx, prompt); err != nil {
		return nil, err
	}
	if !s.info.Score {
		return nil, &llm.UnsupportedError{What: "scoring", Remedy: "another server"}
	}
	return make([]llm.Score, len(continuations)), nil
}

func (s *server) Embed(ctx context.Context, texts []string, pooling llm.Pooling) ([][]float32, error) {
	if err := s.work(ctx, strings.Join(texts, "|")); err != nil {
		return nil, err
	}
	if !slices.Contains(s.info.Pooling, pooling) {
		return nil, &llm.UnsupportedError{What: "embedding", Remedy: "another server"}
	}
	return make([][]float32, len(texts)), nil
}

func (s *server) Info(context.Context) (*llm.Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.dead:
		return nil, s.gone()
	default:
	}
	info := s.info
	return &info, nil
}

// open makes a pool that is closed at the end of the test.
func open(t testing.TB, cfg pool.Config, servers ...*server) *pool.Pool {
	t.Helper()
	var endpoints []pool.Endpoint
	for _, s := range servers {
		endpoints = append(endpoints, s.endpoint())
	}
	p, err := pool.New(t.Context(), endpoints, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}
