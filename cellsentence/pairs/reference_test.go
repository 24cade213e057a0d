package pairs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/pairs"
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

// TestPairsEqualPackage makes whole datasets of pairs from the package's own prompts
// with its formatters and with ours. The cells of a prompt are those that we gather:
// the package wants to be told them.
func TestPairsEqualPackage(t *testing.T) {
	dir, err := prompt.FindPackage(t.Context(), python(t))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	var cells []map[string]string
	for i := range 400 {
		var words []string
		for _, g := range r.Perm(60)[:1+r.IntN(30)] {
			words = append(words, fmt.Sprintf("GENE%d", g))
		}
		cell := map[string]string{
			"cell_name": strconv.Itoa(i), "cell_sentence": strings.Join(words, " "),
			"cell_type": fmt.Sprintf("type %d, human", r.IntN(5)), "tissue": fmt.Sprint("tissue ", r.IntN(3)),
			"organism": []string{"Homo sapiens", "Mus musculus"}[r.IntN(2)], "abstract": fmt.Sprintf("about\n%d", r.IntN(2)),
		}
		cells = append(cells, cell)
		line, err := json.Marshal(cell)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	in := writeText(t, "cells.jsonl", text.String())
	for task, n := range map[string]int{
		"cell_type_prediction": 0, "cell_type_generation": 0,
		"tissue_prediction": 5, "tissue_conditional_generation": 3, "natural_language_interpretation": 7,
	} {
		t.Run(task, func(t *testing.T) {
			templates, err := prompt.Load(dir, task)
			if err != nil {
				t.Fatal(err)
			}
			got, report, err := build(t, in, pairs.Config{
				Templates: templates, Prompt: prompt.Config{TopK: 9, Seed: 42, Choice: prompt.ChoicePython}, Cells: n,
			})
			if err != nil {
				t.Fatal(err)
			}
			if !report.C2S || n > 0 && len(got) < 400/n/2 || n == 0 && len(got) != 400 {
				t.Errorf("%+v", report)
			}
			request := map[string]any{"do": "pairs", "task": task, "top_k": 9, "seed": 42, "cells": cells}
			if n > 0 {
				var groups []map[string]any
				for _, row := range got {
					var members []int
					for name := range strings.SplitSeq(row["cell_name"], ", ") {
						i, err := strconv.Atoi(name)
						if err != nil {
							t.Fatal(err)
						}
						members = append(members, i)
					}
					first := cells[members[0]]
					groups = append(groups, map[string]any{
						"multi_cell_groupings": members, "organism": first["organism"], "tissue": first["tissue"], "abstract": first["abstract"],
					})
				}
				request["groups"] = groups
			}
			var want struct {
				Input    []string `json:"model_input"`
				Response []string `json:"response"`
			}
			ask(t, request, &want)
			for i, row := range got {
				if row["model_input"] != want.Input[i] || row["response"] != want.Response[i] {
					t.Fatalf("row %d:\nc2s     %q\n%q\npackage %q\n%q", i, row["model_input"], row["response"], want.Input[i], want.Response[i])
				}
			}
		})
	}
}

// ask sends a request to the reference program of package prompt.
func ask(t testing.TB, request, answer any) {
	t.Helper()
	in, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python(t), "../prompt/testdata/reference.py")
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
