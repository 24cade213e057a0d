package ollama

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ollama/ollama/api"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/answer"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// maxTop is the server's limit.
const maxTop = 20

// repeats is how many equal tokens in a row make Ollama break off.
const repeats = 30

// options are those of a request, all of them: what is missing would be the model's
// own or the server's default.
func (b *Backend) options(s *server, opt *llm.Options) map[string]any {
	o := map[string]any{
		"temperature": opt.Temperature, "top_k": opt.TopK, "top_p": opt.TopP, "min_p": opt.MinP, "seed": seed(opt.Seed),
		"repeat_penalty": 1.0, "repeat_last_n": 0, "presence_penalty": 0.0, "frequency_penalty": 0.0, "typical_p": 1.0,
		"num_keep": 0, "num_ctx": s.context,
		// 0 would mean "no limit", as -1 does; -2 once filled the context.
		"num_predict": -1,
		// Stop strings are found here: the server does not tell an answer that ended
		// from one that was stopped. None must come from the model's file.
		"stop": []string{},
	}
	if opt.TopP == 0 {
		o["top_p"] = 1.0
	}
	if opt.MaxTokens > 0 {
		o["num_predict"] = opt.MaxTokens
	}
	if b.cfg.Threads > 0 {
		o["num_thread"] = b.cfg.Threads
	}
	return o
}

// seed folds a seed to 31 bits: −1 and, in llama-server, the largest number of 32 bits
// mean a random one.
func seed(s uint64) int { return int((s ^ s>>31 ^ s>>62) & 0x7fffffff) }

// afterwards is the number of tokens that are still read after a stop string.
const afterwards = 256

// Generate implements [llm.Backend].
//
// A streamed request that is closed before its end can cost the server a slot for
// good, its only one by default: the token that is just being passed on then waits
// for ever for somebody to take it (seen in 0.17.4 and, after 50 closed requests of a
// model of 2 M parameters, in 0.32.15). So nothing is streamed that nobody watches, and
// after a stop string what the model still says is read, up to 256 tokens. Give
// MaxTokens with a stop string. What remains is a request with onToken that is
// cancelled.
func (b *Backend) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if err := opt.Check(); err != nil {
		return nil, err
	}
	switch {
	case opt.Grammar != "":
		return nil, &llm.UnsupportedError{What: "a grammar on Ollama", Remedy: "use llama-server (llamacpp://), which knows grammars"}
	case opt.TopLogprobs > maxTop:
		return nil, &llm.UnsupportedError{What: fmt.Sprintf("listing %d alternatives", opt.TopLogprobs), Remedy: fmt.Sprintf("ask for at most %d", maxTop)}
	case prompt == "":
		// It would load the model and answer nothing.
		return nil, &llm.UnsupportedError{What: "an empty prompt on Ollama", Remedy: "give the model something to continue"}
	}
	s, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	if s.embeds {
		return nil, &llm.UnsupportedError{What: s.model + " is for embedding: generating", Remedy: "import the model a second time, without a pooling"}
	}
	no := false
	// The library reads lines of 8 MB at most: a whole answer with alternatives may have
	// more.
	streamed := onToken != nil || len(opt.Stop) > 0 || opt.TopLogprobs > 0
	req := &api.GenerateRequest{
		Model: s.model, Prompt: prompt, Raw: true, Stream: &streamed, Truncate: &no, Shift: &no,
		Logprobs: true, TopLogprobs: opt.TopLogprobs, Options: b.options(s, &opt),
	}
	g := &stream{b: b, out: answer.Builder{Stops: opt.Stop, OnToken: onToken}}
	err = b.work(ctx, []string{prompt}, func(ctx context.Context) error {
		err := b.api.Generate(ctx, req, func(r api.GenerateResponse) error {
			// What has arrived already would else be worked off first.
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !streamed {
				return g.whole(r)
			}
			return g.part(r)
		})
		if errors.Is(err, endpoint.ErrStop) {
			return nil
		}
		// Others of ours must not be taken for the server's.
		if g.err != nil {
			return nil
		}
		return err
	})
	if g.err != nil {
		return nil, g.err
	}
	if err != nil && (!g.found || ctx.Err() != nil) {
		if over, ok := errors.AsType[*llm.ContextError](err); ok {
			return nil, over
		}
		if e := tooLong(err, s.context); e != nil {
			return nil, e
		}
		return nil, err
	}
	a, err := g.finish()
	if err != nil {
		return nil, err
	}
	llm.Tally(ctx, a.PromptTokens+a.AnswerTokens) // it does not tell what it still knew
	return a, nil
}

