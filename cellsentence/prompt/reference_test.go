package prompt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// python is an interpreter that has the package cell2sentence, or the test skips.
func python(t testing.TB) string {
	t.Helper()
	name := os.Getenv("C2S_PYTHON")
	const has = `import importlib.util, sys; sys.exit(importlib.util.find_spec("cell2sentence") is None)`
	if name == "" || exec.Command(name, "-c", has).Run() != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with cell2sentence (C2S_PYTHON)")
		}
		t.Skip("no Python with cell2sentence (C2S_PYTHON)")
	}
	return name
}

// ask sends a request to reference.py and decodes what it answers.
func ask(t testing.TB, request, answer any) {
	t.Helper()
	in, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python(t), "testdata/reference.py")
	cmd.Stdin = bytes.NewReader(in)
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problem.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatal(err)
	}
}

func packageFolder(t testing.TB) string {
	t.Helper()
	dir, err := prompt.FindPackage(context.Background(), python(t))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// randomCells makes sentences of 0 to 30 genes, some empty.
func randomCells(r *rand.Rand, n int) []string {
	cells := make([]string, n)
	for i := range cells {
		var words []string
		for _, g := range r.Perm(60)[:r.IntN(31)] {
			words = append(words, fmt.Sprintf("GENE%d", g))
		}
		cells[i] = strings.Join(words, " ")
	}
	return cells
}

type columns struct {
	SampleType []string `json:"sample_type"`
	Input      []string `json:"model_input"`
	Response   []string `json:"response"`
}

// TestPairsEqualPackage makes the pairs of the package's tasks from its own prompt
// files with its formatters and with ours, to the byte.
func TestPairsEqualPackage(t *testing.T) {
	dir := packageFolder(t)
	r := rand.New(rand.NewPCG(1, 2))
	cells := randomCells(r, 300)
	label := func(kind string, i int) string { return fmt.Sprintf("%s {%d}, human", kind, i%7) }
	organisms := []string{"Homo sapiens", "Mus musculus"}
	for _, task := range []string{"cell_type_prediction", "cell_type_generation"} {
		for _, seed := range []uint64{42, 0, 1 << 40} {
			t.Run(fmt.Sprint(task, seed), func(t *testing.T) {
				var rows []map[string]string
				for i, c := range cells {
					rows = append(rows, map[string]string{"cell_sentence": c, "cell_type": label("type", i), "organism": organisms[i%2]})
				}
				var want columns
				ask(t, map[string]any{"do": "pairs", "task": task, "top_k": 12, "seed": seed, "cells": rows}, &want)
				f := formatter(t, dir, task, prompt.Config{TopK: 12, Seed: seed, Choice: prompt.ChoicePython})
				for i := range rows {
					comparePair(t, f, prompt.Sample{Row: i, Values: rows[i]}, want)
				}
			})
		}
	}
	for _, task := range []string{"tissue_prediction", "tissue_conditional_generation", "natural_language_interpretation"} {
		t.Run(task, func(t *testing.T) {
			var rows []map[string]string
			for _, c := range cells {
				rows = append(rows, map[string]string{"cell_sentence": c})
			}
			var groups []map[string]any
			var samples []prompt.Sample
			for i := range 100 {
				members := r.Perm(len(cells))[:1+r.IntN(6)]
				values := map[string]string{"organism": organisms[i%2], "tissue": label("tissue", i), "abstract": label("about\n", i)}
				group := map[string]any{"multi_cell_groupings": members}
				for k, v := range values {
					group[k] = v
				}
				groups = append(groups, group)
				s := prompt.Sample{Row: i, Values: values}
				for _, m := range members {
					s.Cells = append(s.Cells, cells[m])
				}
				samples = append(samples, s)
			}
			var want columns
			ask(t, map[string]any{"do": "pairs", "task": task, "top_k": 9, "seed": 42, "cells": rows, "groups": groups}, &want)
			f := formatter(t, dir, task, prompt.Config{TopK: 9, Seed: 42, Choice: prompt.ChoicePython})
			for _, s := range samples {
				comparePair(t, f, s, want)
			}
		})
	}
}

func formatter(t testing.TB, path, task string, cfg prompt.Config) *prompt.Formatter {
	t.Helper()
	templates, err := prompt.Load(path, task)
	if err != nil {
		t.Fatal(err)
	}
	if !templates.C2S() {
		t.Error("the package's own prompts are not known as such")
	}
	f, err := prompt.NewFormatter(templates, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func comparePair(t *testing.T, f *prompt.Formatter, s prompt.Sample, want columns) {
	t.Helper()
	p, err := f.Pair(s)
	if err != nil {
		t.Fatal(err)
	}
	if p.SampleType != want.SampleType[s.Row] || p.Input != want.Input[s.Row] || p.Response != want.Response[s.Row] {
		t.Fatalf("row %d:\nc2s     %q\n%q\npackage %q\n%q", s.Row, p.Input, p.Response, want.Input[s.Row], want.Response[s.Row])
	}
}

// TestChoicesEqualPython compares lists of every size up to 40 with CPython. One
// that differs would give another template for all rows after it.
func TestChoicesEqualPython(t *testing.T) {
	seeds := []uint64{0, 1, 42, 1<<32 - 1, 1 << 32, 1<<64 - 1}
	var sizes []int
	for n := 1; n <= 40; n++ {
		sizes = append(sizes, n)
	}
	var want [][]int
	ask(t, map[string]any{"do": "choices", "seeds": seeds, "sizes": sizes, "count": 50}, &want)
	for i, seed := range seeds {
		for k, n := range sizes {
			if got := picks(t, prompt.Config{Seed: seed, Choice: prompt.ChoicePython}, n, 50); !slices.Equal(got, want[i*len(sizes)+k]) {
				t.Fatalf("seed %d, of %d: %v, Python chooses %v", seed, n, got, want[i*len(sizes)+k])
			}
		}
	}
}

// TestTemplatesEqualStrFormat puts random templates through str.format. Where we
// accept one, the text is Python's; what only Python accepts is a conversion, a
// format or a look-up within a field.
func TestTemplatesEqualStrFormat(t *testing.T) {
	values := map[string]string{"organism": "Mus {x} musculus", "cell_type": "B"}
	r := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"{", "}", "{{", "}}", "{organism}", "{cell_type}", "organism", "text", "\n", ":", "!r", ">4", ".", "[0]", "0", "é", " "}
	var templates []string
	for range 1200 {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		templates = append(templates, b.String())
	}
	var want []*string
	ask(t, map[string]any{"do": "format", "templates": templates, "fields": values}, &want)
	accepted, path := 0, filepath.Join(t.TempDir(), "p.json")
	for i, raw := range templates {
		out, err := fillOne(t, path, raw, values)
		switch {
		case err == nil && (want[i] == nil || out != *want[i]):
			t.Errorf("template %q gives %q, Python does not give that", raw, out)
		case err == nil:
			accepted++
		case want[i] != nil && !strings.ContainsAny(raw, ":!.["):
			t.Errorf("template %q: %v, Python gives %q", raw, err, *want[i])
		}
	}
	if accepted < 120 {
		t.Errorf("only %d of the templates were accepted, too few to tell", accepted)
	}
}

// TestAnswersEqualPackage compares random answers, full of repeats and strangers,
// with the package's post-processing.
func TestAnswersEqualPackage(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	vocabulary := vocabularyOf(60)
	var answers []string
	for range 500 {
		var words []string
		for range r.IntN(60) {
			words = append(words, fmt.Sprintf("%s%d%s", pick(r, "GENE", "gene", "Gene", "G"), r.IntN(1+r.IntN(70)), pick(r, "", "", "", "", ".", ",", "\n")))
		}
		answers = append(answers, strings.Join(words, pick(r, " ", " ", " ", "  ")))
	}
	var want []struct {
		Words    []string
		Replaced int
	}
	ask(t, map[string]any{"do": "answers", "vocabulary": wordsOf(vocabulary), "answers": answers}, &want)
	p := geneParser(t, vocabulary, prompt.GeneConfig{})
	for i, a := range answers {
		words, replaced := p.ParsePython(a)
		if !slices.Equal(words, want[i].Words) || replaced != want[i].Replaced {
			t.Fatalf("answer %q:\nc2s     %d %v\npackage %d %v", a, replaced, words, want[i].Replaced, want[i].Words)
		}
	}
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func wordsOf(v *cellsentence.Vocabulary) []string {
	var words []string
	for w := range v.All() {
		words = append(words, w)
	}
	return words
}

// TestFindPackage finds the package by its interpreter and by its folder, and says
// so when it is not there.
func TestFindPackage(t *testing.T) {
	dir := packageFolder(t)
	site := filepath.Dir(filepath.Dir(dir))
	got, err := prompt.FindPackageIn(t.TempDir(), site)
	if err != nil || got != dir {
		t.Errorf("FindPackageIn gives %q, %v; the interpreter says %q", got, err, dir)
	}
}
