// Package batch asks many things at a time and gives the answers in order.
//
// Start with [Map]. A task is a stream of requests, one a cell or a text, and a
// function that answers one of them through a llm.Backend; what comes out has the
// order of what went in, whatever the number of requests in flight, and memory is
// bounded by that number, never by the length of the stream.
package batch

import (
	"context"
	"iter"
	"sync"
)

// ahead is how many finished results may wait, for each request in flight, until the
// results before them are there, and most is their largest number. One slow server
// of many would otherwise hold up all: with 20 slots of 5 ms and one of 80 ms,
// sixteen results for each slot finish while the slow one works.
const (
	ahead = 16
	most  = 4096
)

// Map calls f for each item, for at most n of them at a time (below 1: one), and
// yields what it returns in the order of the items. An error of f is yielded in
// its place and ends nothing: the caller decides, and breaks or goes on.
//
// Items are drawn on the caller's goroutine, between results. At most n items are
// in work, and at most min(16·n, 4096) more are drawn and wait, or are done and
// wait for their turn.
//
// When ctx is done, the last thing that is yielded is an error with its cause. The
// context of f is done as well, then and when the caller breaks; Map waits for
// every call of f to return, so that nothing is left behind.
func Map[T, R any](ctx context.Context, n int, items iter.Seq[T], f func(context.Context, T) (R, error)) iter.Seq2[R, error] {
	n = max(n, 1)
	return func(yield func(R, error) bool) {
		var none R
		if ctx.Err() != nil {
			yield(none, context.Cause(ctx))
			return
		}
		w := &workers[T, R]{n: n, f: f, jobs: make(chan *job[T, R], n+min(ahead*n, most))}
		inner, cancel := context.WithCancel(ctx)
		defer w.wait()
		defer cancel()
		next, stop := iter.Pull(items)
		defer stop()

		var order queue[*job[T, R]]
		for more := true; more || order.len() > 0; {
			if ctx.Err() != nil {
				yield(none, context.Cause(ctx))
				return
			}
			// A result whose turn has come goes before items that may take long to draw.
			if more && order.len() < cap(w.jobs) && (order.len() == 0 || !order.first().finished()) {
				var item T
				if item, more = next(); more {
					order.push(w.start(inner, item))
				}
				continue
			}
			select {
			case <-ctx.Done():
				continue
			case <-order.first().done:
			}
			if j := order.pop(); !yield(j.result, j.err) {
				return
			}
		}
	}
}

// job is an item and, once done is closed, what became of it.
type job[T, R any] struct {
	item   T
	result R
	err    error
	done   chan struct{}
}

func (j *job[T, R]) finished() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// workers are at most n goroutines that take jobs in order.
type workers[T, R any] struct {
	n, running int
	f          func(context.Context, T) (R, error)
	jobs       chan *job[T, R]
	wg         sync.WaitGroup
}

// start never blocks: the channel has room for all jobs of the queue.
func (w *workers[T, R]) start(ctx context.Context, item T) *job[T, R] {
	j := &job[T, R]{item: item, done: make(chan struct{})}
	w.jobs <- j
	if w.running < w.n {
		w.running++
		w.wg.Go(func() {
			for j := range w.jobs {
				if ctx.Err() == nil {
					j.result, j.err = w.f(ctx, j.item)
				}
				close(j.done)
			}
		})
	}
	return j
}

func (w *workers[T, R]) wait() {
	close(w.jobs)
	w.wg.Wait()
}

// queue is first in, first out, in a slice that is used again.
type queue[T any] struct {
	items []T
	head  int
}

func (q *queue[T]) len() int { return len(q.items) - q.head }

func (q *queue[T]) first() T { return q.items[q.head] }

func (q *queue[T]) push(x T) {
	if q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, x)
}

func (q *queue[T]) pop() T {
	x := q.items[q.head]
	var none T
	q.items[q.head] = none // let go of it
	q.head++
	return x
}
