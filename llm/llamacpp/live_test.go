package llamacpp_test

import (
	"testing"

	"github.com/cellsentence/c2s/llm/internal/live"
	"github.com/cellsentence/c2s/llm/llamacpp"
	"github.com/cellsentence/c2s/llm/llmtest"
)

// TestServer runs the suite of all backends on a real llama-server. It computes in
// float32 with rounded keys and values (F16): 2.5e-4 was measured for a token, and
// label scores are sums over up to six.
func TestServer(t *testing.T) {
	ref := live.Reference(t)
	way, kill := live.Mortal(t, live.Server(t, "C2S_LLAMACPP"))
	b, err := llamacpp.New(way, llamacpp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	llmtest.Run(t, llmtest.Target{Backend: b, Reference: ref, Tolerance: 1e-3, ScoreTolerance: 2e-3, Kill: kill})
}
