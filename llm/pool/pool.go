// Package pool makes one model of many servers.
//
// Start with [New]. A [Pool] is a llm.Backend over any number of endpoints that serve
// the same model. Nobody hands requests out: a request waits in one bounded queue
// until a slot of any server is free and takes it, so that a server works as fast as
// it can and a slow one holds up only what it works on. Going round the servers
// instead would run all of them at the pace of the slowest.
//
// A free slot prefers the request that shares the longest beginning with the prompt
// it worked on last, because servers keep what they have read; no request is
// overtaken by more than a few others for that.
//
// A server that fails is left alone, asked how it is at growing intervals, and given
// one request, then all, once it answers and still serves the same model. What it was
// working on is asked again elsewhere. A circuit breaker for each endpoint counts
// failures (M. Nygard, Release It!, 2007).
//
// Servers may come and go while the pool works: [Pool.Join], [Pool.Leave].
package pool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cellsentence/c2s/llm"
)

// Endpoint is one server.
type Endpoint struct {
	// Name is for messages, such as the server's address.
	Name    string
	Backend llm.Backend
	// Slots is the number of requests to have there at a time (0: as many as its Info
	// says that it works on).
	Slots int
}

// Config says how patient a pool is. The zero value is good for servers that answer
// within two minutes.
type Config struct {
	// Queue is how many requests may wait for a slot; more are held back, in order,
	// before they enter (0: 1024).
	Queue int
	// Timeout is how long a server may take for one request, from when it is given to
	// it (0: two minutes).
	Timeout time.Duration
	// Attempts is how many servers are given a request, one after the other, before
	// its error is returned (0: 4).
	Attempts int
	// Outage is how long all servers that could answer a request may be down
	// before it fails (0: one minute).
	Outage time.Duration
	// Log, if not nil, is told when a server goes and comes. No prompt and no answer
	// is logged.
	Log *slog.Logger
}

// What is not worth a setting.
const (
	probeTimeout = 4 * time.Second        // for Info, so that "no server" is known within five
	probeFirst   = 100 * time.Millisecond // from a failure to the first probe; then it doubles
	probeLast    = 5 * time.Second        // up to this
	cooldown     = 5 * time.Second        // of a breaker that has opened
	trips        = 3                      // failures in a row open it
	backoff      = 200 * time.Millisecond // before a third attempt; then it doubles
	backoffLast  = 5 * time.Second
)

// ErrClosed is returned by a pool that was closed.
var ErrClosed = errors.New("the pool of servers is closed")

// Pool implements [llm.Backend].
type Pool struct {
	cfg   Config
	admit chan struct{} // holds one for each waiting request
	ctx   context.Context
	stop  context.CancelFunc
	wg    sync.WaitGroup // of the goroutines that watch servers that are down

	mu        sync.Mutex
	closed    bool
	endpoints []*endpoint
	queue     []*waiter // the longest waiting first
}

