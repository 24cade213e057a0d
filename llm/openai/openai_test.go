package openai_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/openai"
)

// stub plays a server. As vLLM (after its documentation of 0.11) it has /version and
// /tokenize, where tokens are bytes, 2 begins and 1 ends; as llama-server (recorded
// from 0.5.0) it has /props.
type stub struct {
	*httptest.Server
	vllm     bool
	ends     []string // what is one token, 1, 3, …
	complete func(w http.ResponseWriter, r map[string]any)
	models   string

	mu       sync.Mutex
	requests []map[string]any
}

func start(t *testing.T, s *stub) *stub {
	t.Helper()
	mux := http.NewServeMux()
	if s.models == "" {
		s.models = `{"id": "tiny", "owned_by": "llamacpp", "meta": {"n_ctx": 256}}`
		if s.vllm {
			s.models = `{"id": "tiny", "owned_by": "vllm", "max_model_len": 512}`
		}
	}
	mux.HandleFunc("/v1/models", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"data": [%s]}`, s.models) })
	if s.vllm {
		mux.HandleFunc("/version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"version": "0.11.0"}`) })
		mux.HandleFunc("/tokenize", func(w http.ResponseWriter, r *http.Request) {
			var in struct {
				Prompt string `json:"prompt"`
				Start  bool   `json:"add_special_tokens"`
			}
			_ = json.NewDecoder(r.Body).Decode(&in)
			ids := []int{}
			if in.Start {
				ids = append(ids, 2)
			}
			if i := slices.Index(s.ends, in.Prompt); i >= 0 {
				ids = append(ids, 1+2*i)
			} else {
				for _, c := range []byte(in.Prompt) {
					ids = append(ids, int(c))
				}
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"tokens": ids, "count": len(ids)})
		})
	}
	mux.HandleFunc("/v1/completions", func(w http.ResponseWriter, r *http.Request) {
		var in map[string]any
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.requests = append(s.requests, in)
		s.mu.Unlock()
		switch {
		case in["echo"] == true && s.vllm:
			echo(w, in)
		case in["stream"] != true:
			fmt.Fprint(w, `{"choices": [{"index": 0, "text": "b", "finish_reason": "length", "logprobs": {"tokens": ["b"], "token_logprobs": [-1], "top_logprobs": [{"b": -1}]}}]}`)
		default:
			s.complete(w, in)
		}
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// echo gives each token the log-probability of minus its place, and one more token.
func echo(w http.ResponseWriter, in map[string]any) {
	var choices []any
	for i, p := range in["prompt"].([]any) {
		tokens, logprobs := []string{}, []any{}
		for j, id := range p.([]any) {
			tokens = append(tokens, fmt.Sprintf("token_id:%v", id))
			logprobs = append(logprobs, -float64(j))
		}
		logprobs[0] = nil
		choices = append(choices, map[string]any{"index": i, "text": "", "logprobs": map[string]any{
			"tokens": append(tokens, "token_id:99"), "token_logprobs": append(logprobs, -1.0),
		}})
	}
	slices.Reverse(choices) // their order is not promised
	_ = json.NewEncoder(w).Encode(map[string]any{"choices": choices})
}

func open(t *testing.T, s *stub, cfg openai.Config) *openai.Backend {
	t.Helper()
	u, err := url.Parse(s.URL + "/v1")
	if err != nil {
		t.Fatal(err)
	}
	b, err := openai.New(u, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// event is a part with its text and the texts of its tokens.
func event(text string, tokens ...string) string {
	logprobs := make([]float64, len(tokens))
	top := make([]map[string]float64, len(tokens))
	for i, t := range tokens {
		logprobs[i], top[i] = -0.5, map[string]float64{t: -0.5, "zz": -2, "yy": -2}
	}
	data, _ := json.Marshal(map[string]any{"choices": []any{map[string]any{
		"index": 0, "text": text, "finish_reason": nil,
		"logprobs": map[string]any{"tokens": tokens, "token_logprobs": logprobs, "top_logprobs": top},
	}}})
	return "data: " + string(data) + "\n\n"
}

func finish(why string, prompt, answer int) string {
	return fmt.Sprintf(`data: {"choices": [{"index": 0, "text": "", "finish_reason": %q}]}`+"\n\n"+
		`data: {"choices": [], "usage": {"prompt_tokens": %d, "completion_tokens": %d, "prompt_tokens_details": {"cached_tokens": 2}}}`+"\n\ndata: [DONE]\n\n", why, prompt, answer)
}

func events(e ...string) func(http.ResponseWriter, map[string]any) {
	return func(w http.ResponseWriter, _ map[string]any) { fmt.Fprint(w, strings.Join(e, "")) }
}

// TestRequest: nothing is left to the server, the model's generation_config.json or
// the protocol's default of 16 tokens.
func TestRequest(t *testing.T) {
	s := start(t, &stub{complete: events(event("", "<eos>"), finish("stop", 3, 1))})
	b := open(t, s, openai.Config{})
	for _, c := range []struct {
		opt  llm.Options
		want map[string]any
	}{
		{llm.Options{}, map[string]any{"max_tokens": nil, "temperature": 0.0, "top_k": -1.0, "top_p": 1.0, "min_p": 0.0, "seed": 0.0}},
		{llm.Options{MaxTokens: 7, Temperature: 1.5, TopK: 3, TopP: 0.5, MinP: 0.25, Seed: 9}, map[string]any{"max_tokens": 7.0, "temperature": 1.5, "top_k": 3.0, "top_p": 0.5, "min_p": 0.25, "seed": 9.0}},
		{llm.Options{Seed: math.MaxUint64}, map[string]any{}},
	} {
		if _, err := b.Generate(t.Context(), "x", c.opt, nil); err != nil {
			t.Fatal(err)
		}
		got := s.requests[len(s.requests)-1]
		for _, want := range []map[string]any{c.want, {
			"model": "tiny", "prompt": "x", "n": 1.0, "echo": false, "logprobs": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0,
			"repetition_penalty": 1.0, "repeat_penalty": 1.0,
		}} {
			for k, v := range want {
				if g, there := got[k]; !there || g != v {
					t.Errorf("%+v: %s is %v, expected %v", c.opt, k, g, v)
				}
			}
		}
		if seed := got["seed"].(float64); seed < 0 || seed > math.MaxInt32 {
			t.Errorf("seed %v", seed)
		}
	}
}

func TestStream(t *testing.T) {
	for _, c := range []struct {
		what   string
		events []string
		stop   []string
		want   llm.Answer
		tokens int
	}{
		{"an end", []string{event(" A", " A"), event("B", "B"), event("", "<eos>"), finish("stop", 5, 3)}, nil, llm.Answer{Text: " AB", Stop: llm.StopEnd, PromptTokens: 5, AnswerTokens: 2}, 2},
		{"a limit", []string{event(" A", " A"), event("B", "B"), finish("length", 250, 5)}, nil, llm.Answer{Text: " AB", Stop: llm.StopLimit, PromptTokens: 250, AnswerTokens: 5}, 0},
		{"the context's end", []string{event(" A", " A"), event("B", "B"), finish("length", 254, 2)}, nil, llm.Answer{Text: " AB", Stop: llm.StopLimit, PromptTokens: 254, AnswerTokens: 2}, 2},
		{"a stop string", []string{event(" A", " A"), event("BC", "BC"), event("D", "D"), finish("stop", 5, 4)}, []string{"C"}, llm.Answer{Text: " AB", Stop: llm.StopString, AnswerTokens: 2}, 2},
		{"two tokens at a time", []string{event(" AB", " A", "B"), event("C", "C", "<eos>"), finish("stop", 5, 4)}, nil, llm.Answer{Text: " ABC", Stop: llm.StopEnd, PromptTokens: 5, AnswerTokens: 3}, 3},
		{"a character of two tokens", []string{event(" A", " A"), event("é", "\uFFFD"), finish("length", 253, 3)}, nil, llm.Answer{Text: " Aé", Stop: llm.StopLimit, PromptTokens: 253, AnswerTokens: 3}, 0},
		{"no log-probabilities", []string{event(" AB"), finish("stop", 5, 3)}, nil, llm.Answer{Text: " AB", Stop: llm.StopEnd, PromptTokens: 5, AnswerTokens: 2}, 0},
	} {
		b := open(t, start(t, &stub{complete: events(c.events...)}), openai.Config{})
		var streamed strings.Builder
		a, err := b.Generate(t.Context(), "x", llm.Options{Stop: c.stop, TopLogprobs: 2}, func(tok llm.Token) error {
			streamed.WriteString(tok.Text)
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if a.Text != c.want.Text || a.Stop != c.want.Stop || a.AnswerTokens != c.want.AnswerTokens || a.PromptTokens != c.want.PromptTokens || len(a.Tokens) != c.tokens || streamed.String() != a.Text {
			t.Errorf("%s: %+v, streamed %q, expected %+v with %d tokens", c.what, a, streamed.String(), c.want, c.tokens)
		}
		for _, tok := range a.Tokens {
			if len(tok.Top) != 2 || tok.Top[1].Text != "yy" { // of equals, the first by text
				t.Errorf("%s: alternatives %+v", c.what, tok.Top)
			}
		}
		if (a.EndLogprob != nil) != (c.what == "an end" || c.what == "two tokens at a time") {
			t.Errorf("%s: the end has %v", c.what, a.EndLogprob)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	for what, e := range map[string][]string{
		"the stream ends": {event(" A", " A")},
		"nothing comes":   {},
		"an error midway": {event(" A", " A"), `data: {"error": {"message": "engine died"}}` + "\n\n"},
		"aborted":         {event(" A", " A"), finish("abort", 5, 1)},
		"no JSON":         {"data: <html>\n\n"},
		// The server has a limit of its own, far from the context's end.
		"a limit that was not asked for": {event(" A", " A"), finish("length", 5, 16)},
	} {
		b := open(t, start(t, &stub{complete: events(e...)}), openai.Config{})
		if a, err := b.Generate(t.Context(), "x", llm.Options{}, nil); err == nil || a != nil {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
	}
}

// TestRoom: vLLM refuses a prompt that fits when the longest answer would not.
func TestRoom(t *testing.T) {
	s := start(t, &stub{vllm: true, complete: func(w http.ResponseWriter, in map[string]any) {
		if n := in["max_tokens"].(float64); n > 12 {
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"object":"error","message":"This model's maximum context length is 512 tokens. However, you requested %v tokens (500 in the prompt, %v in the completion). Please reduce the length.","code":400}`, 500+n, n)
			return
		}
		fmt.Fprint(w, event(" A", " A"), finish("length", 500, 12))
	}})
	a, err := open(t, s, openai.Config{}).Generate(t.Context(), "x", llm.Options{MaxTokens: 100}, nil)
	if err != nil || a.Stop != llm.StopLimit {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestInfo(t *testing.T) {
	s := start(t, &stub{vllm: true, ends: []string{"<eos>"}})
	info, err := open(t, s, openai.Config{}).Info(t.Context())
	if err != nil || info.Context != 512 || info.Version != "vLLM 0.11.0" || !info.Score || !info.Logprobs || info.TokenIDs || info.Slots != 8 {
		t.Errorf("%+v, %v", info, err)
	}
	s = start(t, &stub{})
	info, err = open(t, s, openai.Config{Context: 128}).Info(t.Context())
	if err != nil || info.Context != 128 || info.Score || info.Slots != 1 {
		t.Errorf("%+v, %v", info, err)
	}
	for what, models := range map[string]string{
		"no context":   `{"id": "tiny", "owned_by": "me"}`,
		"several":      `{"id": "a"}, {"id": "b"}`,
		"none":         ` `,
		"another name": `{"id": "tiny2", "meta": {"n_ctx": 9}}`,
	} {
		cfg := openai.Config{}
		if what == "another name" {
			cfg.Model = "tiny"
		}
		_, err := open(t, start(t, &stub{models: models}), cfg).Info(t.Context())
		var tip interface{ Hint() string }
		if !errors.As(err, &tip) || tip.Hint() == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestScore(t *testing.T) {
	s := start(t, &stub{vllm: true, ends: []string{"<eos>"}})
	b := open(t, s, openai.Config{})
	got, err := b.Score(t.Context(), "p", []string{"ab", "c"})
	if err != nil {
		t.Fatal(err)
	}
	// Places: 2 at 0, p at 1; a, b and the end at 2, 3, 4; c and the end at 2, 3.
	if want := []llm.Score{{Logprob: -9, Tokens: 3}, {Logprob: -5, Tokens: 2}}; !slices.Equal(got, want) {
		t.Errorf("%v, expected %v", got, want)
	}
	var over *llm.ContextError
	if _, err := b.Score(t.Context(), "p", []string{strings.Repeat("a", 509)}); !errors.As(err, &over) {
		t.Errorf("too long: %v", err)
	}
	for what, s := range map[string]*stub{
		"no /tokenize":       {},
		"no end of text":     {vllm: true},
		"two ends":           {vllm: true, ends: []string{"<eos>", "</s>"}},
		"grammar and no ids": {models: `{"id": "tiny", "owned_by": "vllm", "max_model_len": 512}`},
	} {
		var no *llm.UnsupportedError
		if _, err := open(t, start(t, s), openai.Config{}).Score(t.Context(), "p", []string{"a"}); !errors.As(err, &no) || no.Remedy == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	var no *llm.UnsupportedError
	if _, err := b.Embed(t.Context(), []string{"x"}, llm.PoolMean); !errors.As(err, &no) || no.Remedy == "" {
		t.Errorf("%v", err)
	}
}
