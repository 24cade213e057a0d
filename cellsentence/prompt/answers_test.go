package prompt_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// TestGoldenAnswers repeats 40 post-processed answers of cell2sentence 1.2.0. Its
// vocabulary is every word of them but the four that were put in.
func TestGoldenAnswers(t *testing.T) {
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(dir, "data", "golden", "postprocess_cases.json"))
	if err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatalf("the real files are absent (C2S_SHARED): %v", err)
		}
		t.Skipf("the real files are absent (C2S_SHARED): %v", err)
	}
	var cases []struct {
		Input    string
		Output   []string
		Replaced int `json:"num_replaced"`
	}
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) != 40 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	v := &cellsentence.Vocabulary{}
	for _, c := range cases {
		for word := range strings.SplitSeq(strings.ToUpper(c.Input), " ") {
			if !slices.Contains([]string{"ABC123", "THE", "HLA", "NOTGENE"}, word) {
				v.Add(word, 1)
			}
		}
	}
	p := geneParser(t, v, prompt.GeneConfig{})
	for i, c := range cases {
		words, replaced := p.ParsePython(c.Input)
		if !slices.Equal(words, c.Output) || replaced != c.Replaced {
			t.Errorf("case %d: %d %v\nexpected %d %v", i, replaced, words, c.Replaced, c.Output)
		}
		// As the fifth tutorial goes on, and as a model would write it.
		genes := slices.DeleteFunc(slices.Clone(c.Output), func(w string) bool { return w == "NOT_A_GENE" })
		for _, answer := range []string{c.Input, "\n" + c.Input + ".<ctrl100>", " " + c.Input + ".<eos>"} {
			if got := p.Parse(answer); !slices.Equal(got.Genes, genes) || got.Counts.Unknown != c.Replaced {
				t.Errorf("case %d: %v\nexpected %v", i, got.Genes, genes)
			}
		}
	}
}

