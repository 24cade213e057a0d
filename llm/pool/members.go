package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// errLeft is why an endpoint that left is not up.
var errLeft = errors.New("the server has left the pool")

// Join adds an endpoint to a pool that works. One that cannot be reached is tried
// again in the background, as in [New]; one that serves another model is a
// [MismatchError], and not added. An endpoint of the same name must have left.
func (p *Pool) Join(ctx context.Context, member Endpoint) error {
	if member.Slots < 0 {
		return fmt.Errorf("%s: %d slots", member.Name, member.Slots)
	}
	e := newEndpoint(member)
	info, err := probe(ctx, e)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && !unreachable(err) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if slices.ContainsFunc(p.endpoints, func(o *endpoint) bool { return o.name == e.name }) {
		return fmt.Errorf("%s is in the pool already", e.name)
	}
	if err == nil {
		if err := p.accept(e, info); err != nil {
			return err
		}
	}
	p.endpoints = append(p.endpoints, e)
	if err != nil {
		p.down(e, err)
		return nil
	}
	p.cfg.Log.Info("model server joined", "endpoint", e.name, "slots", e.slots)
	p.serve(e)
	return nil
}

// Leave takes an endpoint out of the pool. What it works on runs to its end there; it
// is given nothing more. The last endpoint cannot leave.
func (p *Pool) Leave(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.endpoints, func(e *endpoint) bool { return e.name == name })
	switch {
	case i < 0:
		return fmt.Errorf("%s is not in the pool", name)
	case len(p.endpoints) == 1:
		return fmt.Errorf("%s is the last server of the pool", name)
	}
	e := p.endpoints[i]
	p.endpoints = slices.Delete(p.endpoints, i, i+1)
	e.up, e.left, e.err = false, true, errLeft
	p.cfg.Log.Info("model server left", "endpoint", name)
	// Requests that kept away from other servers may have to go there now.
	p.dispatch()
	return nil
}
