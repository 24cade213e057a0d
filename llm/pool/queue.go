package pool

import (
	"context"
	"slices"

	"github.com/sony/gobreaker/v2"

	"github.com/cellsentence/c2s/llm"
)

// How a slot chooses.
const (
	// Prefixes count in blocks of so many bytes, some sixteen tokens: what a server
	// saves by less is not worth a change of the order.
	block = 64
	// A slot looks at so many of the longest waiting requests and idle slots, so that
	// a choice takes microseconds.
	window = 128
	// No request is overtaken more often for the sake of a prefix.
	overtakes = 32
)

// waiter is a request that has no slot yet.
type waiter struct {
	prompt string
	// able tells the servers that can answer, from what they say of themselves.
	able func(*llm.Info) bool
	// failed are the servers that have failed it.
	failed    []*endpoint
	left      bool // the caller ended it, within the answer
	overtaken int
	grant     chan grant // has room for one
}

// grant is a slot, or the reason why there is none.
type grant struct {
	e    *endpoint
	done func(error) // tells the breaker
	err  error
}

// acquire waits for a slot. The caller asks the server and gives the slot back by
// release.
func (p *Pool) acquire(ctx context.Context, w *waiter) (grant, error) {
	select {
	case p.admit <- struct{}{}:
		defer func() { <-p.admit }()
	case <-ctx.Done():
		return grant{}, context.Cause(ctx)
	case <-p.ctx.Done():
		return grant{}, ErrClosed
	}
	w.grant = make(chan grant, 1)
	p.mu.Lock()
	switch {
	case p.closed:
		p.mu.Unlock()
		return grant{}, ErrClosed
	case p.hopeless(w):
		defer p.mu.Unlock()
		return grant{}, p.outage()
	case !p.place(w):
		p.queue = append(p.queue, w)
	}
	p.mu.Unlock()
	select {
	case g := <-w.grant:
		return g, g.err
	case <-ctx.Done():
	}
	p.mu.Lock()
	i := slices.Index(p.queue, w)
	if i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 { // the slot came at the same time
		if g := <-w.grant; g.err == nil {
			p.release(g, w.prompt, errAbandoned)
		}
	}
	return grant{}, context.Cause(ctx)
}

// release gives a slot back, with what became of the request.
func (p *Pool) release(g grant, prompt string, err error) {
	g.done(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	e := g.e
	e.give(prompt)
	if isFailure(err) {
		e.failed++
		if gone(err) || e.breaker.State() == gobreaker.StateOpen {
			p.down(e, err)
		}
	}
	p.serve(e)
}

// fits reports whether a request may go to an endpoint, up or not. One that has failed
// it is as good as any once all others that are up have failed it as well.
func (p *Pool) fits(w *waiter, e *endpoint) bool {
	if !p.able(w, e) {
		return false
	}
	if !slices.Contains(w.failed, e) {
		return true
	}
	return !slices.ContainsFunc(p.endpoints, func(o *endpoint) bool {
		return o.up && p.able(w, o) && !slices.Contains(w.failed, o)
	})
}

// able reports whether an endpoint can answer a request, as far as is known. What
// none can answer goes to any, whose error says what would help.
func (p *Pool) able(w *waiter, e *endpoint) bool {
	return e.info != nil && w.able(e.info) || !slices.ContainsFunc(p.endpoints, func(o *endpoint) bool {
		return o.info != nil && w.able(o.info)
	})
}

// hopeless reports whether all servers that could answer are lost.
func (p *Pool) hopeless(w *waiter) bool {
	return !slices.ContainsFunc(p.endpoints, func(e *endpoint) bool { return !e.lost && p.able(w, e) })
}

// place gives a request the best idle slot of all: the one that shares most with it,
// then one of the server that is least busy, then the one that was idle longest.
func (p *Pool) place(w *waiter) bool {
	var best *endpoint
	slot, most, load := 0, -1, 0.0
	for _, e := range p.endpoints {
		if !e.up || len(e.idle) == 0 || !p.fits(w, e) || !e.allows() {
			continue
		}
		l := float64(e.busy) / float64(e.slots)
		i, n := e.nearest(w.prompt)
		if n > most || n == most && l < load {
			best, slot, most, load = e, i, n, l
		}
	}
	return best != nil && p.hand(w, best, slot)
}

// serve gives the idle slots of an endpoint to waiting requests. p.mu is held.
func (p *Pool) serve(e *endpoint) {
	for e.up && len(e.idle) > 0 && len(p.queue) > 0 && e.allows() {
		at, slot, most := -1, 0, -1
		seen := 0
		for i, w := range p.queue {
			if !p.fits(w, e) {
				continue
			}
			if s, n := e.nearest(w.prompt); n > most {
				at, slot, most = i, s, n
			}
			if seen++; seen == window || seen == 1 && w.overtaken >= overtakes {
				break
			}
		}
		if at < 0 || !p.hand(p.queue[at], e, slot) {
			return
		}
		for _, w := range p.queue[:at] {
			if p.fits(w, e) {
				w.overtaken++
			}
		}
		p.queue = slices.Delete(p.queue, at, at+1)
	}
}

// dispatch serves all endpoints.
func (p *Pool) dispatch() {
	for _, e := range p.endpoints {
		p.serve(e)
	}
}

// hand gives a slot to a request, if the breaker still allows it.
func (p *Pool) hand(w *waiter, e *endpoint, slot int) bool {
	done, err := e.breaker.Allow()
	if err != nil {
		return false
	}
	e.take(slot)
	e.asked++
	w.grant <- grant{e: e, done: done}
	return true
}

// nearest is the idle slot whose last prompt shares most with a prompt, and how many
// blocks of bytes that is.
func (e *endpoint) nearest(prompt string) (slot, blocks int) {
	blocks = -1
	for i, last := range e.idle[:min(len(e.idle), window)] {
		if n := shared(last, prompt); n > blocks {
			slot, blocks = i, n
		}
	}
	return slot, blocks
}

// shared counts the blocks that two texts have in common at their beginning.
func shared(a, b string) int {
	n := 0
	for end := block; end <= len(a) && end <= len(b) && a[end-block:end] == b[end-block:end]; end += block {
		n++
	}
	return n
}
