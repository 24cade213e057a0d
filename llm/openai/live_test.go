package openai_test

import (
	"testing"

	"github.com/cellsentence/c2s/internal/live"
	"github.com/cellsentence/c2s/llm/llmtest"
	"github.com/cellsentence/c2s/llm/openai"
)

// TestServer runs the suite of all backends on /v1/completions of a real llama-server.
// The tolerance is that of package llamacpp.
func TestServer(t *testing.T) {
	ref := live.Reference(t)
	way, kill := live.Mortal(t, live.Server(t, "C2S_LLAMACPP").JoinPath("v1"))
	b, err := openai.New(way, openai.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	llmtest.Run(t, llmtest.Target{Backend: b, Reference: ref, Tolerance: 3e-3, Kill: kill})
}
