package dial_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/dial"
)

func TestParse(t *testing.T) {
	for name, want := range map[string]string{
		"demo":                           "demo",
		"models/c2s-2b.gguf":             "file models/c2s-2b.gguf",
		"ollama://127.0.0.1:11434":       "ollama http://127.0.0.1:11434",
		"ollama://gpu1":                  "ollama http://gpu1:11434",
		"ollama://gpu1/":                 "ollama http://gpu1:11434",
		"ollama+https://models.example":  "ollama https://models.example",
		"llamacpp://[::1]":               "llamacpp http://[::1]:8080",
		"llamacpp+https://m.example:99":  "llamacpp https://m.example:99",
		"openai://127.0.0.1:8000/v1":     "openai http://127.0.0.1:8000/v1",
		"openai://127.0.0.1:8000":        "openai http://127.0.0.1:8000/v1",
		"openai+https://a.example/b/v1/": "openai https://a.example/b/v1",
	} {
		s, err := dial.Parse(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := s.Kind
		if s.URL != nil {
			got += " " + s.URL.String()
		}
		if s.Path != "" {
			got += " " + s.Path
		}
		if got != want {
			t.Errorf("%s: %s, expected %s", name, got, want)
		}
		again, err := dial.Parse(s.String())
		if err != nil || again.String() != s.String() {
			t.Errorf("%s: %s is not a name again: %v", name, s, err)
		}
	}
	for _, name := range []string{"", "Demo", "ollama", "ollama:", "ollama://", "http://127.0.0.1:8080", "vllm://x", "ollama+http://x", "ollama://user:hush@x", "ollama://x?key=hush", "llamacpp://x#hush", "openai://x:port"} {
		_, err := dial.Parse(name)
		var bad *dial.SpecError
		if !errors.As(err, &bad) || !bad.BadInput() || bad.Hint() == "" || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A file is opened by the program, or refused where it runs none.
func TestOpenFile(t *testing.T) {
	var opened string
	b, err := dial.Open(t.Context(), "a.gguf", dial.Config{File: func(path string) (dial.Backend, error) {
		opened = path
		return nil, errors.New("no such file")
	}})
	if b != nil || err == nil || opened != "a.gguf" {
		t.Errorf("%v, %v, opened %q", b, err, opened)
	}
	_, err = dial.Open(t.Context(), "a.gguf", dial.Config{})
	if _, ok := errors.AsType[*llm.UnsupportedError](err); !ok {
		t.Errorf("%v", err)
	}
}

func TestFromOllamaHost(t *testing.T) {
	for value, want := range map[string]string{
		"":                         "",
		"127.0.0.1":                "ollama://127.0.0.1:11434",
		"gpu1:9999":                "ollama://gpu1:9999",
		":9999":                    "ollama://127.0.0.1:9999",
		"0.0.0.0":                  "ollama://127.0.0.1:11434",
		"0.0.0.0:9999":             "ollama://127.0.0.1:9999",
		"http://gpu1":              "ollama://gpu1:11434",
		"https://models.example":   "ollama+https://models.example",
		` "gpu1" `:                 "ollama://gpu1:11434",
		"ftp://x y":                "",
		"http://me:hush@gpu1:9999": "",
	} {
		if got := dial.FromOllamaHost(value); got != want {
			t.Errorf("%q: %q, expected %q", value, got, want)
		}
	}
	if got := dial.Usual("gpu1"); len(got) != 5 || got[0] != "ollama://gpu1:11434" {
		t.Errorf("%v", got)
	}
	if got := dial.Usual("127.0.0.1:11434"); len(got) != 4 {
		t.Errorf("%v", got)
	}
}

// server plays all three kinds as far as Open asks.
func server(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, body := range map[string]string{
		"/api/version":    `{"version": "0.32.15"}`,
		"/api/tags":       `{"models": [{"name": "c2s:2b", "digest": "abc"}]}`,
		"/api/show":       `{"model_info": {"general.architecture": "gemma2", "gemma2.context_length": 8192}}`,
		"/props":          `{"default_generation_settings": {"n_ctx": 512}, "total_slots": 1, "build_info": "b1"}`,
		"/v1/models":      `{"data": [{"id": "c2s.gguf", "owned_by": "llamacpp", "meta": {"n_ctx": 512}}]}`,
		"/v1/completions": `{"choices": [{"text": "b", "finish_reason": "length"}]}`,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" && r.URL.Path != "/api/version" {
				w.WriteHeader(http.StatusForbidden)
			}
			fmt.Fprint(w, body)
		})
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func nobody(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestOpen(t *testing.T) {
	host := server(t)
	for name, kind := range map[string]string{"ollama://" + host: "ollama", "openai://" + host + "/v1": "openai"} {
		b, err := dial.Open(t.Context(), name, dial.Config{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if info, err := b.Info(t.Context()); err != nil || info.Backend != kind {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	var missing *llm.ModelError
	if _, err := dial.Open(t.Context(), "ollama://"+host, dial.Config{Model: "c2s:3b"}); !errors.As(err, &missing) || missing.Hint() != "did you mean c2s:2b?" {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"ollama://models.example", "llamacpp://10.0.0.1", "openai://models.example/v1"} {
		if _, err := dial.Open(t.Context(), name, dial.Config{APIKey: "sk-secret"}); err == nil || !strings.Contains(err.Error(), "clear text") || strings.Contains(err.Error(), "sk-secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDemo(t *testing.T) {
	var no *llm.UnsupportedError
	if _, err := dial.Open(t.Context(), "demo", dial.Config{}); !errors.As(err, &no) {
		t.Errorf("%v", err)
	}
	broken := errors.New("broken")
	if _, err := dial.Open(t.Context(), "demo", dial.Config{Demo: func() (llm.Backend, error) { return nil, broken }}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	b, err := dial.Open(t.Context(), "demo", dial.Config{Demo: func() (llm.Backend, error) { return toy{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := b.Info(t.Context()); err != nil || info.Model != "toy" {
		t.Errorf("%+v, %v", info, err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

type toy struct{ llm.Backend }

func (toy) Info(context.Context) (*llm.Info, error) { return &llm.Info{Model: "toy"}, nil }

// TestNone: without a name nothing is taken, and what there is is named.
func TestNone(t *testing.T) {
	there, gone := "ollama://"+server(t), "llamacpp://"+nobody(t)
	for _, c := range []struct {
		look []string
		hint string
	}{
		{[]string{there, gone}, "--backend " + there},
		{[]string{gone}, "ollama serve"},
		{nil, "--backend demo"},
	} {
		_, err := dial.Open(t.Context(), "", dial.Config{LookFor: c.look})
		var none *dial.NoneError
		if !errors.As(err, &none) || !none.Unreachable() || !strings.Contains(none.Hint(), c.hint) {
			t.Errorf("%v: %v", c.look, err)
			continue
		}
		for _, place := range c.look {
			if !strings.Contains(err.Error(), place) {
				t.Errorf("%v does not name %s", err, place)
			}
		}
	}
}

// TestAbsent: in less than five seconds, with what to do and what there is instead.
func TestAbsent(t *testing.T) {
	there := "ollama://" + server(t)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(func() {
		silent.CloseClientConnections()
		silent.Close()
	})
	for _, host := range []string{nobody(t), strings.TrimPrefix(silent.URL, "http://")} {
		for _, kind := range []string{"ollama", "llamacpp", "openai"} {
			t.Run(kind+" "+host, func(t *testing.T) {
				t.Parallel()
				start := time.Now()
				_, err := dial.Open(t.Context(), kind+"://"+host, dial.Config{LookFor: []string{there, "llamacpp://" + strings.TrimPrefix(silent.URL, "http://")}})
				var none *llm.UnreachableError
				if !errors.As(err, &none) || !strings.Contains(err.Error(), host) || !strings.Contains(none.Hint(), "start one with") || !strings.Contains(none.Hint(), there+" with c2s:2b") {
					t.Errorf("%v", err)
				}
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("after %v", took)
				}
			})
		}
	}
}

func TestLook(t *testing.T) {
	host := server(t)
	got := dial.Look(t.Context(), []string{"llamacpp://" + nobody(t), "openai://" + host, "ollama://" + host, "llamacpp://" + host, "demo", "nonsense"})
	want := []dial.Found{
		{Name: "openai://" + host + "/v1", Version: "llamacpp", Models: []string{"c2s.gguf"}},
		{Name: "ollama://" + host, Version: "0.32.15", Models: []string{"c2s:2b"}},
		{Name: "llamacpp://" + host, Version: "b1", Models: []string{"c2s.gguf"}},
	}
	if !slices.EqualFunc(got, want, func(a, b dial.Found) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		t.Errorf("%v, expected %v", got, want)
	}
}
