package pairs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/cellsentence/pairs"
	"github.com/cellsentence/c2s/cellsentence/prompt"
)

func writeText(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// templates are prompts of a task with the given words.
func templates(t testing.TB, task, response string, prompts ...string) *prompt.Templates {
	t.Helper()
	data, err := json.Marshal(map[string][]string{"model_input": prompts, "response": {response}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := prompt.Load(writeText(t, "p.json", string(data)), task, "donor")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wording(t testing.TB, task string) *prompt.Templates {
	t.Helper()
	out, err := prompt.Default(task)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// build makes pairs and reads them back, a row a map of column and printed value;
// missing values are not in it.
func build(t testing.TB, in string, cfg pairs.Config) ([]map[string]string, *pairs.Report, error) {
	t.Helper()
	src, err := pairs.Open(t.Context(), in, dataset.ReadOptions{})
	if err != nil {
		return nil, nil, err
	}
	defer src.Close()
	out := filepath.Join(t.TempDir(), "pairs.parquet")
	report, err := pairs.Build(t.Context(), src, out, cfg, dataset.Options{})
	if err != nil {
		if _, there := os.Stat(out); there == nil {
			t.Error("an output is left of a run that failed")
		}
		return nil, nil, err
	}
	return rows(t, out), report, nil
}

func rows(t testing.TB, path string) []map[string]string {
	t.Helper()
	var list []map[string]string
	for b, err := range dataset.Read(t.Context(), path, dataset.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows() {
			row := map[string]string{}
			for k := range b.Columns {
				if !b.Columns[k].Missing[i] {
					row[b.Schema[k].Name] = string(b.Columns[k].Print(nil, i))
				}
			}
			list = append(list, row)
		}
	}
	return list
}

// cells is a small dataset with what may be wrong with a row.
const cells = `{"cell_name": "c0", "cell_sentence": "A B C D", "cell_type": "T cell", "organism": "Homo sapiens", "donor": "d1", "age": 40, "c2s_n_genes": 4, "c2s_total": 9.5}
{"cell_name": "c1", "cell_sentence": "B A", "cell_type": "B cell", "organism": "Homo sapiens", "donor": "d1", "age": 40, "c2s_n_genes": 2, "c2s_total": 9}
{"cell_name": "c2", "cell_sentence": "C", "cell_type": null, "organism": "Homo sapiens", "donor": "d2", "age": 50, "c2s_n_genes": 1, "c2s_total": 1}
{"cell_name": "c3", "cell_sentence": "", "cell_type": "T cell", "organism": "Homo sapiens", "donor": "d2", "age": 50, "c2s_n_genes": 0, "c2s_total": 0}
{"cell_name": "c4", "cell_sentence": "D C B", "cell_type": "T cell", "organism": "Homo sapiens", "donor": "d2", "age": 50, "c2s_n_genes": 3, "c2s_total": 3}
{"cell_name": "c5", "cell_sentence": "A C D", "cell_type": "T cell", "organism": "Homo sapiens", "donor": null, "age": null, "c2s_n_genes": 3, "c2s_total": 3}
{"cell_name": "c6", "cell_sentence": " C  A ", "cell_type": "T cell", "organism": "Homo sapiens", "donor": "d1", "age": 41, "c2s_n_genes": 2, "c2s_total": 2}
{"cell_name": "c7", "cell_sentence": "B D", "cell_type": " ", "organism": "Homo sapiens", "donor": "d1", "age": 40, "c2s_n_genes": 2, "c2s_total": 3}
`
