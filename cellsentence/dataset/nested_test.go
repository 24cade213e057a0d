package dataset_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// chat is a row a prompt, in the form of verl.
func chat(t *testing.T, path string, rows int) {
	t.Helper()
	schema := dataset.Schema{
		{Name: "data_source", Kind: dataset.Text},
		{Name: "prompt[].role", Kind: dataset.Text},
		{Name: "prompt[].content", Kind: dataset.Text},
		{Name: "reward_model.style", Kind: dataset.Text},
		{Name: "extra_info.index", Kind: dataset.Int},
		{Name: "extra_info.share", Kind: dataset.Float},
	}
	w, err := dataset.Create(path, schema, dataset.Options{Nest: true, Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	b := dataset.NewBatch(schema)
	for i := range rows {
		b.Columns[0].AppendString("c2s")
		b.Columns[1].AppendString("user")
		b.Columns[2].AppendString(fmt.Sprintf("prompt %d", i))
		b.Columns[3].AppendString("rule")
		b.Columns[4].AppendInt(int64(i))
		if i%2 == 0 {
			b.Columns[5].AppendMissing()
		} else {
			b.Columns[5].AppendFloat(0.5)
		}
	}
	if err := w.Append(b, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestNestedParquet is read back by pyarrow and datasets, over several row groups.
func TestNestedParquet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chat.parquet")
	const rows = 2*dataset.BlockRows + 3
	chat(t, path, rows)
	r, err := dataset.Open(t.Context(), path, dataset.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if names := r.Schema().Names(); len(names) != 1 || names[0] != "data_source" {
		t.Errorf("columns %v: expected the one that is no structure", names)
	}
	r.Close()
	python := os.Getenv("C2S_PYTHON_DATASETS")
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("C2S_PYTHON_DATASETS is not set")
		}
		t.Skip("C2S_PYTHON_DATASETS is not set")
	}
	out, err := exec.Command(python, "-c", `
import sys, datasets, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1])
print(t.schema.field("prompt").type, t.schema.field("extra_info").type, t.num_rows)
for i, row in enumerate(t.to_pylist()):
    assert row == {"data_source": "c2s", "prompt": [{"role": "user", "content": f"prompt {i}"}], "reward_model": {"style": "rule"},
                   "extra_info": {"index": i, "share": 0.5 if i % 2 else None}}, row
d = datasets.load_dataset("parquet", data_files=sys.argv[1], split="train", cache_dir=sys.argv[2])
print(d[5]["prompt"])
`, path, t.TempDir()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"role: string", fmt.Sprint(rows), "[{'role': 'user', 'content': 'prompt 5'}]"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s: expected %q", out, want)
		}
	}
}

func TestNestRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		path   string
		schema dataset.Schema
	}{
		"another format": {"a.jsonl", dataset.Schema{{Name: "a.b", Kind: dataset.Text}}},
		"a category":     {"a.parquet", dataset.Schema{{Name: "a.b", Kind: dataset.Category}}},
		"torn apart":     {"a.parquet", dataset.Schema{{Name: "a.b", Kind: dataset.Text}, {Name: "c", Kind: dataset.Text}, {Name: "a.d", Kind: dataset.Text}}},
		"no name":        {"a.parquet", dataset.Schema{{Name: ".b", Kind: dataset.Text}}},
	} {
		if _, err := dataset.Create(filepath.Join(dir, c.path), c.schema, dataset.Options{Nest: true}); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}
