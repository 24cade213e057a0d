package llamacpp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cellsentence/c2s/llm/llamacpp"
)

// stub plays a llama-server, in the form of its answers as recorded from version 0.5.0.
// Its tokens are bytes, 1 the end of text and 2 the beginning.
type stub struct {
	*httptest.Server
	mu       sync.Mutex
	requests []map[string]any
	// complete answers /completion; embed gives the states of some tokens, nil for a
	// server without embeddings.
	complete func(w http.ResponseWriter, r map[string]any)
	embed    func(ids []int) [][]float64
	props    string
}

const props = `{"default_generation_settings": {"n_ctx": 512}, "total_slots": 3, "model_path": "/models/tiny.gguf", "build_info": "b9999-abc", "eos_token": "<eos>"}`

func start(t *testing.T, s *stub) *stub {
	t.Helper()
	if s.props == "" {
		s.props = props
	}
	if s.complete == nil {
		s.complete = func(w http.ResponseWriter, r map[string]any) { forced(w, r, -0.5) }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/props", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.props) })
	mux.HandleFunc("/v1/models", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data": [{"id": "tiny.gguf", "meta": {"n_vocab": 256, "n_params": 10, "size": 20, "ftype": "F16"}}]}`)
	})
	mux.HandleFunc("/tokenize", func(w http.ResponseWriter, r *http.Request) {
		in := s.read(t, r)
		text := in["content"].(string)
		ids := []int{}
		if in["add_special"] == true {
			ids = append(ids, 2)
		}
		if in["parse_special"] == true && text == "<eos>" {
			ids, text = append(ids, 1), ""
		}
		for _, c := range []byte(text) {
			ids = append(ids, int(c))
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"tokens": ids})
	})
	mux.HandleFunc("/completion", func(w http.ResponseWriter, r *http.Request) { s.complete(w, s.read(t, r)) })
	mux.HandleFunc("/embedding", func(w http.ResponseWriter, r *http.Request) {
		in := s.read(t, r)
		if s.embed == nil {
			w.WriteHeader(501)
			fmt.Fprint(w, `{"error":{"code":501,"message":"This server does not support embeddings. Start it with --embeddings","type":"not_supported_error"}}`)
			return
		}
		if in["embd_normalize"] != -1.0 {
			t.Error("normalised states are not to be averaged")
		}
		_ = json.NewEncoder(w).Encode([]any{map[string]any{"index": 0, "embedding": s.embed(ints(in["content"]))}})
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *stub) read(t *testing.T, r *http.Request) map[string]any {
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		t.Error(err)
	}
	in["path"] = r.URL.Path
	s.mu.Lock()
	s.requests = append(s.requests, in)
	s.mu.Unlock()
	return in
}

// last is the last request for a path.
func (s *stub) last(path string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range slices.Backward(s.requests) {
		if r["path"] == path {
			return r
		}
	}
	return nil
}

func ints(v any) []int {
	var out []int
	for _, x := range v.([]any) {
		out = append(out, int(x.(float64)))
	}
	return out
}

// forced answers with the token that the bias asks for.
func forced(w http.ResponseWriter, r map[string]any, logprob float64) {
	id := int(r["logit_bias"].([]any)[0].([]any)[0].(float64))
	fmt.Fprintf(w, `{"content": "", "tokens": [%d], "stop": true, "stop_type": "limit", "tokens_predicted": 1, "completion_probabilities": [{"id": %d, "token": "", "bytes": [], "logprob": %g}]}`, id, id, logprob)
}

// token is an event of a stream: the last of some tokens, and the text of all.
func token(id int, content string, predicted int) string {
	text, _ := json.Marshal(content)
	return fmt.Sprintf(`data: {"content": %s, "tokens": [%d], "stop": false, "tokens_predicted": %d, "tokens_evaluated": 5, "timings": {"cache_n": 3}, "completion_probabilities": [{"id": %d, "token": %s, "logprob": -0.5, "top_logprobs": [{"id": %d, "token": %s, "logprob": -0.5}]}]}`+"\n\n",
		text, id, predicted, id, text, id, text)
}

func end(why string, predicted int) string {
	return fmt.Sprintf(`data: {"content": "", "tokens": [], "stop": true, "stop_type": %q, "tokens_predicted": %d, "tokens_evaluated": 5, "timings": {"cache_n": 3}}`+"\n\n", why, predicted)
}

func events(e ...string) func(http.ResponseWriter, map[string]any) {
	return func(w http.ResponseWriter, r map[string]any) {
		if r["stream"] != true {
			forced(w, r, -0.5)
			return
		}
		fmt.Fprint(w, strings.Join(e, ""))
	}
}

func open(t *testing.T, s *stub, cfg llamacpp.Config) *llamacpp.Backend {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	b, err := llamacpp.New(u, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}
