package prompt_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// write writes a prompt file.
func write(t testing.TB, path string, prompts ...string) string {
	t.Helper()
	data, err := json.Marshal(map[string][]string{"model_input": prompts, "response": {"{cell_sentence}."}})
	if err != nil {
		t.Fatal(err)
	}
	return writeText(t, path, string(data))
}

func writeText(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fillOne makes a prompt of cell type generation from a template, by way of a file.
func fillOne(t testing.TB, path, raw string, values map[string]string) (string, error) {
	t.Helper()
	templates, err := prompt.Load(write(t, path, raw), "cell_type_generation")
	if err != nil {
		return "", err
	}
	f, err := prompt.NewFormatter(templates, prompt.Config{TopK: 1})
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Prompt(prompt.Sample{Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return p.Input, nil
}

// picks are the templates that the first rows get, of some.
func picks(t testing.TB, cfg prompt.Config, of, rows int) []int {
	t.Helper()
	var raw []string
	for i := range of {
		raw = append(raw, fmt.Sprint("prompt ", i))
	}
	templates, err := prompt.Load(write(t, filepath.Join(t.TempDir(), "p.json"), raw...), "cell_type_generation")
	if err != nil {
		t.Fatal(err)
	}
	cfg.TopK = 1
	f, err := prompt.NewFormatter(templates, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for row := range rows {
		p, err := f.Prompt(prompt.Sample{Row: row})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p.Template)
	}
	return out
}

// vocabularyOf has GENE0 … GENEn-1.
func vocabularyOf(n int) *cellsentence.Vocabulary {
	v := &cellsentence.Vocabulary{}
	for i := range n {
		v.Add(fmt.Sprintf("GENE%d", i), 1)
	}
	return v
}

func vocabulary(words ...string) *cellsentence.Vocabulary {
	v := &cellsentence.Vocabulary{}
	for _, w := range words {
		v.Add(w, 1)
	}
	return v
}

func geneParser(t testing.TB, v *cellsentence.Vocabulary, cfg prompt.GeneConfig) *prompt.GeneParser {
	t.Helper()
	p, err := prompt.NewGeneParser(v, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// isBadInput reports whether an error says that the input is at fault.
func isBadInput(err error) bool {
	var b interface{ BadInput() bool }
	return errors.As(err, &b) && b.BadInput()
}
