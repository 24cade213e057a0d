package pool_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/llm/embedded"
	"github.com/cellsentence/c2s/llm/llmtest"
	"github.com/cellsentence/c2s/llm/pool"
)

func shared(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("no shared data: ", err)
	}
	return path
}

// TestConformance: a pool of two engines is a backend like any other.
func TestConformance(t *testing.T) {
	ref, err := llmtest.Load(shared(t, "llm/tiny-trained-ref.json"))
	if err != nil {
		t.Fatal(err)
	}
	var endpoints []pool.Endpoint
	for _, name := range []string{"one", "two"} {
		b, err := embedded.Open(shared(t, "llm/tiny-trained-f16.gguf"), embedded.Config{Context: 512, Slots: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		endpoints = append(endpoints, pool.Endpoint{Name: name, Backend: b})
	}
	p, err := pool.New(t.Context(), endpoints, pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	llmtest.Run(t, llmtest.Target{Backend: p, Reference: ref})
}
