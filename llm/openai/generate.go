package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/answer"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// maxTop is OpenAI's own limit; vLLM's is 20 unless it is told otherwise.
const maxTop = 5

// request is what /completions is sent. Everything is named: vLLM takes defaults from
// the model's generation_config.json, where Gemma-2 has a top-k of 64, and the
// protocol's own default is 16 tokens.
type request struct {
	Model       string     `json:"model"`
	Prompt      any        `json:"prompt"` // a text, or token ids
	Stream      bool       `json:"stream"`
	Options     *streaming `json:"stream_options,omitempty"`
	MaxTokens   *int       `json:"max_tokens"` // null: no limit, for vLLM and llama-server
	Temperature float64    `json:"temperature"`
	TopP        float64    `json:"top_p"`
	TopK        int        `json:"top_k"` // −1: all
	MinP        float64    `json:"min_p"`
	Seed        int        `json:"seed"`
	N           int        `json:"n"`
	Echo        bool       `json:"echo"`
	Logprobs    int        `json:"logprobs"`
	Stop        []string   `json:"stop"` // none: they are found here
	Presence    float64    `json:"presence_penalty"`
	Frequency   float64    `json:"frequency_penalty"`
	Repetition  float64    `json:"repetition_penalty"` // vLLM
	Repeat      float64    `json:"repeat_penalty"`     // llama-server, LM Studio
	IDs         bool       `json:"return_tokens_as_token_ids,omitempty"`
}

type streaming struct {
	Usage bool `json:"include_usage"`
	// Continuous counts, so that an answer ended by a stop string has them: vLLM.
	Continuous bool `json:"continuous_usage_stats"`
}

