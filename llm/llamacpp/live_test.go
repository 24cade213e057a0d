package llamacpp_test

import (
	"testing"

	"github.com/cellsentence/c2s/internal/live"
	"github.com/cellsentence/c2s/llm/llamacpp"
	"github.com/cellsentence/c2s/llm/llmtest"
)

// TestServer runs the suite of all backends on a real llama-server. Where weights are
// F16, ggml rounds what they are multiplied with to F16, too (a relative 2⁻¹¹), and
// the sum depends on how many tokens it reads at a time: up to 0.0017 was measured
// for a token and 0.0033 for a label, which is the sum of up to six.
func TestServer(t *testing.T) {
	ref := live.Reference(t)
	way, kill := live.Mortal(t, live.Server(t, "C2S_LLAMACPP"))
	b, err := llamacpp.New(way, llamacpp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	llmtest.Run(t, llmtest.Target{Backend: b, Reference: ref, Tolerance: 3e-3, ScoreTolerance: 6e-3, Kill: kill})
}
