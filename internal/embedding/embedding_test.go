package embedding_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/embedding"
	"github.com/cellsentence/c2s/internal/embedfile"
)

func rowsOf(t *testing.T, s *embedding.Set) []float64 {
	t.Helper()
	r := s.Side().Rows
	x := make([]float64, r.Len()*r.Dim())
	if err := r.ReadRows(context.Background(), 0, x); err != nil {
		t.Fatal(err)
	}
	return x
}

func open(t *testing.T, path string, opts embedding.Options) *embedding.Set {
	t.Helper()
	s, err := embedding.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ramp is n numbers that float32 holds, some of them 0.
func ramp(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i%7) - 2 + float64(i)/1024
	}
	return x
}

// write makes an .h5ad of n cells with elements of obsm.
func write(t *testing.T, n int, obsm h5ad.Dict, compression string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.h5ad")
	w, err := h5ad.Create(path, h5ad.WriteOptions{Compression: h5ad.Compression{Method: compression}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	index, kinds, donors := make([]string, n), make([]string, n), make([]string, n)
	for i := range n {
		index[i], kinds[i], donors[i] = fmt.Sprint("c", i), []string{"T", "B"}[i%2], fmt.Sprint(i%3)
	}
	obs, err := h5ad.NewDataFrame(index,
		&h5ad.Column{Name: "kind", Array: &h5ad.Array{Dims: []int{n}, Values: kinds, Missing: missing(n, 3)}},
		&h5ad.Column{Name: "donor", Array: &h5ad.Array{Dims: []int{n}, Values: donors}})
	if err != nil {
		t.Fatal(err)
	}
	vr, err := h5ad.NewDataFrame([]string{"g"})
	if err != nil {
		t.Fatal(err)
	}
	for key, e := range map[string]h5ad.Element{"obs": obs, "var": vr, "obsm": obsm} {
		if err := w.Set(t.Context(), key, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// missing marks one value.
func missing(n, at int) []bool {
	m := make([]bool, n)
	m[at] = true
	return m
}

func TestAnnData(t *testing.T) {
	const n, d = 5000, 12
	x := ramp(n * d)
	narrow := make([]float32, len(x))
	for i, v := range x {
		narrow[i] = float32(v)
	}
	dims := []int{n, d}
	path := write(t, n, h5ad.Dict{"X_a": &h5ad.Array{Dims: dims, Values: x}, "X_b": &h5ad.Array{Dims: dims, Values: narrow}}, "gzip")
	for _, key := range []string{"X_a", "X_b", "obsm/X_b"} {
		for _, memory := range []int64{0, 1} {
			s := open(t, path, embedding.Options{Key: key, Memory: memory})
			if !slices.Equal(rowsOf(t, s), x) {
				t.Errorf("%s: other numbers", key)
			}
		}
	}
	s := open(t, path, embedding.Options{Key: "X_a"})
	got, err := s.Labels(t.Context(), []string{"kind", "donor"})
	if err != nil || !slices.Equal(got[:5], []string{"T | 0", "B | 1", "T | 2", "", "T | 1"}) {
		t.Errorf("%q, %v", got[:5], err)
	}
	if !s.Has("kind") || s.Has("nothing") {
		t.Error("columns of obs")
	}
	for key, want := range map[string]string{"": "obsm holds 2 embeddings", "X_c": `obsm has no "X_c"`} {
		_, err := embedding.Open(t.Context(), path, embedding.Options{Key: key})
		refused(t, err, want, "--key: X_a, X_b")
	}
	_, err = embedding.Open(t.Context(), write(t, 9, h5ad.Dict{}, ""), embedding.Options{})
	refused(t, err, "obsm is empty", "c2s embed")
	_, err = s.Labels(t.Context(), []string{"age"})
	refused(t, err, `no column "age"`, "kind, donor")
}

// refused checks that an error is about bad input, and its hint.
func refused(t *testing.T, err error, want, hint string) {
	t.Helper()
	var bad interface {
		BadInput() bool
		Hint() string
	}
	if !errors.As(err, &bad) || !bad.BadInput() || !strings.Contains(err.Error(), want) || !strings.Contains(bad.Hint(), hint) {
		t.Errorf("%v, expected %q and the hint %q", err, want, hint)
	}
}

func TestLabelsOfATable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.npy")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := embedfile.NewWriter[float64](f, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(ramp(6)), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	table := func(text string) embedding.Options {
		p := filepath.Join(dir, "labels.tsv")
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return embedding.Options{Labels: p}
	}
	s := open(t, path, table("\ufeffkind\tdonor\r\nT\t1\r\n\t2\r\nB\t3\r\n"))
	if !slices.Equal(rowsOf(t, s), ramp(6)) {
		t.Error("other numbers")
	}
	if got, err := s.Labels(t.Context(), []string{"kind", "donor"}); err != nil || !slices.Equal(got, []string{"T | 1", "", "B | 3"}) {
		t.Errorf("%q, %v", got, err)
	}
	for text, want := range map[string]string{
		"":                      "the file is empty",
		"kind\nT\nB\n":          "labels of 2 cells for 3 rows",
		"kind\nT\nB\t1\nT\n":    "line 3 has 2 columns, the first 1",
		"kind\nT\nB\nT\nB\nB\n": "labels of 5 cells for 3 rows",
	} {
		_, err := embedding.Open(t.Context(), path, table(text))
		refused(t, err, want, "")
	}
	bare := open(t, path, embedding.Options{})
	_, err = bare.Labels(t.Context(), []string{"kind"})
	refused(t, err, "no labels of cells", "--labels")
	_, err = embedding.Open(t.Context(), filepath.Join(dir, "labels.tsv"), embedding.Options{})
	refused(t, err, "the name tells no format", ".npy, .npz")
}

// Lists of Parquet, with labels beside them, as pyarrow writes them.
func TestParquet(t *testing.T) {
	python := ""
	for _, name := range []string{os.Getenv("C2S_PYTHON_DATASETS"), os.Getenv("C2S_PYTHON"), "python3"} {
		if python == "" && name != "" && exec.Command(name, "-c", "import pyarrow").Run() == nil {
			python = name
		}
	}
	if python == "" {
		const missing = "no Python with pyarrow (C2S_PYTHON_DATASETS)"
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	out, err := exec.Command(python, "-c", `
import sys, pyarrow as pa, pyarrow.parquet as pq
n, d = 5000, 12
x = [i % 7 - 2 + i / 1024 for i in range(n * d)]
pq.write_table(pa.table({
    "embedding": pa.array([x[i * d:(i + 1) * d] for i in range(n)], pa.list_(pa.float32(), d)),
    "kind": pa.array([None if i == 3 else "TB"[i % 2] for i in range(n)]).dictionary_encode(),
    "donor": list(i % 3 for i in range(n)),
}), sys.argv[1], row_group_size=999)`, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, memory := range []int64{0, 1 << 16} {
		s := open(t, path, embedding.Options{Memory: memory})
		if s.Key != "embedding" || s.Len() != 5000 || !slices.Equal(rowsOf(t, s), ramp(5000*12)) {
			t.Errorf("column %s of %d rows", s.Key, s.Len())
		}
		got, err := s.Labels(t.Context(), []string{"kind", "donor"})
		if err != nil || !slices.Equal(got[:5], []string{"T | 0", "B | 1", "T | 2", "", "T | 1"}) {
			t.Errorf("%q, %v", got[:5], err)
		}
	}
}

// Old files keep obsm as a record array.
func TestOldAnnData(t *testing.T) {
	shared := os.Getenv("C2S_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	name := func(file string) string { return filepath.Join(shared, "data", "h5ad", file) }
	if _, err := os.Stat(name("scanpy_pbmc68k_reduced.h5ad")); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("no shared data (C2S_SHARED)")
	}
	s := open(t, name("scanpy_pbmc68k_reduced.h5ad"), embedding.Options{Key: "X_pca"})
	old := open(t, name("anndata_v0.5.0_pbmc68k_reduced.h5ad"), embedding.Options{Key: "X_pca"})
	if s.Len() != 700 || old.Len() != 700 || s.Side().Rows.Dim() != 50 || !slices.Equal(rowsOf(t, s), rowsOf(t, old)) {
		t.Errorf("%d and %d cells", s.Len(), old.Len())
	}
}