// event is a part of an answer.
type event struct {
	Choices []choice `json:"choices"`
	Usage   *struct {
		Prompt  int `json:"prompt_tokens"`
		Answer  int `json:"completion_tokens"`
		Details struct {
			Cached int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

type choice struct {
	Index    int       `json:"index"`
	Text     string    `json:"text"`
	Finish   string    `json:"finish_reason"`
	Logprobs *logprobs `json:"logprobs"`
}

// logprobs come in OpenAI's old form, or in llama-server's, which is that of chats.
type logprobs struct {
	Tokens   []string             `json:"tokens"`
	Logprobs []*float64           `json:"token_logprobs"`
	Top      []map[string]float64 `json:"top_logprobs"`
	Content  []struct {
		ID      *int    `json:"id"`
		Token   string  `json:"token"`
		Bytes   []int   `json:"bytes"`
		Logprob float64 `json:"logprob"`
		Top     []struct {
			ID      *int    `json:"id"`
			Token   string  `json:"token"`
			Logprob float64 `json:"logprob"`
		} `json:"top_logprobs"`
	} `json:"content"`
}

// seed folds a seed to 31 bits, which all servers take, and none as "random".
func seed(s uint64) int { return int((s ^ s>>31 ^ s>>62) & 0x7fffffff) }

func (b *Backend) request(s *server, prompt any, opt *llm.Options) *request {
	r := &request{
		Model: s.model, Prompt: prompt, Temperature: opt.Temperature, TopP: opt.TopP, TopK: opt.TopK, MinP: opt.MinP, Seed: seed(opt.Seed),
		N: 1, Logprobs: max(1, opt.TopLogprobs), Stop: []string{}, Repetition: 1, Repeat: 1,
	}
	if r.TopP == 0 {
		r.TopP = 1
	}
	if r.TopK == 0 {
		r.TopK = -1
	}
	if opt.MaxTokens > 0 {
		r.MaxTokens = &opt.MaxTokens
	}
	return r
}

// Generate implements [llm.Backend].
func (b *Backend) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if err := opt.Check(); err != nil {
		return nil, err
	}
	switch {
	case opt.Grammar != "":
		return nil, &llm.UnsupportedError{What: "a grammar on " + b.e.String(), Remedy: "use llama-server's own endpoints (llamacpp://)"}
	case opt.TopLogprobs > maxTop:
		return nil, &llm.UnsupportedError{What: fmt.Sprintf("listing %d alternatives", opt.TopLogprobs), Remedy: fmt.Sprintf("ask for at most %d", maxTop)}
	}
	s, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	req := b.request(s, prompt, &opt)
	req.Stream, req.Options = true, &streaming{Usage: true, Continuous: true}
	a, err := b.stream(ctx, s, req, opt, onToken)
	// vLLM refuses a prompt that fits if the limit of the answer does not.
	var over *llm.ContextError
	if errors.As(err, &over) && over.Prompt < over.Context && opt.MaxTokens > 0 {
		room := over.Context - over.Prompt
		req.MaxTokens = &room
		a, err = b.stream(ctx, s, req, opt, onToken)
	}
	return a, err
}

func (b *Backend) stream(ctx context.Context, s *server, req *request, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	prompt, _ := req.Prompt.(string)
	g := &stream{b: b, s: s, prompt: prompt, listed: opt.TopLogprobs, out: answer.Builder{Stops: opt.Stop, OnToken: onToken}}
	if err := b.e.Events(ctx, "/completions", req, g.event); err != nil {
		return nil, err
	}
	a, err := g.finish()
	if err != nil {
		return nil, err
	}
	llm.Tally(ctx, a.PromptTokens-a.CachedTokens+a.AnswerTokens)
	// A server that has a limit of its own must not pass for the end of the context.
	if a.Stop == llm.StopLimit && opt.MaxTokens == 0 && a.PromptTokens > 0 && a.PromptTokens+a.AnswerTokens+1 < s.context {
		return nil, &llm.UnsupportedError{
			What:   fmt.Sprintf("an answer without a limit (it ended after %d tokens)", a.AnswerTokens),
			Remedy: "give the largest number of tokens with --max-tokens",
		}
	}
	return a, nil
}

// stream is an answer in the making.
type stream struct {
	b       *Backend
	s       *server
	prompt  string
	out     answer.Builder
	listed  int
	parts   int
	empty   *llm.Token // a token without text, which may be the end of text
	unknown bool       // a part had not exactly one log-probability
	found   bool
	why     string
	answer  llm.Answer
	usage   bool
}

func (g *stream) event(data []byte) error {
	var ev event
	if err := json.Unmarshal(data, &ev); err != nil {
		return &endpoint.Error{What: fmt.Sprintf("%s sends what is no event of /completions: %v", g.b.e, err)}
	}
	if len(ev.Error) > 0 && string(ev.Error) != "null" {
		return g.b.e.Refused(http.StatusInternalServerError, string(data), g.prompt)
	}
	if ev.Usage != nil {
		g.usage = true
		g.answer.PromptTokens, g.answer.AnswerTokens, g.answer.CachedTokens = ev.Usage.Prompt, ev.Usage.Answer, ev.Usage.Details.Cached
	}
	for i := range ev.Choices {
		if err := g.choice(&ev.Choices[i]); err != nil {
			return err
		}
	}
	return nil
}

func (g *stream) choice(c *choice) error {
	if c.Finish != "" {
		g.why = c.Finish
	}
	tokens := c.Logprobs.tokens(g.listed)
	if c.Text == "" && len(tokens) == 0 {
		return nil
	}
	if g.empty != nil {
		t := *g.empty
		g.empty = nil
		if err := g.add(t, ""); err != nil {
			return err
		}
	}
	switch {
	case len(tokens) == 1 && c.Text == "":
		g.empty = &tokens[0]
		return nil
	case len(tokens) == 1:
		return g.add(tokens[0], c.Text)
	case len(tokens) > 1:
		// Several tokens at a time, as vLLM sends them when it is busy. The last may be
		// the end of text, which has no text of its own here.
		rest := c.Text
		for i, t := range tokens {
			piece := t.Text
			if i == len(tokens)-1 {
				if rest == "" {
					g.empty = &t
					return nil
				}
				piece = rest
			}
			if len(piece) > len(rest) || rest[:len(piece)] != piece {
				g.unknown = true
				return g.add(llm.Token{ID: -1, Logprob: math.NaN()}, rest)
			}
			rest = rest[len(piece):]
			if err := g.add(t, piece); err != nil {
				return err
			}
		}
		return nil
	default:
		g.unknown = true
		return g.add(llm.Token{ID: -1, Logprob: math.NaN()}, c.Text)
	}
}

func (g *stream) add(t llm.Token, piece string) error {
	g.parts++
	stopped, err := g.out.Add(t, piece)
	if err != nil {
		return err
	}
	if stopped {
		g.found = true
		return endpoint.ErrStop
	}
	return nil
}

func (g *stream) finish() (*llm.Answer, error) {
	a := g.answer
	switch {
	case g.found:
		a.Stop, a.AnswerTokens = llm.StopString, g.parts
	case g.why == "stop":
		a.Stop = llm.StopEnd
		if g.empty != nil {
			a.EndLogprob = &g.empty.Logprob
			g.empty = nil
		}
		if g.usage && a.AnswerTokens > 0 {
			a.AnswerTokens-- // it counts the end of text
		}
	case g.why == "length":
		a.Stop = llm.StopLimit
	case g.why == "":
		return nil, g.b.e.Unreachable(errors.New("the answer broke off"))
	default: // "abort", "content_filter"
		return nil, &endpoint.Error{What: fmt.Sprintf("%s ended the answer by %q", g.b.e, g.why)}
	}
	if !g.found {
		if g.empty != nil {
			if err := g.add(*g.empty, ""); err != nil && !errors.Is(err, endpoint.ErrStop) {
				return nil, err
			}
		}
		if err := g.out.Finish(); err != nil {
			return nil, err
		}
		if !g.usage {
			a.AnswerTokens = g.parts
		}
		if a.AnswerTokens != g.parts {
			g.unknown = true
		}
	}
	a.Text = g.out.Text()
	if !g.unknown {
		a.Tokens = g.out.Tokens()
	}
	return &a, nil
}
