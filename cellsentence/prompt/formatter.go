package prompt

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Config says how prompts are made.
type Config struct {
	// TopK is the number of genes asked for: what {num_genes} says, also where a cell
	// has fewer, and the most genes that are shown of a cell. It must be positive
	// if the templates show sentences or {num_genes}. C2S models were trained on 200.
	TopK int
	// Seed keys the choice of templates.
	Seed uint64
	// Choice is the rule for it.
	Choice Choice
	// Interactions is the table behind {interactions}; nil if the templates have no
	// such field.
	Interactions *Interactions
	// MaxInteractions is the most lines of it that a prompt shows, the first of the
	// table; 0 is all.
	MaxInteractions int
}

// Sample is what a prompt is about.
type Sample struct {
	// Row is the number of the sample, from 0. It gives the template.
	Row int
	// Values are texts by name of field: labels and sentences. Sentences are genes
	// with one blank between them.
	Values map[string]string
	// Cells are the sentences behind {multi_cell_sentences}.
	Cells []string
	// CellTypes are the types of Cells, behind {cell_types}.
	CellTypes []string
}

// Pair is a prompt and the response that a model is trained to give.
type Pair struct {
	SampleType string // name of the task; the column sample_type of the Python package
	Template   int    // which prompt was chosen, from 0
	Input      string // the prompt; the column model_input
	Response   string // the answer; the column response
	// Tokens of either side, estimated: [TokensPerGene] for a gene in a sentence
	// and one for 4 bytes of all other text.
	InputTokens, ResponseTokens int
}

// Formatter makes prompts. It may be used concurrently unless its choice is
// [ChoicePython], which wants rows in order.
type Formatter struct {
	t      *Templates
	cfg    Config
	python pythonPicks
}

// NewFormatter returns a formatter for the templates.
func NewFormatter(t *Templates, cfg Config) (*Formatter, error) {
	f := &Formatter{t: t, cfg: cfg, python: pythonPicks{seed: cfg.Seed}}
	pairs := false
	for _, field := range fields(append(slices.Clip(t.prompts), t.response)...) {
		switch field.kind {
		case kindGeneCount, kindSentence, kindCells, kindInteractions:
			if cfg.TopK <= 0 {
				return nil, fmt.Errorf("prompts of task %s show genes: the number of genes must be positive, not %d", t.task.Name, cfg.TopK)
			}
		}
		pairs = pairs || field.kind == kindInteractions
	}
	switch {
	case pairs && cfg.Interactions == nil:
		return nil, fmt.Errorf("prompts of task %s show interactions: give a table of them", t.task.Name)
	case !pairs && cfg.Interactions != nil:
		return nil, fmt.Errorf("%s: prompts of task %s have no field {interactions} for the table of them; there is a task for either, with and without _interactions", t.file, t.task.Name)
	case cfg.MaxInteractions < 0:
		return nil, fmt.Errorf("the number of interactions must not be negative, not %d", cfg.MaxInteractions)
	case cfg.Choice > ChoicePython:
		return nil, fmt.Errorf("unknown rule for the choice of templates: %v", cfg.Choice)
	}
	return f, nil
}

// Prompt makes the prompt of a sample and leaves the response empty. A value that
// is missing or cannot stand in a prompt is a [*RowError].
func (f *Formatter) Prompt(s Sample) (Pair, error) {
	if s.Row < 0 {
		return Pair{}, errors.New("a sample's row must not be negative")
	}
	p := Pair{SampleType: f.t.task.Name}
	n := len(f.t.prompts)
	if f.cfg.Choice == ChoicePython {
		p.Template = f.python.pick(s.Row, n)
	} else {
		p.Template = seededPick(f.cfg.Seed, p.SampleType, s.Row, n)
	}
	var err error
	p.Input, p.InputTokens, err = f.fill(f.t.prompts[p.Template], &s)
	return p, err
}

// Pair makes the prompt and the response of a sample. Errors are those of
// [Formatter.Prompt].
func (f *Formatter) Pair(s Sample) (Pair, error) {
	p, err := f.Prompt(s)
	if err != nil {
		return Pair{}, err
	}
	p.Response, p.ResponseTokens, err = f.fill(f.t.response, &s)
	return p, err
}

// fill puts the values of a sample into a template.
func (f *Formatter) fill(t template, s *Sample) (out string, tokens int, err error) {
	var w buffer
	for _, p := range t {
		if p.field.Name == "" {
			w.text(p.text)
		} else if problem := f.value(&w, p.field, s); problem != "" {
			return "", 0, &RowError{s.Row, p.field.Name, problem}
		}
	}
	return string(w.b), w.tokens(), nil
}

// value writes the text of a field, or returns why it cannot.
func (f *Formatter) value(w *buffer, field Field, s *Sample) (problem string) {
	switch field.kind {
	case kindGeneCount:
		w.number(f.cfg.TopK)
		return ""
	case kindCellCount:
		if len(s.Cells) > 0 {
			w.number(len(s.Cells))
			return ""
		}
	case kindCells:
		if len(s.Cells) == 0 {
			return "the sample has no cells"
		}
		if problem := check(s.Cells, false); problem != "" {
			return problem
		}
		w.cells(s.Cells, f.cfg.TopK)
		return ""
	case kindTypes:
		if len(s.CellTypes) != len(s.Cells) || len(s.Cells) == 0 {
			return fmt.Sprintf("%d types for %d cells", len(s.CellTypes), len(s.Cells))
		}
		if problem := check(s.CellTypes, false); problem != "" {
			return problem
		}
		w.types(s.CellTypes)
		return ""
	case kindInteractions:
		f.cfg.Interactions.write(w, f.shown(s), f.cfg.MaxInteractions)
		return ""
	}
	v, ok := s.Values[field.Name]
	if !ok {
		return "no value for it"
	}
	if problem := check([]string{v}, field.kind == kindText); problem != "" {
		return problem
	}
	switch field.kind {
	case kindSentence:
		w.top(v, f.cfg.TopK)
	case kindGenes:
		w.top(v, math.MaxInt)
	default:
		w.text(v)
	}
	return ""
}

// check refuses values that could not be told from the words around them or would
// act on a terminal.
func check(values []string, lines bool) (problem string) {
	for _, v := range values {
		if bad, ok := badRune(v, lines); ok {
			return fmt.Sprintf("the value %s holds the character %q, which cannot stand in a prompt", quote(v), bad)
		}
	}
	return ""
}

// shown is the genes that a prompt shows of the cells. Those of a response do not
// count: interactions of a cell that is to be guessed would give it away.
func (f *Formatter) shown(s *Sample) map[string]bool {
	set := map[string]bool{}
	for _, c := range s.Cells {
		var w buffer
		w.top(c, f.cfg.TopK)
		for word := range strings.SplitSeq(string(w.b), " ") {
			set[strings.ToUpper(word)] = true
		}
	}
	return set
}
