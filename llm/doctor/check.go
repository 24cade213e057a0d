package doctor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/cellsentence/c2s/llm"
)

// Probe is one thing that a live backend was tried for.
type Probe struct {
	Name string `json:"name"`
	// State is "yes", "no" where the backend says itself that it cannot, and "wrong"
	// where it does not do what it promises.
	State  string `json:"state"`
	Detail string `json:"detail"`
}

// Good reports whether nothing is wrong.
func Good(list []Probe) bool {
	for _, p := range list {
		if p.State == "wrong" {
			return false
		}
	}
	return true
}

// checker tries a backend.
type checker struct {
	ctx    context.Context
	b      llm.Backend
	info   *llm.Info
	prompt string
	answer *llm.Answer
	list   []Probe
}

// Check tries what a backend can do with a prompt that its model understands: that
// greedy answers repeat, that stop strings and limits hold, that scores agree with
// answers, whether a beginning that two prompts share is read once, that vectors have length one, and that a prompt beyond the context is
// refused rather than cut. The error is that of a backend that cannot be asked.
func Check(ctx context.Context, b llm.Backend, prompt string) ([]Probe, error) {
	info, err := b.Info(ctx)
	if err != nil {
		return nil, err
	}
	c := &checker{ctx: ctx, b: b, info: info, prompt: prompt}
	for _, step := range []func() error{c.answers, c.stops, c.limits, c.scores, c.prefixes, c.embeds, c.refuses} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c.list, nil
}

func (c *checker) note(name string, good bool, format string, args ...any) {
	state := "yes"
	if !good {
		state = "wrong"
	}
	c.list = append(c.list, Probe{name, state, fmt.Sprintf(format, args...)})
}

func (c *checker) cannot(name, why string) { c.list = append(c.list, Probe{name, "no", why}) }

func (c *checker) generate(opt llm.Options) (*llm.Answer, error) {
	return c.b.Generate(c.ctx, c.prompt, opt, nil)
}

func (c *checker) answers() (err error) {
	if c.answer, err = c.generate(llm.Options{MaxTokens: 16}); err != nil {
		return err
	}
	c.note("answers", c.answer.AnswerTokens > 0, "%q, %d tokens of prompt", c.answer.Text, c.answer.PromptTokens)
	again, err := c.generate(llm.Options{MaxTokens: 16})
	if err != nil {
		return err
	}
	switch same := again.Text == c.answer.Text; {
	case !c.info.Repeats:
		c.cannot("repeats", "the backend does not promise to")
	default:
		c.note("repeats", same, "the most probable answer, asked for twice")
	}
	if !c.info.Logprobs {
		c.cannot("log-probabilities", "the backend does not tell them")
		return nil
	}
	bad := len(c.answer.Tokens) == 0
	for _, t := range c.answer.Tokens {
		bad = bad || !(t.Logprob <= 0) || math.IsInf(t.Logprob, 0)
	}
	c.note("log-probabilities", !bad, "of %d tokens", len(c.answer.Tokens))
	return nil
}

func (c *checker) stops() error {
	text := strings.TrimSpace(c.answer.Text)
	if len(text) < 2 {
		c.cannot("stop strings", "the answer is too short to try")
		return nil
	}
	stop := text[len(text)/2:][:1]
	cut, err := c.generate(llm.Options{MaxTokens: 16, Stop: []string{stop}})
	if err != nil {
		return err
	}
	before, _, _ := strings.Cut(c.answer.Text, stop)
	c.note("stop strings", cut.Text == before && cut.Stop == llm.StopString, "%q ends it as %q", stop, cut.Text)
	return nil
}

func (c *checker) limits() error {
	one, err := c.generate(llm.Options{MaxTokens: 1})
	if err != nil {
		return err
	}
	c.note("limits", one.AnswerTokens <= 1, "one token asked for, %d came", one.AnswerTokens)
	return nil
}

// prefixes asks two prompts with one beginning in turn.
func (c *checker) prefixes() error {
	var second *llm.Answer
	for _, end := range []string{" A", " B"} {
		var err error
		if second, err = c.b.Generate(c.ctx, c.prompt+end, llm.Options{MaxTokens: 1}, nil); err != nil {
			return err
		}
	}
	if 2*second.CachedTokens < second.PromptTokens {
		c.cannot("shared beginnings", fmt.Sprintf("%d of %d tokens were kept of a prompt that began as the one before: a screen reads every cell again for every compound. llama-server keeps them with --swa-full where a model has a sliding window, as Gemma-2 has",
			second.CachedTokens, second.PromptTokens))
		return nil
	}
	c.note("shared beginnings", true, "%d of %d tokens were kept of a prompt that began as the one before", second.CachedTokens, second.PromptTokens)
	return nil
}

func (c *checker) scores() error {
	if !c.info.Score {
		c.cannot("scores", "the backend cannot score labels exactly")
		return nil
	}
	s, err := c.b.Score(c.ctx, c.prompt, []string{c.answer.Text, " no such answer."})
	if err != nil {
		return err
	}
	if c.answer.Stop != llm.StopEnd || c.answer.EndLogprob == nil || len(c.answer.Tokens) == 0 {
		c.note("scores", s[0].Logprob > s[1].Logprob, "%.3f for the answer, %.3f for another", s[0].Logprob, s[1].Logprob)
		return nil
	}
	sum := *c.answer.EndLogprob
	for _, t := range c.answer.Tokens {
		sum += t.Logprob
	}
	c.note("scores", math.Abs(sum-s[0].Logprob) < 0.01, "%.4f scored, %.4f generated", s[0].Logprob, sum)
	return nil
}

func (c *checker) embeds() error {
	if len(c.info.Pooling) == 0 {
		c.cannot("embeddings", "the backend gives none")
		return nil
	}
	v, err := c.b.Embed(c.ctx, []string{c.prompt}, c.info.Pooling[0])
	if err != nil {
		return err
	}
	sum := 0.0
	for _, x := range v[0] {
		sum += float64(x) * float64(x)
	}
	c.note("embeddings", math.Abs(sum-1) < 1e-3, "%s of %d dimensions, length %.4f", c.info.Pooling[0], len(v[0]), math.Sqrt(sum))
	return nil
}

// refuses sends more words than the context has tokens.
func (c *checker) refuses() error {
	if c.info.Context == 0 {
		c.cannot("long prompts", "the backend does not tell its context")
		return nil
	}
	_, err := c.b.Generate(c.ctx, strings.Repeat("GENE ", c.info.Context+8), llm.Options{MaxTokens: 1}, nil)
	var long *llm.ContextError
	switch {
	case errors.As(err, &long):
		c.note("long prompts", true, "refused: %v", err)
	case err != nil:
		return err
	default:
		c.note("long prompts", false, "one beyond the context of %d tokens was cut without a word", c.info.Context)
	}
	return nil
}
