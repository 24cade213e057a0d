package embedded

import (
	"strings"
	"testing"

	"github.com/cellsentence/c2s/llm/embedded/world"
	"github.com/cellsentence/c2s/llm/llmtest"
)

// TestDemo runs the suite of all backends on the demo model. The reference is what
// torch computed from the same bytes when the model was made.
func TestDemo(t *testing.T) {
	ref, err := llmtest.Load("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Demo(Config{Slots: 3, Context: 512})
	if err != nil {
		t.Fatal(err)
	}
	info, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Digest != "sha256:"+ref.SHA256 {
		t.Fatalf("the reference was made from another file: %s, %s", ref.SHA256, info.Digest)
	}
	if len(demo) > 4_500_000 {
		t.Errorf("the model has %d bytes", len(demo))
	}
	if info.Notice != DemoNotice || !strings.Contains(Card(), DemoNotice) {
		t.Errorf("notice %q", info.Notice)
	}
	for task, text := range world.Prompts() {
		if info.Prompts[task] != text {
			t.Errorf("the model was trained on %q for %s, package world has %q", info.Prompts[task], task, text)
		}
	}
	llmtest.Run(t, llmtest.Target{Backend: b, Reference: ref})
}

// BenchmarkDemoStart is the time until the demo model can be asked.
func BenchmarkDemoStart(b *testing.B) {
	for b.Loop() {
		if _, err := Demo(Config{}); err != nil {
			b.Fatal(err)
		}
	}
}
