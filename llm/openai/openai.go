// Package openai runs models on servers that have OpenAI's /v1/completions: vLLM,
// llama-server, LM Studio and others.
//
// Start with [New]. Of that protocol only the completions of raw prompts are used,
// never chats. What a server can do is tried out, as none tells: log-probabilities,
// token ids, and scoring, for which it must take token ids, echo them with their
// log-probabilities, and split text at /tokenize, as vLLM does.
//
// Such servers embed by a pooling that they do not tell: nothing is embedded here.
// Where a server is a llama-server, package llamacpp can do more.
package openai

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// Tip is how a server is started.
const Tip = "start one with: vllm serve MODEL, or llama-server -m MODEL.gguf"

// Config says which model is asked, and how.
type Config struct {
	// Model is its name there ("": the only one there is).
	Model string
	// Key is the bearer token, "" for none.
	Key string
	// Timeout is for one request (0: ten minutes).
	Timeout time.Duration
	// Context is the number of tokens of prompt and answer, for servers that do not
	// tell (0: it must tell).
	Context int
	// Slots is the number of requests that are worth sending at a time (0: 8 on
	// vLLM, which joins them, or what the server tells, or 1).
	Slots int
}

// Backend is a model on such a server. It implements [llm.Backend].
type Backend struct {
	e    *endpoint.Endpoint
	root *endpoint.Endpoint // above /v1
	cfg  Config

	known endpoint.Memo[server]
}

// New prepares to ask a server; the address ends with the path under which it has
// "completions", as in http://127.0.0.1:8000/v1. It connects to nothing.
func New(base *url.URL, cfg Config) (*Backend, error) {
	if cfg.Context < 0 || cfg.Slots < 0 {
		return nil, fmt.Errorf("a context of %d, %d slots: give positive numbers, or 0", cfg.Context, cfg.Slots)
	}
	e, err := endpoint.New(base, endpoint.Config{Key: cfg.Key, Timeout: cfg.Timeout, Tip: Tip})
	if err != nil {
		return nil, err
	}
	above := e.Base().JoinPath("..")
	root, err := endpoint.New(above, endpoint.Config{Key: cfg.Key, Timeout: cfg.Timeout, Tip: Tip})
	if err != nil {
		return nil, err
	}
	return &Backend{e: e, root: root, cfg: cfg}, nil
}

// Close closes idle connections.
func (b *Backend) Close() error { return errors.Join(b.e.Close(), b.root.Close()) }

// server is what was found out.
type server struct {
	version string
	model   string
	context int
	slots   int
	vllm    bool

	logprobs bool
	ids      bool
	score    bool
	end      int // id of the end of text, −1 if it is not known
}

// Info implements [llm.Backend].
func (b *Backend) Info(ctx context.Context) (*llm.Info, error) {
	s, err := b.ask(ctx)
	if err != nil {
		return nil, err
	}
	b.known.Set(s)
	info := &llm.Info{
		Backend: "openai", Endpoint: b.e.String(), Version: s.version, Model: s.model, Digest: "openai:" + s.model,
		Context: s.context, Slots: s.slots, Logprobs: s.logprobs, TokenIDs: s.ids, Score: s.score, Repeats: true,
	}
	if s.logprobs {
		info.TopLogprobs = maxTop
	}
	return info, nil
}

// server is what was found out a moment ago, or now.
func (b *Backend) server(ctx context.Context) (*server, error) {
	return b.known.Get(ctx, b.e, b.ask, func(s *server) string { return s.model })
}

