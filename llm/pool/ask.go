package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/cellsentence/c2s/llm"
)

// errAbandoned is what the breaker is told of a request that the caller gave up: it
// says nothing about the server.
var errAbandoned = errors.New("the caller gave up")

// failure is an error for which the server is to blame, or may be: another one might
// answer.
type failure struct {
	endpoint string
	err      error
	late     bool // the server is there, but slow
}

func (f *failure) Error() string {
	if _, ok := errors.AsType[*llm.UnreachableError](f.err); ok { // it names the server
		return f.err.Error()
	}
	return f.endpoint + ": " + f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func isFailure(err error) bool {
	_, ok := errors.AsType[*failure](err)
	return ok
}

// gone reports whether a failure is reason enough to ask a server how it is.
func gone(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && !f.late && unreachable(f.err)
}

func unreachable(err error) bool {
	u, ok := errors.AsType[interface {
		error
		Unreachable() bool
	}](err)
	return ok && u.Unreachable()
}

// requested reports whether a request is itself to blame, so that no other server
// would answer it. A model that a server has lost is the server's fault.
func requested(err error) bool {
	if _, ok := errors.AsType[*llm.ModelError](err); ok {
		return false
	}
	_, long := errors.AsType[*llm.ContextError](err)
	_, unable := errors.AsType[*llm.UnsupportedError](err)
	_, repeats := errors.AsType[*llm.RepetitionError](err)
	bad, ok := errors.AsType[interface {
		error
		BadInput() bool
	}](err)
	return long || unable || repeats || ok && bad.BadInput()
}

// ask gives a request to one server after the other until one answers.
func ask[T any](ctx context.Context, p *Pool, w *waiter, call func(context.Context, llm.Backend) (T, error)) (T, error) {
	var none T
	wait := backoff
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			return none, context.Cause(ctx)
		}
		g, err := p.acquire(ctx, w)
		if err != nil {
			return none, err
		}
		inner, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
		out, err := call(inner, g.e.backend)
		fault := p.blame(ctx, inner, w, g.e, err)
		cancel()
		p.release(g, w.prompt, fault)
		switch {
		case err == nil:
			return out, nil
		case !isFailure(fault):
			return none, err
		case attempt == p.cfg.Attempts:
			return none, fmt.Errorf("asked %d times: %w", attempt, fault)
		}
		if !slices.Contains(w.failed, g.e) {
			w.failed = append(w.failed, g.e)
		}
		// One failure may be one server's; with the second it looks as if the request,
		// or all servers, had a problem.
		if attempt > 1 {
			if !sleep(ctx, wait/2+rand.N(wait)) {
				return none, context.Cause(ctx)
			}
			wait = min(2*wait, backoffLast)
		}
	}
}

// blame tells whose fault an error is: the server's, which is a failure; that of the
// request, which is nil; or that of the caller, who left.
func (p *Pool) blame(ctx, inner context.Context, w *waiter, e *endpoint, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || w.left:
		return errAbandoned
	case inner.Err() != nil:
		err = fmt.Errorf("no answer within %v", p.cfg.Timeout)
		return &failure{e.name, &llm.UnreachableError{Endpoint: e.name, Err: err, Tip: "allow more time, or ask for fewer tokens"}, true}
	case requested(err):
		return nil
	}
	return &failure{e.name, err, false}
}

// Generate implements [llm.Backend]. If a server dies in the middle of an answer, the
// other one's answer must begin with the tokens that onToken was given already;
// they are not given to it again.
func (p *Pool) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if err := opt.Check(); err != nil {
		return nil, err
	}
	w := &waiter{prompt: prompt, able: func(i *llm.Info) bool {
		return (opt.Grammar == "" || i.Grammar) && opt.TopLogprobs <= i.TopLogprobs
	}}
	var given []string
	return ask(ctx, p, w, func(ctx context.Context, b llm.Backend) (*llm.Answer, error) {
		if onToken == nil {
			return b.Generate(ctx, prompt, opt, nil)
		}
		n := 0
		return b.Generate(ctx, prompt, opt, func(t llm.Token) error {
			if n++; n <= len(given) {
				if t.Text == given[n-1] {
					return nil
				}
				w.left = true
				return errors.New("a server went away in the middle of an answer that was being read, and another one answers differently")
			}
			given = append(given, t.Text)
			if err := onToken(t); err != nil {
				w.left = true
				return err
			}
			return nil
		})
	})
}

// Score implements [llm.Backend].
func (p *Pool) Score(ctx context.Context, prompt string, continuations []string) ([]llm.Score, error) {
	w := &waiter{prompt: prompt, able: func(i *llm.Info) bool { return i.Score }}
	return ask(ctx, p, w, func(ctx context.Context, b llm.Backend) ([]llm.Score, error) {
		return b.Score(ctx, prompt, continuations)
	})
}

// Embed implements [llm.Backend]. All texts go to one slot.
func (p *Pool) Embed(ctx context.Context, texts []string, pooling llm.Pooling) ([][]float32, error) {
	w := &waiter{able: func(i *llm.Info) bool { return slices.Contains(i.Pooling, pooling) }}
	if len(texts) > 0 {
		w.prompt = texts[0]
	}
	return ask(ctx, p, w, func(ctx context.Context, b llm.Backend) ([][]float32, error) {
		return b.Embed(ctx, texts, pooling)
	})
}
