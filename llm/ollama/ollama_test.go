package ollama_test

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
	"github.com/cellsentence/c2s/llm/ollama"
)

// stub plays an Ollama server, in the form of answers recorded from 0.17.4 and 0.32.15.
type stub struct {
	*httptest.Server
	version  string
	info     string // the model's keys
	models   string
	generate string
	embed    string
	status   int // of both

	mu       sync.Mutex
	requests []map[string]any
}

// cut, at the end of an answer, makes the server close the connection.
const cut = "\x00"

func start(t *testing.T, s *stub) *stub {
	t.Helper()
	if s.version == "" {
		s.version = "0.32.15"
	}
	if s.models == "" {
		s.models = `{"name": "tiny:latest", "digest": "abc123"}, {"name": "other:7b", "digest": "def"}`
	}
	if s.info == "" {
		s.info = `"general.architecture": "gemma2", "gemma2.context_length": 8192`
	}
	if s.status == 0 {
		s.status = 200
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/version":
			fmt.Fprintf(w, `{"version": %q}`, s.version)
			return
		case "/api/tags":
			fmt.Fprintf(w, `{"models": [%s]}`, s.models)
			return
		case "/api/show":
			fmt.Fprintf(w, `{"model_info": {%s}}`, s.info)
			return
		}
		var in map[string]any
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.requests = append(s.requests, in)
		s.mu.Unlock()
		w.WriteHeader(s.status)
		if r.URL.Path == "/api/embed" {
			fmt.Fprint(w, s.embed)
		} else {
			body, dies := strings.CutSuffix(s.generate, cut)
			fmt.Fprint(w, body)
			if dies {
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			}
		}
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func open(t *testing.T, s *stub, cfg ollama.Config) *ollama.Backend {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Model == "" {
		cfg.Model = "tiny"
	}
	b, err := ollama.New(u, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// token is a line of a stream.
func token(text string, logprobs ...string) string {
	var list []string
	for _, p := range logprobs {
		list = append(list, fmt.Sprintf(`{"token": %q, "logprob": -0.5, "top_logprobs": [{"token": %q, "logprob": -0.5}]}`, p, p))
	}
	return fmt.Sprintf(`{"model": "tiny", "response": %q, "done": false, "logprobs": [%s]}`, text, strings.Join(list, ",")) + "\n"
}

func word(text string) string { return token(text, text) }

func done(why string, prompt, answer int) string {
	return fmt.Sprintf(`{"model": "tiny", "response": "", "done": true, "done_reason": %q, "prompt_eval_count": %d, "eval_count": %d}`, why, prompt, answer) + "\n"
}

// TestOptions: every option is in every request, whatever the server or the model's
// file have as defaults, and what makes Ollama load the model anew is always the same.
func TestOptions(t *testing.T) {
	s := start(t, &stub{version: "0.17.4", generate: word("a") + done("stop", 3, 2), embed: `{"embeddings": [[3, 4]]}`})
	b := open(t, s, ollama.Config{Context: 1024, Threads: 2})
	if _, err := b.Embed(t.Context(), []string{"x"}, llm.PoolLast); err != nil {
		t.Fatal(err)
	}
	for _, opt := range []llm.Options{{}, {MaxTokens: 5, Temperature: 0.5, TopK: 4, TopP: 0.25, MinP: 0.125, Seed: 77}, {Seed: math.MaxUint64}} {
		if _, err := b.Generate(t.Context(), "x", opt, nil); err != nil {
			t.Fatal(err)
		}
	}
	fixed := map[string]any{
		"repeat_penalty": 1.0, "repeat_last_n": 0.0, "presence_penalty": 0.0, "frequency_penalty": 0.0, "typical_p": 1.0,
		"num_keep": 0.0, "num_ctx": 1024.0, "num_thread": 2.0,
	}
	each := []map[string]any{
		{},
		{"temperature": 0.0, "top_k": 0.0, "top_p": 1.0, "min_p": 0.0, "num_predict": -1.0, "seed": 0.0}, // 0 would be no limit, too
		{"temperature": 0.5, "top_k": 4.0, "top_p": 0.25, "min_p": 0.125, "num_predict": 5.0, "seed": 77.0},
		{},
	}
	if len(s.requests) != len(each) {
		t.Fatalf("%d requests, expected %d", len(s.requests), len(each))
	}
	for i, r := range s.requests {
		options := r["options"].(map[string]any)
		for _, want := range []map[string]any{fixed, each[i]} {
			for k, v := range want {
				if options[k] != v {
					t.Errorf("request %d: %s is %v, expected %v", i, k, options[k], v)
				}
			}
		}
		if stop, ok := options["stop"].([]any); !ok || len(stop) != 0 {
			t.Errorf("request %d: stop is %v, expected an empty list", i, options["stop"])
		}
		if seed := options["seed"].(float64); seed < 0 || seed > math.MaxInt32 {
			t.Errorf("request %d: seed %v", i, seed)
		}
		if r["truncate"] != false {
			t.Errorf("request %d: truncate is %v", i, r["truncate"])
		}
		if i > 0 && (r["raw"] != true || r["shift"] != false || r["logprobs"] != true || r["stream"] != false) {
			t.Errorf("request %d: raw %v, shift %v, logprobs %v, stream %v", i, r["raw"], r["shift"], r["logprobs"], r["stream"])
		}
	}
}

func TestStream(t *testing.T) {
	for _, c := range []struct {
		what, body string
		stop       []string
		want       llm.Answer
		tokens     int
	}{
		{"an end", word(" A") + word("B") + done("stop", 4, 3), nil, llm.Answer{Text: " AB", Stop: llm.StopEnd, PromptTokens: 4, AnswerTokens: 2}, 2},
		{"a limit", word(" A") + word("B") + done("length", 4, 2), nil, llm.Answer{Text: " AB", Stop: llm.StopLimit, PromptTokens: 4, AnswerTokens: 2}, 2},
		{"a stop string", word(" A") + word("BC") + word("D") + done("stop", 4, 4), []string{"C"}, llm.Answer{Text: " AB", Stop: llm.StopString, PromptTokens: 4, AnswerTokens: 2}, 2},
		{"a stop string, and much after it", word(" A") + word("BC") + strings.Repeat(word("D"), 300) + done("stop", 4, 303), []string{"C"}, llm.Answer{Text: " AB", Stop: llm.StopString, AnswerTokens: 2}, 2},
		{"a stop string, and the end of the server", word(" A") + word("BC") + cut, []string{"C"}, llm.Answer{Text: " AB", Stop: llm.StopString, AnswerTokens: 2}, 2},
		{"a character of two tokens", word(" A") + token("é", "\uFFFD") + done("stop", 4, 4), nil, llm.Answer{Text: " Aé", Stop: llm.StopEnd, PromptTokens: 4, AnswerTokens: 3}, 0},
		{"two log-probabilities with a part", token("é", "\uFFFD", "\uFFFD") + done("length", 4, 1), nil, llm.Answer{Text: "é", Stop: llm.StopLimit, PromptTokens: 4, AnswerTokens: 1}, 0},
	} {
		b := open(t, start(t, &stub{generate: c.body}), ollama.Config{})
		var streamed strings.Builder
		a, err := b.Generate(t.Context(), "x", llm.Options{Stop: c.stop, TopLogprobs: 1}, func(tok llm.Token) error {
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
	}
}

// TestWhole: what nobody watches is not streamed, as a streamed request that is closed
// can cost the server a slot.
func TestWhole(t *testing.T) {
	for _, c := range []struct {
		what, body string
		want       llm.Answer
		tokens     int
	}{
		{"an end", strings.Replace(token(" AB", " A", "B"), `"done": false`, `"done": true, "done_reason": "stop", "prompt_eval_count": 4, "eval_count": 3`, 1), llm.Answer{Text: " AB", Stop: llm.StopEnd, PromptTokens: 4, AnswerTokens: 2}, 2},
		{"a limit", strings.Replace(token(" AB", " A", "B"), `"done": false`, `"done": true, "done_reason": "length", "prompt_eval_count": 4, "eval_count": 2`, 1), llm.Answer{Text: " AB", Stop: llm.StopLimit, PromptTokens: 4, AnswerTokens: 2}, 2},
		{"other log-probabilities", strings.Replace(token(" Aé", " A", "\uFFFD"), `"done": false`, `"done": true, "done_reason": "stop", "prompt_eval_count": 4, "eval_count": 4`, 1), llm.Answer{Text: " Aé", Stop: llm.StopEnd, PromptTokens: 4, AnswerTokens: 3}, 0},
		{"no text", done("stop", 4, 1), llm.Answer{Stop: llm.StopEnd, PromptTokens: 4}, 0},
	} {
		s := start(t, &stub{generate: c.body})
		a, err := open(t, s, ollama.Config{}).Generate(t.Context(), "x", llm.Options{}, nil)
		if err != nil || s.requests[0]["stream"] != false {
			t.Errorf("%s: stream %v, %v", c.what, s.requests[0]["stream"], err)
			continue
		}
		if a.Text != c.want.Text || a.Stop != c.want.Stop || a.AnswerTokens != c.want.AnswerTokens || a.PromptTokens != c.want.PromptTokens || len(a.Tokens) != c.tokens {
			t.Errorf("%s: %+v, expected %+v with %d tokens", c.what, a, c.want, c.tokens)
		}
	}
	var again *llm.RepetitionError
	s := start(t, &stub{generate: token(" B B", " B", " B")})
	if _, err := open(t, s, ollama.Config{}).Generate(t.Context(), "x", llm.Options{}, nil); !errors.As(err, &again) {
		t.Errorf("%v", err)
	}
}

func ignore(llm.Token) error { return nil }

// TestRepetition: HTTP 200 and a last object that is not the last.
func TestRepetition(t *testing.T) {
	s := start(t, &stub{generate: word(" A") + strings.Repeat(word(" B"), 30)})
	_, err := open(t, s, ollama.Config{}).Generate(t.Context(), "x", llm.Options{}, ignore)
	var again *llm.RepetitionError
	if !errors.As(err, &again) || again.Tokens != 31 || again.Text != " A"+strings.Repeat(" B", 30) {
		t.Errorf("%v", err)
	}
}

func TestNoAnswer(t *testing.T) {
	var gone *llm.UnreachableError
	for what, body := range map[string]string{
		"cut off":              word(" A") + `{"model": "tiny", "respo` + cut,
		"the stream ends":      word(" A") + word(" B"),
		"nothing comes":        "",
		"the model's process":  word(" A") + `{"error": "an error was encountered while running the model: CUDA error"}` + "\n",
		"unloaded":             done("unload", 0, 0),
		"loaded, not answered": done("load", 0, 0),
	} {
		b := open(t, start(t, &stub{generate: body}), ollama.Config{})
		if a, err := b.Generate(t.Context(), "x", llm.Options{}, ignore); !errors.As(err, &gone) || a != nil {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
	}
	for what, body := range map[string]string{
		"an error midway": word(" A") + `{"error": "no"}` + "\n",
		"no JSON":         "<html>the prompt</html>\n",
	} {
		b := open(t, start(t, &stub{generate: body}), ollama.Config{})
		if a, err := b.Generate(t.Context(), "x", llm.Options{}, ignore); err == nil || a != nil || errors.As(err, &gone) {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
	}
}

func TestContext(t *testing.T) {
	for version, c := range map[string]struct {
		body   string
		prompt int
	}{
		"0.32.15": {`{"error":"{\"error\":{\"code\":400,\"message\":\"too long\",\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":531,\"n_ctx\":512}}"}`, 531},
		"0.17.4":  {`{"error":"input length exceeds maximum context length"}`, 513},
	} {
		s := start(t, &stub{version: version, status: 400, generate: c.body, embed: c.body})
		b := open(t, s, ollama.Config{Context: 512})
		var over *llm.ContextError
		if _, err := b.Generate(t.Context(), "x", llm.Options{}, nil); !errors.As(err, &over) || over.Prompt != c.prompt || over.Context != 512 {
			t.Errorf("%s: %v", version, err)
		}
	}
}

func TestModel(t *testing.T) {
	s := start(t, &stub{})
	info, err := open(t, s, ollama.Config{Model: "tiny"}).Info(t.Context())
	if err != nil || info.Model != "tiny:latest" || info.Digest != "sha256:abc123" || info.Context != 8192 || info.Score || info.Grammar {
		t.Errorf("%+v, %v", info, err)
	}
	var missing *llm.ModelError
	if _, err := open(t, s, ollama.Config{Model: "othr"}).Info(t.Context()); !errors.As(err, &missing) || missing.Nearest() != "other:7b" || len(missing.Available) != 2 {
		t.Errorf("%v", err)
	}
	s = start(t, &stub{models: `{"name": "far:cloud", "remote_host": "https://models.example:443"}`})
	if _, err := open(t, s, ollama.Config{Model: "far:cloud"}).Info(t.Context()); err == nil || !strings.Contains(err.Error(), "models.example") {
		t.Errorf("a model that sends prompts elsewhere: %v", err)
	}
}

func TestVersion(t *testing.T) {
	for version, good := range map[string]bool{
		"0.6.5": false, "0.12.10": false, "0.12.11": true, "0.17.4": true, "0.30.0": true, "0.32.15-rc1": true, "1.0.0": true, " ": false, "dev": false,
	} {
		_, err := open(t, start(t, &stub{version: version}), ollama.Config{}).Info(t.Context())
		if (err == nil) != good {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// TestUnsupported: each refusal names a remedy.
func TestUnsupported(t *testing.T) {
	b := open(t, start(t, &stub{}), ollama.Config{})
	generate := func(prompt string, opt llm.Options) error {
		_, err := b.Generate(t.Context(), prompt, opt, nil)
		return err
	}
	_, score := b.Score(t.Context(), "x", []string{"y"})
	_, embed := b.Embed(t.Context(), []string{"x"}, llm.PoolMean)
	embedder := open(t, start(t, &stub{info: `"general.architecture": "gemma2", "gemma2.pooling_type": 1`}), ollama.Config{})
	_, generates := embedder.Generate(t.Context(), "x", llm.Options{}, nil)
	off := open(t, start(t, &stub{version: "0.17.4", status: 501, embed: `{"error": "this model does not support embeddings"}`}), ollama.Config{})
	_, none := off.Embed(t.Context(), []string{"x"}, llm.PoolLast)
	for what, err := range map[string]error{
		"an empty prompt":              generate("", llm.Options{}),
		"a grammar":                    generate("x", llm.Options{Grammar: "root ::= x"}),
		"21 alternatives":              generate("x", llm.Options{TopLogprobs: 21}),
		"a score":                      score,
		"embedding":                    embed,
		"generating with a pooling":    generates,
		"embedding with the 501 of it": none,
	} {
		var no *llm.UnsupportedError
		if !errors.As(err, &no) || no.Remedy == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestEmbed(t *testing.T) {
	for _, c := range []struct {
		version, info string
		want          []llm.Pooling
	}{
		{"0.17.4", `"general.architecture": "gemma2"`, []llm.Pooling{llm.PoolLast}},
		{"0.17.4", `"general.architecture": "gemma2", "gemma2.pooling_type": 1`, []llm.Pooling{llm.PoolLast}}, // it ignores the key
		{"0.32.15", `"general.architecture": "gemma2"`, nil},
		{"0.32.15", `"general.architecture": "gemma2", "gemma2.pooling_type": 1`, []llm.Pooling{llm.PoolMean}},
		{"0.32.15", `"general.architecture": "gemma2", "gemma2.pooling_type": 3`, []llm.Pooling{llm.PoolLast}},
	} {
		b := open(t, start(t, &stub{version: c.version, info: c.info, embed: `{"embeddings": [[3, 4], [0, 2]]}`}), ollama.Config{})
		info, err := b.Info(t.Context())
		if err != nil || !slices.Equal(info.Pooling, c.want) {
			t.Errorf("%s, %s: %+v, %v, expected %v", c.version, c.info, info, err, c.want)
			continue
		}
		if c.want == nil {
			continue
		}
		got, err := b.Embed(t.Context(), []string{"x", "y"}, c.want[0])
		if err != nil || len(got) != 2 || got[0][0] != 0.6 || got[0][1] != 0.8 {
			t.Errorf("%s: %v, %v", c.version, got, err)
		}
		if _, err := b.Embed(t.Context(), []string{"x"}, c.want[0]); err == nil {
			t.Error("two vectors of one text were taken")
		}
	}
}

// TestGone: a model that was deleted during a run is named beside those that are left.
func TestGone(t *testing.T) {
	s := start(t, &stub{status: 404, generate: `{"error": "model 'tiny:latest' not found"}`})
	b := open(t, s, ollama.Config{})
	if _, err := b.Info(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.models = `{"name": "other:7b", "digest": "def"}`
	var missing *llm.ModelError
	if _, err := b.Generate(t.Context(), "x", llm.Options{}, nil); !errors.As(err, &missing) || len(missing.Available) != 1 {
		t.Errorf("%v", err)
	}
}
