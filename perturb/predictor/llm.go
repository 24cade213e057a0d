package predictor

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/perturb"
)

// LLMConfig says how a language model is asked. Vocabulary must be given.
type LLMConfig struct {
	// WordingConfig is how it is asked. TopK may be 0: 200, as C2S models were trained; 32
	// for a model that carries its own prompts, which is the demo model.
	WordingConfig
	// Vocabulary is the genes that there are, by which answers are read.
	Vocabulary *cellsentence.Vocabulary
	// Options are how answers are drawn. Seed is not used: that of the request and the
	// cell's row give it, and not the perturbation, so that two perturbations of a cell
	// are drawn with the same luck. MaxTokens 0 is ample: 8 a gene.
	Options llm.Options
	// Jobs is how many requests a Predict has at a time (0: the slots of the backend).
	Jobs int
}

// LLM asks a language model.
type LLM struct {
	b      llm.Backend
	cfg    LLMConfig
	info   perturb.Info
	words  *Wording
	parser *prompt.GeneParser
}

// NewLLM returns a predictor that asks a backend, such as one with a journal in front.
func NewLLM(ctx context.Context, b llm.Backend, cfg LLMConfig) (*LLM, error) {
	model, err := b.Info(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.TopK < 0 || cfg.Jobs < 0:
		return nil, errors.New("the numbers of genes and of requests cannot be negative")
	case cfg.Vocabulary == nil:
		return nil, errors.New("a vocabulary is needed to read the answers")
	}
	if cfg.TopK == 0 {
		if cfg.TopK = 200; len(model.Prompts) > 0 {
			cfg.TopK = 32
		}
	}
	if cfg.Options.MaxTokens == 0 {
		// A gene has 3.4 tokens with the tokenizers of the C2S models; twice that is ample.
		cfg.Options.MaxTokens = 8*cfg.TopK + 16
	}
	cfg.Options.Seed = 0
	if err := cfg.Options.Check(); err != nil {
		return nil, err
	}
	if cfg.Jobs == 0 {
		cfg.Jobs = max(1, model.Slots)
	}
	p := &LLM{b: b, cfg: cfg}
	if p.words, err = NewWording(model, cfg.WordingConfig); err != nil {
		return nil, err
	}
	if p.parser, err = prompt.NewGeneParser(cfg.Vocabulary, prompt.GeneConfig{Repeats: prompt.RepeatsFirst}); err != nil {
		return nil, err
	}
	p.info = perturb.Info{Name: "llm", Model: model.Model, Notice: model.Notice, Sentences: true}
	p.info.Digest, err = p.digest(model)
	return p, err
}

// digest is a hash of what decides the answers, beside the requests.
func (p *LLM) digest(model *llm.Info) (string, error) {
	hash := sha256.New()
	err := json.NewEncoder(hash).Encode([]any{
		"llm", model.Model, model.Digest, p.words.Fingerprints(), p.cfg.TopK, p.cfg.Options, p.words.cfg.Vehicle, p.words.cfg.UnknownContext, p.cfg.Seed,
	})
	for word := range p.cfg.Vocabulary.All() {
		hash.Write([]byte(word + "\n")) // a hash takes everything
	}
	return hex.EncodeToString(hash.Sum(nil)), err
}

// Info implements perturb.Predictor.
func (p *LLM) Info() perturb.Info { return p.info }

// TopK is the number of genes shown and asked for.
func (p *LLM) TopK() int { return p.cfg.TopK }

// Warning is that of the wording.
func (p *LLM) Warning() string { return p.words.Warning }

// Predict asks about each cell. A cell without a gene is not asked about: its answer
// is empty and not valid.
func (p *LLM) Predict(ctx context.Context, r perturb.Request) (perturb.Response, error) {
	ask, err := p.words.Ask(&r)
	if err != nil {
		return perturb.Response{}, err
	}
	out := perturb.Response{Cells: make([]perturb.Predicted, 0, len(r.Cells))}
	for a, err := range batch.Map(ctx, min(p.cfg.Jobs, max(1, len(r.Cells))), slices.Values(r.Cells), func(ctx context.Context, c perturb.Cell) (asked, error) {
		a, err := p.ask(ctx, ask, &c, r.Seed)
		if err != nil {
			err = fmt.Errorf("cell %d, %s: %w", c.Row, cmp.Or(Label(r.Perturbation), p.words.cfg.Vehicle), err)
		}
		return a, err
	}) {
		if err != nil {
			return perturb.Response{}, err
		}
		out.Cells = append(out.Cells, a.Predicted)
		out.PromptTokens += a.prompt
		out.CachedTokens += a.cached
		out.AnswerTokens += a.answer
	}
	return out, nil
}

// asked is an answer with its costs.
type asked struct {
	perturb.Predicted
	prompt, cached, answer int
}

// ask asks about a cell.
func (p *LLM) ask(ctx context.Context, q *Question, c *perturb.Cell, seed uint64) (out asked, err error) {
	if len(c.Genes) == 0 {
		return out, nil
	}
	text, err := q.Prompt(c.Row, strings.Join(c.Genes, " "))
	if err != nil {
		return out, err
	}
	opt := p.cfg.Options
	opt.Seed = draw(seed, c.Row)
	answer, err := p.b.Generate(ctx, text, opt, nil)
	if broken, ok := errors.AsType[*llm.RepetitionError](err); ok {
		out.Answer = broken.Error() // kept and flagged, as any answer that is none
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.prompt, out.cached, out.answer = answer.PromptTokens, answer.CachedTokens, answer.AnswerTokens
	out.Answer = answer.Text
	found := p.parser.Parse(answer.Text)
	n := found.Counts
	out.Genes = found.Genes[:min(len(found.Genes), p.cfg.TopK)]
	out.Flags = perturb.Flags{
		Words: n.Words - n.Marks, Unknown: n.Unknown + n.TooMany, Repeats: n.Repeated, Stop: string(answer.Stop),
		Copy: slices.Equal(out.Genes, c.Genes[:min(len(c.Genes), p.cfg.TopK)]),
	}
	out.Flags.Valid = n.Genes > 0 && answer.Stop == llm.StopEnd && 10*out.Flags.Unknown <= out.Flags.Words && 5*n.Repeated <= out.Flags.Words
	return out, nil
}

// draw is the seed of an answer, cut to the 31 bits that every server takes.
func draw(seed uint64, row int) uint64 {
	return rand.NewPCG(seed, uint64(row)).Uint64() >> 33
}
