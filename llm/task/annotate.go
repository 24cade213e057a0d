package task

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm"
)

// AnnotateConfig says how cells are typed.
type AnnotateConfig struct {
	// Templates are the words of the prompt, see [Wording].
	Templates *prompt.Templates
	// TopK is the number of genes that a prompt asks about.
	TopK int
	// Organism goes into prompts that have a place for it ("": Homo sapiens).
	Organism string
	// Labels is the closed list of types; nil takes what the model answers.
	Labels []string
	// Seed keys the choice of templates.
	Seed uint64
	// MaxTokens bounds a free answer (0: 32).
	MaxTokens int
}

// Annotation is the type of a cell.
type Annotation struct {
	// Label is the type, "" where there is none: of an empty cell, or of an answer that
	// is none of the labels.
	Label string
	// Index is the place of the label in the closed list, −1 without one.
	Index int
	// Confidence is from 0 to 1: with a closed list the label's share of the probability
	// of all labels, else the probability of the whole answer; NaN if the backend does
	// not tell.
	Confidence float64
	// Probabilities are the shares of all labels of a closed list that was scored.
	Probabilities []float64
	// Mass is the probability that the model gives to the closed list as a whole, NaN
	// if it was not scored: little mass means that it would have said something else.
	Mass float64
	// Asked is false for a cell without a gene, about which there is nothing to ask.
	Asked bool
	// Answer is what the model said, if it was asked freely.
	Answer string
	// Stop says why a free answer ended.
	Stop llm.Stop
}

// Annotator types cells.
type Annotator struct {
	b         llm.Backend
	cfg       AnnotateConfig
	format    *prompt.Formatter
	labels    *prompt.LabelParser
	continued []string // the labels as answers, to be scored
}

// NewAnnotator returns an annotator. With a closed list it scores each label as the
// whole answer, end included, where the backend can, so that "T cell" does not win by
// being the beginning of another answer; Scores tells. Elsewhere the model answers
// freely and the answer is looked up in the list.
func NewAnnotator(ctx context.Context, b llm.Backend, cfg AnnotateConfig) (*Annotator, error) {
	if cfg.Organism == "" {
		cfg.Organism = "Homo sapiens"
	}
	if cfg.MaxTokens <= 0 {
		cfg.MaxTokens = 32
	}
	info, err := b.Info(ctx)
	if err != nil {
		return nil, err
	}
	a := &Annotator{b: b, cfg: cfg}
	if a.format, err = prompt.NewFormatter(cfg.Templates, prompt.Config{TopK: cfg.TopK, Seed: cfg.Seed}); err != nil {
		return nil, err
	}
	if cfg.Labels == nil {
		return a, nil
	}
	if a.labels, err = prompt.NewLabelParser(cfg.Labels); err != nil {
		return nil, err
	}
	if !info.Score {
		return a, nil
	}
	for _, l := range cfg.Labels {
		p, err := a.format.Pair(prompt.Sample{Values: map[string]string{
			"organism": cfg.Organism, "cell_sentence": "A", "cell_type": l,
		}})
		if err != nil {
			return nil, err
		}
		a.continued = append(a.continued, " "+p.Response)
	}
	return a, nil
}

// Scores reports whether labels are scored rather than looked up.
func (a *Annotator) Scores() bool { return a.continued != nil }

// Annotate types a cell.
func (a *Annotator) Annotate(ctx context.Context, c Cell) (Annotation, error) {
	out := Annotation{Index: -1, Confidence: math.NaN(), Mass: math.NaN()}
	if empty(c) {
		return out, nil
	}
	out.Asked = true
	p, err := a.format.Prompt(prompt.Sample{Row: c.Row, Values: values(a.cfg.Organism, c)})
	if err != nil {
		return out, at(c, err)
	}
	if a.continued != nil {
		scores, err := a.b.Score(ctx, p.Input, a.continued)
		if err != nil {
			return out, at(c, err)
		}
		return out.choose(a.cfg.Labels, scores), nil
	}
	answer, err := a.b.Generate(ctx, p.Input, llm.Options{MaxTokens: a.cfg.MaxTokens, Seed: a.cfg.Seed, Stop: []string{"\n\n"}}, nil)
	if broken, ok := errors.AsType[*llm.RepetitionError](err); ok {
		out.Answer, out.Stop = broken.Text, llm.StopRepetition // kept and counted, as any answer that is none
		return out, nil
	}
	if err != nil {
		return out, at(c, err)
	}
	out.Answer, out.Stop = answer.Text, answer.Stop
	if a.labels == nil {
		out.Label = freeLabel(answer.Text)
	} else {
		found := a.labels.Parse(answer.Text)
		out.Label, out.Index = found.Label, found.Index
	}
	out.Confidence = likelihood(answer)
	return out, nil
}

