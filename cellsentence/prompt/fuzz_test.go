package prompt_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// FuzzTemplates loads any file as prompts. What loads can be filled, and the prompt
// holds no control character.
func FuzzTemplates(f *testing.F) {
	for _, name := range []string{"cell_type_generation", "cell_type_prediction"} {
		data, err := os.ReadFile(filepath.Join("wording", name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("{\"model_input\": [\"{{{cell_type}}}\\n}}\", \"{num_genes}\"], \"response\": [\"{cell_sentence}.\\ud83d\"]}"))
	path := filepath.Join(f.TempDir(), "p.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		templates, err := prompt.Load(path, "cell_type_generation")
		if err != nil {
			if !isBadInput(err) || strings.ContainsFunc(strings.ReplaceAll(err.Error(), path, ""), unicode.IsControl) {
				t.Fatalf("%q", err)
			}
			return
		}
		form, err := prompt.NewFormatter(templates, prompt.Config{TopK: 2})
		if err != nil {
			t.Fatal(err)
		}
		for row := range min(templates.Len(), 8) {
			p, err := form.Pair(prompt.Sample{Row: row, Values: map[string]string{"cell_type": "{T", "organism": "Mus", "cell_sentence": "A B C"}})
			if err != nil {
				t.Fatal(err)
			}
			checkText(t, p.Input)
			checkText(t, p.Response)
		}
	})
}

// checkText fails on what must not reach a terminal.
func checkText(t *testing.T, s string) {
	t.Helper()
	bad := func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, bad) {
		t.Fatalf("%q", s)
	}
}

// FuzzAnswers reads any text as every kind of answer.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		"\nA B C.<ctrl100>", "a. B, c\tA\r\n.", "Cell 1:\nA B.\nCell 2:\nC.\n.", "A\x1b[31m \xff\u2066B", "<eos>", "t CELL, human.", "A A B A x B ß ŉ",
	} {
		f.Add(s)
	}
	words := []string{"A", "B", "C", "Orf1", "DOT."}
	labels := []string{"B cell", "T cell, human"}
	genes := geneParser(f, vocabulary(words...), prompt.GeneConfig{})
	first := geneParser(f, vocabulary(words...), prompt.GeneConfig{Repeats: prompt.RepeatsFirst})
	label, err := prompt.NewLabelParser(labels)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		a, b := genes.Parse(answer), first.Parse(answer)
		c := a.Counts
		if c != b.Counts || c.Words != c.Genes+c.Repeated+c.Unknown+c.Marks+c.TooMany || c.Unknown != len(a.Unknown) || c.Punctuated < 0 {
			t.Fatalf("%+v\n%+v", c, b.Counts)
		}
		for _, g := range a.Genes {
			if !slices.Contains(words, g) {
				t.Fatalf("%q is no gene", g)
			}
		}
		slices.Sort(a.Genes)
		slices.Sort(b.Genes)
		if len(slices.Compact(a.Genes)) != c.Genes || !slices.Equal(a.Genes, b.Genes) {
			t.Fatalf("%q and %q", a.Genes, b.Genes)
		}
		for _, w := range a.Unknown {
			checkText(t, w)
		}
		// Upstream keeps a gene once and a place for each stranger.
		list, replaced := genes.ParsePython(answer)
		for _, w := range list {
			if w == "NOT_A_GENE" {
				replaced--
			}
		}
		if replaced != 0 {
			t.Fatalf("%q", list)
		}
		l := label.Parse(answer)
		checkText(t, l.Text)
		if (l.Match == prompt.NoMatch) != (l.Index < 0) || l.Index >= 0 && labels[l.Index] != l.Label {
			t.Fatalf("%+v", l)
		}
		cells, _, err := prompt.SplitCells(answer)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cells {
			checkText(t, c.Text)
			if c.Cell < 1 {
				t.Fatalf("%+v", c)
			}
		}
	})
}
