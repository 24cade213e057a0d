// Package dial opens backends by their names: "demo", a file "NAME.gguf",
// "ollama://host:port", "llamacpp://host:port", "openai://host:port/v1", and each of
// the three with "+https", as in "ollama+https://host".
//
// Start with [Open]. There is no default backend: a toy model must never answer for
// a real one because nobody said which.
package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/llamacpp"
	"github.com/cellsentence/c2s/llm/ollama"
	"github.com/cellsentence/c2s/llm/openai"
)

// Config is what a backend needs beside its name. Nothing is read from the
// environment.
type Config struct {
	// Model is its name on the server ("": the only one there).
	Model string
	// APIKey is sent as a bearer token to the named host only, and only over https or to
	// this machine.
	APIKey string
	// Timeout is for one request (0: ten minutes).
	Timeout time.Duration
	// Context is the number of tokens of prompt and answer (0: the server's; on Ollama
	// the model's, at most 8192).
	Context int
	// Slots is the number of requests at a time, where the server does not tell (0: 1).
	Slots int
	// Threads is for each request on a processor, on Ollama (0: the server decides).
	Threads int
	// Demo opens the model that the program carries, for the name "demo". Without it
	// there is none.
	Demo func() (llm.Backend, error)
	// File opens a GGUF file to be run inside the program. Without it none is.
	File func(path string) (Backend, error)
	// LookFor are the names of servers that are tried when none is named, to say
	// which there are, and when the named one cannot be reached.
	LookFor []string
}

// Backend is a backend that holds connections or memory until it is closed.
type Backend interface {
	llm.Backend
	io.Closer
}

// Spec is a parsed name.
type Spec struct {
	Kind string   // "demo", "file", "ollama", "llamacpp" or "openai"
	URL  *url.URL // http or https; nil for "demo" and "file"
	Path string   // of "file"
}

// ports are those that the servers take by themselves: Ollama, llama-server, vLLM.
var ports = map[string]string{"ollama": "11434", "llamacpp": "8080", "openai": "8000"}

// Parse takes a name apart. The port may be left out for the server's usual one, or
// that of https.
func Parse(name string) (*Spec, error) {
	if name == "demo" {
		return &Spec{Kind: "demo"}, nil
	}
	if !strings.Contains(name, "://") && strings.HasSuffix(name, ".gguf") {
		return &Spec{Kind: "file", Path: name}, nil
	}
	fail := func(what string) (*Spec, error) { return nil, &SpecError{Name: name, What: what} }
	scheme, _, found := strings.Cut(name, "://")
	kind, secure := strings.CutSuffix(scheme, "+https")
	if !found || ports[kind] == "" {
		return fail("is no backend")
	}
	u, err := url.Parse(name)
	if err != nil || u.Hostname() == "" {
		return fail("is no address")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		// A password in it must not be shown.
		return nil, &SpecError{Name: scheme + "://" + u.Host, What: "may have no user, query or fragment"}
	}
	u.Scheme = "http"
	if secure {
		u.Scheme = "https"
	} else if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), ports[kind])
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if kind == "openai" && u.Path == "" {
		u.Path = "/v1"
	}
	return &Spec{Kind: kind, URL: u}, nil
}

// String is the name in full.
func (s *Spec) String() string {
	switch {
	case s.Path != "":
		return s.Path
	case s.URL == nil:
		return s.Kind
	}
	u := *s.URL
	u.Scheme = s.Kind
	if s.URL.Scheme == "https" {
		u.Scheme += "+https"
	}
	return u.String()
}

// Open makes a backend and asks it what it is, so that a server or model that is not
// there is known at once (in less than five seconds) and not at the first prompt.
// Without a name it says which backends it has found.
func Open(ctx context.Context, name string, cfg Config) (Backend, error) {
	if name == "" {
		return nil, &NoneError{Found: Look(ctx, cfg.LookFor), Looked: cfg.LookFor}
	}
	spec, err := Parse(name)
	if err != nil {
		return nil, err
	}
	b, err := spec.open(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := b.Info(ctx); err != nil {
		_ = b.Close()
		var gone *llm.UnreachableError
		if !errors.As(err, &gone) {
			return nil, err
		}
		found := Look(ctx, cfg.LookFor)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if len(found) > 0 {
			gone.Tip += "; there is " + describe(found)
		}
		return nil, err
	}
	return b, nil
}

// Connect makes a backend without asking it anything, for a pool, which does so itself
// and waits for servers that are not there yet.
func Connect(name string, cfg Config) (Backend, error) {
	spec, err := Parse(name)
	if err != nil {
		return nil, err
	}
	return spec.open(cfg)
}

func (s *Spec) open(cfg Config) (Backend, error) {
	switch s.Kind {
	case "ollama":
		return ollama.New(s.URL, ollama.Config{
			Model: cfg.Model, Key: cfg.APIKey, Timeout: cfg.Timeout, Context: cfg.Context, Slots: cfg.Slots, Threads: cfg.Threads,
		})
	case "llamacpp":
		return llamacpp.New(s.URL, llamacpp.Config{Model: cfg.Model, Key: cfg.APIKey, Timeout: cfg.Timeout})
	case "openai":
		return openai.New(s.URL, openai.Config{Model: cfg.Model, Key: cfg.APIKey, Timeout: cfg.Timeout, Context: cfg.Context, Slots: cfg.Slots})
	}
	if s.Kind == "file" {
		if cfg.File == nil {
			return nil, &llm.UnsupportedError{What: "a model file", Remedy: "this program runs none: name a server that has it"}
		}
		return cfg.File(s.Path)
	}
	if cfg.Demo == nil {
		return nil, &llm.UnsupportedError{What: "the demo model", Remedy: "this program carries none: name a server"}
	}
	b, err := cfg.Demo()
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	if c, ok := b.(Backend); ok {
		return c, nil
	}
	return unclosed{b}, nil
}

// unclosed is a backend that needs no closing.
type unclosed struct{ llm.Backend }

func (unclosed) Close() error { return nil }

// SpecError is a name that is no backend's.
type SpecError struct {
	Name string
	What string
}

// Error is the name and what is wrong with it.
func (e *SpecError) Error() string { return fmt.Sprintf("%q %s", e.Name, e.What) }

// Hint lists what there is.
func (e *SpecError) Hint() string {
	return "use demo, a file NAME.gguf, ollama://host:port, llamacpp://host:port, openai://host:port/v1, or one with +https as in ollama+https://host"
}

// BadInput is true.
func (e *SpecError) BadInput() bool { return true }
