package dataset_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/atomicfile"
)

// TestRoundTrip reads back what was written, in every format.
func TestRoundTrip(t *testing.T) {
	const n = 9000 // three blocks
	want := printed(rows(0, n))
	for _, format := range formats {
		t.Run(format, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x."+format)
			write(t, path, n, dataset.Options{Jobs: 3})
			schema, got := read(t, path, dataset.ReadOptions{})
			if strings.HasPrefix(format, "txt") {
				if len(got) != n || got[n-1] != "<GENE8999 MS4A1 CD3D MT-CO1 G75>" {
					t.Errorf("%d rows, the last %q", len(got), got[len(got)-1])
				}
				return
			}
			equalRows(t, got, want)
			for i, f := range schema {
				expected := allKinds[i]
				if i == 3 && format != "parquet" { // other formats do not tell the two kinds of strings apart
					expected.Kind = dataset.Category
				}
				if f != expected {
					t.Errorf("column %+v, expected %+v", f, expected)
				}
			}
			// Some columns, in another order, a few rows at a time.
			schema, got = read(t, path, dataset.ReadOptions{Columns: []string{"age", "cell_name"}, Rows: 700})
			if len(schema) != 2 || len(got) != n || got[2] != "<-9223372036854775808><cell-2>" || got[3] != "missing<cell-3>" {
				t.Errorf("%v, %d rows, %q", schema, len(got), got[2:4])
			}
		})
	}
}

