package cellsentence_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
)

func goldenFile(t testing.TB, parts ...string) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	path := filepath.Join(append([]string{dir, "data"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatalf("the real files are absent (C2S_SHARED): %v", err)
		}
		t.Skipf("the real files are absent (C2S_SHARED): %v", err)
	}
	return path
}

// encodeFile is the sentences of X under the given rules.
func encodeFile(t testing.TB, path string, cfg cellsentence.Config, rows h5ad.RowOptions) []string {
	t.Helper()
	ctx := context.Background()
	f, err := h5ad.Open(ctx, path, h5ad.Options{Workers: cfg.Workers})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	genes, err := f.Var().Index(ctx)
	if err != nil {
		t.Fatal(err)
	}
	x, err := f.X()
	if err != nil {
		t.Fatal(err)
	}
	src, err := x.Rows(ctx, rows)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := cellsentence.NewEncoder(genes, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for s, err := range enc.Encode(ctx, src) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Len() {
			out = append(out, string(s.At(i)))
		}
	}
	return out
}

// TestGoldenSentences compares 700 cells with what cell2sentence 1.2.0 wrote.
func TestGoldenSentences(t *testing.T) {
	f, err := os.Open(goldenFile(t, "golden", "pbmc68k_reduced_700cells.sentences.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var want []string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var row struct {
			Sentence string `json:"cell_sentence"`
		}
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		want = append(want, row.Sentence)
	}
	path := goldenFile(t, "h5ad", "scanpy_pbmc68k_reduced_counts.h5ad")
	got := encodeFile(t, path, cellsentence.Config{Ties: cellsentence.TiesPython, Seed: cellsentence.DefaultSeed}, h5ad.RowOptions{})
	if len(got) != len(want) || len(want) != 700 {
		t.Fatalf("%d sentences, expected %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("cell %d:\n got %.200s\nwant %.200s", i, got[i], want[i])
		}
	}
}

// TestSameBytes encodes real files at different numbers of workers and batch
// sizes.
func TestSameBytes(t *testing.T) {
	for _, file := range []string{"kang_ifnb_muscat.h5ad", "scanpy_pbmc68k_reduced_counts.h5ad", "scvi_pbmc10k_protein_200cells_dense_lzf.h5ad", "cxg_small_perturbations.h5ad"} {
		path := goldenFile(t, "h5ad", file)
		for _, ties := range []cellsentence.Ties{cellsentence.TiesRandom, cellsentence.TiesPython} {
			cfg := cellsentence.Config{Ties: ties, Seed: 42, Workers: 1}
			want := fmt.Sprint(encodeFile(t, path, cfg, h5ad.RowOptions{}))
			for _, rows := range []h5ad.RowOptions{{MaxRows: 1}, {MaxRows: 77}, {MaxValues: 1000}} {
				cfg.Workers = 2
				if got := fmt.Sprint(encodeFile(t, path, cfg, rows)); got != want {
					t.Errorf("%s, ties %v, %+v: other sentences", file, ties, rows)
				}
			}
		}
	}
}

// TestThreeEncodingsAgree encodes one matrix stored as CSR, as CSC and dense.
func TestThreeEncodingsAgree(t *testing.T) {
	path := goldenFile(t, "h5ad", "anndataR_example.h5ad")
	ctx := context.Background()
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	genes, err := f.Var().Index(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var want string
	for _, layer := range []string{"counts", "csc_counts", "dense_counts"} {
		m, err := f.Layer(ctx, layer)
		if err != nil {
			t.Fatal(err)
		}
		src, err := m.Rows(ctx, h5ad.RowOptions{Budget: 4096, MaxRows: 9})
		if err != nil {
			t.Fatal(err)
		}
		enc, err := cellsentence.NewEncoder(genes, cellsentence.Config{Seed: 42})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for s, err := range enc.Encode(ctx, src) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.Len() {
				got += string(s.At(i)) + "\n"
			}
		}
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("layer %s (%s) gives other sentences", layer, m.Encoding)
		}
	}
}
