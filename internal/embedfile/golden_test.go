package embedfile_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/embedfile"
	"github.com/cellsentence/c2s/scfid"
)

// sharedDir is the folder of real files, or the test skips.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatalf("no real data at %s (C2S_SHARED)", dir)
		}
		t.Skipf("no real data at %s (C2S_SHARED)", dir)
	}
	return dir
}

// From an h5ad file through an .npy file to the distance: the recorded distances of
// pytorch-fid between groups of the PBMC 68k subset, in
// its stored principal components (data/README.md of the shared files).
func TestDistanceAgreesWithPytorchFID(t *testing.T) {
	shared := sharedDir(t)
	b, err := os.ReadFile(filepath.Join(shared, "data", "golden", "fid_pbmc68k_x_pca.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]map[string]float64
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	x, d, labels := pbmc(t, shared)
	path := filepath.Join(t.TempDir(), "x_pca.npy")
	writeMatrix(t, path, x, d)
	all, err := embedfile.Open(context.Background(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	part := func(keep func(i int) bool) *scfid.Sample {
		var index []int
		for i := range labels {
			if keep(i) {
				index = append(index, i)
			}
		}
		s, err := scfid.Select(all, index)
		if err != nil {
			t.Fatal(err)
		}
		p, err := scfid.Prepare(context.Background(), s, 0)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	group := func(name string) *scfid.Sample { return part(func(i int) bool { return labels[i] == name }) }
	even := part(func(i int) bool { return i%2 == 0 })
	odd := part(func(i int) bool { return i%2 == 1 })
	const prefix = "pbmc68k_reduced X_pca50 "
	for _, c := range []struct {
		name string
		a, b *scfid.Sample
		want float64
		rel  float64
	}{
		{"CD14+ Monocyte vs Dendritic", group("CD14+ Monocyte"), group("Dendritic"), golden[prefix+"CD14+ Monocyte vs Dendritic"]["pytorch_fid_scipy"], 1e-9},
		{"CD14+ Monocyte vs CD19+ B", group("CD14+ Monocyte"), group("CD19+ B"), golden[prefix+"CD14+ Monocyte vs CD19+ B"]["pytorch_fid_scipy"], 1e-9},
		{"even rows vs odd rows", even, odd, golden[prefix+"even rows vs odd rows"]["pytorch_fid_scipy"], 1e-9},
		// The covariance of 31 NK cells in 50 dimensions is singular: pytorch-fid is off
		// by 1e-8; the exact value is that of an independent low-rank computation.
		{"CD8 vs NK, pytorch-fid", group("CD8+ Cytotoxic T"), group("CD56+ NK"), golden[prefix+"CD8+ Cytotoxic T vs CD56+ NK"]["pytorch_fid_scipy"], 2e-8},
		{"CD8 vs NK", group("CD8+ Cytotoxic T"), group("CD56+ NK"), 312.2172763513286, 1e-12},
	} {
		f, err := scfid.Distance(context.Background(), c.a, c.b)
		if err != nil {
			t.Fatal(err)
		}
		diff := math.Abs(f.Value-c.want) / c.want
		if diff > c.rel {
			t.Errorf("%s: %.15g, want %.15g: relative difference %.2g", c.name, f.Value, c.want, diff)
		}
		t.Logf("%s: %.15g by %s, relative difference %.2g", c.name, f.Value, f.Method, diff)
	}
}

// pbmc is obsm/X_pca and the labels of the PBMC 68k subset.
func pbmc(t *testing.T, shared string) (x []float64, d int, labels []string) {
	t.Helper()
	ctx := context.Background()
	f, err := h5ad.Open(ctx, filepath.Join(shared, "data", "h5ad", "scanpy_pbmc68k_reduced.h5ad"), h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	obsm, err := f.Aligned(ctx, "obsm")
	if err != nil {
		t.Fatal(err)
	}
	switch m := obsm.(type) {
	case *h5ad.Mapping:
		e, err := m.Get(ctx, "X_pca")
		if err != nil {
			t.Fatal(err)
		}
		x, d = numbers(t, e)
	case *h5ad.Records:
		for _, c := range m.Fields {
			if c.Name == "X_pca" {
				x, d = numbers(t, c.Array)
			}
		}
	}
	c, err := f.Obs().Column(ctx, "bulk_labels")
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Rows() {
		s, _ := c.Text(i)
		labels = append(labels, s)
	}
	if len(x) != 700*50 || len(labels) != 700 {
		t.Fatalf("%d numbers, %d labels", len(x), len(labels))
	}
	return x, d, labels
}

func numbers(t *testing.T, e h5ad.Element) (x []float64, d int) {
	t.Helper()
	switch v := e.(type) {
	case *h5ad.Array:
		switch n := v.Values.(type) {
		case []float64:
			return n, v.Dims[1]
		case []float32:
			for _, f := range n {
				x = append(x, float64(f))
			}
			return x, v.Dims[1]
		}
	case *h5ad.Matrix:
		for b, err := range v.All(context.Background(), h5ad.RowOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			at := len(x)
			x = append(x, make([]float64, b.NObs()*v.NVars)...)
			for i := range b.NObs() {
				for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
					row := x[at+i*v.NVars:]
					switch n := b.Values.(type) {
					case []float64:
						row[b.Indices[k]] = n[k]
					case []float32:
						row[b.Indices[k]] = float64(n[k])
					}
				}
			}
		}
		return x, v.NVars
	}
	t.Fatalf("unexpected element %T", e)
	return nil, 0
}
