package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/cellsentence/c2s/llm"
)

// endpoint is a server and its slots. The pool's lock guards it.
type endpoint struct {
	name    string
	backend llm.Backend
	fixed   int // slots that the user set, 0 for what the server says
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]

	info    *llm.Info // nil before it answered for the first time
	up      bool
	watched bool  // by a goroutine, while it is down
	lost    bool  // down for so long that requests no longer wait for it
	left    bool  // it is in the pool no more
	err     error // why it is down

	slots, busy int
	// idle holds, for each slot that is not in work, the prompt it worked on last; the
	// one that has been idle longest comes first.
	idle []string

	asked, failed int
}

func newEndpoint(e Endpoint) *endpoint {
	return &endpoint{
		name: e.Name, backend: e.Backend, fixed: e.Slots,
		breaker: gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Timeout:      cooldown,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= trips },
			IsSuccessful: func(err error) bool { return !isFailure(err) },
			IsExcluded:   func(err error) bool { return errors.Is(err, errAbandoned) },
		}),
	}
}

// accept takes what a server says of itself, now that it answers. It may have other
// slots than before.
func (e *endpoint) accept(info *llm.Info) {
	e.info, e.up, e.watched, e.lost, e.err = info, true, false, false, nil
	e.slots = e.fixed
	if e.slots == 0 {
		e.slots = max(1, info.Slots)
	}
	for len(e.idle) > 0 && e.busy+len(e.idle) > e.slots {
		e.idle = e.idle[1:]
	}
	for e.busy+len(e.idle) < e.slots {
		e.idle = append(e.idle, "")
	}
}

// take removes an idle slot.
func (e *endpoint) take(slot int) {
	e.idle = slices.Delete(e.idle, slot, slot+1)
	e.busy++
}

// give puts a slot back that worked on the prompt.
func (e *endpoint) give(prompt string) {
	e.busy--
	if e.busy+len(e.idle) < e.slots {
		e.idle = append(e.idle, prompt)
	}
}

// allows reports whether the breaker lets a request through: while it is closed, and
// one at a time to try whether it may close.
func (e *endpoint) allows() bool {
	switch e.breaker.State() {
	case gobreaker.StateClosed:
		return true
	case gobreaker.StateHalfOpen:
		c := e.breaker.Counts()
		return c.Requests == c.TotalExclusions
	}
	return false
}

// probe asks a server what it is.
func probe(ctx context.Context, e *endpoint) (*llm.Info, error) {
	inner, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	info, err := e.backend.Info(inner)
	if err == nil {
		return info, nil
	}
	if inner.Err() != nil {
		err = &llm.UnreachableError{Endpoint: e.name, Err: fmt.Errorf("no answer within %v", probeTimeout)}
	}
	return nil, &failure{endpoint: e.name, err: err}
}

// down takes an endpoint out of service and watches it. p.mu is held.
func (p *Pool) down(e *endpoint, err error) {
	if p.closed || e.watched || e.left {
		return
	}
	p.cfg.Log.Warn("model server is down", "endpoint", e.name, "error", err)
	e.up, e.watched, e.err = false, true, err
	p.wg.Go(func() { p.watch(e) })
	// Requests that kept away from another server may have to go there now.
	p.dispatch()
}

// watch probes an endpoint until it answers.
func (p *Pool) watch(e *endpoint) {
	since := time.Now()
	for wait := probeFirst; ; wait = min(2*wait, probeLast) {
		// Servers that went down together are not asked together.
		if !sleep(p.ctx, wait/2+rand.N(wait)) {
			return
		}
		if e.breaker.State() != gobreaker.StateOpen {
			info, err := probe(p.ctx, e)
			if p.ctx.Err() != nil {
				return
			}
			if p.recovered(e, info, err) {
				return
			}
		}
		if time.Since(since) >= p.cfg.Outage {
			p.giveUp(e)
		}
	}
}

// sleep reports whether the time passed before the context was done.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// recovered puts an endpoint back into service if a probe was good.
func (p *Pool) recovered(e *endpoint, info *llm.Info, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.left {
		return true // nobody is to watch it
	}
	if err == nil {
		err = p.accept(e, info)
	}
	if err != nil {
		if e.err == nil || e.err.Error() != err.Error() {
			p.cfg.Log.Warn("model server is still down", "endpoint", e.name, "error", err)
		}
		e.err = err
		return false
	}
	p.cfg.Log.Info("model server is back", "endpoint", e.name)
	p.dispatch()
	return true
}

// giveUp fails the requests that only this endpoint, or others that are lost as well,
// could answer.
func (p *Pool) giveUp(e *endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.lost || e.left {
		return
	}
	e.lost = true
	rest := p.queue[:0]
	for _, w := range p.queue {
		if p.hopeless(w) {
			w.grant <- grant{err: p.outage()}
		} else {
			rest = append(rest, w)
		}
	}
	clear(p.queue[len(rest):])
	p.queue = rest
}

// outage is the error of requests that no server is left for. p.mu is held.
func (p *Pool) outage() error {
	var errs []error
	for _, e := range p.endpoints {
		if e.err != nil {
			errs = append(errs, e.err)
		}
	}
	return &llm.UnreachableError{Endpoint: "every server of the pool", Err: all(errs), Tip: "what was answered is kept if there is a journal: start a server and run again"}
}
