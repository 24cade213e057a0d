package dataset_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
)

func sentences() *cellsentence.Sentences {
	return &cellsentence.Sentences{
		Start: 1, Text: []byte(`CD3D MS4A1B"2`), Ends: []int{4, 10, 13},
		NGenes: []int32{1, 1, 1}, Total: []float64{1, 2.5, 3},
	}
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	w := dataset.NewWriter(&out, dataset.Format{Kind: "txt"})
	s := &cellsentence.Sentences{Text: []byte("A BC"), Ends: []int{3, 3, 4}, NGenes: []int32{2, 0, 1}, Total: []float64{3, 0, 1}}
	if err := w.Write(s, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "A B\n\nC\n"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}

// TestJSONL reads back with encoding/json what was written, hostile names too.
func TestJSONL(t *testing.T) {
	names := []string{"", "cell\n1", "cell\u2028\"2\"", "c\x01\xff"}
	labels := []dataset.Label{
		{Name: "cell_type", Value: func(row int) (string, bool) { return "B\\cell\t", row != 3 }},
		{Name: "age", Bare: true, Value: func(int) (string, bool) { return "61", true }},
	}
	var out bytes.Buffer
	w := dataset.NewWriter(&out, dataset.Format{Kind: "jsonl", Gzip: true})
	if err := w.Write(sentences(), names, labels, func(i int) bool { return i != 1 }); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Cells != 2 {
		t.Errorf("%d cells, expected 2", w.Cells)
	}
	z, err := gzip.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines in %q", len(lines), b)
	}
	type row struct {
		CellName     string  `json:"cell_name"`
		CellSentence string  `json:"cell_sentence"`
		CellType     *string `json:"cell_type"`
		Age          int     `json:"age"`
		Genes        int     `json:"c2s_n_genes"`
		Total        float64 `json:"c2s_total"`
	}
	var got [2]row
	for i, l := range lines {
		if err := json.Unmarshal([]byte(l), &got[i]); err != nil {
			t.Fatalf("%v in %q", err, l)
		}
	}
	if r := got[0]; r.CellName != "cell\n1" || r.CellSentence != "CD3D" || *r.CellType != "B\\cell\t" || r.Age != 61 || r.Genes != 1 || r.Total != 1 {
		t.Errorf("%+v", r)
	}
	if r := got[1]; r.CellName != "c\x01\ufffd" || r.CellSentence != `B"2` || r.CellType != nil || r.Total != 3 {
		t.Errorf("%+v", r)
	}
}

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]dataset.Format{
		"a.txt": {Kind: "txt"}, "b/A.TXT.gz": {Kind: "txt", Gzip: true}, "x.jsonl": {Kind: "jsonl"},
		"x.jsonl.gz": {Kind: "jsonl", Gzip: true}, "-": {Kind: "txt"},
	} {
		if got, err := dataset.FormatOf(path); err != nil || got != want {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{"a", "a.csv", "txt", "a.gz"} {
		if _, err := dataset.FormatOf(path); err == nil {
			t.Errorf("%s has a format", path)
		}
	}
}