func TestGeneAnswers(t *testing.T) {
	v := vocabulary("A", "B", "C", "D", "Orf1", "ORF2", "DOT.", "HLA-A")
	for _, c := range []struct {
		name, answer string
		cfg          prompt.GeneConfig
		genes        string
		unknown      string
		counts       prompt.GeneCounts
	}{
		{name: "plain", answer: "A B", genes: "A B", counts: prompt.GeneCounts{Words: 2, Genes: 2}},
		{name: "as trained", answer: " A B C.", genes: "A B C", counts: prompt.GeneCounts{Words: 3, Genes: 3, Period: 1}},
		{
			name: "as Gemma answers", answer: "\nA B C.<ctrl100><ctrl7>\n", genes: "A B C",
			counts: prompt.GeneCounts{Cleaning: prompt.Cleaning{LeadingLines: 1, ControlTokens: 2}, Words: 3, Genes: 3, Period: 1},
		},
		{name: "no token", answer: "A <ctrl>", genes: "A", unknown: "<ctrl>", counts: prompt.GeneCounts{Words: 2, Genes: 1, Unknown: 1}},
		{name: "a token within", answer: "A <ctrl1> B", genes: "A B", unknown: "<ctrl1>", counts: prompt.GeneCounts{Words: 3, Genes: 2, Unknown: 1}},
		{name: "empty", answer: " \n", counts: prompt.GeneCounts{Cleaning: prompt.Cleaning{Empty: 1}}},
		{name: "a period", answer: ".", counts: prompt.GeneCounts{Words: 1, Marks: 1, Period: 1}},
		{name: "periods", answer: "A. B.\n.", genes: "A B", counts: prompt.GeneCounts{Words: 3, Genes: 2, Punctuated: 2, Marks: 1, Period: 1}},
		{name: "commas", answer: "A, B; C:", genes: "A B C", counts: prompt.GeneCounts{Words: 3, Genes: 3, Punctuated: 3}},
		{name: "a word with its mark", answer: "A DOT. dot.. B", genes: "A DOT. B", unknown: "dot", counts: prompt.GeneCounts{Words: 4, Genes: 3, Unknown: 1}},
		{name: "wrong case", answer: "a orf1 ORF1 orf2 hla-a", genes: "A Orf1 ORF2 HLA-A", counts: prompt.GeneCounts{Words: 5, Genes: 4, Repeated: 1, Recased: 5}},
		{name: "unknown", answer: "A the X9. B", genes: "A B", unknown: "the X9", counts: prompt.GeneCounts{Words: 4, Genes: 2, Unknown: 2}},
		{name: "unknown at the end", answer: "A the.", genes: "A", unknown: "the", counts: prompt.GeneCounts{Words: 2, Genes: 1, Unknown: 1, Period: 1}},
		// A at 0, 2 and 4 goes to 2; B at 0 and 2 of B C A B to 1.
		{name: "repeats", answer: "A B A C A B", genes: "C B A", counts: prompt.GeneCounts{Words: 6, Genes: 3, Repeated: 3}},
		{name: "first", answer: "A B A C A B", cfg: prompt.GeneConfig{Repeats: prompt.RepeatsFirst}, genes: "A B C", counts: prompt.GeneCounts{Words: 6, Genes: 3, Repeated: 3}},
		{name: "first with unknown", answer: "x A x A y", cfg: prompt.GeneConfig{Repeats: prompt.RepeatsFirst}, genes: "A", unknown: "x x y", counts: prompt.GeneCounts{Words: 5, Genes: 1, Repeated: 1, Unknown: 3}},
		// A at 0 and 4 goes to 2, behind B and x: unknown words have places.
		{name: "repeats over unknown", answer: "A B x C A", genes: "B A C", unknown: "x", counts: prompt.GeneCounts{Words: 5, Genes: 3, Repeated: 1, Unknown: 1}},
		{
			name: "stops", answer: "A B<|endoftext|> C", genes: "A B",
			counts: prompt.GeneCounts{Cleaning: prompt.Cleaning{Stopped: 1}, Words: 2, Genes: 2},
		},
		{
			name: "own stops", answer: "A B ## C %% D<eos>", cfg: prompt.GeneConfig{Stops: []string{"%%", "##"}}, genes: "A B",
			counts: prompt.GeneCounts{Cleaning: prompt.Cleaning{Stopped: 1}, Words: 2, Genes: 2},
		},
		{
			name: "control characters", answer: "A\x1b[31m B\x00 C\r\nD \xff\u202e", genes: "A B C D", unknown: "[31m",
			counts: prompt.GeneCounts{Cleaning: prompt.Cleaning{Characters: 4}, Words: 5, Genes: 4, Unknown: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.counts.Answers = 1
			got := geneParser(t, v, c.cfg).Parse(c.answer)
			if strings.Join(got.Genes, " ") != c.genes || strings.Join(got.Unknown, " ") != c.unknown {
				t.Errorf("genes %q, unknown %q", got.Genes, got.Unknown)
			}
			if got.Counts != c.counts {
				t.Errorf("counts   %+v\nexpected %+v", got.Counts, c.counts)
			}
		})
	}
}

// TestLongAnswers bounds the work for what no model writes: all genes of a
// vocabulary repeated, the slowest case.
func TestLongAnswers(t *testing.T) {
	const n = 20_000
	p := geneParser(t, vocabularyOf(n), prompt.GeneConfig{Repeats: prompt.RepeatsFirst})
	var b strings.Builder
	for i := range 2 * n {
		fmt.Fprintf(&b, "GENE%d ", i%n)
	}
	got := p.Parse(b.String() + "\n" + strings.Repeat("x", 1000))
	c := got.Counts
	if c.Words != 2*n+1 || c.TooMany != 2*n+1-1<<15 || c.Genes != n || c.Repeated != 1<<15-n {
		t.Errorf("%+v", c)
	}
	if word := p.Parse(strings.Repeat("é", 1000)).Unknown[0]; len(word) > 70 || !strings.HasSuffix(word, "é…") {
		t.Errorf("%q", word)
	}
}