// ask finds out about the server. What was tried with a model is not tried again.
func (b *Backend) ask(ctx context.Context) (*server, error) {
	var models struct {
		Data []listed `json:"data"`
	}
	if err := b.e.Get(ctx, "/models", &models); err != nil {
		var status *endpoint.StatusError
		if errors.As(err, &status) && status.Status == 404 {
			return nil, &endpoint.Error{What: b.e.String() + " has no models", Tip: "does the address end with /v1?"}
		}
		return nil, err
	}
	m, err := b.pick(models.Data)
	if err != nil {
		return nil, err
	}
	if old := b.known.Last(); old != nil && old.model == m.ID {
		return old, nil
	}
	s := &server{model: m.ID, version: m.Owner, context: m.Length, slots: b.cfg.Slots, vllm: m.Owner == "vllm", end: -1}
	if err := b.describe(ctx, s, m); err != nil {
		return nil, err
	}
	if err := b.try(ctx, s); err != nil {
		return nil, err
	}
	return s, nil
}

// listed is a model in a server's list. The length is vLLM's word, meta
// llama-server's.
type listed struct {
	ID     string `json:"id"`
	Owner  string `json:"owned_by"`
	Length int    `json:"max_model_len"`
	Meta   struct {
		Context int `json:"n_ctx"`
	} `json:"meta"`
}

func (b *Backend) pick(list []listed) (*listed, error) {
	var names []string
	for i := range list {
		if list[i].ID == b.cfg.Model || b.cfg.Model == "" && len(list) == 1 {
			return &list[i], nil
		}
		names = append(names, list[i].ID)
	}
	if b.cfg.Model == "" && len(names) > 0 {
		return nil, &endpoint.Error{What: fmt.Sprintf("%s has several models: %s", b.e, strings.Join(names, ", ")), Tip: "choose one with --model"}
	}
	return nil, &llm.ModelError{Endpoint: b.e.String(), Model: b.cfg.Model, Available: names}
}

// describe adds the version, the context and the slots, which each kind of server
// tells elsewhere.
func (b *Backend) describe(ctx context.Context, s *server, m *listed) error {
	if s.vllm {
		var v struct {
			Version string `json:"version"`
		}
		if err := optional(b.root.Get(ctx, "/version", &v)); err != nil {
			return err
		}
		s.version = "vLLM " + v.Version
		s.slots = max(s.slots, 8)
	} else {
		var props struct {
			Slots    int    `json:"total_slots"`
			Build    string `json:"build_info"`
			Settings struct {
				Context int `json:"n_ctx"`
			} `json:"default_generation_settings"`
		}
		if err := optional(b.root.Get(ctx, "/props", &props)); err != nil {
			return err
		}
		if props.Build != "" {
			s.version = "llama-server " + props.Build
		}
		s.context = max(s.context, props.Settings.Context, m.Meta.Context)
		if s.slots == 0 {
			s.slots = props.Slots
		}
	}
	if s.context == 0 {
		var v struct {
			Data []struct {
				ID     string `json:"id"`
				Loaded int    `json:"loaded_context_length"`
			} `json:"data"`
		}
		if err := optional(b.root.Get(ctx, "/api/v0/models", &v)); err != nil {
			return err
		}
		for _, d := range v.Data {
			if d.ID == s.model {
				s.context, s.version = d.Loaded, "LM Studio"
			}
		}
	}
	if b.cfg.Context > 0 && (s.context == 0 || b.cfg.Context < s.context) {
		s.context = b.cfg.Context
	}
	if s.context == 0 {
		return &endpoint.Error{What: b.e.String() + " does not tell the length of its context", Tip: "give it with --num-ctx"}
	}
	s.slots = max(1, s.slots)
	return nil
}

// optional forgives a server that lacks a path, or has another thing there.
func optional(err error) error {
	var status *endpoint.StatusError
	var other *endpoint.Error
	if errors.As(err, &status) || errors.As(err, &other) {
		return nil
	}
	return err
}

// Embed is not to be had: the protocol does not tell how a vector was made.
func (b *Backend) Embed(context.Context, []string, llm.Pooling) ([][]float32, error) {
	return nil, &llm.UnsupportedError{
		What:   "embedding on " + b.e.String(),
		Remedy: "use llama-server with --embeddings --pooling none (llamacpp://), Ollama, or the built-in engine",
	}
}
