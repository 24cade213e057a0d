package pairs_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/perturb/pairs"
	"github.com/cellsentence/c2s/perturb/reward"
)

// examples are three pairs to train with, of which two have one prompt, and one to test
// with. The texts have what JSON and tables must quote.
func examples() []pairs.Example {
	e := func(test bool, prompt, response, name string) pairs.Example {
		return pairs.Example{
			Test: test, Prompt: prompt, Response: response, Task: "perturbation_response",
			Truth:   reward.Truth{Control: "A B", Real: reward.Sentences{strings.TrimSuffix(response, "."), "B C"}},
			Control: "c0", Perturbed: name, Perturbation: "IFN-β", CellType: "T <cell>", Group: "T",
		}
	}
	return []pairs.Example{
		e(false, "Before: A B.\nAfter \"IFN-β\":", "B A.", "p0"), e(false, "Before: C \\D.\nAfter:", "D C.", "p1"),
		e(true, "Before: E & F.\nAfter:", "F E.", "p2"), e(false, "Before: A B.\nAfter \"IFN-β\":", "C A.", "p3"),
	}
}

func written(t testing.TB, opts pairs.Options, list []pairs.Example) (string, pairs.Audit) {
	t.Helper()
	dir := t.TempDir()
	w, err := pairs.Create(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, e := range list {
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	audit, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return dir, audit
}

// schemas are what the documents of a trainer ask of a line: its keys and the types of
// their values; no other key is there. Where a key holds the text of an object, that has
// the keys of a reward.Truth.
var schemas = map[string]map[string]string{
	// TRL 1.10, docs "Dataset formats and types": standard prompt-completion, and standard
	// prompt-only; GRPOTrainer hands other columns to reward functions as they are.
	"trl/sft_train.jsonl":  {"prompt": "string", "completion": "string"},
	"trl/grpo_train.jsonl": {"prompt": "string", "truth": "truth"},
	// OpenRLHF, examples/scripts: --input_key and --output_key of train_sft, --input_key and
	// --label_key of train_ppo_ray name columns of strings.
	"openrlhf/sft_train.jsonl": {"input": "string", "output": "string"},
	"openrlhf/rl_train.jsonl":  {"input": "string", "truth": "truth"},
	// Axolotl, docs "Template-free prompt construction", type input_output.
	"axolotl/train.jsonl": {"segments": "segments"},
	// LLaMA-Factory, data/README.md, alpaca format with the columns that its
	// dataset_info.json names.
	"llama-factory/train.jsonl": {"instruction": "string", "input": "string", "output": "string"},
}

func TestSchemas(t *testing.T) {
	dir, audit := written(t, pairs.Options{Test: true, EndOfText: "<eos>"}, examples())
	if audit != (pairs.Audit{RepeatedPrompts: 1}) {
		t.Errorf("%+v", audit)
	}
	for name, schema := range schemas {
		for _, name := range []string{name, strings.Replace(name, "train", "test", 1)} {
			want := 3 // pairs; one of two equal prompts is rewarded
			switch {
			case strings.Contains(name, "test"):
				want = 1
			case schema["truth"] != "":
				want = 2
			}
			rows := readLines(t, filepath.Join(dir, filepath.FromSlash(name)))
			if len(rows) != want {
				t.Errorf("%s: %d lines, expected %d", name, len(rows), want)
			}
			for i, row := range rows {
				checkRow(t, fmt.Sprintf("%s, line %d", name, i+1), row, schema)
			}
		}
	}
	first := readLines(t, filepath.Join(dir, "axolotl", "train.jsonl"))[0]["segments"]
	want := []any{
		map[string]any{"label": false, "text": "Before: A B.\nAfter \"IFN-β\":"},
		map[string]any{"label": true, "text": " B A.<eos>"},
	}
	if !reflect.DeepEqual(first, want) {
		t.Errorf("%v", first)
	}
	var info map[string]struct {
		FileName   string            `json:"file_name"`
		Formatting string            `json:"formatting"`
		Columns    map[string]string `json:"columns"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "llama-factory", "dataset_info.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&info); err != nil || len(info) != 2 {
		t.Fatalf("%v %v", info, err)
	}
	for name, e := range info {
		if _, err := os.Stat(filepath.Join(dir, "llama-factory", e.FileName)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		row := readLines(t, filepath.Join(dir, "llama-factory", e.FileName))[0]
		for _, column := range e.Columns {
			if _, ok := row[column]; !ok {
				t.Errorf("%s: no column %q in %v", name, column, row)
			}
		}
		if e.Formatting != "alpaca" || !slices.Equal(slices.Sorted(maps.Keys(e.Columns)), []string{"prompt", "query", "response"}) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func readLines(t testing.TB, path string) (out []map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var row map[string]any
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func checkRow(t testing.TB, where string, row map[string]any, schema map[string]string) {
	t.Helper()
	if !slices.Equal(slices.Sorted(maps.Keys(row)), slices.Sorted(maps.Keys(schema))) {
		t.Errorf("%s: keys %v, expected %v", where, slices.Sorted(maps.Keys(row)), slices.Sorted(maps.Keys(schema)))
		return
	}
	for key, kind := range schema {
		switch text, isText := row[key].(string); kind {
		case "string":
			if !isText {
				t.Errorf("%s: %s is %v", where, key, row[key])
			}
		case "truth":
			truth, err := reward.ParseTruth(json.RawMessage(fmt.Sprintf("%q", text)))
			if err != nil || len(truth.Real) != 2 || truth.Control != "A B" {
				t.Errorf("%s: truth %q: %+v %v", where, text, truth, err)
			}
		case "segments":
			list, _ := row[key].([]any)
			if len(list) != 2 {
				t.Errorf("%s: %v", where, row)
			}
			for i, s := range list {
				m, _ := s.(map[string]any)
				if text, ok := m["text"].(string); !ok || text == "" || m["label"] != (i == 1) || len(m) != 2 {
					t.Errorf("%s: segment %d: %v", where, i, s)
				}
			}
		}
	}
}

// TestTable is read by the project's own reader.
func TestTable(t *testing.T) {
	dir, _ := written(t, pairs.Options{Formats: []pairs.Format{pairs.FormatTable}}, slices.DeleteFunc(examples(), func(e pairs.Example) bool { return e.Test }))
	if entries, err := os.ReadDir(filepath.Join(dir, "table")); err != nil || len(entries) != 1 {
		t.Errorf("%v %v: expected train.parquet alone", entries, err)
	}
	rows := 0
	for b, err := range dataset.Read(t.Context(), filepath.Join(dir, "table", "train.parquet"), dataset.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows += b.Rows()
		if got := string(b.Column("response").TextAt(1)); got != "D C." {
			t.Errorf("response %q", got)
		}
		if !b.Column("dose").Missing[0] || string(b.Column("perturbation").TextAt(0)) != "IFN-β" || string(b.Column("split").TextAt(2)) != "train" {
			t.Error("labels")
		}
	}
	if rows != 3 {
		t.Errorf("%d rows", rows)
	}
	w, err := pairs.Create(t.TempDir(), pairs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := w.Add(pairs.Example{Test: true}); err == nil {
		t.Error("an example to test with was taken")
	}
	if _, err := pairs.Create(t.TempDir(), pairs.Options{Formats: []pairs.Format{"nemo"}}); err == nil {
		t.Error("an unknown format was taken")
	}
}

// TestSharedPrompt: what both sides have is counted.
func TestSharedPrompt(t *testing.T) {
	list := examples()
	list[2].Prompt = list[0].Prompt
	if _, audit := written(t, pairs.Options{Test: true}, list); audit != (pairs.Audit{SharedPrompts: 1, RepeatedPrompts: 1}) {
		t.Errorf("%+v", audit)
	}
}

// TestPythonReads: every file is read back by datasets, and verl's by pyarrow with the
// columns and types that verl's own preprocessing scripts write (examples/data_preprocess).
func TestPythonReads(t *testing.T) {
	python := os.Getenv("C2S_PYTHON_DATASETS")
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("C2S_PYTHON_DATASETS is not set")
		}
		t.Skip("C2S_PYTHON_DATASETS is not set")
	}
	dir, _ := written(t, pairs.Options{Test: true, EndOfText: "<eos>"}, examples())
	out, err := exec.Command(python, "testdata/read.py", dir, t.TempDir()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := strings.Count(string(out), "ok "); got != 16 {
		t.Errorf("%d files were read, expected 16: %s", got, out)
	}
}
