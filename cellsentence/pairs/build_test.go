package pairs_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/cellsentence/pairs"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

// TestOneCell has each usable row in order, its labels beside it, and a count of each
// that is not.
func TestOneCell(t *testing.T) {
	in := writeText(t, "cells.jsonl", cells)
	got, report, err := build(t, in, pairs.Config{
		Templates: templates(t, "cell_type_prediction", "{cell_type}.", "{num_genes} of {organism}: {cell_sentence}?"),
		Prompt:    prompt.Config{TopK: 3},
		Constants: map[string]string{"organism": "Mus musculus"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, r := range got {
		texts = append(texts, r["cell_name"]+"|"+r["model_input"]+"|"+r["response"]+"|"+r["donor"]+"|"+r["age"]+"|"+r["c2s_total"])
	}
	want := []string{
		"c0|3 of Mus musculus: A B C?|T cell.|d1|40|9.5",
		"c1|3 of Mus musculus: B A?|B cell.|d1|40|9",
		"c4|3 of Mus musculus: D C B?|T cell.|d2|50|3",
		"c5|3 of Mus musculus: A C D?|T cell.|||3",
		"c6|3 of Mus musculus: C A?|T cell.|d1|41|2",
	}
	if !reflect.DeepEqual(texts, want) {
		t.Errorf("%q, expected %q", texts, want)
	}
	if _, ok := got[0]["cell_sentence"]; ok || got[0]["sample_type"] != "cell_type_prediction" || got[0]["organism"] != "Homo sapiens" {
		t.Errorf("columns %v", got[0])
	}
	left := pairs.LeftOut{Missing: map[string]int64{"cell_type": 2}, Empty: 1}
	if report.Rows != 8 || report.Pairs != 5 || report.Cells != 1 || report.Short != 2 || !reflect.DeepEqual(report.LeftOut, left) || report.C2S {
		t.Errorf("%+v", report)
	}
	if s := left.String(); s != "2 without cell_type, 1 with an empty sentence" || left.Total() != 3 {
		t.Errorf("%q", s)
	}
	var in2, out, most int64
	for _, r := range got {
		a, b := int64(dataset.EstimateTokens([]byte(r["model_input"]))), int64(dataset.EstimateTokens([]byte(r["response"])))
		in2, out, most = in2+a, out+b, max(most, a+b)
	}
	if report.InputTokens != in2 || report.ResponseTokens != out || report.LongestTokens != most {
		t.Errorf("tokens %d, %d, %d, expected %d, %d, %d", report.InputTokens, report.ResponseTokens, report.LongestTokens, in2, out, most)
	}
}

// TestFields takes fields from other columns, and words with other delimiters.
func TestFields(t *testing.T) {
	in := writeText(t, "cells.jsonl", `{"genes": "A,B,C", "label": "T", "n": 7}`+"\n")
	got, _, err := build(t, in, pairs.Config{
		Templates: templates(t, "cell_type_generation", "{cell_sentence}", "{cell_type} of {organism}"),
		Prompt:    prompt.Config{TopK: 2}, Delimiter: ",",
		Fields: map[string]string{"cell_sentence": "genes", "cell_type": "label", "organism": "n"},
	})
	if err != nil || len(got) != 1 || got[0]["model_input"] != "T of 7" || got[0]["response"] != "A B" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestGather makes prompts of several cells: within groups, in order of arrival.
func TestGather(t *testing.T) {
	in := writeText(t, "cells.jsonl", cells)
	for _, tc := range []struct {
		name string
		cfg  pairs.Config
		want []string // cells|input|response|donor|age
		left pairs.LeftOut
	}{
		{
			"fields are groups",
			pairs.Config{
				Templates: templates(t, "tissue_prediction", "{tissue}", "{num_cells} {organism}\n{multi_cell_sentences}"),
				Fields:    map[string]string{"tissue": "donor"}, Cells: 2,
			},
			[]string{
				"c0, c1|2 Homo sapiens\nCell 1:\nA B C.\nCell 2:\nB A.\n|d1|d1|40",
				"c2, c4|2 Homo sapiens\nCell 1:\nC.\nCell 2:\nD C B.\n|d2|d2|50",
				"c6, c7|2 Homo sapiens\nCell 1:\nC A.\nCell 2:\nB D.\n|d1|d1|",
			},
			pairs.LeftOut{Missing: map[string]int64{"donor": 1}, Empty: 1},
		},
		{
			"types",
			pairs.Config{
				Templates: templates(t, "sample_cell_type_prediction", "{cell_types}", "{num_cells} {multi_cell_sentences}"),
				GroupBy:   []string{"donor"}, Cells: 3,
			},
			[]string{"c0, c1, c6|3 Cell 1:\nA B C.\nCell 2:\nB A.\nCell 3:\nC A.\n|Cell 1: T cell\nCell 2: B cell\nCell 3: T cell|d1|"},
			pairs.LeftOut{Missing: map[string]int64{"cell_type": 2, "donor": 1}, Empty: 1, Leftover: 1},
		},
		{
			// Whole sentences are pooled, and the first three genes of the result shown.
			"pseudobulk",
			pairs.Config{
				Templates: templates(t, "pseudobulk_generation", "{pseudobulk_sentence}", "{num_cells} {cell_type} from {donor}"),
				Cells:     2,
			},
			[]string{"c0, c6|2 T cell from d1|" + strings.Join(strings.Fields(prompt.Pool([]string{"A B C D", "C A"}))[:3], " ") + "|d1|"},
			pairs.LeftOut{Missing: map[string]int64{"cell_type": 2, "donor": 1}, Empty: 1, Leftover: 2},
		},
		{
			"the next cell of the neighbourhood",
			pairs.Config{
				Templates: templates(t, "neighbour_generation", "{neighbour_cell_sentence}", "{num_cells} {multi_cell_sentences}"),
				GroupBy:   []string{"donor"}, Cells: 1,
			},
			[]string{
				"c0, c1|1 Cell 1:\nA B C.\n|B A|d1|40",
				"c2, c4|1 Cell 1:\nC.\n|D C B|d2|50",
				"c6, c7|1 Cell 1:\nC A.\n|B D|d1|",
			},
			pairs.LeftOut{Missing: map[string]int64{"donor": 1}, Empty: 1},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.cfg.Prompt.TopK = 3
			got, report, err := build(t, in, tc.cfg)
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for _, r := range got {
				texts = append(texts, r["cell_name"]+"|"+r["model_input"]+"|"+r["response"]+"|"+r["donor"]+"|"+r["age"])
				if _, ok := r["c2s_total"]; ok {
					t.Error("the total of one cell goes along with several")
				}
			}
			if !reflect.DeepEqual(texts, tc.want) {
				t.Errorf("%q, expected %q", texts, tc.want)
			}
			if !reflect.DeepEqual(report.LeftOut, tc.left) {
				t.Errorf("%+v, expected %+v", report.LeftOut, tc.left)
			}
			if report.Rows != report.Pairs*int64(report.Cells)+report.LeftOut.Total() {
				t.Errorf("%d rows are not %d pairs of %d cells and %d rows left out", report.Rows, report.Pairs, report.Cells, report.LeftOut.Total())
			}
		})
	}
}

// TestColumnsInsteadOfCells takes the neighbour, the pseudobulk and perturbed cells
// from columns where these are there.
func TestColumnsInsteadOfCells(t *testing.T) {
	in := writeText(t, "cells.jsonl", `{"cell_sentence": "A B", "neighbour_cell_sentence": "X Y", "niche": "n1", "pooled": "P Q", "cell_type": "T", "control_cell_sentence": "C D", "perturbed_cell_sentence": "D C", "perturbation_name": "IFNB", "dose": 0.5, "organism": "Homo sapiens"}`+"\n")
	for task, tc := range map[string]struct {
		cfg  pairs.Config
		want string
	}{
		"neighbour_generation":            {pairs.Config{Cells: 1}, "X Y."},
		"niche_prediction":                {pairs.Config{Cells: 1}, "n1."},
		"pseudobulk_generation":           {pairs.Config{Fields: map[string]string{"pseudobulk_sentence": "pooled"}, Constants: map[string]string{"num_cells": "10"}}, "P Q."},
		"perturbation_response":           {pairs.Config{}, "D C."},
		"perturbation_dose_response":      {pairs.Config{}, "D C."},
		"cell_type_generation":            {pairs.Config{}, "A B."},
		"sample_cell_type_prediction":     {pairs.Config{Cells: 1}, "Cell 1: T."},
		"pseudobulk_cell_type_prediction": {pairs.Config{Cells: 1}, "T."},
	} {
		tc.cfg.Templates, tc.cfg.Prompt.TopK = wording(t, task), 2
		got, _, err := build(t, in, tc.cfg)
		if err != nil || len(got) != 1 || got[0]["response"] != tc.want {
			t.Errorf("%s: %v, %v", task, got, err)
		}
	}
}

// TestTemplateOfARow does not change when other rows are left out.
func TestTemplateOfARow(t *testing.T) {
	var all, some strings.Builder
	for i := range 300 {
		kind := `"T cell"`
		fmt.Fprintf(&all, `{"cell_name": "c%d", "cell_sentence": "A B", "cell_type": %s, "organism": "Homo sapiens"}`+"\n", i, kind)
		if i%3 == 0 {
			kind = "null"
		}
		fmt.Fprintf(&some, `{"cell_name": "c%d", "cell_sentence": "A B", "cell_type": %s, "organism": "Homo sapiens"}`+"\n", i, kind)
	}
	cfg := pairs.Config{Templates: wording(t, "cell_type_prediction"), Prompt: prompt.Config{TopK: 2, Seed: 3}}
	whole, _, err := build(t, writeText(t, "all.jsonl", all.String()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	part, _, err := build(t, writeText(t, "some.jsonl", some.String()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]string{}
	different := map[string]bool{}
	for _, r := range whole {
		inputs[r["cell_name"]] = r["model_input"]
		different[r["model_input"]] = true
	}
	if len(part) != 200 || len(different) < 3 {
		t.Fatalf("%d rows with %d prompts", len(part), len(different))
	}
	for _, r := range part {
		if inputs[r["cell_name"]] != r["model_input"] {
			t.Fatalf("%s has another prompt", r["cell_name"])
		}
	}
}

// TestGeneSets reads a .gmt.
func TestGeneSets(t *testing.T) {
	in := writeText(t, "sets.gmt", "SET_A\thttp://a\tIl6\tTNF\tIL6\t\r\n\nSET_B\t\tCD3D\n")
	got, report, err := build(t, in, pairs.Config{
		Templates: templates(t, "gene_set_naming", "{gene_set_name}", "{genes}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{
		{"sample_type": "gene_set_naming", "model_input": "IL6 TNF", "response": "SET_A", "gene_set_name": "SET_A", "description": "http://a"},
		{"sample_type": "gene_set_naming", "model_input": "CD3D", "response": "SET_B", "gene_set_name": "SET_B"},
	}
	for _, row := range got {
		delete(row, dataset.ColumnInputTokens)
		delete(row, dataset.ColumnResponseTokens)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, expected %v", got, want)
	}
	if len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0], "1 genes that a set names again") {
		t.Errorf("%q", report.Warnings)
	}
	for text, problem := range map[string]string{
		"":                      "no gene set",
		"SET_A\tabout\n":        "line 1: no name",
		"\ta\tB\n":              "line 1: no name",
		"S\ta\tB\nS\ta\tB, C\n": "line 2: \"B, C\" is no gene",
	} {
		_, err := pairs.Open(t.Context(), writeText(t, "sets.gmt", text), dataset.ReadOptions{})
		checkBad(t, err, problem)
	}
}

type badInput interface{ BadInput() bool }

func checkBad(t *testing.T, err error, problem string) {
	t.Helper()
	var bad badInput
	if err == nil || !strings.Contains(err.Error(), problem) || !errors.As(err, &bad) || !bad.BadInput() {
		t.Errorf("%v, expected bad input: %s", err, problem)
	}
}

// TestRefuses says which wish does not go with the task.
func TestRefuses(t *testing.T) {
	in := writeText(t, "cells.jsonl", cells)
	one := templates(t, "cell_type_prediction", "{cell_type}.", "{organism} {cell_sentence}")
	several := templates(t, "tissue_prediction", "{tissue}", "{organism} {multi_cell_sentences}")
	for problem, cfg := range map[string]pairs.Config{
		"must be positive":             {Templates: one},
		"makes a prompt of each row":   {Templates: one, Cells: 2},
		"each row: a number":           {Templates: one, GroupBy: []string{"donor"}},
		"say how many a prompt has":    {Templates: several},
		"no column for a field \"x\"":  {Templates: one, Fields: map[string]string{"x": "donor"}},
		"\"num_genes\"":                {Templates: one, Constants: map[string]string{"num_genes": "7"}},
		"no text for a field \"multi_": {Templates: several, Cells: 2, Constants: map[string]string{"multi_cell_sentences": "A"}},
		"a column and a text":          {Templates: one, Fields: map[string]string{"organism": "donor"}, Constants: map[string]string{"organism": "x"}},
		"name the column of their neighbourhood": {
			Templates: wording(t, "neighbour_generation"), Cells: 2, Constants: map[string]string{"organism": "x"},
		},
	} {
		if problem != "must be positive" {
			cfg.Prompt.TopK = 2
		}
		_, _, err := build(t, in, cfg)
		var use *pairs.ConfigError
		if !errors.As(err, &use) || !strings.Contains(err.Error(), problem) {
			t.Errorf("%v, expected wrong use: %s", err, problem)
		}
	}
}

// TestBadData names the column or the row.
func TestBadData(t *testing.T) {
	in := writeText(t, "cells.jsonl", cells)
	one := templates(t, "cell_type_prediction", "{cell_type}.", "{organism} {cell_sentence}")
	for problem, tc := range map[string]struct {
		in  string
		cfg pairs.Config
	}{
		`no column "nothing" for the field cell_type of task cell_type_prediction; the columns are: cell_name,`: {
			in, pairs.Config{Templates: one, Fields: map[string]string{"cell_type": "nothing"}},
		},
		`no column "lane" for the groups`: {in, pairs.Config{
			Templates: templates(t, "tissue_prediction", "{tissue}", "{multi_cell_sentences}"), Cells: 2, Constants: map[string]string{"tissue": "x"}, GroupBy: []string{"lane"},
		}},
		"column \"age\" holds no text": {in, pairs.Config{Templates: one, Fields: map[string]string{"cell_sentence": "age"}}},
		"row 1: the sentence has no \" \" between its genes but \",\"": {
			writeText(t, "c.jsonl", `{"cell_sentence": "A B", "cell_type": "T", "organism": "x"}`+"\n"+`{"cell_sentence": "A,B", "cell_type": "T", "organism": "x"}`+"\n"),
			pairs.Config{Templates: one},
		},
		`row 0: field "cell_type": the value "T\ncell" holds the character`: {
			writeText(t, "c.jsonl", `{"cell_sentence": "A B", "cell_type": "T\ncell", "organism": "x"}`+"\n"), pairs.Config{Templates: one},
		},
		"column \"response\" has the name of a column of the output": {
			writeText(t, "c.jsonl", `{"cell_sentence": "A B", "cell_type": "T", "organism": "x", "response": "y"}`+"\n"), pairs.Config{Templates: one},
		},
		"no pair can be made of 8 rows: 1 with an empty sentence, 7 too few": {in, pairs.Config{
			Templates: templates(t, "tissue_prediction", "{tissue}", "{multi_cell_sentences}"), Cells: 20, Constants: map[string]string{"tissue": "x"},
		}},
		"that are not full take more than 100 bytes": {in, pairs.Config{
			Templates: templates(t, "tissue_prediction", "{tissue}", "{multi_cell_sentences}"), Cells: 20, Constants: map[string]string{"tissue": "x"}, Budget: 100,
		}},
	} {
		tc.cfg.Prompt.TopK = 2
		_, _, err := build(t, tc.in, tc.cfg)
		checkBad(t, err, problem)
	}
	// Where such data comes from.
	for task, hint := range map[string]string{
		"perturbation_response": "c2s perturb pairs", "same_neighbourhood": "Yes or No", "gene_set_naming": ".gmt",
	} {
		_, _, err := build(t, in, pairs.Config{Templates: wording(t, task), Prompt: prompt.Config{TopK: 2}, Cells: map[string]int{"same_neighbourhood": 2}[task]})
		var missing *pairs.FieldError
		if !errors.As(err, &missing) || !strings.Contains(missing.Hint(), hint) {
			t.Errorf("%s: %v", task, err)
		}
	}
}

// TestFormats has the same pairs in each format.
func TestFormats(t *testing.T) {
	in := writeText(t, "cells.jsonl", cells)
	var first []map[string]string
	for _, name := range []string{"p.parquet", "p.arrow", "p.hf", "p.jsonl", "p.jsonl.gz"} {
		src, err := pairs.Open(t.Context(), in, dataset.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), name)
		cfg := pairs.Config{Templates: wording(t, "cell_type_prediction"), Prompt: prompt.Config{TopK: 2}}
		if _, err := pairs.Build(t.Context(), src, out, cfg, dataset.Options{Jobs: 2}); err != nil {
			t.Fatal(err)
		}
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
		got := rows(t, out)
		if first == nil {
			first = got
		}
		if len(got) != 5 || !reflect.DeepEqual(got, first) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
