package scfid_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/blas/blas64"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/scfid"
	kernel "github.com/cellsentence/c2s/scfid/internal/blas"
)

// Tests run with the kernels under gonum, as the command does.
func TestMain(m *testing.M) {
	blas64.Use(kernel.Implementation{})
	os.Exit(m.Run())
}

// pair is a case for the reference program.
type pair struct {
	name       string
	real, gen  []float64
	dim        int
	fd         bool
	companions bool
}

// reference runs testdata/reference.py on the cases with the first Python that has
// SciPy.
func reference(t *testing.T, cases []pair) []map[string]float64 {
	t.Helper()
	python := ""
	for _, name := range []string{os.Getenv("C2S_PYTHON"), os.Getenv("C2S_PYTHON_OLD"), "python3"} {
		if python == "" && name != "" && exec.Command(name, "-c", "import scipy.linalg").Run() == nil {
			python = name
		}
	}
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with SciPy (C2S_PYTHON)")
		}
		t.Skip("no Python with SciPy (C2S_PYTHON)")
	}
	dir := t.TempDir()
	var list []map[string]any
	for i, c := range cases {
		entry := map[string]any{"dim": c.dim, "fd": c.fd, "companions": c.companions}
		for side, x := range map[string][]float64{"real": c.real, "gen": c.gen} {
			var b bytes.Buffer
			if err := binary.Write(&b, binary.LittleEndian, x); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, fmt.Sprint(i, side))
			if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			entry[side] = path
		}
		list = append(list, entry)
	}
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cases.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, filepath.Join("testdata", "reference.py"), path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, stderr.String())
	}
	var results []map[string]float64
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		r := map[string]float64{}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if len(results) != len(cases) {
		t.Fatalf("%d results for %d cases", len(results), len(cases))
	}
	return results
}

// spectrum is standard deviations whose variances fall from 1 to 1/condition.
func spectrum(d int, condition float64) []float64 {
	sd := make([]float64, d)
	for i := range sd {
		sd[i] = math.Pow(condition, -0.5*float64(i)/float64(d-1))
	}
	return sd
}

// The distance through SciPy's sqrtm, 1e-8 where the condition is at most 1e6: that
// is what sqrtm itself is good for.
func TestDistanceAgreesWithSciPy(t *testing.T) {
	r := source(21)
	var cases []pair
	for _, d := range []int{2, 16, 128, 256} {
		for _, condition := range []float64{1, 1e2, 1e4, 1e6} {
			sd := spectrum(d, condition)
			cases = append(cases, pair{
				name: fmt.Sprintf("d %d, condition %g", d, condition), dim: d, fd: true,
				real: normal(r, 4*d+10, sd, nil), gen: normal(r, 3*d+10, sd, func(j int) float64 { return 0.3 * sd[j] }),
			})
		}
	}
	for i, want := range reference(t, cases) {
		c := cases[i]
		f := distance(t, prepare(t, c.real, c.dim), prepare(t, c.gen, c.dim))
		near(t, c.name, f.Value, want["fd"], 1e-8)
	}
}

// KID, MMD, precision, recall, density and coverage against their definitions. The
// counts behind the last four must be equal; kernels are sums of up to 4e4 terms.
func TestCompanionsAgreeWithTheirDefinitions(t *testing.T) {
	r := source(22)
	cases := []pair{
		{name: "shifted", dim: 16, real: normal(r, 200, ones(16), nil), gen: normal(r, 200, ones(16), func(int) float64 { return 0.2 })},
		{name: "narrow", dim: 8, real: normal(r, 150, ones(8), nil), gen: normal(r, 150, powerLaw(8), nil)},
		{name: "more dimensions than cells", dim: 60, real: normal(r, 40, powerLaw(60), nil), gen: normal(r, 40, powerLaw(60), nil)},
		{name: "far from the origin", dim: 5, real: normal(r, 100, ones(5), func(int) float64 { return 30 }), gen: normal(r, 100, ones(5), func(int) float64 { return 31 })},
		{name: "unequal sizes", dim: 4, real: normal(r, 300, ones(4), nil), gen: normal(r, 90, powerLaw(4), nil)},
	}
	for i := range cases {
		cases[i].companions = true
	}
	for i, want := range reference(t, cases) {
		c := cases[i]
		got, err := scfid.Evaluate(context.Background(), scfid.Side{Rows: rows(t, c.real, c.dim)}, scfid.Side{Rows: rows(t, c.gen, c.dim)}, scfid.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.real) == len(c.gen) { // else subsets are drawn
			near(t, c.name+" kid", float64(got.KID.Mean), want["kid"], 1e-9)
			near(t, c.name+" mmd", float64(got.MMD.Value), want["mmd"], 1e-9)
		}
		for key, v := range map[string]scfid.Value{"precision": got.Precision, "recall": got.Recall, "density": got.Density, "coverage": got.Coverage} {
			near(t, c.name+" "+key, float64(v), want[key], 1e-14)
		}
	}
}

// The recorded distances of pytorch-fid between groups of the PBMC 68k subset, in
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
	part := func(keep func(i int) bool) *scfid.Sample {
		var index []int
		for i := range labels {
			if keep(i) {
				index = append(index, i)
			}
		}
		s, err := scfid.Select(rows(t, x, d), index)
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
		f := distance(t, c.a, c.b)
		near(t, c.name, f.Value, c.want, c.rel)
		t.Logf("%s: %.15g by %s, relative difference %.2g", c.name, f.Value, f.Method, math.Abs(f.Value-c.want)/c.want)
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
