package llamacpp_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/llamacpp"
)

// TestRequest: nothing is left to what the server was started with.
func TestRequest(t *testing.T) {
	s := start(t, &stub{complete: events(token(1, "", 1), end("eos", 1))})
	b := open(t, s, llamacpp.Config{})
	off := map[string]any{
		"repeat_penalty": 1.0, "repeat_last_n": 0.0, "presence_penalty": 0.0, "frequency_penalty": 0.0, "dry_multiplier": 0.0,
		"xtc_probability": 0.0, "typical_p": 1.0, "top_n_sigma": -1.0, "dynatemp_range": 0.0, "mirostat": 0.0, "min_keep": 0.0, "n_keep": 0.0,
		"n_indent": 0.0, "ignore_eos": false, "cache_prompt": true, "return_tokens": true, "post_sampling_probs": false, "n_probs": 1.0,
	}
	for _, c := range []struct {
		opt  llm.Options
		want map[string]any
	}{
		{llm.Options{}, map[string]any{"n_predict": -1.0, "temperature": 0.0, "top_k": 0.0, "top_p": 1.0, "min_p": 0.0, "seed": 0.0}},
		{llm.Options{MaxTokens: 7, Temperature: 1.5, TopK: 3, TopP: 0.5, MinP: 0.25, Seed: 9}, map[string]any{"n_predict": 7.0, "temperature": 1.5, "top_k": 3.0, "top_p": 0.5, "min_p": 0.25, "seed": 9.0}},
		// 4294967295 would be a random seed.
		{llm.Options{Seed: math.MaxUint32}, map[string]any{"seed": float64(math.MaxInt32 - 1)}},
	} {
		if _, err := b.Generate(t.Context(), "ab<eos>", c.opt, nil); err != nil {
			t.Fatal(err)
		}
		got := s.last("/completion")
		for _, want := range []map[string]any{off, c.want} {
			for k, v := range want {
				if got[k] != v {
					t.Errorf("%+v: %s is %v, expected %v", c.opt, k, got[k], v)
				}
			}
		}
		if want := "[top_k top_p min_p temperature]"; fmt.Sprint(got["samplers"]) != want {
			t.Errorf("samplers %v, expected %s", got["samplers"], want)
		}
		// "<eos>" in a prompt is five characters.
		if want := []int{2, 'a', 'b', '<', 'e', 'o', 's', '>'}; !slices.Equal(ints(got["prompt"]), want) {
			t.Errorf("prompt %v, expected %v", got["prompt"], want)
		}
	}
}

