package ollama_test

import (
	"testing"

	"github.com/cellsentence/c2s/llm/internal/live"
	"github.com/cellsentence/c2s/llm/llmtest"
	"github.com/cellsentence/c2s/llm/ollama"
)

// TestServer runs the suite of all backends on a real Ollama.
func TestServer(t *testing.T) {
	ref := live.Reference(t)
	way, kill := live.Mortal(t, live.Server(t, "C2S_OLLAMA"))
	b, err := ollama.New(way, ollama.Config{Model: "c2s-test", Context: 512, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	llmtest.Run(t, llmtest.Target{Backend: b, Reference: ref, Tolerance: 1e-3, Kill: kill})
}
