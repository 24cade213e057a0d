package pca_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/scfid/pca"
)

const (
	nCells = 300
	nGenes = 60
)

// world is counts of cells with a few factors of clearly different strength.
func world() (dense []float64, genes []string) {
	r := rand.New(rand.NewPCG(1, 1))
	loading := make([]float64, 4*nGenes)
	for i := range loading {
		loading[i] = r.NormFloat64()
	}
	for range nCells {
		var factor [4]float64
		for k := range factor {
			factor[k] = r.NormFloat64() * 1.2 / float64(k+1)
		}
		for g := range nGenes {
			rate := 1.0
			for k, f := range factor {
				rate += f * loading[k*nGenes+g]
			}
			dense = append(dense, math.Floor(math.Exp(rate)+r.Float64()))
		}
	}
	for g := range nGenes {
		genes = append(genes, fmt.Sprint("G", g))
	}
	return dense, genes
}

// sparse gives dense rows in batches of size cells.
func sparse(dense []float64, d, size int) pca.Cells {
	return func(context.Context) iter.Seq2[pca.Batch, error] {
		return func(yield func(pca.Batch, error) bool) {
			for start := 0; start < len(dense)/d; start += size {
				b := pca.Batch{Indptr: []int64{0}}
				for i := start; i < min(start+size, len(dense)/d); i++ {
					for g, v := range dense[i*d:][:d] {
						if v != 0 {
							b.Indices, b.Values = append(b.Indices, int32(g)), append(b.Values, v)
						}
					}
					b.Indptr = append(b.Indptr, int64(len(b.Indices)))
				}
				if !yield(b, nil) {
					return
				}
			}
		}
	}
}

func embed(t *testing.T, m *pca.Model, genes []string, cells pca.Cells) []float64 {
	t.Helper()
	p, err := m.Projector(genes)
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for b, err := range cells(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, b.Len()*p.Dim())
		p.Transform(b, x)
		out = append(out, x...)
	}
	return out
}

// The components of an exact SVD: 30 passes leave an error of the ratio of the
// variances left out and kept to the 30th power, far below the tolerance.
func TestComponentsAgreeWithNumPy(t *testing.T) {
	python := ""
	for _, name := range []string{os.Getenv("C2S_PYTHON"), os.Getenv("C2S_PYTHON_OLD"), "python3"} {
		if python == "" && name != "" && exec.Command(name, "-c", "import numpy").Run() == nil {
			python = name
		}
	}
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with NumPy (C2S_PYTHON)")
		}
		t.Skip("no Python with NumPy (C2S_PYTHON)")
	}
	dense, genes := world()
	path := filepath.Join(t.TempDir(), "counts")
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, dense); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	const k = 4
	out, err := exec.Command(python, "testdata/reference.py", path, fmt.Sprint(nCells), fmt.Sprint(nGenes), fmt.Sprint(k)).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Variance  []float64
		Total     float64
		Embedding []float64
	}
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	cells := sparse(dense, nGenes, 64)
	m, err := pca.Fit(context.Background(), genes, cells, pca.Config{Components: k, Passes: 30})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "total variance", m.TotalVariance, want.Total, 1e-11)
	for i, v := range want.Variance {
		near(t, fmt.Sprint("variance ", i), m.Variance[i], v, 1e-11)
	}
	for i, v := range embed(t, m, genes, cells) {
		if math.Abs(v-want.Embedding[i]) > 1e-8 {
			t.Fatalf("embedding [%d] = %g, want %g", i, v, want.Embedding[i])
		}
	}
}

func near(t *testing.T, name string, got, want, rel float64) {
	t.Helper()
	if math.Abs(got-want) > rel*math.Abs(want) {
		t.Errorf("%s: %.15g, want %.15g", name, got, want)
	}
}

