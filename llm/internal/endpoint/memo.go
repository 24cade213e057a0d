package endpoint

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// freshness is how long what a server said of itself is taken for true. A server that
// is restarted with another model does not say so with its answers.
const freshness = 10 * time.Second

// Memo keeps what a server said of itself, for a while. The zero value knows nothing.
// It is safe for concurrent use.
type Memo[T any] struct {
	// Now is the clock (nil: time.Now).
	Now func() time.Time

	mu    sync.Mutex
	value *T
	at    time.Time
}

func (m *Memo[T]) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Get gives what is known, or asks. It is an error if the model, which id tells, is
// another one than before: a run must not go on with it as if nothing had happened.
func (m *Memo[T]) Get(ctx context.Context, e *Endpoint, ask func(context.Context) (*T, error), id func(*T) string) (*T, error) {
	m.mu.Lock()
	old, at := m.value, m.at
	m.mu.Unlock()
	if old != nil && m.now().Sub(at) < freshness {
		return old, nil
	}
	v, err := ask(ctx)
	if err != nil {
		return nil, err
	}
	if old != nil && id(old) != id(v) {
		return nil, &Error{What: fmt.Sprintf("%s has another model than before: %s, it was %s", e, id(v), id(old)), Tip: "begin again, or start the server with the former model"}
	}
	m.Set(v)
	return v, nil
}

// Set replaces what is known.
func (m *Memo[T]) Set(v *T) {
	m.mu.Lock()
	m.value, m.at = v, m.now()
	m.mu.Unlock()
}

// Last is what was known last, nil for nothing.
func (m *Memo[T]) Last() *T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.value
}

// Forget makes the next Get ask.
func (m *Memo[T]) Forget() {
	m.mu.Lock()
	m.at = time.Time{}
	m.mu.Unlock()
}
