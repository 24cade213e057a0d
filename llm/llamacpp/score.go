package llamacpp

import (
	"context"
	"fmt"
	"slices"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// Score implements [llm.Backend]. Each token of a continuation, and then the end of
// text, is forced by a bias that the log-probability, which is that of the bare
// model, does not see. The server still has the state after the tokens before, so
// that each costs one step; what several continuations have in common is asked for
// once.
//
// A grammar with the continuation as its only text would take one request, but lets
// the model choose how to split the text, and answers for the split that it takes.
func (b *Backend) Score(ctx context.Context, prompt string, continuations []string) ([]llm.Score, error) {
	if len(continuations) == 0 {
		return nil, nil
	}
	s, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	p, err := b.probe(ctx, s)
	if err != nil {
		return nil, err
	}
	if !p.score {
		return nil, &llm.UnsupportedError{
			What:   "scoring on " + b.e.String(),
			Remedy: "it needs a llama-server that names the model's end of text and takes a logit bias: update llama.cpp, or convert the model with model import",
		}
	}
	start, err := b.prompt(ctx, prompt)
	if err != nil {
		return nil, err
	}
	known := map[string]float64{} // by the tokens after the prompt, the last being the forced one
	out := make([]llm.Score, len(continuations))
	for i, text := range continuations {
		ids, err := b.tokens(ctx, text, false, false)
		if err != nil {
			return nil, err
		}
		ids = append(ids, p.eos)
		if n := len(start) + len(ids) - 1; n >= s.context {
			return nil, fmt.Errorf("continuation %q: %w", text, &llm.ContextError{Prompt: n, Context: s.context})
		}
		for j, id := range ids {
			key := fmt.Sprint(ids[:j+1])
			logprob, ok := known[key]
			if !ok {
				if logprob, err = b.force(ctx, slices.Concat(start, ids[:j]), id); err != nil {
					return nil, err
				}
				known[key] = logprob
			}
			out[i].Logprob += logprob
		}
		out[i].Tokens = len(ids)
	}
	return out, nil
}

// bias outweighs any logit.
const bias = 1e6

// force gives the log-probability of a token after others.
func (b *Backend) force(ctx context.Context, before []int, id int) (float64, error) {
	req := newRequest(before)
	req.NPredict = 1
	req.LogitBias = [][2]float64{{float64(id), bias}}
	var ev event
	if err := b.e.Post(ctx, "/completion", req, &ev); err != nil {
		return 0, err
	}
	if len(ev.Probs) != 1 || ev.Probs[0].ID != id {
		return 0, &llm.UnsupportedError{What: "forcing a token on " + b.e.String(), Remedy: "update llama.cpp"}
	}
	if ev.Evaluated != 0 && ev.Evaluated > len(before) {
		return 0, &endpoint.Error{What: fmt.Sprintf("%s read %d tokens of a prompt of %d", b.e, ev.Evaluated, len(before))}
	}
	llm.Tally(ctx, max(0, ev.Evaluated-ev.Timings.Cached)+1)
	return ev.Probs[0].Logprob, nil
}
