package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/pool"
)

func ask(ctx context.Context, p llm.Backend, prompt string) (string, error) {
	a, err := p.Generate(ctx, prompt, llm.Options{}, nil)
	if err != nil {
		return "", err
	}
	return a.Text, nil
}

func TestNew(t *testing.T) {
	dead := newServer("dead", 1, 0)
	dead.kill()
	late := newServer("late", 1, 0)
	late.kill()
	other := newServer("other", 1, 0)
	other.info.Digest = "sha256:2"
	small := newServer("small", 1, 0)
	small.info.Context = 256
	renamed := newServer("renamed", 1, 0)
	renamed.info.Digest, renamed.info.Model = "", "x"
	kind := newServer("kind", 1, 0)
	kind.info.Backend, kind.info.Digest = "another", "sha256:3"
	good := newServer("good", 1, 0)
	for _, c := range []struct {
		what    string
		servers []*server
		want    []string // of the error, none for success
		bad     bool
	}{
		{"one", []*server{good}, nil, false},
		{"one of two is down", []*server{dead, good}, nil, false},
		{"all are down", []*server{dead, late}, []string{"dead", "late", "refused"}, false},
		{"another model", []*server{good, other}, []string{"other", "sha256:1", "sha256:2"}, true},
		{"another context", []*server{good, small}, []string{"small", "256", "512"}, true},
		{"another name", []*server{good, renamed}, []string{"renamed", "serves x"}, true},
		{"another kind", []*server{good, kind}, nil, false},
		{"none", nil, []string{"endpoint"}, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			var endpoints []pool.Endpoint
			for _, s := range c.servers {
				endpoints = append(endpoints, s.endpoint())
			}
			p, err := pool.New(t.Context(), endpoints, pool.Config{})
			if len(c.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				if got, err := ask(t.Context(), p, "x"); got != "answer to x" {
					t.Errorf("%q, %v", got, err)
				}
				p.Close()
				if _, err := ask(t.Context(), p, "x"); !errors.Is(err, pool.ErrClosed) {
					t.Errorf("a closed pool: %v", err)
				}
				return
			}
			for _, w := range c.want {
				if err == nil || !strings.Contains(err.Error(), w) {
					t.Errorf("%v does not name %s", err, w)
				}
			}
			if _, bad := errors.AsType[*pool.MismatchError](err); bad != c.bad {
				t.Errorf("%T", err)
			}
			if _, gone := errors.AsType[*llm.UnreachableError](err); gone != strings.HasPrefix(c.what, "all") {
				t.Errorf("%T", err)
			}
		})
	}
}

// TestInfo: the pool can what one server can, and promises what all do.
func TestInfo(t *testing.T) {
	a, b := newServer("a", 3, 0), newServer("b", 2, 0)
	a.info.Score, a.info.Pooling, a.info.Grammar, a.info.Repeats, a.info.Notice = false, nil, true, false, "demo"
	b.info.TokenIDs, b.info.TopLogprobs = false, 9
	p := open(t, pool.Config{}, a, b)
	i, err := p.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !i.Score || len(i.Pooling) != 1 || !i.Grammar || i.Repeats || i.TokenIDs || !i.Logprobs || i.TopLogprobs != 9 || i.Slots != 5 || i.Notice != "demo" || i.Digest != "sha256:1" || i.Endpoint != "a, b" {
		t.Errorf("%+v", i)
	}
	// What only one can goes there, and what none can fails with the remedy.
	for range 4 {
		if _, err := p.Score(t.Context(), "s", []string{" x"}); err != nil {
			t.Error(err)
		}
		if _, err := p.Embed(t.Context(), []string{"e"}, llm.PoolMean); err != nil {
			t.Error(err)
		}
		if _, err := p.Generate(t.Context(), "g", llm.Options{Grammar: "root ::= x"}, nil); err != nil {
			t.Error(err)
		}
	}
	if a.asked["s"] != 0 || b.asked["s"] != 4 || b.asked["e"] != 4 || a.asked["g"] != 4 {
		t.Errorf("a %v, b %v", a.asked, b.asked)
	}
	var no *llm.UnsupportedError
	if _, err := p.Embed(t.Context(), []string{"e"}, llm.PoolLast); !errors.As(err, &no) {
		t.Errorf("a pooling that none has: %v", err)
	}
}