func TestFitIsTheSameForAnyWorkersAndSurvivesSaving(t *testing.T) {
	dense, genes := world()
	cells := sparse(dense, nGenes, 50)
	var files [][]byte
	for _, workers := range []int{1, 3, 16} {
		m, err := pca.Fit(context.Background(), genes, cells, pca.Config{Components: 5, Workers: workers, Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := m.Save(&b); err != nil {
			t.Fatal(err)
		}
		files = append(files, b.Bytes())
		loaded, err := pca.Load(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(embed(t, m, genes, cells), embed(t, loaded, genes, cells)) {
			t.Error("a loaded model gives other embeddings")
		}
	}
	for _, f := range files[1:] {
		if !bytes.Equal(f, files[0]) {
			t.Error("other bytes with other workers")
		}
	}
}

// Genes are matched by name: in another order, with genes that the model does not
// know, cells have the same embedding.
func TestProjectorMatchesGenesByName(t *testing.T) {
	dense, genes := world()
	m, err := pca.Fit(context.Background(), genes, sparse(dense, nGenes, 50), pca.Config{Components: 3})
	if err != nil {
		t.Fatal(err)
	}
	turned := make([]string, nGenes+1)
	turned[nGenes] = "unknown"
	other := make([]float64, 0, nCells*(nGenes+1))
	for i := range nCells {
		for g := range nGenes {
			turned[g] = genes[nGenes-1-g]
			other = append(other, dense[i*nGenes+nGenes-1-g])
		}
		other = append(other, 1000)
	}
	want := embed(t, m, genes, sparse(dense, nGenes, 50))
	for i, v := range embed(t, m, turned, sparse(other, nGenes+1, 77)) {
		if math.Abs(v-want[i]) > 1e-12 { // sums in another order
			t.Fatalf("[%d] = %g, want %g", i, v, want[i])
		}
	}
	p, err := m.Projector(genes[:50])
	if err != nil || p.Missing != 10 {
		t.Errorf("missing %d, %v", p.Missing, err)
	}
}

func TestBadInput(t *testing.T) {
	dense, genes := world()
	ctx := context.Background()
	fit := func(genes []string, dense []float64, cfg pca.Config) error {
		_, err := pca.Fit(ctx, genes, sparse(dense, nGenes, 50), cfg)
		return err
	}
	negative, infinite := slices.Clone(dense), slices.Clone(dense)
	negative[5] = -1
	infinite[5] = math.Inf(1)
	twice := slices.Clone(genes)
	twice[3] = twice[4]
	load := func(s string) error {
		_, err := pca.Load(strings.NewReader(s))
		return err
	}
	m, err := pca.Fit(ctx, genes, sparse(dense, nGenes, 50), pca.Config{Components: 2})
	if err != nil {
		t.Fatal(err)
	}
	_, none := m.Projector([]string{"x", "y"})
	for name, err := range map[string]error{
		"negative":       fit(genes, negative, pca.Config{Components: 2}),
		"infinite":       fit(genes, infinite, pca.Config{Components: 2}),
		"duplicate":      fit(twice, dense, pca.Config{Components: 2}),
		"too many":       fit(genes, dense, pca.Config{Components: 61}),
		"one cell":       fit(genes, dense[:nGenes], pca.Config{Components: 1}),
		"equal cells":    fit(genes, slices.Repeat(dense[:nGenes], 2), pca.Config{Components: 1}),
		"few genes":      fit(genes[:2], dense, pca.Config{Components: 1}),
		"no model":       load("x"),
		"other format":   load(`{"format": "x"}`),
		"other version":  load(`{"format": "c2s-pca", "version": 2}`),
		"damaged":        load(`{"format": "c2s-pca", "version": 1, "genes": ["a"], "mean": [1, 2]}`),
		"short":          load(`{"format": "c2s-pca", "version": 1, "genes": ["a", "b"], "mean": [1, 2], "components": [[1]], "variance": [1]}`),
		"no common gene": none,
	} {
		b, ok := err.(interface{ BadInput() bool })
		if !ok || !b.BadInput() {
			t.Errorf("%s: %v", name, err)
		}
	}
}