// TestWorstAnswer has every gene of 16,384 twice, each of which is moved past all
// others. 30 s is ten times and more what a busy machine takes.
func TestWorstAnswer(t *testing.T) {
	const n = 1 << 14
	p := geneParser(t, vocabularyOf(n), prompt.GeneConfig{})
	var b strings.Builder
	for i := range 2 * n {
		fmt.Fprintf(&b, "GENE%d ", i%n)
	}
	start := time.Now()
	if got := p.Parse(b.String()); got.Counts.Genes != n || got.Counts.Repeated != n {
		t.Errorf("%+v", got.Counts)
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestConcurrentUse shares parsers and a formatter; it is the race detector's.
func TestConcurrentUse(t *testing.T) {
	genes := geneParser(t, vocabularyOf(9), prompt.GeneConfig{})
	labels, err := prompt.NewLabelParser([]string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	f := form(t, "cell_type_generation", "{cell_type}", "", prompt.Config{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for row := range 50 {
				genes.Parse("gene1 GENE2 GENE2 x")
				genes.ParsePython("gene1 GENE2 GENE2 x")
				labels.Parse("A, human")
				if _, err := f.Prompt(prompt.Sample{Row: row, Values: map[string]string{"cell_type": "x"}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestCountsAddUp sets every number to 1 and adds: a field forgotten by Add
// would stay.
func TestCountsAddUp(t *testing.T) {
	var g prompt.GeneCounts
	ones(reflect.ValueOf(&g).Elem())
	one := g
	g.Add(one)
	var l prompt.LabelCounts
	ones(reflect.ValueOf(&l).Elem())
	oneLabel := l
	l.Add(oneLabel)
	for _, v := range []any{g, l} {
		if s := fmt.Sprintf("%+v", v); strings.Contains(s, ":1") {
			t.Error(s)
		}
	}
}

func ones(v reflect.Value) {
	for _, f := range v.Fields() {
		if f.Kind() == reflect.Struct {
			ones(f)
		} else {
			f.SetInt(1)
		}
	}
}

func TestLabelAnswers(t *testing.T) {
	labels := []string{
		"B cell", "CD16-positive, CD56-dim natural killer cell, human", "T cell", "T Cell", "gamma-delta  T cell",
		"macrophage", "macrophage, mouse", "etc.",
	}
	p, err := prompt.NewLabelParser(labels)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		answer, label, text string
		match               prompt.Match
		counts              prompt.LabelCounts
	}{
		{"B cell", "B cell", "B cell", prompt.ExactMatch, prompt.LabelCounts{Exact: 1}},
		{" B cell.", "B cell", "B cell.", prompt.ExactMatch, prompt.LabelCounts{Exact: 1, Period: 1}},
		{
			"\nCD16-positive, CD56-dim natural killer cell, human.<ctrl100>", labels[1], labels[1] + ".", prompt.ExactMatch,
			prompt.LabelCounts{Cleaning: prompt.Cleaning{LeadingLines: 1, ControlTokens: 1}, Exact: 1, Period: 1},
		},
		{"cd16-Positive, CD56-dim natural killer cell", labels[1], "cd16-Positive, CD56-dim natural killer cell", prompt.SpeciesMatch, prompt.LabelCounts{Species: 1}},
		{"B CELL, Human.", "B cell", "B CELL, Human.", prompt.SpeciesMatch, prompt.LabelCounts{Species: 1, Period: 1}},
		{"b  Cell.", "B cell", "b  Cell.", prompt.FoldedMatch, prompt.LabelCounts{Folded: 1, Period: 1}},
		{"Gamma-Delta T cell", "gamma-delta  T cell", "Gamma-Delta T cell", prompt.FoldedMatch, prompt.LabelCounts{Folded: 1}},
		{"T Cell", "T Cell", "T Cell", prompt.ExactMatch, prompt.LabelCounts{Exact: 1}},
		// Two labels differ in case alone: neither is guessed.
		{"t cell", "", "t cell", prompt.NoMatch, prompt.LabelCounts{Unmatched: 1}},
		{"Macrophage", "macrophage", "Macrophage", prompt.FoldedMatch, prompt.LabelCounts{Folded: 1}},
		{"macrophage, human", "", "macrophage, human", prompt.NoMatch, prompt.LabelCounts{Unmatched: 1}},
		{"etc.", "etc.", "etc.", prompt.ExactMatch, prompt.LabelCounts{Exact: 1, Period: 1}},
		{"etc..", "etc.", "etc..", prompt.ExactMatch, prompt.LabelCounts{Exact: 1, Period: 1}},
		{"B cells", "", "B cells", prompt.NoMatch, prompt.LabelCounts{Unmatched: 1}},
		{"B lymphocyte", "", "B lymphocyte", prompt.NoMatch, prompt.LabelCounts{Unmatched: 1}},
		{"", "", "", prompt.NoMatch, prompt.LabelCounts{Cleaning: prompt.Cleaning{Empty: 1}, Unmatched: 1}},
		{"B cell. \n\nIt has CD19.", "B cell", "B cell.", prompt.ExactMatch, prompt.LabelCounts{Exact: 1, Period: 1, MoreLines: 1}},
		{"B\x07cell<eos>x", "B cell", "B cell", prompt.ExactMatch, prompt.LabelCounts{Cleaning: prompt.Cleaning{Characters: 1, Stopped: 1}, Exact: 1}},
	} {
		c.counts.Answers = 1
		got := p.Parse(c.answer)
		if got.Label != c.label || got.Text != c.text || got.Match != c.match || got.Counts != c.counts || got.Index != slices.Index(labels, c.label) {
			t.Errorf("%q: %+v\nexpected %q %q %d %+v", c.answer, got, c.label, c.text, c.match, c.counts)
		}
	}
}

func TestSplitCells(t *testing.T) {
	for _, c := range []struct {
		answer string
		want   []prompt.CellAnswer
	}{
		{"", nil},
		{"no cells", nil},
		{"Cell 1:\nA B.\nCell 2:\nC.\n.", []prompt.CellAnswer{{1, "A B."}, {2, "C.\n."}}},
		{"Here:\n\nCell 1: T cell\nCell 2: B cell.<ctrl100>", []prompt.CellAnswer{{1, "T cell"}, {2, "B cell."}}},
		{"Cell 3:\r\nA\r\nCell 3:B\nCell 12:", []prompt.CellAnswer{{3, "A"}, {3, "B"}, {12, ""}}},
		{"Cell 1: A\nCell 0: B\nCell +2: C\nCell 9999999999: D\nCell x: E\n Cell 2: F", []prompt.CellAnswer{
			{1, "A\nCell 0: B\nCell +2: C\nCell 9999999999: D\nCell x: E\n Cell 2: F"},
		}},
		{"Cell 1: A<eos>\nCell 2: B", []prompt.CellAnswer{{1, "A"}}},
		{"Cell 1: \x1bA", []prompt.CellAnswer{{1, "A"}}},
	} {
		got, _, err := prompt.SplitCells(c.answer)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %+v, %v", c.answer, got, err)
		}
	}
}

func TestParserErrors(t *testing.T) {
	for name, try := range map[string]func() error{
		"no vocabulary":     func() error { _, err := prompt.NewGeneParser(vocabulary(), prompt.GeneConfig{}); return err },
		"a blank in a word": func() error { _, err := prompt.NewGeneParser(vocabulary("A B"), prompt.GeneConfig{}); return err },
		"an escape in one":  func() error { _, err := prompt.NewGeneParser(vocabulary("A\x1b"), prompt.GeneConfig{}); return err },
		"an empty stop": func() error {
			_, err := prompt.NewGeneParser(vocabulary("A"), prompt.GeneConfig{Stops: []string{""}})
			return err
		},
		"no such rule": func() error {
			_, err := prompt.NewGeneParser(vocabulary("A"), prompt.GeneConfig{Repeats: 2})
			return err
		},
		"no labels":          func() error { _, err := prompt.NewLabelParser(nil); return err },
		"an empty label":     func() error { _, err := prompt.NewLabelParser([]string{" "}); return err },
		"an escape in it":    func() error { _, err := prompt.NewLabelParser([]string{"a\x1b"}); return err },
		"a label twice":      func() error { _, err := prompt.NewLabelParser([]string{"a", "b", "a"}); return err },
		"an empty stop here": func() error { _, err := prompt.NewLabelParser([]string{"a"}, ""); return err },
		"and there":          func() error { _, _, err := prompt.SplitCells("a", ""); return err },
	} {
		err := try()
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		// Rules and stops are the caller's, lists are data.
		if wrong := strings.Contains(name, "stop") || strings.Contains(name, "there") || strings.Contains(name, "rule"); isBadInput(err) == wrong {
			t.Errorf("%s: bad input %v: %v", name, !wrong, err)
		}
	}
}