// New asks every endpoint what it is. Those that cannot be reached are tried again
// in the background, as long as one can; if none can, the error says why of each.
// Endpoints that serve different models, or give them different contexts, are an
// error: which of them answers would then change the result. The pool does not
// close its backends.
func New(ctx context.Context, endpoints []Endpoint, cfg Config) (*Pool, error) {
	if len(endpoints) == 0 {
		return nil, errors.New("a pool needs an endpoint")
	}
	if cfg.Queue < 0 || cfg.Timeout < 0 || cfg.Attempts < 0 || cfg.Outage < 0 {
		return nil, fmt.Errorf("a queue of %d, a timeout of %v, %d attempts, an outage of %v: none may be negative", cfg.Queue, cfg.Timeout, cfg.Attempts, cfg.Outage)
	}
	cfg.Queue = or(cfg.Queue, 1024)
	cfg.Timeout = or(cfg.Timeout, 2*time.Minute)
	cfg.Attempts = or(cfg.Attempts, 4)
	cfg.Outage = or(cfg.Outage, time.Minute)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Pool{cfg: cfg, admit: make(chan struct{}, cfg.Queue)}
	// The context ends with Close: what it is for outlives the call.
	p.ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, e := range endpoints {
		if e.Slots < 0 {
			p.stop()
			return nil, fmt.Errorf("%s: %d slots", e.Name, e.Slots)
		}
		p.endpoints = append(p.endpoints, newEndpoint(e))
	}
	if err := p.first(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// first probes all endpoints at a time.
func (p *Pool) first(ctx context.Context) error {
	infos, errs := make([]*llm.Info, len(p.endpoints)), make([]error, len(p.endpoints))
	var wg sync.WaitGroup
	for i, e := range p.endpoints {
		wg.Go(func() { infos[i], errs[i] = probe(ctx, e) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var failed []error
	for _, err := range errs {
		if err == nil {
			continue
		}
		if !unreachable(err) {
			return err // it would not get better
		}
		failed = append(failed, err)
	}
	if len(failed) == len(p.endpoints) {
		return all(failed)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range p.endpoints {
		if errs[i] != nil {
			p.down(e, errs[i])
			continue
		}
		if err := p.accept(e, infos[i]); err != nil {
			return err
		}
	}
	return nil
}

// all is one error, on one line, of several.
func all(errs []error) error {
	err := errs[0]
	for _, e := range errs[1:] {
		err = fmt.Errorf("%w; %w", err, e)
	}
	return err
}

// accept takes what an endpoint said of itself, if that is the model that all others,
// and the endpoint itself before, serve. p.mu is held.
func (p *Pool) accept(e *endpoint, info *llm.Info) error {
	for _, other := range p.endpoints {
		if other.info == nil {
			continue
		}
		if err := differ(other.info, info); err != nil {
			return &MismatchError{Endpoint: e.name, Err: err}
		}
	}
	e.accept(info)
	return nil
}

// MismatchError says that a server does not serve what the other servers of the pool
// do.
type MismatchError struct {
	Endpoint string
	Err      error
}

// Error names the server and the difference.
func (m *MismatchError) Error() string { return fmt.Sprintf("%s: %v", m.Endpoint, m.Err) }

// Unwrap is the difference.
func (m *MismatchError) Unwrap() error { return m.Err }

// BadInput is true: other servers have to be named.
func (m *MismatchError) BadInput() bool { return true }

// Hint is what can be done.
func (m *MismatchError) Hint() string {
	return "a pool is one model at many places: start all servers with the same file and the same context"
}

// differ says how the answers of two servers would differ. Digests and names of
// servers of different kinds cannot be compared: Ollama has the hash of a manifest
// where another has that of a file.
func differ(a, b *llm.Info) error {
	switch {
	case a.Context != b.Context:
		return fmt.Errorf("its context is %d tokens, that of the others %d", b.Context, a.Context)
	case a.Backend != b.Backend || a.Digest == b.Digest && a.Digest != "":
		return nil
	case a.Digest != "" && b.Digest != "":
		return fmt.Errorf("it serves %s (%s), the others %s (%s)", b.Model, b.Digest, a.Model, a.Digest)
	case a.Model != b.Model:
		return fmt.Errorf("it serves %s, the others %s", b.Model, a.Model)
	}
	return nil
}

// Close ends the pool: waiting requests fail with [ErrClosed], those in work run to
// their end. It returns when no goroutine of the pool is left.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for _, w := range p.queue {
		w.grant <- grant{err: ErrClosed}
	}
	p.queue = nil
	p.mu.Unlock()
	p.stop()
	p.wg.Wait()
}

// Status is how an endpoint is doing.
type Status struct {
	Endpoint string
	Up       bool
	// Err is why it is not up.
	Err error
	// Slots may be in work at a time, Busy are.
	Slots, Busy int
	// Asked counts requests, Failed those of them that it failed and that were asked
	// elsewhere or given up.
	Asked, Failed int
}

// Status tells how the endpoints are, in the order in which they came.
func (p *Pool) Status() []Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Status, len(p.endpoints))
	for i, e := range p.endpoints {
		out[i] = Status{Endpoint: e.name, Up: e.up, Err: e.err, Slots: e.slots, Busy: e.busy, Asked: e.asked, Failed: e.failed}
	}
	return out
}

// Info implements [llm.Backend] without asking a server. Slots is the sum. The pool
// can score, embed, use a grammar or list alternatives if one server can: such
// requests go there. Log-probabilities, token ids and repeatable answers are
// promised only if all servers have them.
func (p *Pool) Info(ctx context.Context) (*llm.Info, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var out llm.Info
	var names, kinds, versions, digests, notices, advice []string
	for _, e := range p.endpoints {
		names = append(names, e.name)
		if e.info == nil {
			continue // never seen yet
		}
		if len(kinds) == 0 {
			out, out.Slots = *e.info, 0
		}
		kinds, versions, digests = append(kinds, e.info.Backend), append(versions, e.info.Version), append(digests, e.info.Digest)
		notices, advice = append(notices, e.info.Notice), append(advice, e.info.Advice)
		out.Slots += e.slots
		out.Logprobs = out.Logprobs && e.info.Logprobs
		out.TokenIDs = out.TokenIDs && e.info.TokenIDs
		out.Repeats = out.Repeats && e.info.Repeats
		out.TopLogprobs = max(out.TopLogprobs, e.info.TopLogprobs)
		out.Grammar = out.Grammar || e.info.Grammar
		out.Score = out.Score || e.info.Score
		out.Pooling = slices.Concat(out.Pooling, e.info.Pooling)
		if out.Prompts == nil {
			out.Prompts = e.info.Prompts
		}
	}
	slices.Sort(out.Pooling)
	out.Pooling = slices.Compact(out.Pooling)
	if !out.Logprobs {
		out.TopLogprobs = 0
	}
	out.Backend, out.Endpoint = union(kinds, "+"), strings.Join(names, ", ")
	out.Version, out.Digest = union(versions, ", "), union(digests, "+")
	out.Notice, out.Advice = union(notices, "; "), union(advice, "; ")
	return &out, nil
}

// union joins different texts, sorted, so that the order of the servers does not
// matter.
func union(texts []string, sep string) string {
	slices.Sort(texts)
	texts = slices.DeleteFunc(slices.Compact(texts), func(s string) bool { return s == "" })
	return strings.Join(texts, sep)
}
