package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/internal/stubserver"
)

// shardRows is the cells of the test file: two blocks and a bit, so that up to three
// shards have cells, and more than three have some without.
const shardRows = 2*shard.BlockRows + 100

// shardFile writes an .h5ad with everything that a part has to be cut from.
func shardFile(t *testing.T, path string, seed uint64) {
	t.Helper()
	ctx := t.Context()
	const genes = 30
	r := rand.New(rand.NewPCG(seed, 0))
	w, err := h5ad.Create(path, h5ad.WriteOptions{Compression: h5ad.Compression{Method: "gzip"}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	index := make([]string, shardRows)
	codes, score, place := make([]int64, shardRows), make([]float64, shardRows), make([]float32, 3*shardRows)
	b := &h5ad.Batch{Indptr: []int64{0}}
	var values []float32
	var near, edges []int64
	for i := range shardRows {
		index[i], codes[i], score[i] = fmt.Sprintf("cell %d", i), int64(r.IntN(4)-1), r.Float64()
		if i >= 5000 { // a type that the first shards have no cell of
			codes[i] = int64(r.IntN(4))
		}
		for k := range 3 {
			place[3*i+k] = r.Float32()
		}
		for g := range genes {
			if n := r.IntN(6) - 2; n > 0 && i != 17 { // cell 17 is empty
				b.Indices, values = append(b.Indices, int32(g)), append(values, float32(n))
			}
		}
		b.Indptr = append(b.Indptr, int64(len(values)))
		near, edges = append(near, int64((i+1)%shardRows)), append(edges, int64(i+1))
	}
	b.Values = values
	obs, err := h5ad.NewDataFrame(index,
		&h5ad.Column{Name: "type", Categorical: &h5ad.Categorical{Codes: codes, Categories: &h5ad.Array{Dims: []int{5}, Values: []string{"T", "B", "NK", "M", "unused"}}}},
		&h5ad.Column{Name: "score", Array: &h5ad.Array{Dims: []int{shardRows}, Values: score}})
	if err != nil {
		t.Fatal(err)
	}
	symbols := []string{"MT-CO1"}
	for g := 1; g < genes; g++ {
		symbols = append(symbols, fmt.Sprintf("GENE%d", g))
	}
	vr, err := h5ad.NewDataFrame(symbols)
	if err != nil {
		t.Fatal(err)
	}
	set := func(key string, e h5ad.Element) {
		t.Helper()
		if err := w.Set(ctx, key, e); err != nil {
			t.Fatal(key, err)
		}
	}
	set("obs", obs)
	set("var", vr)
	set("obsm/X_umap", &h5ad.Array{Dims: []int{shardRows, 3}, Values: place})
	set("uns/type_colors", &h5ad.Array{Dims: []int{5}, Values: []string{"#1", "#2", "#3", "#4", "#5"}})
	x, err := w.Matrix(ctx, "X", h5ad.MatrixSpec{NObs: shardRows, NVars: genes})
	if err == nil {
		err = x.Append(ctx, b)
	}
	if err == nil {
		err = x.Close(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	g, err := w.Matrix(ctx, "obsp/near", h5ad.MatrixSpec{NObs: shardRows, NVars: shardRows})
	if err != nil {
		t.Fatal(err)
	}
	ones := make([]float32, shardRows)
	columns := make([]int32, shardRows)
	for i := range ones {
		ones[i], columns[i] = 1, int32(near[i])
	}
	if err := g.Append(ctx, &h5ad.Batch{Indptr: append([]int64{0}, edges...), Indices: columns, Values: ones}); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// inProcess runs a command in this process.
func inProcess(t *testing.T, vars map[string]string, args ...string) (code int, stderr string) {
	t.Helper()
	e, _, errors := testEnv()
	e.getenv = func(name string) string { return vars[name] }
	return run(context.Background(), args, e), errors.String()
}

// must runs a command that has to succeed.
func must(t *testing.T, args ...string) {
	t.Helper()
	if code, text := inProcess(t, nil, append(args, "-j", "2")...); code != 0 {
		t.Fatalf("c2s %s: exit code %d\n%s", strings.Join(args, " "), code, text)
	}
}

// shardedVerbs are command lines, OUT standing for the output.
func shardedVerbs(dir, file, backend string) map[string]string {
	perturbed, drugs := filepath.Join("..", "..", "testdata", "perturb.h5ad"), filepath.Join("..", "..", "testdata", "drugs.h5ad")
	return map[string]string{
		"encode.parquet":       "encode " + file + " --top-k 9 -o OUT",
		"encode.jsonl.gz":      "encode " + file + " --ties python -o OUT",
		"encode.arrow":         "encode " + file + " -o OUT",
		"convert.h5ad":         "convert " + file + " OUT",
		"convert-lzf.h5ad":     "convert " + file + " OUT --compression lzf --to csc",
		"convert-where.h5ad":   "convert " + file + " OUT --where score>0.3 --to dense",
		"convert-sample.h5ad":  "convert " + file + " OUT --sample 700 --groupby type --drop obsp/near",
		"convert-log.h5ad":     "convert " + file + " OUT --normalize 100 --log1p 2",
		"convert-plan.h5ad":    "convert " + file + " OUT --plan " + filepath.Join(dir, "plan.json"),
		"embed-pca.npy":        "embed " + file + " --method pca --model " + filepath.Join(dir, "pca.json") + " -o OUT",
		"embed-pca.h5ad":       "embed " + file + " --method pca --model " + filepath.Join(dir, "pca.json") + " -o OUT",
		"embed-model.npy":      "embed " + filepath.Join(dir, "few.h5ad") + " --method model --backend " + backend + " --slots 8 -o OUT",
		"embed-model.h5ad":     "embed " + file + " --method model --backend " + backend + " --slots 8 -o OUT",
		"annotate.tsv":         "annotate " + file + " --backend " + backend + " -o OUT",
		"annotate.parquet":     "annotate " + filepath.Join(dir, "few.h5ad") + " --backend " + backend + " -o OUT",
		"annotate.h5ad":        "annotate " + file + " --backend " + backend + " --abstain 0.1 -o OUT",
		"generate.parquet":     "generate --backend " + backend + " --cell-type T --cell-type B -n 4200 --vocab " + file + " -o OUT",
		"predict.h5ad":         "predict " + perturbed + " --control control --predictor mean-response --reference " + perturbed + " -o OUT",
		"predict-llm.h5ad":     "predict " + drugs + " --control vehicle --predictor llm --sample 2 --backend " + backend + " --compression gzip -o OUT",
		"generate-few.jsonl":   "generate --backend " + backend + " --cell-type T -n 3 --vocab " + file + " -o OUT",
		"convert-nothing.h5ad": "convert " + file + " OUT --cells " + filepath.Join(dir, "first.txt"),
	}
}

// TestSharded: any verb in any number of shards, named in any order, gives the bytes of
// a run without shards.
func TestSharded(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "in.h5ad")
	shardFile(t, file, 1)
	server := httptest.NewServer(stubserver.New(stubserver.Config{Slots: 16, Words: []string{"GENE1", "GENE2", "GENE3", "OTHER"}, PerAnswer: 6}))
	defer server.Close()
	backend := "llamacpp://" + strings.TrimPrefix(server.URL, "http://")
	must(t, "plan", file, "--min-genes", "8", "--min-cells", "4000", "--normalize", "median", "--log1p", "e", "-o", filepath.Join(dir, "plan.json"), "-q")
	must(t, "embed", file, "--method", "pca", "--components", "4", "--save", filepath.Join(dir, "pca.json"), "-o", filepath.Join(dir, "any.npy"), "-q")
	must(t, "convert", file, filepath.Join(dir, "few.h5ad"), "--sample", "40", "-q") // one block: most shards have no cell
	if err := os.WriteFile(filepath.Join(dir, "first.txt"), []byte("cell 3\ncell 4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, line := range shardedVerbs(dir, file, backend) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) []string {
				return strings.Fields(strings.ReplaceAll(line, "OUT", filepath.Join(dir, name)))
			}
			whole, merged := "whole-"+name, "merged-"+name
			must(t, at(whole)...)
			want, err := os.ReadFile(filepath.Join(dir, whole))
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(uint64(len(line)), 1))
			counts := []int{1, 3, 2 + r.IntN(5)}
			if strings.Contains(line, "--backend") && !strings.Contains(name, "few") {
				counts = counts[2:] // 8,000 answers take seconds
			}
			for _, n := range counts {
				part := fmt.Sprintf("part%d-%s", n, name)
				var paths []string
				for _, i := range r.Perm(n) {
					s := shard.Shard{Index: i, Count: n}
					must(t, append(at(part), "--shard", s.String(), "-q")...)
					paths = append(paths, s.PartPath(filepath.Join(dir, part)))
				}
				must(t, append([]string{"merge", "--force", "-q", "-o", filepath.Join(dir, merged)}, paths...)...)
				got, err := os.ReadFile(filepath.Join(dir, merged))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%d shards: %d bytes that differ from the %d of the whole", n, len(got), len(want))
				}
				if code, text := inProcess(t, nil, append(at(part), "--shard", shard.Shard{Index: n - 1, Count: n}.String())...); code != 0 || !strings.Contains(text, "complete and current") {
					t.Errorf("again: exit code %d, %s", code, text)
				}
			}
		})
	}
}
