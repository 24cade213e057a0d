// Package llm runs cell-sentence models: it generates text, scores given answers
// and embeds, through any server or none.
//
// Start with [Backend]. Package embedded implements it inside the process,
// packages ollama, llamacpp and openai by talking to servers; package llmtest
// holds the tests that each of them passes.
//
// Prompts are raw completions. No backend adds a chat template, shortens a
// prompt, or leaves a sampling option to a server's default: an answer is what
// the model makes of exactly these bytes under exactly these options, or an error.
package llm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Backend is a model that can be asked. It is safe for concurrent use. All
// methods return soon after ctx is done, with an error that wraps its cause, and
// leave no goroutine and no request behind.
//
// To add a backend: implement the four methods, report in Info only what was
// probed, return [*UnsupportedError] for the rest, and pass llmtest.Run.
type Backend interface {
	// Generate continues a prompt. onToken, if not nil, is called for each token of
	// the answer, in order and from the calling goroutine, as soon as the token's
	// text cannot become part of a stop string any more; its error ends the
	// generation and is returned.
	Generate(ctx context.Context, prompt string, opt Options, onToken func(Token) error) (*Answer, error)

	// Score gives, for each continuation, the log-probability that the model's answer
	// is this text and then the end of text. The end is included so that an
	// answer which is the beginning of another has no advantage; the scores of all
	// possible answers are those of exclusive events. A continuation is split into
	// tokens on its own and usually begins with a blank.
	Score(ctx context.Context, prompt string, continuations []string) ([]Score, error)

	// Embed gives a vector of length one for each text.
	Embed(ctx context.Context, texts []string, pooling Pooling) ([][]float32, error)

	// Info says what the model is and what the backend can do.
	Info(ctx context.Context) (*Info, error)
}

// Options are how an answer is drawn. The zero value is the most probable token
// at each step, until the model ends or the context is full.
type Options struct {
	// MaxTokens is the largest number of tokens of the answer (0: what the context
	// has room for).
	MaxTokens int `json:"max_tokens"`
	// Temperature divides the logits before a token is drawn (0: the most probable
	// token is taken, the lowest id among equals).
	Temperature float64 `json:"temperature"`
	// TopK keeps the k most probable tokens (0: all), TopP then the fewest of them
	// whose probabilities, at temperature 1, reach this sum (0 or 1: all), MinP
	// then those with at least this part of the largest probability (0: all).
	TopK int     `json:"top_k"`
	TopP float64 `json:"top_p"`
	MinP float64 `json:"min_p"`
	// Seed picks the answer: one seed, one answer, for backends that repeat.
	Seed uint64 `json:"seed"`
	// Stop ends the answer in front of the first of these strings.
	Stop []string `json:"stop,omitempty"`
	// TopLogprobs is the number of most probable tokens that are listed with each
	// token of the answer.
	TopLogprobs int `json:"top_logprobs,omitempty"`
	// Grammar restricts the answer, in llama.cpp's GBNF.
	Grammar string `json:"grammar,omitempty"`
}

// Check reports an option that makes no sense, by name.
func (o *Options) Check() error {
	for _, c := range []struct {
		what     string
		v        float64
		from, to float64
	}{
		{"max tokens", float64(o.MaxTokens), 0, math.MaxInt32},
		{"temperature", o.Temperature, 0, 100},
		{"top-k", float64(o.TopK), 0, math.MaxInt32},
		{"top-p", o.TopP, 0, 1},
		{"min-p", o.MinP, 0, 1},
		{"top log-probabilities", float64(o.TopLogprobs), 0, 1000},
	} {
		if !(c.v >= c.from && c.v <= c.to) {
			return fmt.Errorf("%s is %g, not between %g and %g", c.what, c.v, c.from, c.to)
		}
	}
	if slices.Contains(o.Stop, "") {
		return errors.New("a stop string is empty")
	}
	return nil
}

