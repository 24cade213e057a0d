package llm_test

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/llm"
)

func TestOptions(t *testing.T) {
	good := []llm.Options{{}, {MaxTokens: 1, Temperature: 1, TopK: 40, TopP: 1, MinP: 0.05, Stop: []string{"\n"}, TopLogprobs: 5}}
	for _, o := range good {
		if err := o.Check(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for want, o := range map[string]llm.Options{
		"max tokens":  {MaxTokens: -1},
		"temperature": {Temperature: math.NaN()},
		"top-k":       {TopK: -2},
		"top-p":       {TopP: 1.01},
		"min-p":       {MinP: -1},
		"top log":     {TopLogprobs: -1},
		"stop string": {Stop: []string{"a", ""}},
	} {
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, expected an error about %s", o, err, want)
		}
	}
}

func TestModelError(t *testing.T) {
	for _, c := range []struct {
		model     string
		available []string
		want      string
	}{
		{"c2s-2b", []string{"llama3:latest", "c2s-2b:latest"}, "c2s-2b:latest"},
		{"C2S-2b", []string{"c2s-27b", "c2s-2b"}, "c2s-2b"},
		{"c2s2b", []string{"mistral", "c2s-2b"}, "c2s-2b"},
		{"gemma", []string{"phi"}, ""},
		{"gemma", nil, ""},
	} {
		e := &llm.ModelError{Endpoint: "http://localhost:1", Model: c.model, Available: c.available}
		if got := e.Nearest(); got != c.want {
			t.Errorf("nearest to %q in %q: %q, expected %q", c.model, c.available, got, c.want)
		}
		for _, a := range c.available {
			if !strings.Contains(e.Error(), a) {
				t.Errorf("%q does not name %s", e.Error(), a)
			}
		}
		if !e.BadInput() || e.Hint() == "" {
			t.Errorf("%#v", e)
		}
	}
}

func TestErrors(t *testing.T) {
	u := &llm.UnreachableError{Endpoint: "http://localhost:1", Err: io.ErrUnexpectedEOF, Tip: "start it"}
	if !errors.Is(u, io.ErrUnexpectedEOF) || !u.Unreachable() || !strings.Contains(u.Error(), "localhost:1") || u.Hint() != "start it" {
		t.Error(u)
	}
	for _, e := range []error{&llm.ContextError{Prompt: 900, Context: 512}, &llm.RepetitionError{Tokens: 31}, &llm.UnsupportedError{What: "embedding", Remedy: "--embeddings"}} {
		if e.Error() == "" || strings.ToLower(e.Error()[:1]) != e.Error()[:1] {
			t.Errorf("%q", e)
		}
	}
}
