package task

import (
	"context"
	"errors"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm"
)

// GenerateConfig says how cells are generated.
type GenerateConfig struct {
	// Templates are the words of the prompt, see [Wording].
	Templates *prompt.Templates
	// TopK is the number of genes asked for.
	TopK int
	// Organism goes into prompts that have a place for it ("": Homo sapiens).
	Organism string
	// Options are how an answer is drawn. Seed is that of the first cell; each has its
	// own.
	Options llm.Options
	// Vocabulary is the genes that there are, by which answers are read.
	Vocabulary *cellsentence.Vocabulary
}

// Generated is a cell that a model wrote.
type Generated struct {
	// Genes is the sentence, without what is no gene and without repeats.
	Genes []string
	// Unknown and Repeats count words that were left out.
	Unknown, Repeats int
	// Answer is what the model said, Stop why it ended.
	Answer string
	Stop   llm.Stop
	Tokens int
}

// Generator writes cells.
type Generator struct {
	b      llm.Backend
	cfg    GenerateConfig
	format *prompt.Formatter
	parser *prompt.GeneParser
}

// NewGenerator returns a generator.
func NewGenerator(b llm.Backend, cfg GenerateConfig) (*Generator, error) {
	if cfg.Organism == "" {
		cfg.Organism = "Homo sapiens"
	}
	if cfg.Options.MaxTokens == 0 {
		// A gene has 3.4 tokens with the tokenizers of the C2S models; twice that is ample.
		cfg.Options.MaxTokens = 8*cfg.TopK + 16
	}
	g := &Generator{b: b, cfg: cfg}
	var err error
	if g.format, err = prompt.NewFormatter(cfg.Templates, prompt.Config{TopK: cfg.TopK, Seed: cfg.Options.Seed}); err != nil {
		return nil, err
	}
	if cfg.Vocabulary == nil {
		return nil, errors.New("a vocabulary is needed to read the answers")
	}
	g.parser, err = prompt.NewGeneParser(cfg.Vocabulary, prompt.GeneConfig{Repeats: prompt.RepeatsFirst})
	return g, err
}

// Generate writes the row-th cell of a type.
func (g *Generator) Generate(ctx context.Context, row int, cellType string) (Generated, error) {
	var out Generated
	c := Cell{Row: row}
	p, err := g.format.Prompt(prompt.Sample{Row: row, Values: map[string]string{"organism": g.cfg.Organism, "cell_type": cellType}})
	if err != nil {
		return out, at(c, err)
	}
	opt := g.cfg.Options
	opt.Seed += uint64(row)
	answer, err := g.b.Generate(ctx, p.Input, opt, nil)
	if broken, ok := errors.AsType[*llm.RepetitionError](err); ok {
		// Kept and counted, and read like any other: its beginning may be a cell.
		out.Tokens = broken.Tokens
		return out.read(g, broken.Text, llm.StopRepetition), nil
	}
	if err != nil {
		return out, at(c, err)
	}
	out.Tokens = answer.AnswerTokens
	return out.read(g, answer.Text, answer.Stop), nil
}

// read takes an answer apart.
func (out Generated) read(g *Generator, text string, stop llm.Stop) Generated {
	found := g.parser.Parse(text)
	out.Answer, out.Stop = text, stop
	out.Genes, out.Unknown, out.Repeats = found.Genes, found.Counts.Unknown, found.Counts.Repeated
	if len(out.Genes) > g.cfg.TopK {
		out.Genes = out.Genes[:g.cfg.TopK]
	}
	return out
}
