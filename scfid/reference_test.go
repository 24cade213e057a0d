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

	kernel "github.com/cellsentence/c2s/internal/blas"
	"github.com/cellsentence/c2s/scfid"
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
	prdc       bool
}

// reference runs testdata/reference.py on the cases with the first Python that has
// a package, such as SciPy.
func reference(t *testing.T, module string, cases []pair) []map[string]float64 {
	t.Helper()
	python := ""
	for _, name := range []string{os.Getenv("C2S_PYTHON"), os.Getenv("C2S_PYTHON_OLD"), "python3"} {
		if python == "" && name != "" && exec.Command(name, "-c", "import "+module).Run() == nil {
			python = name
		}
	}
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatalf("no Python with %s (C2S_PYTHON)", module)
		}
		t.Skipf("no Python with %s (C2S_PYTHON)", module)
	}
	dir := t.TempDir()
	var list []map[string]any
	for i, c := range cases {
		entry := map[string]any{"dim": c.dim, "fd": c.fd, "companions": c.companions, "prdc": c.prdc}
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
	for _, d := range []int{2, 16, 128} {
		for _, condition := range []float64{1, 1e2, 1e4, 1e6} {
			sd := spectrum(d, condition)
			cases = append(cases, pair{
				name: fmt.Sprintf("d %d, condition %g", d, condition), dim: d, fd: true,
				real: normal(r, 4*d+10, sd, nil), gen: normal(r, 3*d+10, sd, func(j int) float64 { return 0.3 * sd[j] }),
			})
		}
	}
	for i, want := range reference(t, "scipy.linalg", cases) {
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
	for i, want := range reference(t, "scipy.linalg", cases) {
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

// Precision, recall, density and coverage against the package prdc 0.2. Its
// distances are rounded otherwise, which moves no cell across a radius here.
func TestNeighboursAgreeWithPRDC(t *testing.T) {
	r := source(23)
	var cases []pair
	for _, d := range []int{2, 20, 200} {
		cases = append(cases,
			pair{name: "shifted", dim: d, prdc: true, real: normal(r, 400, ones(d), nil), gen: normal(r, 300, ones(d), func(j int) float64 { return 1 / math.Sqrt(float64(d)) })},
			pair{name: "narrow", dim: d, prdc: true, real: normal(r, 300, ones(d), nil), gen: normal(r, 500, powerLaw(d), nil)},
		)
	}
	for i, want := range reference(t, "prdc", cases) {
		c := cases[i]
		got := evaluate(t, c.real, c.gen, c.dim, scfid.Config{Splits: 1, Sizes: 3, Subsets: 1, Permutations: 1})
		for key, v := range map[string]scfid.Value{"precision": got.Precision, "recall": got.Recall, "density": got.Density, "coverage": got.Coverage} {
			near(t, fmt.Sprintf("%s, d %d: %s", c.name, c.dim, key), float64(v), want[key], 1e-14)
		}
	}
}
