package dataset_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// allKinds has a column of each kind, and each kind with missing values.
var allKinds = dataset.Schema{
	{Name: "cell_name", Kind: dataset.Text},
	{Name: "cell_sentence", Kind: dataset.Text},
	{Name: "cell_type", Kind: dataset.Category},
	{Name: "note \"quoted\"\n", Kind: dataset.Text},
	{Name: "doublet", Kind: dataset.Bool},
	{Name: "age", Kind: dataset.Int},
	{Name: "score", Kind: dataset.Float},
	{Name: "c2s_n_genes", Kind: dataset.Int},
	{Name: "c2s_total", Kind: dataset.Float},
}

// rows makes rows from, to (exclusive) of a dataset with all kinds of values.
func rows(from, to int) *dataset.Batch {
	b := dataset.NewBatch(allKinds)
	for i := from; i < to; i++ {
		c := b.Columns
		c[0].AppendString(fmt.Sprintf("cell-%d", i))
		c[1].AppendString(fmt.Sprintf("GENE%d MS4A1 CD3D MT-CO1 G%d", i, i%97))
		if i%7 == 3 {
			for k := 2; k < 7; k++ {
				c[k].AppendMissing()
			}
		} else {
			c[2].AppendString([]string{"B cell", "T cell", "Zelle, \u00dc\u2028"}[i%3])
			c[3].AppendString(fmt.Sprintf("tab\t%d \\ \"\x01 \U0001F9EC", i))
			c[4].AppendBool(i%2 == 0)
			c[5].AppendInt([]int64{int64(i), math.MaxInt64, math.MinInt64}[i%3])
			c[6].AppendFloat([]float64{float64(i) / 3, -1e300, 0, 61}[i%4])
		}
		c[7].AppendInt(int64(i % 500))
		c[8].AppendFloat(float64(i))
	}
	return b
}

// write writes n rows, which must be made in any way as one.
func write(t testing.TB, path string, n int, opts dataset.Options) {
	t.Helper()
	w, err := dataset.Create(path, allKinds, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for from := 0; from < n; from += 1000 {
		if err := w.Append(rows(from, min(from+1000, n)), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if w.Rows() != int64(n) {
		t.Errorf("%d rows, expected %d", w.Rows(), n)
	}
}

// read prints all rows of a dataset, a row a line of columns.
func read(t testing.TB, path string, opts dataset.ReadOptions) (dataset.Schema, []string) {
	t.Helper()
	r, err := dataset.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []string
	for b, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Start != int64(len(out)) {
			t.Errorf("a batch starts at %d, expected %d", b.Start, len(out))
		}
		out = append(out, printed(b)...)
	}
	return r.Schema(), out
}

func printed(b *dataset.Batch) []string {
	var out []string
	for i := range b.Rows() {
		var line []byte
		for k := range b.Columns {
			if b.Columns[k].Missing[i] {
				line = append(line, "missing"...)
			} else {
				line = append(line, '<')
				line = b.Columns[k].Print(line, i)
				line = append(line, '>')
			}
		}
		out = append(out, string(line))
	}
	return out
}

// files reads a file, or all files of a folder.
func files(t testing.TB, path string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names := []string{""}
	if st, err := os.Stat(path); err != nil {
		t.Fatal(err)
	} else if st.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		names = nil
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}

// formats are the endings of all formats; those that keep all columns come first.
var formats = []string{"parquet", "arrow", "hf", "jsonl", "jsonl.gz", "jsonl.zst", "txt", "txt.gz", "txt.zst"}

func equalRows(t *testing.T, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, expected %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("row %d: %s, expected %s", i, got[i], want[i])
		}
	}
}