// TestSameBytes writes the same rows with other jobs and batches.
func TestSameBytes(t *testing.T) {
	const n = 13000
	for _, format := range formats {
		dir := t.TempDir()
		one, two := filepath.Join(dir, "1."+format), filepath.Join(dir, "2."+format)
		write(t, one, n, dataset.Options{})
		w, err := dataset.Create(two, allKinds, dataset.Options{Jobs: 4})
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < n; i += 13 {
			b := rows(i, i+20)
			if err := w.Append(b, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(files(t, one), files(t, two)) {
			t.Errorf("%s: the bytes differ", format)
		}
	}
}

// TestEmpty writes and reads a dataset without rows.
func TestEmpty(t *testing.T) {
	for _, format := range formats {
		path := filepath.Join(t.TempDir(), "x."+format)
		write(t, path, 0, dataset.Options{})
		if strings.HasPrefix(format, "jsonl") {
			// Nothing tells the columns.
			if _, err := dataset.Open(t.Context(), path, dataset.ReadOptions{}); err == nil {
				t.Errorf("%s: columns were found in an empty file", format)
			}
			continue
		}
		if _, got := read(t, path, dataset.ReadOptions{}); len(got) != 0 {
			t.Errorf("%s: %d rows", format, len(got))
		}
	}
}

// TestSentences writes sentences with labels of every type of obs, of which some
// are missing, and leaves some cells out.
func TestSentences(t *testing.T) {
	s := &cellsentence.Sentences{
		Start: 1, Text: []byte(`CD3D MS4A1B"2`), Ends: []int{4, 10, 13},
		NGenes: []int32{1, 1, 1}, Total: []float64{1, 2.5, 3},
	}
	names := []string{"", "cell\n1", "cell\u2028\"2\"", "c\x01\xff"}
	array := func(values any, missing ...bool) *h5ad.Array {
		return &h5ad.Array{Dims: []int{4}, Values: values, Missing: missing}
	}
	columns := []*h5ad.Column{
		{Name: "cell_type", Categorical: &h5ad.Categorical{Codes: []int64{0, 1, 0, -1}, Categories: array([]string{"B", "T\\cell\t"})}},
		{Name: "age", Categorical: &h5ad.Categorical{Codes: []int64{0, 1, 0, 0}, Categories: array([]int64{61, 7})}},
		{Name: "ok", Array: array([]bool{true, false, true, true}, false, false, false, true)},
		{Name: "score", Array: array([]float32{0, 0.5, 1, float32(nan())})},
		{Name: "big", Array: array([]uint64{0, 1 << 63, 2, 3})},
		{Name: "note", Array: array([]string{"", "x", "y", "z"})},
	}
	kinds := []dataset.Kind{dataset.Category, dataset.Int, dataset.Bool, dataset.Float, dataset.Category, dataset.Text}
	var fields []dataset.Field
	var labels []dataset.Label
	for i, c := range columns {
		if k := dataset.LabelKind(c); k != kinds[i] {
			t.Errorf("%s: %v, expected %v", c.Name, k, kinds[i])
		}
		fields = append(fields, dataset.Field{Name: c.Name, Kind: dataset.LabelKind(c)})
		labels = append(labels, dataset.NewLabel(fields[i], c))
	}
	fields = append(fields, dataset.Field{Name: "elsewhere", Kind: dataset.Int})
	labels = append(labels, dataset.NewLabel(fields[len(fields)-1], nil))
	schema, err := dataset.CellSchema(fields)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.jsonl.gz")
	w, err := dataset.Create(path, schema, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := w.AppendSentences(s, names, labels, func(i int) bool { return i != 1 }); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	// Read with the standard library.
	z, err := gzip.NewReader(strings.NewReader(files(t, path)[""]))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	const first = `{"cell_name": "cell\n1", "cell_sentence": "CD3D", "cell_type": "T\\cell\t", "age": 7, "ok": false, "score": 0.5, "big": "9223372036854775808", "note": "x", "elsewhere": null, "c2s_n_genes": 1, "c2s_total": 1.0}`
	got := strings.Split(string(b), "\n")
	if len(got) != 3 || got[0] != first {
		t.Errorf("%s, expected %s", got[0], first)
	}
	var last map[string]any
	if err := json.Unmarshal([]byte(got[1]), &last); err != nil {
		t.Fatal(err)
	}
	if last["cell_name"] != "c\x01\ufffd" || last["cell_type"] != nil || last["ok"] != nil || last["score"] != nil || last["age"] != 61.0 {
		t.Errorf("%v", last)
	}
}

func nan() float64 { z := 0.0; return z / z }

// TestBlocks ends blocks at multiples of 4,096 cells of the file, whatever the
// batches and the cells left out.
func TestBlocks(t *testing.T) {
	schema, err := dataset.CellSchema(nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	w, err := dataset.Create(path, schema, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	const cells = 10000
	names := make([]string, cells)
	for start := 0; start < cells; start += 1234 {
		s := &cellsentence.Sentences{Start: start}
		for range min(1234, cells-start) {
			s.Text = append(s.Text, 'A')
			s.Ends = append(s.Ends, len(s.Text))
			s.NGenes, s.Total = append(s.NGenes, 1), append(s.Total, 1)
		}
		if err := w.AppendSentences(s, names, nil, func(i int) bool { return (start+i)%2 == 0 }); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for b, err := range dataset.Read(t.Context(), path, dataset.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if !b.Last {
			t.Error("a batch is no whole row group")
		}
		sizes = append(sizes, b.Rows())
	}
	if len(sizes) != 3 || sizes[0] != 2048 || sizes[1] != 2048 || sizes[2] != 904 {
		t.Errorf("row groups of %v", sizes)
	}
}

func TestPipe(t *testing.T) {
	var out bytes.Buffer
	write(t, "-", 5, dataset.Options{Stdout: &out})
	if got, want := out.String(), "GENE0 MS4A1 CD3D MT-CO1 G0\n"; !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 5 {
		t.Errorf("%q", got)
	}
	for _, format := range []dataset.Format{{Kind: "jsonl"}, {Kind: "jsonl", Compression: "gzip"}, {Kind: "txt", Compression: "zstd"}} {
		out.Reset()
		write(t, "-", 5000, dataset.Options{Stdout: &out, Format: format})
		_, got := read(t, "-", dataset.ReadOptions{Stdin: &out, Columns: []string{"cell_sentence"}})
		if len(got) != 5000 || got[4999] != "<GENE4999 MS4A1 CD3D MT-CO1 G52>" {
			t.Errorf("%v: %d rows", format, len(got))
		}
	}
	if _, err := dataset.Create("-", allKinds, dataset.Options{Stdout: &out, Format: dataset.Format{Kind: "parquet"}}); err == nil {
		t.Error("Parquet goes to a pipe")
	}
}

// TestRefuse leaves what is there alone.
func TestRefuse(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"x.parquet", "x.hf"} {
		path := filepath.Join(dir, name)
		write(t, path, 3, dataset.Options{})
		var exists *atomicfile.ExistsError
		if _, err := dataset.Create(path, allKinds, dataset.Options{}); !errors.As(err, &exists) {
			t.Errorf("%s: %v, expected an ExistsError", name, err)
		}
		write(t, path, 4, dataset.Options{Force: true})
		w, err := dataset.Create(path, allKinds, dataset.Options{Force: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(rows(0, 5000), nil); err != nil {
			t.Fatal(err)
		}
		if err := w.Abort(); err != nil {
			t.Fatal(err)
		}
		if _, got := read(t, path, dataset.ReadOptions{}); len(got) != 4 {
			t.Errorf("%s: %d rows, expected 4", name, len(got))
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v %v, expected two outputs", entries, err)
	}
	var bad *dataset.Error
	if _, err := dataset.CellSchema([]dataset.Field{{Name: "c2s_total"}}); !errors.As(err, &bad) || !bad.BadInput() || bad.Hint() == "" {
		t.Errorf("%v, expected that the column is reserved", err)
	}
	if _, err := dataset.PairSchema([]dataset.Field{{Name: "donor"}, {Name: "donor"}}); !errors.As(err, &bad) {
		t.Errorf("%v, expected that a column is given twice", err)
	}
}

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]dataset.Format{
		"a.txt": {Kind: "txt"}, "b/A.TXT.gz": {Kind: "txt", Compression: "gzip"}, "x.jsonl": {Kind: "jsonl"},
		"x.jsonl.zst": {Kind: "jsonl", Compression: "zstd"}, "-": {Kind: "txt"}, "x.parquet": {Kind: "parquet"},
		"b/x.hf/": {Kind: "hf"}, "x.arrow": {Kind: "arrow"},
	} {
		if got, err := dataset.FormatOf(path); err != nil || got != want {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{"a", "a.csv", "txt", "a.gz", "a.parquet.gz", "a.txt.gz.zst", "a.hf/b", ""} {
		if _, err := dataset.FormatOf(path); err == nil {
			t.Errorf("%s has a format", path)
		}
	}
}
