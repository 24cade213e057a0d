package stubserver_test

import (
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/internal/stubserver"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/llamacpp"
	"github.com/cellsentence/c2s/llm/openai"
)

// TestServer: both backends that it plays for read its answers, two servers give the same
// ones, and another prompt another one.
func TestServer(t *testing.T) {
	var said []string
	for range 2 {
		server := httptest.NewServer(stubserver.New(stubserver.Config{Slots: 7, PerAnswer: 4}))
		defer server.Close()
		u, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		lama, err := llamacpp.New(u, llamacpp.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer lama.Close()
		open, err := openai.New(u.JoinPath("v1"), openai.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer open.Close()
		for _, b := range []llm.Backend{lama, open} {
			info, err := b.Info(t.Context())
			if err != nil || info.Model != "stub" || info.Slots != 7 {
				t.Fatalf("%+v, %v", info, err)
			}
			for _, prompt := range []string{"one", "two"} {
				a, err := b.Generate(t.Context(), prompt, llm.Options{MaxTokens: 100}, nil)
				if err != nil || a.Stop != llm.StopEnd {
					t.Fatalf("%+v, %v", a, err)
				}
				said = append(said, a.Text)
			}
		}
		info, err := lama.Info(t.Context())
		if err != nil || !slices.Contains(info.Pooling, llm.PoolMean) {
			t.Fatalf("%+v, %v", info, err)
		}
		one, err := lama.Embed(t.Context(), []string{"a", "b", "a"}, llm.PoolMean)
		if err != nil || slices.Equal(one[0], one[1]) || !slices.Equal(one[0], one[2]) {
			t.Errorf("%v, %v", one, err)
		}
	}
	if said[0] == said[1] || !slices.Equal(said[:2], said[2:4]) || !slices.Equal(said[:4], said[4:]) {
		t.Errorf("%q", said)
	}
}
