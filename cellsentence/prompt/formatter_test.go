package prompt_test

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// form makes a formatter of one template.
func form(t testing.TB, task, raw, response string, cfg prompt.Config) *prompt.Formatter {
	t.Helper()
	text := `{"model_input": ["` + raw + `"], "response": ["` + response + `"]}`
	templates, err := prompt.Load(writeText(t, filepath.Join(t.TempDir(), "p.json"), text), task)
	if err != nil {
		t.Fatal(err)
	}
	f, err := prompt.NewFormatter(templates, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFields(t *testing.T) {
	table, err := prompt.LoadInteractions(writeText(t, filepath.Join(t.TempDir(), "t.tsv"),
		"ligand\treceptor\tscore\nCxcl12\tCXCR4\t1\nTGFB1\tTGFBR1_TGFBR2\t2\nCXCL12\tCXCR4\t3\nIL6\tIL6R\t4\nA\tB\t5\n"), "ligand", "receptor")
	if err != nil {
		t.Fatal(err)
	}
	if table.Len() != 4 {
		t.Errorf("%d pairs", table.Len())
	}
	cells := []string{"CXCL12 B A TGFBR2", "TGFB1 CXCR4", ""}
	for _, c := range []struct {
		name, task, raw, response string
		cfg                       prompt.Config
		sample                    prompt.Sample
		input, output             string
	}{
		{
			"fewer genes than asked for", "cell_type_prediction", "{num_genes} {organism}: {cell_sentence}.", "{cell_type}.",
			prompt.Config{TopK: 3},
			prompt.Sample{Values: map[string]string{"organism": "Mus musculus", "cell_sentence": "A B", "cell_type": "B cell"}},
			"3 Mus musculus: A B.", "B cell.",
		},
		{
			"as many", "cell_type_generation", "{cell_type}", "{cell_sentence}.",
			prompt.Config{TopK: 3},
			prompt.Sample{Values: map[string]string{"cell_sentence": "A B C", "cell_type": "T"}},
			"T", "A B C.",
		},
		{
			"more", "cell_type_generation", "{cell_type}", "{cell_sentence}.",
			prompt.Config{TopK: 3},
			prompt.Sample{Values: map[string]string{"cell_sentence": "AA BB CC DD EE", "cell_type": "T"}},
			"T", "AA BB CC.",
		},
		{
			"several cells", "sample_cell_type_prediction", "{num_cells}\\n{multi_cell_sentences}", "{cell_types}.",
			prompt.Config{TopK: 2},
			prompt.Sample{Cells: cells, CellTypes: []string{"x", "y, human", "z"}},
			"3\nCell 1:\nCXCL12 B.\nCell 2:\nTGFB1 CXCR4.\nCell 3:\n.\n", "Cell 1: x\nCell 2: y, human\nCell 3: z.",
		},
		{
			"cells of a pool", "pseudobulk_cell_type_prediction", "{num_cells} {pseudobulk_sentence}", "{cell_type}",
			prompt.Config{TopK: 2},
			prompt.Sample{Values: map[string]string{"num_cells": "17", "pseudobulk_sentence": "A B C", "cell_type": ""}},
			"17 A B", "",
		},
		{
			"a gene set is not cut", "gene_set_enumeration", "{gene_set_name}", "{genes}.",
			prompt.Config{},
			prompt.Sample{Values: map[string]string{"gene_set_name": "S", "genes": "A B C D"}},
			"S", "A B C D.",
		},
		{
			"interactions of what is shown", "niche_prediction_interactions", "{multi_cell_sentences}{interactions}\\n", "{niche}",
			prompt.Config{TopK: 2, Interactions: table},
			prompt.Sample{Cells: cells, Values: map[string]string{"niche": "n"}},
			"Cell 1:\nCXCL12 B.\nCell 2:\nTGFB1 CXCR4.\nCell 3:\n.\nCXCL12 - CXCR4\n", "n",
		},
		{
			"interactions of whole cells", "niche_prediction_interactions", "{interactions}\\n", "",
			prompt.Config{TopK: 9, Interactions: table},
			prompt.Sample{Cells: cells},
			"CXCL12 - CXCR4\nA - B\n", "",
		},
		{
			"the first of them", "niche_prediction_interactions", "{interactions}\\n", "",
			prompt.Config{TopK: 9, Interactions: table, MaxInteractions: 1},
			prompt.Sample{Cells: cells},
			"CXCL12 - CXCR4\n", "",
		},
		{
			"a complex is whole, none else", "niche_prediction_interactions", "{interactions}\\n", "",
			prompt.Config{TopK: 9, Interactions: table},
			prompt.Sample{Cells: []string{"tgfb1 tgfbr1", "tgfbr2"}},
			"TGFB1 - TGFBR1_TGFBR2\n", "",
		},
		{
			"the cell asked for has no say", "neighbour_generation_interactions", "{interactions}\\n", "{neighbour_cell_sentence}",
			prompt.Config{TopK: 9, Interactions: table},
			prompt.Sample{Cells: []string{"A C"}, Values: map[string]string{"neighbour_cell_sentence": "B"}},
			"none\n", "B",
		},
		{
			"text of several lines", "question_answering", "{question}", "{answer}",
			prompt.Config{},
			prompt.Sample{Values: map[string]string{"question": "a\nb?", "answer": "{c}\td"}},
			"a\nb?", "{c}\td",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := form(t, c.task, c.raw, c.response, c.cfg).Pair(c.sample)
			if err != nil || p.Input != c.input || p.Response != c.output || p.SampleType != c.task {
				t.Errorf("%v\n%q\n%q", err, p.Input, p.Response)
			}
		})
	}
}

func TestRowErrors(t *testing.T) {
	for name, c := range map[string]struct {
		task, raw string
		sample    prompt.Sample
		want      string
	}{
		"no value":   {"cell_type_generation", "{cell_type}", prompt.Sample{Row: 7}, `row 7: field "cell_type": no value for it`},
		"no cells":   {"tissue_prediction", "{multi_cell_sentences}", prompt.Sample{}, `row 0: field "multi_cell_sentences": the sample has no cells`},
		"no number":  {"tissue_prediction", "{num_cells}", prompt.Sample{}, `row 0: field "num_cells": no value for it`},
		"two lines":  {"cell_type_generation", "{cell_type}", prompt.Sample{Values: map[string]string{"cell_type": "a\nb"}}, `row 0: field "cell_type": the value "a\nb" holds the character "\n", which cannot stand in a prompt`},
		"an escape":  {"question_answering", "{question}", prompt.Sample{Values: map[string]string{"question": "\x1b[1m"}}, `row 0: field "question": the value "\x1b[1m" holds the character "\x1b", which cannot stand in a prompt`},
		"a cell":     {"tissue_prediction", "{multi_cell_sentences}", prompt.Sample{Cells: []string{"A\tB"}}, `row 0: field "multi_cell_sentences": the value "A\tB" holds the character "\t", which cannot stand in a prompt`},
		"not UTF-8":  {"cell_type_generation", "{cell_type}", prompt.Sample{Values: map[string]string{"cell_type": "\xff"}}, `row 0: field "cell_type": the value "\xff" holds the character "\xff", which cannot stand in a prompt`},
		"C1 control": {"cell_type_generation", "{cell_type}", prompt.Sample{Values: map[string]string{"cell_type": "\u009b"}}, `row 0: field "cell_type": the value "\u009b" holds the character "\u009b", which cannot stand in a prompt`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := form(t, c.task, c.raw, "", prompt.Config{TopK: 5}).Prompt(c.sample)
			var e *prompt.RowError
			if !errors.As(err, &e) || err.Error() != c.want || !isBadInput(err) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	f := form(t, "sample_cell_type_prediction", "x", "{cell_types}", prompt.Config{})
	_, err := f.Pair(prompt.Sample{Cells: []string{"A", "B"}, CellTypes: []string{"x"}})
	if err == nil || err.Error() != `row 0: field "cell_types": 1 types for 2 cells` {
		t.Error(err)
	}
	if _, err := f.Prompt(prompt.Sample{Row: -1}); err == nil {
		t.Error("a negative row passes")
	}
}

func TestFormatterErrors(t *testing.T) {
	table, err := prompt.LoadInteractions(writeText(t, filepath.Join(t.TempDir(), "t.csv"), "a,b\nX,Y\n"), "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		task string
		cfg  prompt.Config
		want string
	}{
		{"cell_type_prediction", prompt.Config{}, "the number of genes must be positive"},
		{"niche_prediction_interactions", prompt.Config{TopK: 1}, "give a table"},
		{"niche_prediction", prompt.Config{TopK: 1, Interactions: table}, "have no field {interactions}"},
		{"niche_prediction_interactions", prompt.Config{TopK: 1, Interactions: table, MaxInteractions: -1}, "must not be negative"},
		{"cell_type_prediction", prompt.Config{TopK: 1, Choice: 2}, "unknown rule for the choice of templates: Choice(2)"},
	} {
		templates, err := prompt.Default(c.task)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = prompt.NewFormatter(templates, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected … %s …", c.task, err, c.want)
		}
	}
}

func TestInteractionErrors(t *testing.T) {
	for name, c := range map[string][2]string{
		"no column": {"ligand\ttarget\nA\tB\n", `: line 1: no column "receptor" among "ligand", "target"`},
		"no pairs":  {"ligand\treceptor\n", ": the table has no pairs"},
		"empty":     {"", ": the table has no pairs"},
		"short":     {"x,ligand,receptor\n1,A,B\n2,A\n", `: line 3: 2 fields, too few for the columns "ligand" and "receptor"`},
		"no gene":   {"ligand,receptor\nA,\n", `: line 2: "" is no gene name, nor genes with _ between them`},
		"complex":   {"ligand,receptor\nA,B__C\n", `: line 2: "B__C" is no gene name, nor genes with _ between them`},
		"escape":    {"ligand,receptor\n\x1b,C\n", `: line 2: "\x1b" is no gene name, nor genes with _ between them`},
	} {
		path := writeText(t, filepath.Join(t.TempDir(), "t"), c[0])
		_, err := prompt.LoadInteractions(path, "ligand", "receptor")
		if err == nil || err.Error() != path+c[1] || !isBadInput(err) {
			t.Errorf("%s: got  %v\nwant %s", name, err, path+c[1])
		}
	}
}

// TestTokens estimates a prompt of the length that was measured with the tokenizer
// of Gemma-2: 200 genes and 42 words and marks make 722 tokens. 5 percent is what
// a plan for a context window can bear.
func TestTokens(t *testing.T) {
	genes := strings.TrimSpace(strings.Repeat("GENE12 ", 200))
	for _, task := range []string{"cell_type_prediction", "cell_type_generation"} {
		templates, err := prompt.Default(task)
		if err != nil {
			t.Fatal(err)
		}
		f, err := prompt.NewFormatter(templates, prompt.Config{TopK: 200})
		if err != nil {
			t.Fatal(err)
		}
		for row := range 20 {
			p, err := f.Pair(prompt.Sample{Row: row, Values: map[string]string{
				"cell_sentence": genes, "organism": "Homo sapiens", "cell_type": "CD16-positive, CD56-dim natural killer cell, human",
			}})
			if err != nil {
				t.Fatal(err)
			}
			with := max(p.InputTokens, p.ResponseTokens)
			if math.Abs(float64(with)-722) > 0.05*722 && task == "cell_type_prediction" || with < 680 {
				t.Errorf("%d and %d tokens for %q", p.InputTokens, p.ResponseTokens, p.Input[:60])
			}
		}
	}
	// Three genes at 3.4 and 8 bytes of text at a quarter.
	p, err := form(t, "cell_type_prediction", "{cell_sentence}12345678", "", prompt.Config{TopK: 3}).Prompt(
		prompt.Sample{Values: map[string]string{"cell_sentence": "AAAAAAAA BB CC DD"}})
	if want := int(math.Ceil(3*prompt.TokensPerGene + 2)); err != nil || p.InputTokens != want || p.ResponseTokens != 0 {
		t.Errorf("%d tokens, expected %d; %v", p.InputTokens, want, err)
	}
}

// TestPool has sums worked out by hand: rank 0 stands for 2.238, rank 1 for 2.034,
// rank 2 for 1.915.
func TestPool(t *testing.T) {
	for _, c := range []struct {
		cells []string
		want  string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"B A"}, "B A"},
		{[]string{"A B", "B C"}, "B A C"},     // B 2.034 + 2.238, A 2.238, C 2.034
		{[]string{"A B C", "C B A"}, "A C B"}, // A and C 4.153, B 4.069
		{[]string{"A X", "B X", "", "C X"}, "X A B C"},
	} {
		if got := prompt.Pool(c.cells); got != c.want {
			t.Errorf("%q: %q, expected %q", c.cells, got, c.want)
		}
	}
}
