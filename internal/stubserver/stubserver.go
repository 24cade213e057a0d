// Package stubserver plays a model server whose answers are a hash of the prompt, in
// the forms of llama-server (0.5.0) and of OpenAI's /v1/completions.
//
// Start with [New], an http.Handler. It knows no biology: it is there to test and to
// measure what lies around a server (shards, pools, hosts that go away) without the
// time that a model takes, or with a time that is known.
package stubserver

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Config says how a server answers. The zero value answers at once.
type Config struct {
	// Model is the name that it tells ("": stub).
	Model string
	// Slots is how many requests it says that it works on at a time (0: 1). More are
	// answered all the same.
	Slots int
	// Delay is how long an answer takes.
	Delay time.Duration
	// Words is what answers are made of (nil: some cell types).
	Words []string
	// PerAnswer is how many of them an answer has (0: 1).
	PerAnswer int
}

// Server is a server. Its answers depend on the prompt and the words alone, so that
// any number of servers are one model.
type Server struct {
	cfg   Config
	mux   *http.ServeMux
	asked atomic.Int64
}

// New makes a server.
func New(cfg Config) *Server {
	cfg.Model = cmp.Or(cfg.Model, "stub")
	cfg.Slots = max(1, cfg.Slots)
	cfg.PerAnswer = max(1, cfg.PerAnswer)
	if cfg.Words == nil {
		cfg.Words = []string{"B cell", "CD4 T cell", "CD8 T cell", "NK cell", "Monocyte", "Dendritic cell", "Platelet"}
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { send(w, map[string]any{"status": "ok"}) })
	s.mux.HandleFunc("GET /props", s.props)
	s.mux.HandleFunc("GET /v1/models", s.models)
	s.mux.HandleFunc("POST /tokenize", s.tokenize)
	s.mux.HandleFunc("POST /completion", s.completion)
	s.mux.HandleFunc("POST /embedding", s.embedding)
	s.mux.HandleFunc("POST /v1/completions", s.completions)
	return s
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Asked is how many prompts were answered, probes included.
func (s *Server) Asked() int64 { return s.asked.Load() }

// contextTokens is the tokens of prompt and answer, one a byte.
const contextTokens = 1 << 20

func (s *Server) props(w http.ResponseWriter, _ *http.Request) {
	send(w, map[string]any{
		"total_slots": s.cfg.Slots, "model_path": s.cfg.Model, "build_info": "stub",
		"default_generation_settings": map[string]any{"n_ctx": contextTokens},
	})
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	send(w, map[string]any{"data": []any{map[string]any{
		"id": s.cfg.Model, "meta": map[string]any{"n_ctx": contextTokens, "n_vocab": 257, "n_params": 1, "size": 1},
	}}})
}

// tokenize gives an id a byte, and 256 for the beginning.
func (s *Server) tokenize(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Content string `json:"content"`
		Special bool   `json:"add_special"`
	}
	if !receive(w, r, &in) {
		return
	}
	ids := make([]int, 0, len(in.Content)+1)
	if in.Special {
		ids = append(ids, 256)
	}
	for i := range len(in.Content) {
		ids = append(ids, int(in.Content[i]))
	}
	send(w, map[string]any{"tokens": ids})
}

// text is the prompt behind ids.
func text(ids []int) string {
	var b strings.Builder
	for _, id := range ids {
		if id < 256 {
			b.WriteByte(byte(id))
		}
	}
	return b.String()
}

// answer waits as long as a model would take, which is not long for one token, as
// backends ask for to try a server out; false means that the client left.
func (s *Server) answer(r *http.Request, prompt string, tokens int) ([]string, bool) {
	s.asked.Add(1)
	if s.cfg.Delay > 0 && tokens != 1 {
		t := time.NewTimer(s.cfg.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return nil, false
		}
	}
	h := hash(prompt)
	var words []string
	for i := range s.cfg.PerAnswer {
		word := s.cfg.Words[(h>>(i%48))%uint64(len(s.cfg.Words))]
		if i > 0 {
			word = " " + word
		}
		words = append(words, word)
	}
	return words, true
}

func hash(prompt string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(prompt)) // it cannot fail
	return h.Sum64()
}

// completion is llama-server's: a token a word.
func (s *Server) completion(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Prompt []int `json:"prompt"`
		Tokens int   `json:"n_predict"`
	}
	if !receive(w, r, &in) {
		return
	}
	words, ok := s.answer(r, text(in.Prompt), in.Tokens)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for i, word := range words {
		event(w, map[string]any{
			"content": word, "tokens": []int{i}, "stop": false, "tokens_predicted": i + 1, "tokens_evaluated": len(in.Prompt),
			"completion_probabilities": []any{map[string]any{"id": i, "token": word, "logprob": -0.25}},
		})
	}
	event(w, map[string]any{"content": "", "stop": true, "stop_type": "eos", "tokens_predicted": len(words) + 1, "tokens_evaluated": len(in.Prompt)})
}

// embedding has small vectors that differ little, as means over tokens do.
func (s *Server) embedding(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Content []int `json:"content"`
	}
	if !receive(w, r, &in) {
		return
	}
	s.asked.Add(1)
	h := hash(text(in.Content))
	v := []float64{1}
	for i := range 7 {
		v = append(v, float64(h>>(8*i)&0xff)/(256*100))
	}
	send(w, []any{map[string]any{"index": 0, "embedding": [][]float64{v}}})
}

// completions is OpenAI's.
func (s *Server) completions(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Prompt string `json:"prompt"`
		Stream bool   `json:"stream"`
		Tokens int    `json:"max_tokens"`
	}
	if !receive(w, r, &in) {
		return
	}
	words, ok := s.answer(r, in.Prompt, in.Tokens)
	if !ok {
		return
	}
	usage := map[string]any{"prompt_tokens": len(in.Prompt), "completion_tokens": len(words)}
	if !in.Stream {
		send(w, map[string]any{"choices": []any{map[string]any{"index": 0, "text": strings.Join(words, ""), "finish_reason": "stop"}}, "usage": usage})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	event(w, map[string]any{"choices": []any{map[string]any{"index": 0, "text": strings.Join(words, ""), "finish_reason": "stop"}}, "usage": usage})
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func event(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err == nil {
		fmt.Fprintf(w, "data: %s\n\n", b)
	}
}

func send(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that left is not told
}

// receive reads a request of at most 64 MB.
func receive(w http.ResponseWriter, r *http.Request, v any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<20)).Decode(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}
