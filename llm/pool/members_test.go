package pool_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/pool"
)

// TestMembers lets servers come and go while requests are asked: every request is
// answered, those that join work, and those that left get nothing more.
func TestMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, third := newServer("first", 2, 10*time.Millisecond), newServer("second", 2, 10*time.Millisecond), newServer("third", 2, 10*time.Millisecond)
		p, err := pool.New(t.Context(), []pool.Endpoint{first.endpoint()}, pool.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		third.kill()
		steps := map[int]func() error{
			50:  func() error { return p.Join(t.Context(), second.endpoint()) },
			100: func() error { return p.Join(t.Context(), third.endpoint()) }, // it is not there yet
			150: func() error { third.revive(); return nil },
			200: func() error { return p.Leave("first") },
		}
		all, n := prompts(900), 0
		var atLeave int
		start := time.Now()
		for a, err := range batch.Map(t.Context(), 64, slices.Values(all), func(ctx context.Context, prompt string) (*llm.Answer, error) {
			return p.Generate(ctx, prompt, llm.Options{}, nil)
		}) {
			if err != nil || a == nil {
				t.Fatalf("request %d: %v", n, err)
			}
			if step := steps[n]; step != nil {
				if err := step(); err != nil {
					t.Fatalf("at request %d: %v", n, err)
				}
				if n == 200 {
					atLeave = first.total()
				}
			}
			n++
		}
		if n != 900 {
			t.Errorf("%d answers", n)
		}
		// What it was given before, in its two slots, may not have been counted then.
		if got := first.total(); got > atLeave+2 {
			t.Errorf("the server that left was asked %d times after that", got-atLeave)
		}
		if second.total() < 200 || third.total() < 100 {
			t.Errorf("the servers that joined were asked %d and %d times of 900", second.total(), third.total())
		}
		// 900 requests at two slots of 10 ms would take 4.5 s.
		if took := time.Since(start); took > 3500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		var names []string
		for _, s := range p.Status() {
			names = append(names, s.Endpoint)
		}
		if got := strings.Join(names, " "); got != "second third" {
			t.Errorf("the pool is %s", got)
		}
	})
}

// TestNoMembers refuses what cannot join or leave.
func TestNoMembers(t *testing.T) {
	one, other := newServer("one", 1, 0), newServer("other", 1, 0)
	other.info.Digest = "sha256:2"
	p, err := pool.New(t.Context(), []pool.Endpoint{one.endpoint()}, pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var mismatch *pool.MismatchError
	if err := p.Join(t.Context(), other.endpoint()); !errors.As(err, &mismatch) {
		t.Errorf("a server of another model: %v", err)
	}
	for what, err := range map[string]error{
		"in the pool already": p.Join(t.Context(), one.endpoint()),
		"not in the pool":     p.Leave("other"),
		"the last server":     p.Leave("one"),
		"slots":               p.Join(t.Context(), pool.Endpoint{Name: "x", Backend: one, Slots: -1}),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%q: %v", what, err)
		}
	}
	p.Close()
	if err := p.Join(t.Context(), newServer("late", 1, 0).endpoint()); !errors.Is(err, pool.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// total is how often a server was asked.
func (s *server) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.order)
}
