// Package ollama runs models on an Ollama server, with its own client library.
//
// Start with [New]. Both generations are spoken to: up to 0.2x with an engine of its
// own, and from 0.30 on, where it starts llama-server. Versions before 0.12.11 are
// refused: they cut prompts that are too long without a word, and tell no
// log-probabilities.
//
// Ollama has defaults for all that changes an answer (temperature 0.8, top-k 40, top-p
// 0.9, a repeat penalty of 1.1 that changes even the most probable answer), and models
// bring others, so that everything is named in every request. It does not tell
// which tokens a text has; it cannot score.
package ollama

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// Tip is how a server is started.
const Tip = "start one with: ollama serve"

// Config says which model is asked, and how. All but Model and Key must stay as they
// are during a run: Ollama loads the model anew for each change.
type Config struct {
	// Model is its name there ("": the only one there is).
	Model string
	// Key is sent as a bearer token, "" for none: Ollama itself wants none, a proxy in
	// front of it may.
	Key string
	// Timeout is for one request, loading the model included (0: ten minutes).
	Timeout time.Duration
	// Context is the number of tokens of prompt and answer (0: the model's, at most
	// 8192: a large context takes memory whether it is used or not).
	Context int
	// Slots is the number of requests that the server works on at a time: its
	// OLLAMA_NUM_PARALLEL, which it does not tell (0: 1, which is its default).
	Slots int
	// Threads is the number that each request uses on a processor (0: the server
	// decides).
	Threads int
}

// Backend is a model on an Ollama server. It implements [llm.Backend].
type Backend struct {
	e   *endpoint.Endpoint
	api *api.Client
	cfg Config

	known endpoint.Memo[server]
}

// New prepares to ask a server at an http or https address. It connects to nothing.
func New(base *url.URL, cfg Config) (*Backend, error) {
	if cfg.Context < 0 || cfg.Slots < 0 || cfg.Threads < 0 {
		return nil, fmt.Errorf("a context of %d, %d slots, %d threads: give positive numbers, or 0 for the usual ones", cfg.Context, cfg.Slots, cfg.Threads)
	}
	e, err := endpoint.New(base, endpoint.Config{Key: cfg.Key, Timeout: cfg.Timeout, Tip: Tip})
	if err != nil {
		return nil, err
	}
	// The library's requests go through the client with our limits.
	client := *e.Client()
	client.Transport = wholeLines{client.Transport}
	return &Backend{e: e, api: api.NewClient(e.Base(), &client), cfg: cfg}, nil
}

// Close closes idle connections.
func (b *Backend) Close() error { return b.e.Close() }

// server is what an Ollama server says of itself and of the model.
type server struct {
	version string
	major   int // generation: 0 before 0.30, 1 from then on
	model   string
	digest  string
	context int
	pooling llm.Pooling // "" for none
	embeds  bool        // made for embedding: it does not generate
}

// oldest is the first version with logprobs; truncate and shift came shortly before.
var oldest = [3]int{0, 12, 11}

