package journal

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/cellsentence/c2s/llm"
)

// Backend asks another backend only for what its journal does not hold. It
// implements [llm.Backend].
type Backend struct {
	inner   llm.Backend
	journal *Journal
	info    *llm.Info
	model   string

	known, asked atomic.Int64
}

// Wrap makes a backend of a journal and one that is asked for what the journal does
// not hold. The model is the one that b.Info tells now; b must not change it, as a
// pool does not. A model without a digest is known by its name only: use another
// journal when what is behind the name changes.
func (j *Journal) Wrap(ctx context.Context, b llm.Backend) (*Backend, error) {
	info, err := b.Info(ctx)
	if err != nil {
		return nil, err
	}
	w := &Backend{inner: b, journal: j, info: info, model: info.Digest}
	if w.model == "" {
		w.model = info.Backend + " " + info.Model
	}
	return w, nil
}

// Counts tells how many answers came from the journal, and how many were asked for.
// Each text of Embed counts.
func (b *Backend) Counts() (known, asked int64) { return b.known.Load(), b.asked.Load() }

// Info implements [llm.Backend].
func (b *Backend) Info(ctx context.Context) (*llm.Info, error) { return b.inner.Info(ctx) }

// claim gives what the journal holds under a key, or else the right to ask for it,
// until done is called: of equal requests only one is asked at a time, the others
// wait for what becomes of it.
func (j *Journal) claim(ctx context.Context, k key) (r *row, done func(), err error) {
	for {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		j.flights.Lock()
		other := j.flights.by[k]
		if other == nil {
			mine := make(chan struct{})
			j.flights.by[k] = mine
			j.flights.Unlock()
			done = func() {
				j.flights.Lock()
				delete(j.flights.by, k)
				j.flights.Unlock()
				close(mine)
			}
			r, err := j.find(k)
			if err != nil {
				done()
				return nil, nil, err
			}
			return r, done, nil
		}
		j.flights.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
		}
	}
}

// Generate implements [llm.Backend]. A known answer is given to onToken as well, token
// by token, or in one piece if its tokens are not known.
func (b *Backend) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if err := opt.Check(); err != nil {
		return nil, err
	}
	k, err := generateKey(b.model, prompt, opt)
	if err != nil {
		return nil, err
	}
	r, done, err := b.journal.claim(ctx, k)
	if err != nil {
		return nil, err
	}
	defer done()
	if r != nil {
		a, err := r.answer()
		if err != nil {
			return nil, fail(b.journal.path, err)
		}
		if b.good(a, opt) {
			b.known.Add(1)
			return a, replay(ctx, a, onToken)
		}
	}
	b.asked.Add(1)
	a, err := b.inner.Generate(ctx, prompt, opt, onToken)
	if err != nil {
		return nil, err
	}
	r = &row{key: k, kind: kindGenerate, model: b.model}
	if err := r.encodeAnswer(a); err != nil {
		return nil, err
	}
	if err := b.journal.store(r); err != nil {
		return nil, err
	}
	return a, nil
}

// good reports whether an answer is what this backend would give. One that ended
// because another server's context was full goes on in a larger one, and one without
// log-probabilities says less than a server that tells them.
func (b *Backend) good(a *llm.Answer, opt llm.Options) bool {
	cut := a.Stop == llm.StopLimit && a.AnswerTokens > 0 && (opt.MaxTokens == 0 || a.AnswerTokens < opt.MaxTokens)
	// Servers stop some tokens before a context is full.
	if cut && a.PromptTokens+a.AnswerTokens < b.info.Context-b.info.Context/16 {
		return false
	}
	return !b.info.Logprobs || len(a.Tokens) > 0 || a.AnswerTokens == 0
}

func replay(ctx context.Context, a *llm.Answer, onToken func(llm.Token) error) error {
	if onToken == nil {
		return nil
	}
	tokens := a.Tokens
	if len(tokens) == 0 && a.Text != "" {
		tokens = []llm.Token{{ID: -1, Text: a.Text}}
	}
	for _, t := range tokens {
		if err := onToken(t); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// Score implements [llm.Backend]. The scores of all continuations are one answer.
func (b *Backend) Score(ctx context.Context, prompt string, continuations []string) ([]llm.Score, error) {
	k := scoreKey(b.model, prompt, continuations)
	r, done, err := b.journal.claim(ctx, k)
	if err != nil {
		return nil, err
	}
	defer done()
	if r != nil {
		b.known.Add(1)
		s, err := r.scores(len(continuations))
		return s, fail(b.journal.path, err)
	}
	b.asked.Add(1)
	s, err := b.inner.Score(ctx, prompt, continuations)
	if err != nil {
		return nil, err
	}
	if len(s) != len(continuations) {
		return nil, fmt.Errorf("%d scores of %d continuations", len(s), len(continuations))
	}
	r = &row{key: k, kind: kindScore, model: b.model}
	if err := r.encodeScores(s); err != nil {
		return nil, err
	}
	if err := b.journal.store(r); err != nil {
		return nil, err
	}
	return s, nil
}

// Embed implements [llm.Backend]. Each text is an answer of its own; those that the
// journal does not hold are asked for together.
func (b *Backend) Embed(ctx context.Context, texts []string, pooling llm.Pooling) ([][]float32, error) {
	at := map[key][]int{} // where each text stands
	var keys []key
	for i, text := range texts {
		k := embedKey(b.model, text, pooling)
		if at[k] == nil {
			keys = append(keys, k)
		}
		at[k] = append(at[k], i)
	}
	// Claims are taken in one order by everybody, so that no two wait for each other.
	sorted := slices.SortedFunc(slices.Values(keys), func(a, b key) int { return bytes.Compare(a[:], b[:]) })
	missing := map[key]bool{}
	out := make([][]float32, len(texts))
	for _, k := range sorted {
		r, done, err := b.journal.claim(ctx, k)
		if err != nil {
			return nil, err
		}
		defer done() // all of them are held until the texts are stored
		if r == nil {
			missing[k] = true
			continue
		}
		v, err := r.vector()
		if err != nil {
			return nil, fail(b.journal.path, err)
		}
		for _, i := range at[k] {
			out[i] = slices.Clone(v)
		}
	}
	b.known.Add(int64(len(keys) - len(missing)))
	if len(missing) == 0 {
		if len(texts) == 0 { // the backend decides whether the pooling is one
			return b.inner.Embed(ctx, texts, pooling)
		}
		return out, nil
	}
	keys = slices.DeleteFunc(keys, func(k key) bool { return !missing[k] })
	ask := make([]string, len(keys))
	for i, k := range keys {
		ask[i] = texts[at[k][0]]
	}
	b.asked.Add(int64(len(ask)))
	vectors, err := b.inner.Embed(ctx, ask, pooling)
	if err != nil {
		return nil, err
	}
	if len(vectors) != len(ask) {
		return nil, fmt.Errorf("%d vectors of %d texts", len(vectors), len(ask))
	}
	rows := make([]*row, len(keys))
	for i, k := range keys {
		if len(vectors[i]) == 0 {
			return nil, fmt.Errorf("the vector of text %d is empty", at[k][0]+1)
		}
		rows[i] = &row{key: k, kind: kindEmbed, model: b.model}
		rows[i].encodeVector(vectors[i])
		for n, place := range at[k] {
			out[place] = vectors[i]
			if n > 0 {
				out[place] = slices.Clone(vectors[i])
			}
		}
	}
	if err := b.journal.store(rows...); err != nil {
		return nil, err
	}
	return out, nil
}
