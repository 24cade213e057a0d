package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/gguf"
)

// Config says how a model is run. No setting changes an answer.
type Config struct {
	// Slots is the number of requests that are worked on at a time (0: one a
	// processor). Each keeps the last text it read, so that the next request with the
	// same beginning reads on from there.
	Slots int
	// Threads work on each request (0: one for small models, for others one a
	// processor).
	Threads int
	// Context is the number of tokens of prompt and answer (0: the model's).
	Context int
}

// Error says why a file is no model that this package runs.
type Error struct {
	File string
	Err  error
}

// Error is "file: reason".
func (e *Error) Error() string {
	if _, ok := errors.AsType[*gguf.Error](e.Err); ok { // it names the file
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.File, e.Err)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// BadInput reports whether the file, rather than the machine, is at fault.
func (e *Error) BadInput() bool {
	g, ok := errors.AsType[*gguf.Error](e.Err)
	return !ok || g.BadInput()
}

// Backend is a model in this process. It implements [llm.Backend].
type Backend struct {
	m       *model
	file    *gguf.File
	name    string
	context int

	free   chan struct{} // a token for each slot that may be taken
	mu     sync.Mutex
	idle   []*sequence
	closed bool

	digest func() (string, error)
}

var _ llm.Backend = (*Backend)(nil)

// Open loads a GGUF file. Errors are an [*Error], a [*gguf.Error] or one of the
// operating system.
func Open(path string, cfg Config) (*Backend, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := load(f, path, cfg)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return b, nil
}

// Load runs a model that lies in memory as a GGUF file. The name is for messages.
func Load(data []byte, name string, cfg Config) (*Backend, error) {
	f, err := gguf.Parse(data, name)
	if err != nil {
		return nil, &Error{File: name, Err: err}
	}
	return load(f, name, cfg)
}

func load(f *gguf.File, name string, cfg Config) (*Backend, error) {
	if cfg.Slots < 0 || cfg.Threads < 0 || cfg.Context < 0 {
		return nil, fmt.Errorf("%d slots, %d threads, a context of %d: give positive numbers, or 0 for what fits", cfg.Slots, cfg.Threads, cfg.Context)
	}
	m, err := loadModel(f, cfg.Threads)
	if err != nil {
		return nil, &Error{File: name, Err: err}
	}
	if cfg.Slots == 0 {
		cfg.Slots = runtime.GOMAXPROCS(0)
	}
	b := &Backend{m: m, file: f, name: name, context: m.context, free: make(chan struct{}, cfg.Slots)}
	if cfg.Context > 0 {
		b.context = min(cfg.Context, m.context)
	}
	if title, err := gguf.Get[string](f, "general.name"); err == nil {
		b.name = title
	}
	for range cfg.Slots {
		b.idle = append(b.idle, newSequence(m))
		b.free <- struct{}{}
	}
	b.digest = sync.OnceValues(func() (string, error) {
		h := sha256.New()
		if _, err := io.Copy(h, f.Reader()); err != nil {
			return "", err
		}
		return fmt.Sprintf("sha256:%x", h.Sum(nil)), nil
	})
	return b, nil
}

// ErrClosed is returned by a backend that was closed.
var ErrClosed = errors.New("the model is closed")

// Close waits for the requests in work and frees the model.
func (b *Backend) Close() error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	for range cap(b.free) {
		<-b.free
	}
	close(b.free) // whoever still waits is told
	return b.file.Close()
}

// take gives the idle sequence that shares most with a prompt; release gives it
// back.
func (b *Backend) take(ctx context.Context, prompt []int32) (s *sequence, release func(), err error) {
	select {
	case _, ok := <-b.free:
		if !ok {
			return nil, nil, ErrClosed
		}
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		b.free <- struct{}{}
		return nil, nil, ErrClosed
	}
	// The beginning of text alone is no reason to overwrite what another prompt left.
	best, most := 0, 1
	for i, idle := range b.idle {
		if n := idle.shared(prompt); n > most {
			best, most = i, n
		}
	}
	s = b.idle[best]
	b.idle = append(b.idle[:best], b.idle[best+1:]...)
	return s, func() {
		b.mu.Lock()
		// The first is the one that was not used for longest.
		b.idle = append(b.idle, s)
		b.mu.Unlock()
		b.free <- struct{}{}
	}, nil
}
