package preprocess

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// scanpy runs testdata/scanpy_steps.py on cases, all in one process since it takes
// long to start.
func scanpy(t *testing.T, cases []string) *json.Decoder {
	t.Helper()
	python := os.Getenv("C2S_PYTHON")
	if python == "" || exec.Command(python, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('scanpy') is None)").Run() != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with scanpy (C2S_PYTHON)")
		}
		t.Skip("no Python with scanpy (C2S_PYTHON)")
	}
	cmd := exec.Command(python, "-W", "ignore", "testdata/scanpy_steps.py")
	cmd.Stdin = strings.NewReader(strings.Join(cases, "\n") + "\n")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return json.NewDecoder(bytes.NewReader(out))
}

func sharedFile(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	path := filepath.Join(dir, "data", "h5ad", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatalf("the real files are absent (C2S_SHARED): %v", err)
		}
		t.Skipf("the real files are absent (C2S_SHARED): %v", err)
	}
	return path
}

// open gives X of a file and the names of its genes.
func open(t *testing.T, path string) (*h5ad.Matrix, []string) {
	t.Helper()
	f, err := h5ad.Open(context.Background(), path, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	x, err := f.X()
	if err != nil {
		t.Fatal(err)
	}
	genes, err := f.Var().Index(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return x, genes
}

// run makes a plan and applies it; values are dense.
func run(t *testing.T, x *h5ad.Matrix, genes []string, cfg Config, opts h5ad.RowOptions) (p *Plan, rows, cols []int, values []float32) {
	t.Helper()
	ctx := context.Background()
	p, err := New(ctx, x, genes, cfg, h5ad.Selection{Rows: opts})
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.NObs {
		if p.Keeps(i) {
			rows = append(rows, i)
		}
	}
	for i := range x.NVars {
		if p.Genes.Has(i) {
			cols = append(cols, i)
		}
	}
	src, err := x.Rows(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	values = make([]float32, len(rows)*len(cols))
	s := p.Source(src)
	var b h5ad.Batch
	next := 0
	for {
		err := s.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.Start != next {
			t.Fatalf("batch at %d, expected %d", b.Start, next)
		}
		next += b.NObs()
		for i := range b.NObs() {
			for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
				at := (b.Start+i)*len(cols) + int(b.Indices[k])
				switch v := b.Values.(type) {
				case []float32:
					values[at] = v[k]
				default:
					values[at] = float32(reflect.ValueOf(v).Index(int(k)).Int())
				}
			}
		}
	}
	if next != len(rows) || p.KeptCells != len(rows) || p.KeptGenes != len(cols) {
		t.Fatalf("%d of %d cells, plan %d × %d", next, len(rows), p.KeptCells, p.KeptGenes)
	}
	return p, rows, cols, values
}

// TestLikeScanpy compares every value with scanpy's.
func TestLikeScanpy(t *testing.T) {
	const pbmc = "scvi_pbmc10k_protein_200cells_dense_lzf.h5ad"
	cases := []struct {
		file               string
		cfg                Config
		cells, genes, mito bool // whether some are dropped
	}{
		{pbmc, Config{500, 3, 0.06, Median, Log10}, false, true, true},
		{pbmc, Config{1200, 0, 0.06, Median, LogE}, true, false, true},
		{pbmc, Config{1200, 20, 0.07, 10_000, LogE}, true, true, true},
		{"kang_ifnb_muscat.h5ad", Config{200, 100, 0, 10_000, Log2}, true, true, false},
		{"kang_ifnb_muscat.h5ad", Config{0, 0, 0, 10_000, LogE}, false, false, false},
		{"lemur_glioblastoma_panobinostat.h5ad", Config{100, 0, 0, Median, LogNone}, true, false, false},
		{"scanpy_pbmc68k_reduced_counts.h5ad", Config{0, 50, 0, Median, Log10}, false, true, false},
		{"scimilarity_test_1000x1000.h5ad", Config{0, 3, 0, 0, LogNone}, false, true, false},
	}
	dir := t.TempDir()
	var lines, files []string
	for i, c := range cases {
		files = append(files, filepath.Join(dir, fmt.Sprint(i)))
		target, base := fmt.Sprint(c.cfg.Target), c.cfg.Log.String()
		if c.cfg.Target == Median {
			target = "median"
		}
		if base == "" {
			base = "0"
		}
		lines = append(lines, strings.Join([]string{
			sharedFile(t, c.file), files[i], fmt.Sprint(c.cfg.MinGenes), fmt.Sprint(c.cfg.MinCells), fmt.Sprint(c.cfg.MaxMito), target, base,
		}, "\t"))
	}
	out := scanpy(t, lines)
	for i, c := range cases {
		var want struct {
			Rows, Columns []int
			Target        float64
		}
		if err := out.Decode(&want); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		wantValues := make([]float32, len(raw)/4)
		if _, err := binary.Decode(raw, binary.LittleEndian, wantValues); err != nil {
			t.Fatal(err)
		}
		x, genes := open(t, sharedFile(t, c.file))
		for _, opts := range []h5ad.RowOptions{{}, {MaxRows: 33}} {
			p, rows, cols, values := run(t, x, genes, c.cfg, opts)
			if !slices.Equal(rows, want.Rows) || !slices.Equal(cols, want.Columns) {
				t.Fatalf("%s %+v: %d rows and %d columns, expected %d and %d", c.file, c.cfg, len(rows), len(cols), len(want.Rows), len(want.Columns))
			}
			if (p.FewGenes > 0) != c.cells || (p.FewCells > 0) != c.genes || (p.HighMito > 0) != c.mito {
				t.Errorf("%s %+v: dropped %d and %d cells, %d genes", c.file, c.cfg, p.FewGenes, p.HighMito, p.FewCells)
			}
			if p.Target != want.Target {
				t.Errorf("%s %+v: target %v, expected %v", c.file, c.cfg, p.Target, want.Target)
			}
			// scanpy works in float32: a quotient, a quotient, a logarithm of up to 4 units
			// in the last place, a quotient.
			for i, w := range wantValues {
				if d := math.Abs(float64(values[i] - w)); d > 1e-6*math.Abs(float64(w)) {
					t.Fatalf("%s %+v: cell %d, gene %d: %v, expected %v", c.file, c.cfg, i/len(cols), i%len(cols), values[i], w)
				}
			}
		}
	}
}
