package predictor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// stub answers as it is told and keeps what it was asked.
type stub struct {
	llm.Backend
	info   llm.Info
	answer func(prompt string) (*llm.Answer, error)

	mu      sync.Mutex
	prompts []string
	options []llm.Options
}

func (s *stub) Info(context.Context) (*llm.Info, error) { return &s.info, nil }

func (s *stub) Generate(_ context.Context, prompt string, opt llm.Options, _ func(llm.Token) error) (*llm.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prompts, s.options = append(s.prompts, prompt), append(s.options, opt)
	return s.answer(prompt)
}

func says(text string, stop llm.Stop) func(string) (*llm.Answer, error) {
	return func(string) (*llm.Answer, error) {
		return &llm.Answer{Text: text, Stop: stop, PromptTokens: 10, CachedTokens: 4, AnswerTokens: 3}, nil
	}
}

func vocabulary(words ...string) *cellsentence.Vocabulary {
	v := new(cellsentence.Vocabulary)
	for _, w := range words {
		v.Add(w, 1)
	}
	return v
}

var alphabet = strings.Split("A B C D E F G H I J K L M N O P Q R S T", " ")

func TestAnswersAndFlags(t *testing.T) {
	control := []string{"A", "B", "C", "D", "E"}
	for _, c := range []struct {
		name, answer string
		stop         llm.Stop
		genes        string
		flags        perturb.Flags
	}{
		{"a cell", " B A C E.", llm.StopEnd, "B A C E", perturb.Flags{Words: 4, Valid: true}},
		{"a copy of what was shown", "A B C D.", llm.StopEnd, "A B C D", perturb.Flags{Words: 4, Valid: true, Copy: true}},
		{"longer than asked", "E D C B A.", llm.StopEnd, "E D C B", perturb.Flags{Words: 5, Valid: true}},
		{"a copy that goes on", "A B C D E.", llm.StopEnd, "A B C D", perturb.Flags{Words: 5, Valid: true, Copy: true}},
		// One of ten unknown is allowed, one of nine is not; nor two repeats of nine.
		{"one of ten unknown", "A B C D E F G H I 7.", llm.StopEnd, "A B C D", perturb.Flags{Words: 10, Unknown: 1, Valid: true, Copy: true}},
		{"one of nine unknown", "B C D E F G H I 7.", llm.StopEnd, "B C D E", perturb.Flags{Words: 9, Unknown: 1}},
		{"two of ten repeated", "B C D E F G H I B C.", llm.StopEnd, "B C D E", perturb.Flags{Words: 10, Repeats: 2, Valid: true}},
		{"two of nine repeated", "B C D E F G H B C.", llm.StopEnd, "B C D E", perturb.Flags{Words: 9, Repeats: 2}},
		{"cut", "B A", llm.StopLimit, "B A", perturb.Flags{Words: 2}},
		{"nothing", "", llm.StopEnd, "", perturb.Flags{}},
		{"no gene", "I cannot do that.", llm.StopEnd, "I", perturb.Flags{Words: 4, Unknown: 3}},
	} {
		s := &stub{info: llm.Info{Model: "m", Slots: 2}, answer: says(c.answer, c.stop)}
		p, err := predictor.NewLLM(t.Context(), s, predictor.LLMConfig{Vocabulary: vocabulary(alphabet...), WordingConfig: predictor.WordingConfig{TopK: 4}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Predict(t.Context(), perturb.Request{Cells: []perturb.Cell{{Row: 5, Genes: control}, {Row: 6}}, Perturbation: predictor.Parse("X", "", "", "", "")})
		if err != nil {
			t.Fatal(err)
		}
		c.flags.Stop = string(c.stop)
		if got := out.Cells[0]; strings.Join(got.Genes, " ") != c.genes || got.Flags != c.flags || got.Answer != c.answer || got.Values != nil {
			t.Errorf("%s: %v %+v", c.name, got.Genes, got.Flags)
		}
		if len(s.prompts) != 1 || len(out.Cells[1].Genes) != 0 || out.Cells[1].Flags != (perturb.Flags{}) {
			t.Errorf("%s: the empty cell was asked about, or is %+v", c.name, out.Cells[1])
		}
		if out.PromptTokens != 10 || out.CachedTokens != 4 || out.AnswerTokens != 3 {
			t.Errorf("%s: tokens %+v", c.name, out)
		}
		if s.options[0].MaxTokens != 8*4+16 {
			t.Errorf("%s: %d tokens at most", c.name, s.options[0].MaxTokens)
		}
	}
}

func TestFailures(t *testing.T) {
	cell := []perturb.Cell{{Row: 5, Genes: []string{"A", "B"}}}
	s := &stub{info: llm.Info{Model: "m"}, answer: func(string) (*llm.Answer, error) { return nil, &llm.RepetitionError{Tokens: 9} }}
	p, err := predictor.NewLLM(t.Context(), s, predictor.LLMConfig{Vocabulary: vocabulary(alphabet...)})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Predict(t.Context(), perturb.Request{Cells: cell})
	if err != nil || out.Cells[0].Flags.Valid || !strings.Contains(out.Cells[0].Answer, "repeated itself") {
		t.Errorf("%+v %v: an answer that was broken off is no error", out, err)
	}
	away := &llm.UnreachableError{Endpoint: "here", Err: errors.New("gone")}
	s.answer = func(string) (*llm.Answer, error) { return nil, away }
	if _, err = p.Predict(t.Context(), perturb.Request{Cells: cell, Perturbation: predictor.Parse("X", "", "", "", "")}); !errors.Is(err, away) || !strings.Contains(err.Error(), "cell 5, X") {
		t.Errorf("%v", err)
	}
	_, err = p.Predict(t.Context(), perturb.Request{Cells: cell, Perturbation: predictor.Parse("bad\nname", "", "", "", "")})
	var bad interface{ BadInput() bool }
	if !errors.As(err, &bad) {
		t.Errorf("%v: a name of two lines is bad input", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Predict(ctx, perturb.Request{Cells: cell}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestWording: what is asked decides the words, and nothing that is told gets lost.
func TestWording(t *testing.T) {
	given, err := prompt.New("given.json", "perturbation_response", []string{"{context}|{cell_type}|{perturbation_name}|{time}|{control_cell_sentence}"}, "{perturbed_cell_sentence}.", predictor.Columns()...)
	if err != nil {
		t.Fatal(err)
	}
	own := llm.Info{Model: "demo", Prompts: map[string]string{"perturbation": "{num_genes} {context}: {control_cell_sentence}. {perturbation}:"}}
	for _, c := range []struct {
		name        string
		info        llm.Info
		given       *prompt.Templates
		label, dose string
		time        string
		want        string
	}{
		{"the model's own", own, nil, "DRUG-1", "", "", "32 low: A B. DRUG-1:"},
		{"the model's own, vehicle", own, nil, "ctrl", "", "", "32 low: A B. vehicle:"},
		{"the model's own, all told", own, nil, "X+Y", "1 nM+2 nM", "6 h", "32 low: A B. X at 1 nM and Y at 2 nM for 6 h:"},
		{"given", own, given, "X", "1 nM", "6 h", "low|B cell|X at 1 nM|6 h|A B"},
		{"the project's", llm.Info{Model: "m"}, nil, "X", "", "", " X"},
		{"with a dose", llm.Info{Model: "m"}, nil, "X", "1 nM", "", "1 nM"},
		{"with dose and time", llm.Info{Model: "m"}, nil, "X", "1 nM", "6 h", "X for 6 h"},
		{"a combination", llm.Info{Model: "m"}, nil, "X+Y+Z", "", "", "X, Y and Z"},
		{"a time", llm.Info{Model: "m"}, nil, "X", "", "6 h", "6 h"},
		{"an exposure", llm.Info{Model: "m"}, nil, "X", "", "Chronic", "chronic"},
		{"an exposure to two", llm.Info{Model: "m"}, nil, "X+Y", "", "acute", "acute X and Y"},
		{"the model's own, an exposure", own, nil, "X", "", "acute", "32 low: A B. acute X:"},
	} {
		s := &stub{info: c.info, answer: says("A B.", llm.StopEnd)}
		p, err := predictor.NewLLM(t.Context(), s, predictor.LLMConfig{Vocabulary: vocabulary(alphabet...), WordingConfig: predictor.WordingConfig{Templates: c.given}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Predict(t.Context(), perturb.Request{
			Cells:        []perturb.Cell{{Row: 3, Genes: []string{"A", "B"}}},
			Perturbation: predictor.Parse(c.label, "", "ctrl", c.dose, c.time), Context: "low", CellType: "B cell",
		})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(c.info.Prompts) > 0 {
			if s.prompts[0] != c.want {
				t.Errorf("%s: %q, expected %q", c.name, s.prompts[0], c.want)
			}
		} else if !strings.Contains(s.prompts[0], c.want) || !strings.Contains(s.prompts[0], "Homo sapiens") {
			t.Errorf("%s: %q, expected %q in it", c.name, s.prompts[0], c.want)
		}
		if warned := p.Warning() != ""; warned != (len(c.info.Prompts) == 0) {
			t.Errorf("%s: warning %q", c.name, p.Warning())
		}
	}
	// A field that is not told is an error, not an empty place.
	s := &stub{info: own, answer: says("A B.", llm.StopEnd)}
	p, err := predictor.NewLLM(t.Context(), s, predictor.LLMConfig{Vocabulary: vocabulary(alphabet...), WordingConfig: predictor.WordingConfig{Templates: given}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Predict(t.Context(), perturb.Request{Cells: []perturb.Cell{{Genes: []string{"A"}}}, CellType: "B cell"}); err == nil || !strings.Contains(err.Error(), "time of") {
		t.Errorf("%v", err)
	}
}

// TestSeeds: the seed of an answer is that of the request and the row, whatever the
// perturbation, and a request may be cut in any way.
func TestSeeds(t *testing.T) {
	s := &stub{info: llm.Info{Model: "m"}, answer: says("A B.", llm.StopEnd)}
	p, err := predictor.NewLLM(t.Context(), s, predictor.LLMConfig{Vocabulary: vocabulary(alphabet...), Options: llm.Options{Temperature: 1, Seed: 99}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(label string, seed uint64, rows ...int) []uint64 {
		s.options = nil
		var cells []perturb.Cell
		for _, r := range rows {
			cells = append(cells, perturb.Cell{Row: r, Genes: []string{"A"}})
		}
		if _, err := p.Predict(t.Context(), perturb.Request{Cells: cells, Seed: seed, Perturbation: predictor.Parse(label, "", "ctrl", "", "")}); err != nil {
			t.Fatal(err)
		}
		var out []uint64
		for _, o := range s.options {
			out = append(out, o.Seed)
		}
		return out
	}
	x := ask("X", 1, 0, 1, 2)
	if y := ask("ctrl", 1, 0, 1, 2); !slices.Equal(x, y) {
		t.Errorf("%v and %v: drug and vehicle have another luck", x, y)
	}
	if y := ask("X", 1, 2); y[0] != x[2] {
		t.Errorf("%v: a cell's luck depends on its company", y)
	}
	all := append(x, ask("X", 2, 0, 1, 2)...)
	slices.Sort(all)
	if len(slices.Compact(all)) != 6 || all[len(all)-1] >= 1<<31 {
		t.Errorf("%v: expected six seeds below 2^31", all)
	}
}

func TestDigest(t *testing.T) {
	make := func(change func(*predictor.LLMConfig), info llm.Info) string {
		cfg := predictor.LLMConfig{Vocabulary: vocabulary(alphabet...)}
		change(&cfg)
		p, err := predictor.NewLLM(t.Context(), &stub{info: info}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if i := p.Info(); i.Name != "llm" || !i.Sentences || i.Values {
			t.Errorf("%+v", i)
		}
		return p.Info().Digest
	}
	seen := map[string]string{}
	for name, c := range map[string]struct {
		change func(*predictor.LLMConfig)
		info   llm.Info
	}{
		"plain":       {func(*predictor.LLMConfig) {}, llm.Info{Model: "m", Digest: "1"}},
		"model":       {func(*predictor.LLMConfig) {}, llm.Info{Model: "m", Digest: "2"}},
		"top-k":       {func(c *predictor.LLMConfig) { c.TopK = 7 }, llm.Info{Model: "m", Digest: "1"}},
		"temperature": {func(c *predictor.LLMConfig) { c.Options.Temperature = 1 }, llm.Info{Model: "m", Digest: "1"}},
		"vocabulary":  {func(c *predictor.LLMConfig) { c.Vocabulary = vocabulary("A") }, llm.Info{Model: "m", Digest: "1"}},
	} {
		d := make(c.change, c.info)
		if other, twice := seen[d]; twice {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[d] = name
		if d != make(c.change, c.info) {
			t.Errorf("%s: the digest does not stay", name)
		}
	}
}