// TestErrors: what is the request's fault is not asked elsewhere, what may be the
// server's is.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		err   error
		asked int
	}{
		{&llm.ContextError{Prompt: 600, Context: 512}, 1},
		{&llm.UnsupportedError{What: "x"}, 1},
		{&llm.RepetitionError{Tokens: 31}, 1},
		{&llm.ModelError{Endpoint: "a", Model: "m"}, 3},
		{errors.New("internal error"), 3},
	} {
		t.Run(fmt.Sprintf("%T", c.err), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := newServer("a", 1, 0), newServer("b", 1, 0)
				for _, s := range []*server{a, b} {
					s.answer = func(context.Context, string, func(llm.Token) error) (*llm.Answer, error) { return nil, c.err }
				}
				p := open(t, pool.Config{Attempts: 3}, a, b)
				_, err := ask(t.Context(), p, "x")
				if !errors.Is(err, c.err) {
					t.Errorf("%v, expected %v", err, c.err)
				}
				if n := len(a.order) + len(b.order); n != c.asked {
					t.Errorf("asked %d times, expected %d", n, c.asked)
				}
				if c.asked > 1 && (len(a.order) == 0 || len(b.order) == 0) {
					t.Error("the other server was not asked")
				}
			})
		})
	}
}

// TestTimeout: a server that hangs costs its deadline once for each request, three
// times at most, then it is left alone.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, good := newServer("hung", 8, time.Hour), newServer("good", 1, time.Second)
		p := open(t, pool.Config{Timeout: 10 * time.Second}, hung, good)
		start := time.Now()
		run(t, p, 9, prompts(60))
		// Eight requests are lost in the first ten seconds, one at a time is tried later.
		if took := time.Since(start); took > 75*time.Second {
			t.Errorf("60 requests of a second took %v", took)
		}
		if n := len(hung.order); n < 8 || n > 8+4 {
			t.Errorf("the hung server was asked %d times", n)
		}
		t.Logf("60 requests of one second beside a server that hangs: %v, %d of them tried there", time.Since(start), len(hung.order))
	})
	synctest.Test(t, func(t *testing.T) {
		p := open(t, pool.Config{Timeout: 10 * time.Second, Attempts: 2}, newServer("hung", 8, time.Hour))
		_, err := ask(t.Context(), p, "x")
		var gone *llm.UnreachableError
		if !errors.As(err, &gone) || gone.Endpoint != "hung" || !strings.Contains(err.Error(), "10s") {
			t.Error(err)
		}
	})
}

// TestFlaky: a server that answers probes and fails every request gets one request
// in five seconds.
func TestFlaky(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flaky, good := newServer("flaky", 20, 10*time.Millisecond), newServer("good", 1, 100*time.Millisecond)
		flaky.answer = func(context.Context, string, func(llm.Token) error) (*llm.Answer, error) { return nil, flaky.gone() }
		p := open(t, pool.Config{}, flaky, good)
		took := run(t, p, 21, prompts(600))
		if took > 62*time.Second {
			t.Errorf("600 requests of 100 ms took %v", took)
		}
		if n := len(flaky.order); n > 20+12+1 {
			t.Errorf("the flaky server was asked %d times in %v", n, took)
		}
		t.Logf("600 requests of 100 ms beside a server that fails all: %v, %d of them tried there", took, len(flaky.order))
	})
}

// TestOutage: while all servers are down requests wait, but not for ever.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		a, b := newServer("a", 1, time.Second), newServer("b", 1, time.Second)
		p := open(t, pool.Config{Outage: 30 * time.Second, Log: slog.New(slog.NewTextHandler(&log, nil))}, a, b)
		a.kill()
		b.kill()
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				_, err := ask(t.Context(), p, fmt.Sprint("SECRET", i))
				var gone *llm.UnreachableError
				if !errors.As(err, &gone) || !strings.Contains(err.Error(), "a: conn") || !strings.Contains(err.Error(), "b: conn") {
					t.Errorf("all are down: %v", err)
				}
			})
		}
		wg.Wait()
		// Probes are at most 7.5 s apart.
		if took := time.Since(start); took < 30*time.Second || took > 38*time.Second {
			t.Errorf("known after %v, expected 30 s and a probe", took)
		}
		start = time.Now()
		if _, err := ask(t.Context(), p, "x"); err == nil || time.Since(start) > 0 {
			t.Errorf("%v after %v; the outage is known", err, time.Since(start))
		}
		a.revive()
		time.Sleep(15 * time.Second)
		if got, err := ask(t.Context(), p, "x"); err != nil {
			t.Errorf("%q, %v, after the outage", got, err)
		}
		if !strings.Contains(log.String(), "endpoint=a") || !strings.Contains(log.String(), "is back") || strings.Contains(log.String(), "SECRET") {
			t.Error(log.String())
		}
	})
}

