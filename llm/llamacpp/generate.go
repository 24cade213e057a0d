package llamacpp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/answer"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// request is what /completion is sent. Everything that changes an answer is named:
// the defaults are those with which the server was started.
type request struct {
	Prompt      []int        `json:"prompt"`
	Stream      bool         `json:"stream"`
	NPredict    int          `json:"n_predict"`
	Temperature float64      `json:"temperature"`
	TopK        int          `json:"top_k"`
	TopP        float64      `json:"top_p"`
	MinP        float64      `json:"min_p"`
	Seed        uint32       `json:"seed"`
	Stop        []string     `json:"stop"` // none: they are found here
	Samplers    []string     `json:"samplers"`
	NProbs      int          `json:"n_probs"`
	Grammar     string       `json:"grammar,omitempty"`
	LogitBias   [][2]float64 `json:"logit_bias"`

	// What c2s never uses, switched off.
	RepeatPenalty     float64 `json:"repeat_penalty"`
	RepeatLastN       int     `json:"repeat_last_n"`
	PresencePenalty   float64 `json:"presence_penalty"`
	FrequencyPenalty  float64 `json:"frequency_penalty"`
	DryMultiplier     float64 `json:"dry_multiplier"`
	XTCProbability    float64 `json:"xtc_probability"`
	TypicalP          float64 `json:"typical_p"`
	TopNSigma         float64 `json:"top_n_sigma"`
	DynatempRange     float64 `json:"dynatemp_range"`
	Mirostat          int     `json:"mirostat"`
	MinKeep           int     `json:"min_keep"`
	NKeep             int     `json:"n_keep"`
	NIndent           int     `json:"n_indent"`
	TMaxPredict       int     `json:"t_max_predict_ms"`
	IgnoreEOS         bool    `json:"ignore_eos"`
	CachePrompt       bool    `json:"cache_prompt"`
	ReturnTokens      bool    `json:"return_tokens"`
	PostSamplingProbs bool    `json:"post_sampling_probs"`
	TimingsPerToken   bool    `json:"timings_per_token"`
}

func newRequest(prompt []int) *request {
	return &request{
		Prompt: prompt, TopP: 1, Stop: []string{}, LogitBias: [][2]float64{}, NProbs: 1,
		// Temperature comes last, so that top-p and min-p look at the model's own
		// probabilities, as llm.Options says.
		Samplers:      []string{"top_k", "top_p", "min_p", "temperature"},
		RepeatPenalty: 1, TypicalP: 1, TopNSigma: -1, TMaxPredict: -1,
		CachePrompt: true, ReturnTokens: true, TimingsPerToken: true,
	}
}

// event is one token of a streamed answer, or the end, or the whole answer.
type event struct {
	Content   string `json:"content"`
	Tokens    []int  `json:"tokens"`
	Stop      bool   `json:"stop"`
	StopType  string `json:"stop_type"`
	Predicted int    `json:"tokens_predicted"` // with the end of text
	Evaluated int    `json:"tokens_evaluated"` // tokens of the prompt
	Timings   struct {
		Cached int `json:"cache_n"`
	} `json:"timings"`
	Probs []prob          `json:"completion_probabilities"`
	Error json.RawMessage `json:"error"`
}

type prob struct {
	ID      int     `json:"id"`
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	Top     []prob  `json:"top_logprobs"`
}

// token is without its text, with n alternatives.
func (p *prob) token(n int) llm.Token {
	t := llm.Token{ID: p.ID, Logprob: p.Logprob}
	for _, alt := range p.Top[:min(n, len(p.Top))] {
		t.Top = append(t.Top, llm.Token{ID: alt.ID, Text: alt.Token, Logprob: alt.Logprob})
	}
	return t
}

// seed folds a seed to the 31 bits that the server keeps for itself: of its 32, the
// largest number means a random seed.
func seed(s uint64) uint32 { return uint32((s ^ s>>31 ^ s>>62) & 0x7fffffff) }

// prompt splits a prompt into tokens, with the beginning of text.
func (b *Backend) prompt(ctx context.Context, text string) ([]int, error) {
	ids, err := b.tokens(ctx, text, true, false)
	if err == nil && len(ids) == 0 {
		err = &llm.UnsupportedError{What: "an empty prompt", Remedy: "this model has no beginning of text: give it something to continue"}
	}
	return ids, err
}

// Generate implements [llm.Backend].
func (b *Backend) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if err := opt.Check(); err != nil {
		return nil, err
	}
	if opt.TopLogprobs > maxTop {
		return nil, &llm.UnsupportedError{What: fmt.Sprintf("listing %d alternatives", opt.TopLogprobs), Remedy: fmt.Sprintf("ask for at most %d", maxTop)}
	}
	if _, err := b.server(ctx); err != nil {
		return nil, err
	}
	ids, err := b.prompt(ctx, prompt)
	if err != nil {
		return nil, err
	}
	req := newRequest(ids)
	req.Stream, req.NPredict = true, -1 // it reads 0 as "none", and once did as one
	if opt.MaxTokens > 0 {
		req.NPredict = opt.MaxTokens
	}
	req.Temperature, req.TopK, req.TopP, req.MinP, req.Seed = opt.Temperature, opt.TopK, opt.TopP, opt.MinP, seed(opt.Seed)
	if req.TopP == 0 {
		req.TopP = 1
	}
	req.NProbs, req.Grammar = max(1, opt.TopLogprobs), opt.Grammar

	s := &stream{b: b, prompt: prompt, out: answer.Builder{Stops: opt.Stop, OnToken: onToken}, listed: opt.TopLogprobs}
	s.answer.PromptTokens = len(ids)
	if err := b.e.Events(ctx, "/completion", req, s.event); err != nil {
		return nil, explain(err)
	}
	a, err := s.finish()
	if err != nil {
		return nil, err
	}
	llm.Tally(ctx, a.PromptTokens-a.CachedTokens+a.AnswerTokens)
	return a, nil
}

// explain names the remedy of what a server refuses.
func explain(err error) error {
	var status *endpoint.StatusError
	if errors.As(err, &status) && status.Status == http.StatusBadRequest && strings.Contains(strings.ToLower(status.Message), "grammar") {
		return &endpoint.Error{What: err.Error(), Tip: "a grammar is in llama.cpp's GBNF, with a rule named root"}
	}
	return err
}