func TestStream(t *testing.T) {
	gene := []string{token(10, " AB", 1), token(11, "C", 2)}
	for _, c := range []struct {
		what   string
		events []string
		stop   []string
		want   llm.Answer
		ids    []int
	}{
		{
			"an end", append(gene, token(1, "", 3), end("eos", 3)), nil,
			llm.Answer{Text: " ABC", Stop: llm.StopEnd, AnswerTokens: 2},
			[]int{10, 11},
		},
		{"a limit", append(gene, end("limit", 2)), nil, llm.Answer{Text: " ABC", Stop: llm.StopLimit, AnswerTokens: 2}, []int{10, 11}},
		{"a stop string across tokens", append(gene, token(12, "D", 3), end("eos", 4)), []string{"BC"}, llm.Answer{Text: " A", Stop: llm.StopString, AnswerTokens: 2}, []int{10}},
		{
			// Of the two tokens of "é", the server sends the second only.
			"a character of two tokens",
			[]string{gene[0], token(13, "é", 3), token(1, "", 4), end("eos", 4)},
			nil,
			llm.Answer{Text: " ABé", Stop: llm.StopEnd, AnswerTokens: 3},
			nil,
		},
		{"half a character at the limit", []string{gene[0], end("limit", 2)}, nil, llm.Answer{Text: " AB", Stop: llm.StopLimit, AnswerTokens: 2}, nil},
		{"a token without text", []string{gene[0], token(3, "", 2), gene[1], end("limit", 3)}, nil, llm.Answer{Text: " ABC", Stop: llm.StopLimit, AnswerTokens: 3}, nil},
	} {
		b := open(t, start(t, &stub{complete: events(c.events...)}), llamacpp.Config{})
		var streamed strings.Builder
		a, err := b.Generate(t.Context(), "xxxx", llm.Options{Stop: c.stop}, func(tok llm.Token) error {
			streamed.WriteString(tok.Text)
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		var ids []int
		for _, tok := range a.Tokens {
			ids = append(ids, tok.ID)
		}
		if c.what != "a token without text" && !slices.Equal(ids, c.ids) {
			t.Errorf("%s: tokens %v, expected %v", c.what, ids, c.ids)
		}
		if (a.EndLogprob != nil) != (a.Stop == llm.StopEnd) {
			t.Errorf("%s: the end has %v", c.what, a.EndLogprob)
		}
		if a.Text != c.want.Text || a.Stop != c.want.Stop || a.AnswerTokens != c.want.AnswerTokens || a.PromptTokens != 5 || a.CachedTokens != 3 {
			t.Errorf("%s: %+v, expected %+v", c.what, a, c.want)
		}
		if streamed.String() != a.Text {
			t.Errorf("%s: streamed %q, answered %q", c.what, streamed.String(), a.Text)
		}
	}
}

// TestNoAnswer: half an answer is none.
func TestNoAnswer(t *testing.T) {
	ab := token(10, " AB", 1)
	for what, e := range map[string][]string{
		"the stream ends":    {ab},
		"nothing comes":      {},
		"an error midway":    {ab, `data: {"error":{"code":500,"message":"failed to decode","type":"server_error"}}` + "\n\n"},
		"an old error":       {ab, `error: {"code":500,"message":"failed to decode"}` + "\n\n"},
		"a word not in it":   {ab, end("word", 1)},
		"no log-probability": {`data: {"content": "a", "tokens": [7], "stop": false}` + "\n\n"},
		"no JSON":            {"data: <html>\n\n"},
		"a longer prompt":    {strings.Replace(ab, `"tokens_evaluated": 5`, `"tokens_evaluated": 6`, 1)},
	} {
		b := open(t, start(t, &stub{complete: events(e...)}), llamacpp.Config{})
		if a, err := b.Generate(t.Context(), "xxxx", llm.Options{}, nil); err == nil || a != nil {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	refuse := func(status int, body string) func(http.ResponseWriter, map[string]any) {
		return func(w http.ResponseWriter, r map[string]any) {
			if r["stream"] != true {
				forced(w, r, -1)
				return
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	b := open(t, start(t, &stub{complete: refuse(400, `{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":600,"n_ctx":512}}`)}), llamacpp.Config{})
	var over *llm.ContextError
	if _, err := b.Generate(t.Context(), "x", llm.Options{}, nil); !errors.As(err, &over) || over.Prompt != 600 || over.Context != 512 {
		t.Errorf("%v", err)
	}
	b = open(t, start(t, &stub{complete: refuse(400, `{"error":{"code":400,"message":"Failed to parse grammar","type":"invalid_request_error"}}`)}), llamacpp.Config{})
	var tip interface{ Hint() string }
	if _, err := b.Generate(t.Context(), "x", llm.Options{Grammar: "bad"}, nil); !errors.As(err, &tip) || !strings.Contains(tip.Hint(), "GBNF") {
		t.Errorf("%v", err)
	}
	b = open(t, start(t, &stub{complete: refuse(503, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`)}), llamacpp.Config{})
	var gone *llm.UnreachableError
	if _, err := b.Generate(t.Context(), "x", llm.Options{}, nil); !errors.As(err, &gone) {
		t.Errorf("%v", err)
	}
}

// TestModel: llama-server answers by the model it has, whatever is asked for.
func TestModel(t *testing.T) {
	s := start(t, &stub{})
	for _, name := range []string{"", "tiny", "tiny.gguf", "/models/tiny.gguf"} {
		if _, err := open(t, s, llamacpp.Config{Model: name}).Info(t.Context()); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	var missing *llm.ModelError
	if _, err := open(t, s, llamacpp.Config{Model: "tinny"}).Generate(t.Context(), "x", llm.Options{}, nil); !errors.As(err, &missing) || missing.Nearest() != "tiny" {
		t.Errorf("%v", err)
	}
	other := start(t, &stub{props: `{}`})
	if _, err := open(t, other, llamacpp.Config{}).Info(t.Context()); err == nil {
		t.Error("a server without a model was taken")
	}
}

func TestScore(t *testing.T) {
	s := start(t, &stub{complete: func(w http.ResponseWriter, r map[string]any) {
		forced(w, r, -float64(len(r["prompt"].([]any)))) // by the length of what comes before
	}})
	b := open(t, s, llamacpp.Config{})
	if info, err := b.Info(t.Context()); err != nil || !info.Score || info.Slots != 3 || info.Context != 512 {
		t.Fatalf("%+v, %v", info, err)
	}
	s.requests = nil
	got, err := b.Score(t.Context(), "p", []string{"ab", "a", "ab"})
	if err != nil {
		t.Fatal(err)
	}
	// The prompt has two tokens; "a" and "b" and the end come after 2, 3 and 4.
	want := []llm.Score{{Logprob: -9, Tokens: 3}, {Logprob: -5, Tokens: 2}, {Logprob: -9, Tokens: 3}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, expected %v", got, want)
	}
	asked := 0
	for _, r := range s.requests {
		if r["path"] == "/completion" {
			asked++
		}
	}
	if asked != 4 { // a, b, the end after each
		t.Errorf("%d requests, expected 4", asked)
	}
	var over *llm.ContextError
	if _, err := b.Score(t.Context(), "p", []string{strings.Repeat("a", 511)}); !errors.As(err, &over) {
		t.Errorf("too long: %v", err)
	}
	// A server that does not take the forced token.
	b = open(t, start(t, &stub{complete: func(w http.ResponseWriter, _ map[string]any) {
		fmt.Fprint(w, `{"content": "z", "tokens": [99], "stop": true, "stop_type": "limit", "completion_probabilities": [{"id": 99, "logprob": -1}]}`)
	}}), llamacpp.Config{})
	var no *llm.UnsupportedError
	if _, err := b.Score(t.Context(), "p", []string{"a"}); !errors.As(err, &no) || no.Remedy == "" {
		t.Errorf("%v", err)
	}
	if info, err := b.Info(t.Context()); err != nil || info.Score {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestEmbed: the pooling is found out, and none is made up.
func TestEmbed(t *testing.T) {
	states := func(ids []int) [][]float64 { // a state for each token, by its id
		var rows [][]float64
		for _, id := range ids {
			rows = append(rows, []float64{math.Cos(float64(id)), math.Sin(float64(id)), 1})
		}
		return rows
	}
	last := func(ids []int) [][]float64 { r := states(ids); return r[len(r)-1:] }
	average := func(ids []int) [][]float64 {
		sum := make([]float64, 3)
		for _, row := range states(ids) {
			for i, v := range row {
				sum[i] += v / float64(len(ids))
			}
		}
		return [][]float64{sum}
	}
	// Of [2, 'a']: the mean and the last state, of length one.
	unit := func(v []float64) []float32 {
		n := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
		return []float32{float32(v[0] / n), float32(v[1] / n), float32(v[2] / n)}
	}
	want := map[llm.Pooling][]float32{llm.PoolMean: unit(average([]int{2, 'a'})[0]), llm.PoolLast: unit(last([]int{2, 'a'})[0])}
	for what, c := range map[string]struct {
		embed func([]int) [][]float64
		pools []llm.Pooling
	}{
		"none": {states, []llm.Pooling{llm.PoolMean, llm.PoolLast}},
		"mean": {average, []llm.Pooling{llm.PoolMean}},
		"last": {last, []llm.Pooling{llm.PoolLast}},
		"off":  {nil, nil},
	} {
		b := open(t, start(t, &stub{embed: c.embed}), llamacpp.Config{})
		info, err := b.Info(t.Context())
		if err != nil || !slices.Equal(info.Pooling, c.pools) {
			t.Errorf("%s: %v, %v, expected %v", what, info, err, c.pools)
			continue
		}
		if (info.Advice != "") != (what == "off") {
			t.Errorf("%s: advice %q", what, info.Advice)
		}
		for _, p := range []llm.Pooling{llm.PoolMean, llm.PoolLast} {
			got, err := b.Embed(t.Context(), []string{"a"}, p)
			if !slices.Contains(c.pools, p) {
				var no *llm.UnsupportedError
				if !errors.As(err, &no) || no.Remedy == "" {
					t.Errorf("%s, %s: %v", what, p, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got[0] {
				if math.Abs(float64(v-want[p][i])) > 1e-6 { // a float32 has seven digits
					t.Errorf("%s, %s: %v, expected %v", what, p, got[0], want[p])
					break
				}
			}
		}
	}
}