// choose takes the most probable label, the first of equals.
func (out Annotation) choose(labels []string, scores []llm.Score) Annotation {
	most := math.Inf(-1)
	for i, s := range scores {
		if s.Logprob > most {
			most, out.Index = s.Logprob, i
		}
	}
	total := 0.0
	out.Probabilities = make([]float64, len(scores))
	for i, s := range scores {
		out.Probabilities[i] = math.Exp(s.Logprob - most)
		total += out.Probabilities[i]
	}
	for i := range out.Probabilities {
		out.Probabilities[i] /= total
	}
	out.Label, out.Confidence, out.Mass = labels[out.Index], out.Probabilities[out.Index], total*math.Exp(most)
	return out
}

// freeLabel is an answer as a label: its first line, without the marks of a response.
func freeLabel(text string) string {
	// What is on the list does not matter to how an answer is cleaned.
	p, err := prompt.NewLabelParser([]string{"any"})
	if err != nil {
		return ""
	}
	return trimPeriod(p.Parse(text).Text)
}

func trimPeriod(s string) string {
	for len(s) > 0 && (s[len(s)-1] == '.' || s[len(s)-1] == ' ') {
		s = s[:len(s)-1]
	}
	return s
}

// likelihood is the probability of an answer, NaN where tokens are not told.
func likelihood(a *llm.Answer) float64 {
	if len(a.Tokens) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, t := range a.Tokens {
		sum += t.Logprob
	}
	if a.EndLogprob != nil {
		sum += *a.EndLogprob
	}
	return math.Exp(sum)
}

// Assign gives each of several annotations of one closed list a label of its own, so
// that the product of the probabilities is largest. There must not be more
// annotations than labels, and all must have been scored.
func Assign(list []Annotation, labels []string) error {
	cost := make([][]float64, len(list))
	for i, a := range list {
		if len(a.Probabilities) != len(labels) {
			return fmt.Errorf("cell %d of the batch was not scored against the %d labels", i, len(labels))
		}
		for _, p := range a.Probabilities {
			cost[i] = append(cost[i], -math.Log(max(p, 1e-300)))
		}
	}
	if len(list) > len(labels) {
		return fmt.Errorf("%d cells for %d labels, each to be used once", len(list), len(labels))
	}
	for i, j := range assignment(cost) {
		list[i].Index, list[i].Label, list[i].Confidence = j, labels[j], list[i].Probabilities[j]
	}
	return nil
}

// assignment finds the column of each row that makes the sum of costs least: the
// Hungarian method in the form of shortest augmenting paths (Jonker and Volgenant,
// Computing 38, 1987). Rows must not be more than columns.
func assignment(cost [][]float64) []int {
	n := len(cost)
	if n == 0 {
		return nil
	}
	m := len(cost[0])
	u, v := make([]float64, n+1), make([]float64, m+1)
	row := make([]int, m+1) // of each column, counted from 1; 0 is none
	for i := 1; i <= n; i++ {
		row[0] = i
		at := 0
		least, from, used := make([]float64, m+1), make([]int, m+1), make([]bool, m+1)
		for j := range least {
			least[j] = math.Inf(1)
		}
		for row[at] != 0 {
			used[at] = true
			delta, next := math.Inf(1), 0
			for j := 1; j <= m; j++ {
				if used[j] {
					continue
				}
				if c := cost[row[at]-1][j-1] - u[row[at]] - v[j]; c < least[j] {
					least[j], from[j] = c, at
				}
				if least[j] < delta {
					delta, next = least[j], j
				}
			}
			for j := range used {
				if used[j] {
					u[row[j]] += delta
					v[j] -= delta
				} else {
					least[j] -= delta
				}
			}
			at = next
		}
		for at != 0 {
			row[at] = row[from[at]]
			at = from[at]
		}
	}
	out := make([]int, n)
	for j := 1; j <= m; j++ {
		if row[j] > 0 {
			out[row[j]-1] = j - 1
		}
	}
	return out
}
