package ollama

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/ollama/ollama/api"

	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// Model is a GGUF file as a server shall know it.
type Model struct {
	Name   string // on the server
	Path   string // of the file
	File   string // its name in the model
	Digest string // "sha256:" and the hash of the file
	// Template and Parameters are what Ollama puts around prompts and takes where a
	// request says nothing.
	Template   string
	Parameters map[string]any
}

// Reach asks a server for its version: one that is not there, or wants another key, is
// known in seconds, before the work for it begins. key is a bearer token, "" for none.
func Reach(ctx context.Context, base *url.URL, key string) (err error) {
	e, err := endpoint.New(base, endpoint.Config{Key: key, Tip: Tip})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return reach(ctx, e)
}

func reach(ctx context.Context, e *endpoint.Endpoint) error {
	var version struct{ Version string }
	return e.Get(ctx, "/api/version", &version)
}

// Register sends a model to a server, which has room for it twice while it does. key
// is a bearer token, "" for none; progress, if not nil, is told what the server does.
func Register(ctx context.Context, base *url.URL, key string, m Model, progress func(status string)) (err error) {
	e, err := endpoint.New(base, endpoint.Config{Key: key, Timeout: 24 * time.Hour, Tip: Tip})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if err := reach(ctx, e); err != nil { // before gigabytes are read
		return err
	}
	f, err := os.Open(m.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	through := *e.Client()
	through.Transport = wholeLines{through.Transport}
	client := api.NewClient(e.Base(), &through)
	if err := client.CreateBlob(ctx, m.Digest, f); err != nil {
		return e.Fail(ctx, ctx, fmt.Errorf("sending %s: %w", m.Path, err))
	}
	err = client.Create(ctx, &api.CreateRequest{
		Model: m.Name, Files: map[string]string{m.File: m.Digest}, Template: m.Template, Parameters: m.Parameters,
	}, func(p api.ProgressResponse) error {
		if progress != nil {
			progress(p.Status)
		}
		return nil
	})
	if err != nil {
		return e.Fail(ctx, ctx, fmt.Errorf("creating %s: %w", m.Name, err))
	}
	return nil
}