// tooLong recognises what the old generation says of a prompt that does not fit. It
// does not say how long the prompt was: the sizes are the smallest that can be.
func tooLong(err error, context int) error {
	var status *endpoint.StatusError
	if !errors.As(err, &status) || status.Status != 400 {
		return nil
	}
	low := strings.ToLower(status.Message)
	if strings.Contains(low, "exceeds maximum context length") || strings.Contains(low, "exceeds the context length") || strings.Contains(low, "longer than the context") {
		return &llm.ContextError{Prompt: context + 1, Context: context}
	}
	return nil
}

// stream is an answer in the making.
type stream struct {
	b       *Backend
	out     answer.Builder
	last    *api.GenerateResponse // the last object, if it says that it is the last
	found   bool                  // a stop string
	after   int                   // tokens since then
	parts   int
	word    string // the last part, and how often in a row it has come
	times   int
	unknown bool  // a part had not exactly one log-probability
	err     error // ours, to be returned as it is
}

func (g *stream) part(r api.GenerateResponse) error {
	if r.Done {
		g.last = &r
	}
	if r.Response == "" {
		return nil
	}
	if g.found {
		if g.after++; g.after > afterwards {
			return endpoint.ErrStop
		}
		return nil
	}
	t := llm.Token{ID: -1}
	// A character of several tokens comes as one part, with one of them or all.
	if len(r.Logprobs) == 1 && sameText(&r.Logprobs[0], r.Response) {
		t.Logprob = r.Logprobs[0].Logprob
		for _, alt := range r.Logprobs[0].TopLogprobs {
			t.Top = append(t.Top, llm.Token{ID: -1, Text: strings.ToValidUTF8(alt.Token, "\uFFFD"), Logprob: alt.Logprob})
		}
	} else {
		g.unknown, t.Logprob = true, nan
	}
	return g.add(t, r.Response)
}

func (g *stream) add(t llm.Token, text string) error {
	g.parts++
	if word := strings.TrimSpace(text); word == g.word {
		g.times++
	} else {
		g.word, g.times = word, 1
	}
	g.found, g.err = g.out.Add(t, text)
	return g.err
}

// whole takes an answer that was not streamed.
func (g *stream) whole(r api.GenerateResponse) error {
	if r.Done {
		g.last = &r
	}
	var text strings.Builder
	for i := range r.Logprobs {
		text.WriteString(r.Logprobs[i].Token)
	}
	if text.String() == r.Response {
		for _, p := range r.Logprobs {
			if err := g.add(llm.Token{ID: -1, Logprob: p.Logprob}, p.Token); err != nil {
				return err
			}
		}
	} else {
		g.unknown = true
		if err := g.add(llm.Token{ID: -1, Logprob: nan}, r.Response); err != nil {
			return err
		}
	}
	if !r.Done {
		g.times = repeats // nothing else ends a whole answer like this
	}
	return nil
}

// sameText says that a log-probability is that of the whole text.
func sameText(p *api.Logprob, text string) bool {
	if p.Token == text {
		return true
	}
	return len(p.Bytes) > 0 && slices.EqualFunc([]byte(text), p.Bytes, func(a byte, b int) bool { return int(a) == b })
}

func (g *stream) finish() (*llm.Answer, error) {
	a := &llm.Answer{AnswerTokens: g.parts}
	switch {
	case g.found:
		a.Stop = llm.StopString
		if g.last != nil {
			a.PromptTokens = g.last.PromptEvalCount
		}
	case g.last == nil && g.times >= repeats:
		// HTTP 200, and no last object: the model repeats itself.
		return nil, &llm.RepetitionError{Tokens: g.parts, Text: g.out.Text()}
	case g.last == nil:
		return nil, g.b.e.Unreachable(errors.New("the answer broke off"))
	default:
		if err := g.out.Finish(); err != nil {
			return nil, err
		}
		switch g.last.DoneReason {
		case "stop":
			a.Stop = llm.StopEnd
		case "length":
			a.Stop = llm.StopLimit
		default: // "load", "unload": no answer at all
			return nil, g.b.e.Unreachable(fmt.Errorf("the answer ended by %q", g.last.DoneReason))
		}
		a.PromptTokens = g.last.PromptEvalCount
		a.AnswerTokens = g.last.EvalCount
		if a.Stop == llm.StopEnd && a.AnswerTokens > 0 {
			a.AnswerTokens-- // it counts the end of text
		}
		if a.AnswerTokens != g.parts {
			g.unknown = true
		}
	}
	a.Text = g.out.Text()
	if !g.unknown {
		a.Tokens = g.out.Tokens()
	}
	return a, nil
}
