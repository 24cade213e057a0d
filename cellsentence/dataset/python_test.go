package dataset_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// python is an interpreter with the three readers that the tests compare with.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("C2S_PYTHON_DATASETS"), os.Getenv("C2S_PYTHON"), "python3"} {
		if name != "" && exec.Command(name, "-c", "import datasets, duckdb, pyarrow").Run() == nil {
			return name
		}
	}
	const missing = "no Python with datasets, duckdb and pyarrow (C2S_PYTHON_DATASETS)"
	if os.Getenv("C2S_CI") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

func readers(t *testing.T, name, command, dir string) {
	t.Helper()
	cmd := exec.Command(name, "testdata/readers.py", command, dir)
	cmd.Env = append(os.Environ(), "HF_HOME="+filepath.Join(dir, "home"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// object is a row as JSON has it.
func object(b *dataset.Batch, i int) map[string]any {
	row := map[string]any{}
	for k, f := range b.Schema {
		c := &b.Columns[k]
		switch {
		case c.Missing[i]:
			row[f.Name] = nil
		case f.Kind == dataset.Bool:
			row[f.Name] = c.Bools[i]
		case f.Kind == dataset.Int:
			row[f.Name] = c.Ints[i]
		case f.Kind == dataset.Float:
			row[f.Name] = c.Floats[i]
		default:
			row[f.Name] = string(c.TextAt(i))
		}
	}
	return row
}

// TestReadersAgree has pyarrow, DuckDB and Hugging Face datasets read what was
// written here.
func TestReadersAgree(t *testing.T) {
	name := python(t)
	const n = 9000
	dir := t.TempDir()
	for _, format := range []string{"parquet", "arrow", "hf", "jsonl"} {
		write(t, filepath.Join(dir, "x."+format), n, dataset.Options{})
	}
	b := rows(0, n)
	want := make([]map[string]any, n)
	for i := range want {
		want[i] = object(b, i)
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rows.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	readers(t, name, "check", dir)
}

// TestOtherWriters reads what pyarrow, DuckDB and Hugging Face datasets wrote, in
// the encodings and compressions that they offer.
func TestOtherWriters(t *testing.T) {
	name := python(t)
	dir := t.TempDir()
	readers(t, name, "make", dir)
	text, err := os.ReadFile(filepath.Join(dir, "rows.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want []map[string]any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, path := range paths {
		format, err := dataset.FormatOf(path)
		if err != nil {
			continue
		}
		seen++
		r, err := dataset.Open(t.Context(), path, dataset.ReadOptions{Rows: 777})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if s := r.Skipped(); len(s) != 1 || !strings.HasPrefix(s[0], "list") {
			t.Errorf("%s: skipped %v, expected the list", path, s)
		}
		if k := r.Schema()[2].Kind; k != dataset.Category {
			t.Errorf("%s: cell_type is %v", path, k)
		}
		row := 0
		for b, err := range r.All(t.Context()) {
			if err != nil {
				t.Errorf("%s: %v", path, err)
				break
			}
			for i := range b.Rows() {
				got, err := json.Marshal(object(b, i))
				if err != nil {
					t.Fatal(err)
				}
				expected, err := json.Marshal(want[row])
				if err != nil {
					t.Fatal(err)
				}
				if string(got) != string(expected) {
					t.Fatalf("%s, row %d: %s, expected %s", path, row, got, expected)
				}
				row++
			}
		}
		if row != len(want) {
			t.Errorf("%s (%s): %d rows, expected %d", path, format.Kind, row, len(want))
		}
		r.Close()
	}
	if seen != 9 {
		t.Errorf("%d files, expected 9", seen)
	}
}