// Token is a token of an answer, or one that might have been.
type Token struct {
	// ID is its number in the model's vocabulary, −1 if the backend does not tell.
	ID int `json:"id"`
	// Text is what it adds to the answer, in valid UTF-8: a token that ends within a
	// character adds nothing, and the one that completes the character adds all
	// of it.
	Text string `json:"text"`
	// Logprob is its natural log-probability at temperature 1 among all tokens,
	// whatever the options cut away.
	Logprob float64 `json:"logprob"`
	// Top lists the most probable tokens at this place, the best first.
	Top []Token `json:"top,omitempty"`
}

// Stop says why an answer ended.
type Stop string

// The reasons.
const (
	StopEnd    Stop = "end"    // the model ended it
	StopString Stop = "string" // a stop string came
	StopLimit  Stop = "limit"  // MaxTokens, or the end of the context
	// StopRepetition is that of no answer: what is kept of a [*RepetitionError].
	StopRepetition Stop = "repetition"
)

// Answer is what a model made of a prompt.
type Answer struct {
	// Text is the answer, without the end of text and without a stop string and what
	// follows it.
	Text string `json:"text"`
	// Tokens are those of Text, empty if the backend does not tell them.
	Tokens []Token `json:"tokens,omitempty"`
	// EndLogprob is the log-probability of the end of text after an answer that
	// ended by it, nil if the backend does not tell.
	EndLogprob *float64 `json:"end_logprob,omitempty"`
	Stop       Stop     `json:"stop"`
	// PromptTokens counts the prompt's tokens, with the beginning of text;
	// CachedTokens those of them that were still known from another prompt;
	// AnswerTokens the tokens that were generated, without the end of text.
	PromptTokens int `json:"prompt_tokens"`
	CachedTokens int `json:"cached_tokens"`
	AnswerTokens int `json:"answer_tokens"`
}

// Score is how probable an answer is.
type Score struct {
	// Logprob is the natural log-probability of the continuation and the end of text.
	Logprob float64 `json:"logprob"`
	// Tokens is their number, the end included.
	Tokens int `json:"tokens"`
}

// Pooling makes one vector of the states that a model has at the tokens of a text,
// after its last norm.
type Pooling string

// The kinds.
const (
	PoolMean Pooling = "mean" // of all tokens
	PoolLast Pooling = "last" // of the last token
)

// Info describes a backend and its model. What it cannot do, it says by zeros.
type Info struct {
	// Backend is the kind: "embedded", "ollama", "llamacpp", "openai". Endpoint is
	// the address, "" inside the process; Version is the server's.
	Backend  string `json:"backend"`
	Endpoint string `json:"endpoint,omitempty"`
	Version  string `json:"version"`
	// Model is its name. Digest tells models of one name apart: "sha256:" and the hash
	// of the file, or what the server has instead.
	Model  string `json:"model"`
	Digest string `json:"digest,omitempty"`
	// Notice must stand on everything that is made with this model.
	Notice string `json:"notice,omitempty"`
	// Advice is what would serve the user better, "" for nothing.
	Advice string `json:"advice,omitempty"`
	// Prompts are the templates that the model was trained on, by task, with fields
	// in braces; nil if it does not carry them.
	Prompts map[string]string `json:"prompts,omitempty"`

	// Context is the number of tokens that a prompt and its answer may have together.
	Context int `json:"context"`
	// Slots is the number of requests that it works on at a time; more wait.
	Slots int `json:"slots"`
	// Logprobs says that tokens have log-probabilities, TopLogprobs how many
	// alternatives each may list.
	Logprobs    bool `json:"logprobs"`
	TopLogprobs int  `json:"top_logprobs"`
	TokenIDs    bool `json:"token_ids"`
	Grammar     bool `json:"grammar"`
	// Score says that Score works and is exact.
	Score   bool      `json:"score"`
	Pooling []Pooling `json:"pooling,omitempty"`
	// Repeats says that one seed gives one answer.
	Repeats bool `json:"repeats"`
}
