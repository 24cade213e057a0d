package task

import (
	"context"

	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm"
)

// EmbedConfig says how cells are embedded.
type EmbedConfig struct {
	// Templates are the words of the prompt, see [Wording]: C2S-Scale embeds the prompt
	// that asks for the cell's type.
	Templates *prompt.Templates
	// TopK is the number of genes in the prompt.
	TopK int
	// Organism goes into prompts that have a place for it ("": Homo sapiens).
	Organism string
	// Seed keys the choice of templates.
	Seed uint64
	// Pooling makes one vector of the states at the tokens ("": mean).
	Pooling llm.Pooling
}

// Embedder gives cells their place in the model's space.
type Embedder struct {
	b      llm.Backend
	cfg    EmbedConfig
	format *prompt.Formatter
}

// NewEmbedder returns an embedder.
func NewEmbedder(b llm.Backend, cfg EmbedConfig) (*Embedder, error) {
	if cfg.Organism == "" {
		cfg.Organism = "Homo sapiens"
	}
	if cfg.Pooling == "" {
		cfg.Pooling = llm.PoolMean
	}
	f, err := prompt.NewFormatter(cfg.Templates, prompt.Config{TopK: cfg.TopK, Seed: cfg.Seed})
	return &Embedder{b, cfg, f}, err
}

// Embed gives a vector of length one, or nil for a cell without a gene: no model can be
// asked about it.
func (e *Embedder) Embed(ctx context.Context, c Cell) ([]float32, error) {
	if empty(c) {
		return nil, nil
	}
	p, err := e.format.Prompt(prompt.Sample{Row: c.Row, Values: values(e.cfg.Organism, c)})
	if err != nil {
		return nil, at(c, err)
	}
	v, err := e.b.Embed(ctx, []string{p.Input}, e.cfg.Pooling)
	if err != nil {
		return nil, at(c, err)
	}
	return v[0], nil
}
