package ollama_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"testing"

	"github.com/ollama/ollama/api"

	"github.com/cellsentence/c2s/internal/live"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/gguf"
	"github.com/cellsentence/c2s/llm/llmtest"
	"github.com/cellsentence/c2s/llm/ollama"
)

// create brings a model to a real server, and takes it away after the test.
func create(t *testing.T, server *url.URL, name string, file []byte, parameters map[string]any) {
	t.Helper()
	c := api.NewClient(server, http.DefaultClient)
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(file))
	if err := c.CreateBlob(t.Context(), digest, bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	err := c.Create(t.Context(), &api.CreateRequest{
		Model: name, Files: map[string]string{"model.gguf": digest}, Template: "{{ .Prompt }}", Parameters: parameters,
	}, func(api.ProgressResponse) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Delete(context.Background(), &api.DeleteRequest{Model: name}); err != nil {
			t.Error(err)
		}
	})
}

// tiny is the model of the reference with more keys.
func tiny(t *testing.T, more ...gguf.KeyValue) []byte {
	t.Helper()
	f, err := gguf.Open(live.Shared(t, "llm/tiny-trained-f16.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var keys []gguf.KeyValue
	for _, k := range f.Keys() {
		keys = append(keys, gguf.KeyValue{Key: k, Value: f.Value(k)})
	}
	var tensors []gguf.Source
	for i := range f.Tensors {
		tensor := &f.Tensors[i]
		data, err := f.Data(tensor)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, gguf.Source{Name: tensor.Name, Type: tensor.Type, Shape: tensor.Shape, Write: func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		}})
	}
	var out bytes.Buffer
	if err := gguf.Write(&out, append(keys, more...), tensors); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func connect(t *testing.T, server *url.URL, cfg ollama.Config) *ollama.Backend {
	t.Helper()
	cfg.Threads = 1 // ggml's threads spin where processors are shared
	b, err := ollama.New(server, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// generations runs a test on real servers from before and since 0.30.
func generations(t *testing.T, test func(t *testing.T, server *url.URL)) {
	for _, variable := range []string{"C2S_OLLAMA", "C2S_OLLAMA_OLD"} {
		t.Run(variable, func(t *testing.T) { test(t, live.Server(t, variable)) })
	}
}

// TestServer runs the suite of all backends on a real Ollama. The tolerance is that of
// llama-server, which the new generation starts; the engine of the old one is of the
// same library.
func TestServer(t *testing.T) { generations(t, testServer) }

func testServer(t *testing.T, server *url.URL) {
	ref := live.Reference(t)
	create(t, server, "c2s-suite", tiny(t), nil)
	way, kill := live.Mortal(t, server)
	b := connect(t, way, ollama.Config{Model: "c2s-suite", Context: 512})
	llmtest.Run(t, llmtest.Target{Backend: b, Reference: ref, Tolerance: 3e-3, Kill: kill})
}

// TestServerDefaults: what a model's file has as defaults changes no answer.
func TestServerDefaults(t *testing.T) { generations(t, testDefaults) }

func testDefaults(t *testing.T, server *url.URL) {
	ref := live.Reference(t)
	create(t, server, "c2s-defaults", tiny(t), map[string]any{
		"temperature": 2.0, "repeat_penalty": 3.0, "num_predict": 2, "top_k": 5, "stop": []string{" "}, "num_ctx": 64, "seed": 3,
	})
	b := connect(t, server, ollama.Config{Model: "c2s-defaults", Context: 512})
	for _, g := range ref.Prompts[:3] {
		a, err := b.Generate(t.Context(), g.Prompt, llm.Options{}, nil)
		if err != nil || a.Text != g.Text || a.PromptTokens != len(g.IDs) {
			t.Errorf("%+v, %v; expected %q", a, err, g.Text)
		}
	}
}

// TestServerPooling runs the embedding of the suite on models that embed.
func TestServerPooling(t *testing.T) {
	server := live.Server(t, "C2S_OLLAMA")
	ref := live.Reference(t)
	for name, kind := range map[llm.Pooling]uint32{llm.PoolMean: 1, llm.PoolLast: 3} {
		create(t, server, "c2s-"+string(name), tiny(t, gguf.KeyValue{Key: "gemma2.pooling_type", Value: kind}), nil)
		b := connect(t, server, ollama.Config{Model: "c2s-" + string(name), Context: 512})
		info, err := b.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(info.Pooling) != 1 {
			t.Fatalf("%s: %+v", name, info)
		}
		for _, e := range ref.Embeddings {
			got, err := b.Embed(t.Context(), []string{e.Text}, info.Pooling[0])
			if err != nil {
				t.Fatal(err)
			}
			want := e.Mean
			if info.Pooling[0] == llm.PoolLast {
				want = e.Last
			}
			if c := cosine(got[0], want); c < 0.99999 {
				t.Errorf("%s: %q has a cosine of %.7f to torch's", name, e.Text, c)
			}
		}
	}
}

// cosine of a vector of length one to another.
func cosine(a []float32, b []float64) float64 {
	var ab, bb float64
	for i, v := range a {
		ab += float64(v) * b[i]
		bb += b[i] * b[i]
	}
	return ab / math.Sqrt(bb)
}
