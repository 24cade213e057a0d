package cellsentence_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
)

// python runs testdata/parity.py under an interpreter that has the package
// cell2sentence.
func python(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	name := os.Getenv("C2S_PYTHON")
	if name == "" || exec.Command(name, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('cell2sentence') is None)").Run() != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with cell2sentence (C2S_PYTHON)")
		}
		t.Skip("no Python with cell2sentence (C2S_PYTHON)")
	}
	cmd := exec.Command(name, append([]string{"-W", "ignore", "testdata/parity.py"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return string(out)
}

// TestParityWithPackage fits and measures the float32 values that NumPy makes of
// real counts, on all cells and on samples, as the package itself does.
func TestParityWithPackage(t *testing.T) {
	path := goldenFile(t, "h5ad", "scanpy_pbmc68k_reduced_counts.h5ad")
	values := filepath.Join(t.TempDir(), "values")
	sizes := []int{1024, 200, 7}
	out := python(t, "", "benchmark", path, values, "1024", "200", "7")
	genes, b := counts(t, path, "")
	raw, err := os.ReadFile(values)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := binary.Decode(raw, binary.LittleEndian, b.Values); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(out, "\n")
	for i, n := range sizes {
		want, err := csv.NewReader(strings.NewReader(lines[2*i] + lines[2*i+1])).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		p, err := cellsentence.FitParity(context.Background(), genes, opener(b, 100), cellsentence.ParityConfig{Cells: 700, Sample: n, Seed: 42})
		if err != nil {
			t.Fatal(err)
		}
		if n >= 700 {
			readGolden(t).compare(t, p, 1e-8)
		}
		var text bytes.Buffer
		if err := p.WriteCSV(&text); err != nil {
			t.Fatal(err)
		}
		got, err := csv.NewReader(&text).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for c, name := range want[0] {
			g, w := got[1][c], want[1][c]
			if got[0][c] != name {
				t.Errorf("column %d is %s, expected %s", c, got[0][c], name)
			}
			wf, err := strconv.ParseFloat(w, 64)
			if err != nil {
				if g != w {
					t.Errorf("%s is %s, expected %s", name, g, w)
				}
				continue
			}
			gf, err := strconv.ParseFloat(g, 64)
			if err != nil {
				t.Fatal(err)
			}
			// R² takes mean and residuals in float32 there; the other sums differ in their
			// order; p-values are differences of the seventh digit, amplified.
			tolerance := 1e-10
			switch {
			case name == "r_squared":
				tolerance = 1e-8
			case strings.HasSuffix(name, "pvalue"):
				tolerance = 1e-6
			}
			if d := math.Abs(gf - wf); !(d <= tolerance*math.Abs(wf)) {
				t.Errorf("sample %d: %s is %s, expected %s", n, name, g, w)
			}
		}
	}
}

// TestDecodeLikePackage decodes sentences with unknown words, repeats and blanks.
func TestDecodeLikePackage(t *testing.T) {
	words := make([]string, 300)
	for i := range words {
		words[i] = fmt.Sprintf("G%d", i)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	sentences := []string{"G1", "NONE", "G1 G1", "G2  G3", " G4", "G5 "}
	for range 50 {
		s := make([]string, 1+rng.IntN(2000))
		for i := range s {
			s[i] = fmt.Sprintf("G%d", rng.IntN(330))
		}
		sentences = append(sentences, strings.Join(s, " "))
	}
	const slope, intercept = -0.6756886579917628, 2.237853249084892
	out := python(t, strings.Join(words, " ")+"\n"+strings.Join(sentences, "\n")+"\n", "reconstruct", fmt.Sprint(slope), fmt.Sprint(intercept))
	want := strings.Split(out, "\n")
	d, err := cellsentence.NewDecoder(words, cellsentence.DecoderConfig{
		Model: &cellsentence.RankModel{Kind: cellsentence.RankLinear, Slope: slope, Intercept: intercept},
	})
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range d.Decode(context.Background(), batches(sentences, 9)) {
		if err != nil {
			t.Fatal(err)
		}
		values := b.Values.([]float32)
		for i := range b.NObs() {
			var got []string
			for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
				got = append(got, fmt.Sprintf("%d:%v", b.Indices[k], values[k]))
			}
			var exp []string
			for f := range strings.FieldsSeq(want[b.Start+i]) {
				col, v, _ := strings.Cut(f, ":")
				x, err := strconv.ParseFloat(v, 64)
				if err != nil {
					t.Fatal(err)
				}
				exp = append(exp, fmt.Sprintf("%s:%v", col, float32(x)))
			}
			if strings.Join(got, " ") != strings.Join(exp, " ") {
				t.Fatalf("%.60q:\n got %v\nwant %v", sentences[b.Start+i], got, exp)
			}
		}
	}
}
