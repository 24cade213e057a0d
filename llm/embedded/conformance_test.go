package embedded

import (
	"testing"

	"github.com/cellsentence/c2s/llm/llmtest"
)

// TestConformance runs the suite of all backends on the small model of the shared
// data, whose answers torch has computed.
func TestConformance(t *testing.T) {
	ref, err := llmtest.Load(shared(t, "llm/tiny-trained-ref.json"))
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, shared(t, "llm/tiny-trained-f16.gguf"), Config{Context: 512, Slots: 3})
	llmtest.Run(t, llmtest.Target{Backend: b, Reference: ref})
}