// TestOtherModel: a server that comes back with another model is not asked.
func TestOtherModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newServer("a", 1, time.Second), newServer("b", 1, time.Second)
		p := open(t, pool.Config{}, a, b)
		b.kill()
		run(t, p, 2, prompts(4))
		b.info.Digest = "sha256:2"
		b.revive()
		run(t, p, 2, prompts(60))
		s := p.Status()[1]
		if _, ok := errors.AsType[*pool.MismatchError](s.Err); !ok || s.Up || len(b.order) > 0 {
			t.Errorf("%+v, asked %d times", s, len(b.order))
		}
	})
}

// TestStream: the caller sees each token once, whatever dies, and its own error ends
// the answer and is nobody's fault.
func TestStream(t *testing.T) {
	words := []string{" one", " two", " three"}
	stream := func(s *server, die int, words []string) {
		s.answer = func(_ context.Context, _ string, onToken func(llm.Token) error) (*llm.Answer, error) {
			for i, w := range words {
				if i == die {
					return nil, s.gone()
				}
				if err := onToken(llm.Token{Text: w}); err != nil {
					return nil, fmt.Errorf("wrapped: %w", err)
				}
			}
			return &llm.Answer{Text: strings.Join(words, "")}, nil
		}
	}
	for _, c := range []struct {
		what   string
		second []string
		want   string
	}{
		{"same", words, " one two three"},
		{"different", []string{" one", " other"}, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			a, b := newServer("a", 1, 0), newServer("b", 1, 0)
			stream(a, 2, words)
			stream(b, -1, c.second)
			p := open(t, pool.Config{}, a, b)
			seen := ""
			got, err := p.Generate(t.Context(), "x", llm.Options{}, func(t llm.Token) error { seen += t.Text; return nil })
			if len(a.order) != 1 || len(b.order) != 1 {
				t.Fatalf("asked %d and %d times", len(a.order), len(b.order))
			}
			if c.want == "" {
				if err == nil || got != nil || seen != " one two" {
					t.Errorf("%v, %v, seen %q", got, err, seen)
				}
			} else if err != nil || got.Text != c.want || seen != c.want {
				t.Errorf("%v, %v, seen %q", got, err, seen)
			}
		})
	}
	a := newServer("a", 1, 0)
	stream(a, -1, words)
	p := open(t, pool.Config{}, a)
	enough := errors.New("enough")
	for range 5 {
		if _, err := p.Generate(t.Context(), "x", llm.Options{}, func(llm.Token) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("%v, expected the caller's error", err)
		}
	}
	if s := p.Status()[0]; !s.Up || s.Failed != 0 || s.Asked != 5 {
		t.Errorf("after the caller's own errors: %+v", s)
	}
}

// TestCancel: waiting requests leave at once, their places go to others, and nothing is
// left behind. synctest fails a test that leaves a goroutine.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newServer("a", 2, time.Second)
		p := open(t, pool.Config{Queue: 3}, a)
		cause := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(t.Context())
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 20 { // two in work, three in the queue, fifteen held back
			wg.Go(func() {
				if _, err := ask(ctx, p, fmt.Sprint(i)); !errors.Is(err, cause) {
					t.Errorf("request %d: %v", i, err)
				}
			})
		}
		time.Sleep(500 * time.Millisecond)
		cancel(cause)
		wg.Wait()
		if took := time.Since(start); took > 500*time.Millisecond {
			t.Errorf("cancelled after 500 ms, done after %v", took)
		}
		if s := p.Status()[0]; s.Busy != 0 || s.Failed != 0 || !s.Up {
			t.Errorf("%+v", s)
		}
		run(t, p, 20, prompts(20))
		if len(a.order) != 2+20 {
			t.Errorf("asked %d times, expected 22", len(a.order))
		}
	})
}