// ask finds out about the server and the model.
func (b *Backend) ask(ctx context.Context) (*server, error) {
	s := &server{}
	err := b.quick(ctx, func(ctx context.Context) (err error) {
		s.version, err = b.api.Version(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	version, ok := parse(s.version)
	if !ok {
		return nil, &endpoint.Error{What: fmt.Sprintf("%s has the version %q, which is none of Ollama's", b.e, s.version), Tip: "is this another kind of server?"}
	}
	if less(version, oldest) {
		return nil, &llm.UnsupportedError{
			What:   fmt.Sprintf("Ollama %s, which shortens long prompts without saying so,", s.version),
			Remedy: "update Ollama to 0.12.11 or later",
		}
	}
	if !less(version, [3]int{0, 30, 0}) {
		s.major = 1
	}
	var list *api.ListResponse
	if err := b.quick(ctx, func(ctx context.Context) (err error) { list, err = b.api.List(ctx); return err }); err != nil {
		return nil, err
	}
	if s.model, s.digest, err = b.pick(list); err != nil {
		return nil, err
	}
	var show *api.ShowResponse
	err = b.quick(ctx, func(ctx context.Context) (err error) {
		show, err = b.api.Show(ctx, &api.ShowRequest{Model: s.model})
		return err
	})
	if err != nil {
		return nil, err
	}
	s.describe(show, b.cfg.Context)
	return s, nil
}

// describe takes what matters out of a model's own description.
func (s *server) describe(show *api.ShowResponse, want int) {
	arch, _ := show.ModelInfo["general.architecture"].(string)
	number := func(key string) int {
		v, _ := show.ModelInfo[arch+"."+key].(float64) // JSON
		return int(v)
	}
	s.context = want
	if most := number("context_length"); want == 0 {
		s.context = 8192
		if most > 0 {
			s.context = min(s.context, most)
		}
	} else if most > 0 {
		s.context = min(want, most)
	}
	// The pooling is a key of the model's file. The old engine always took the last
	// token; the new one refuses to embed without the key, and with it to generate.
	switch kind := number("pooling_type"); {
	case s.major == 0:
		s.pooling = llm.PoolLast
	case kind == 1:
		s.pooling, s.embeds = llm.PoolMean, true
	case kind == 3:
		s.pooling, s.embeds = llm.PoolLast, true
	}
}

// pick finds the model among those that are there.
func (b *Backend) pick(list *api.ListResponse) (name, digest string, err error) {
	var names []string
	for _, m := range list.Models {
		if m.Name == b.cfg.Model || m.Name == b.cfg.Model+":latest" || b.cfg.Model == "" && len(list.Models) == 1 {
			if m.RemoteHost != "" {
				return "", "", &endpoint.Error{What: fmt.Sprintf("%s would send prompts for %s to %s", b.e, m.Name, m.RemoteHost), Tip: "choose a model that runs on the server itself"}
			}
			return m.Name, "sha256:" + strings.TrimPrefix(m.Digest, "sha256:"), nil
		}
		names = append(names, m.Name)
	}
	if b.cfg.Model == "" && len(names) > 0 {
		return "", "", &endpoint.Error{What: fmt.Sprintf("%s has several models: %s", b.e, strings.Join(names, ", ")), Tip: "choose one with --model"}
	}
	return "", "", &llm.ModelError{Endpoint: b.e.String(), Model: b.cfg.Model, Available: names}
}

// server is what was found out a moment ago, or now.
func (b *Backend) server(ctx context.Context) (*server, error) {
	return b.known.Get(ctx, b.e, b.ask, func(s *server) string { return s.model + " " + s.digest })
}

// work is do for a request that needs the model. A model that is gone is named beside
// those that are there.
func (b *Backend) work(ctx context.Context, texts []string, ask func(context.Context) error) error {
	err := b.do(ctx, 0, texts, ask)
	if status, ok := errors.AsType[*endpoint.StatusError](err); ok && status.Status == http.StatusNotFound {
		b.known.Forget()
		if _, err := b.server(ctx); err != nil {
			return err
		}
	}
	return err
}

// quick is for requests that need no model.
func (b *Backend) quick(ctx context.Context, ask func(context.Context) error) error {
	return b.do(ctx, endpoint.Quick, nil, ask)
}

// do makes a request of the library about some texts within a time, and its errors ours.
func (b *Backend) do(ctx context.Context, limit time.Duration, texts []string, ask func(context.Context) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	within, cancel := b.e.Within(ctx, limit)
	defer cancel()
	err := ask(within)
	if err == nil {
		return nil
	}
	var status api.StatusError
	var auth api.AuthorizationError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &status):
		return b.refused(status.StatusCode, status.ErrorMessage, texts)
	case errors.As(err, &auth):
		return b.refused(http.StatusUnauthorized, "", nil)
	}
	err = b.e.Fail(ctx, within, err)
	var gone *llm.UnreachableError
	if within.Err() == nil && errors.As(err, &gone) && !endpoint.Broken(gone.Err) {
		// The library makes such errors of what a server says after HTTP 200.
		return b.refused(http.StatusInternalServerError, gone.Err.Error(), texts)
	}
	return err
}

// refused says what an HTTP status means.
func (b *Backend) refused(status int, text string, texts []string) error {
	low := strings.ToLower(text)
	switch {
	case status == http.StatusNotImplemented || strings.Contains(low, "does not support generate"):
		return &llm.UnsupportedError{What: "this use of " + b.cfg.Model, Remedy: "a model is imported for generation or, with a pooling, for embedding: import it a second time"}
	case strings.Contains(low, "runner has unexpectedly stopped") || strings.Contains(low, "error was encountered while running the model"):
		return b.e.Unreachable(errors.New("the model's process has ended"))
	}
	return b.e.Refused(status, text, texts...)
}

// parse reads a version as in "0.32.15" or "0.13.0-rc1". A build without one says
// "0.0.0".
func parse(s string) (v [3]int, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "v"), "-")
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

func less(a, b [3]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
