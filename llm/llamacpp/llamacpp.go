// Package llamacpp runs models on llama-server, by its own endpoints rather than
// those it shares with others: they take token ids, so that a prompt is exactly what
// was meant, and give a log-probability for each token.
//
// Start with [New]. A server for c2s is started by
//
//	llama-server -m model.gguf -c 8192 -np 1 --embeddings --pooling none
//
// The context given by -c is shared out among the -np slots. Without --embeddings
// nothing can be embedded; with --pooling none, c2s pools by itself and has every
// kind.
//
// It follows the server's README as of llama.cpp b9000 and later (2025); the
// endpoint's traps are named where the code avoids them.
package llamacpp

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// Tip is how a server is started.
const Tip = "start one with: llama-server -m MODEL.gguf -c 8192 --embeddings --pooling none --port 8080"

// Config says which model is asked, and how.
type Config struct {
	// Model is the name under which the server must know its model, or its file's name
	// ("": whichever it has).
	Model string
	// Key is the server's --api-key, "" for none.
	Key string
	// Timeout is for one request (0: ten minutes).
	Timeout time.Duration
}

// Backend is a llama-server. It implements [llm.Backend].
type Backend struct {
	e     *endpoint.Endpoint
	model string

	known endpoint.Memo[server]
	mu    sync.Mutex
	tried map[string]*probe // by digest
}

// New prepares to ask a server at an http or https address. It connects to nothing.
func New(base *url.URL, cfg Config) (*Backend, error) {
	e, err := endpoint.New(base, endpoint.Config{Key: cfg.Key, Timeout: cfg.Timeout, Tip: Tip})
	if err != nil {
		return nil, err
	}
	return &Backend{e: e, model: cfg.Model}, nil
}

// Close closes idle connections.
func (b *Backend) Close() error { return b.e.Close() }

// server is what a llama-server says of itself.
type server struct {
	version string
	name    string
	digest  string
	context int
	slots   int
	eos     string
}

// ask finds out about the server, and that it has the model that was asked for:
// it would answer by any other one without a word.
func (b *Backend) ask(ctx context.Context) (*server, error) {
	var props struct {
		Slots    int    `json:"total_slots"`
		Path     string `json:"model_path"`
		Alias    string `json:"model_alias"`
		Build    string `json:"build_info"`
		EOS      string `json:"eos_token"`
		Settings struct {
			Context int `json:"n_ctx"`
		} `json:"default_generation_settings"`
	}
	if err := b.e.Get(ctx, "/props", &props); err != nil {
		return nil, b.notHere(err)
	}
	var models struct {
		Data []struct {
			ID      string          `json:"id"`
			Aliases []string        `json:"aliases"`
			Meta    json.RawMessage `json:"meta"`
		} `json:"data"`
	}
	if err := b.e.Get(ctx, "/v1/models", &models); err != nil {
		return nil, b.notHere(err)
	}
	if props.Settings.Context == 0 || len(models.Data) == 0 {
		return nil, &endpoint.Error{What: b.e.String() + " has no model loaded, or is no llama-server", Tip: Tip}
	}
	if len(models.Data) > 1 {
		return nil, &endpoint.Error{What: b.e.String() + " routes to several models", Tip: "use openai:// with --model, or start llama-server with -m"}
	}
	m := models.Data[0]
	s := &server{version: props.Build, name: base(m.ID), context: props.Settings.Context, slots: max(1, props.Slots), eos: props.EOS}
	var meta struct {
		Vocab  int64  `json:"n_vocab"`
		Params int64  `json:"n_params"`
		Size   int64  `json:"size"`
		Type   string `json:"ftype"`
	}
	_ = json.Unmarshal(m.Meta, &meta) // older servers lack it
	s.digest = digest(s.name, meta.Vocab, meta.Params, meta.Size, meta.Type)
	if b.model != "" {
		names := append([]string{m.ID, props.Alias, props.Path}, m.Aliases...)
		if !named(b.model, names) {
			return nil, &llm.ModelError{Endpoint: b.e.String(), Model: b.model, Available: []string{s.name}}
		}
	}
	return s, nil
}

// server is what was found out a moment ago, or now.
func (b *Backend) server(ctx context.Context) (*server, error) {
	return b.known.Get(ctx, b.e, b.ask, func(s *server) string { return s.digest })
}

// notHere explains that a path is missing.
func (b *Backend) notHere(err error) error {
	var status *endpoint.StatusError
	if errors.As(err, &status) && status.Status == 404 {
		return &endpoint.Error{What: b.e.String() + " is no llama-server", Tip: "name the kind of server: ollama://, openai:// or llamacpp://"}
	}
	return err
}

// named says that a model's name is one of these, or that of their files.
func named(model string, names []string) bool {
	model = base(model)
	for _, n := range names {
		if n != "" && base(n) == model {
			return true
		}
	}
	return false
}

// base is the name of a model's file.
func base(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	return strings.TrimSuffix(name, ".gguf")
}

// tokens splits a text. What looks like a special token is text: a prompt with
// "<eos>" in a gene's description must not end there.
func (b *Backend) tokens(ctx context.Context, text string, start, special bool) ([]int, error) {
	var out struct {
		Tokens []int `json:"tokens"`
	}
	err := b.e.Post(ctx, "/tokenize", map[string]any{
		"content": text, "add_special": start, "parse_special": special, "with_pieces": false,
	}, &out)
	return out.Tokens, err
}
