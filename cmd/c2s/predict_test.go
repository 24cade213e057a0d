package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// TestPredictedFileInAnndata opens the output with anndata, old and new, and computes the
// additive prediction again with NumPy: normalisation, groups, clipping and all.
func TestPredictedFileInAnndata(t *testing.T) {
	in := filepath.Join("..", "..", "testdata", "perturb.h5ad")
	out := filepath.Join(t.TempDir(), "out.h5ad")
	e, _, stderr := testEnv()
	if code := run(t.Context(), []string{"predict", in, "--control", "control", "--predictor", "additive", "--reference", in, "--top-k", "50", "-o", out}, e); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	found := 0
	for _, python := range []string{os.Getenv("C2S_PYTHON"), os.Getenv("C2S_PYTHON_OLD")} {
		if python == "" {
			continue
		}
		found++
		text, err := exec.Command(python, "-W", "ignore", "testdata/predicted.py", in, out).CombinedOutput()
		if err != nil || !strings.Contains(string(text), "630 predicted cells agree") {
			t.Errorf("%s: %v: %s", python, err, text)
		}
	}
	if found == 0 {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("neither C2S_PYTHON nor C2S_PYTHON_OLD is set")
		}
		t.Skip("neither C2S_PYTHON nor C2S_PYTHON_OLD is set")
	}
}

// TestPartOfTheCells: a cell has the same prediction whatever other cells and
// perturbations are asked for.
func TestPartOfTheCells(t *testing.T) {
	in := filepath.Join("..", "..", "testdata", "drugs.h5ad")
	sentences := func(args ...string) map[string]string {
		t.Helper()
		out := filepath.Join(t.TempDir(), "out.h5ad")
		e, _, stderr := testEnv()
		if code := run(t.Context(), append([]string{"predict", in, "--control", "vehicle", "--predictor", "llm", "--backend", "demo", "-o", out}, args...), e); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		f, err := h5ad.Open(t.Context(), out, h5ad.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		index, err := f.Obs().Index(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := f.Obs().Column(t.Context(), "cell_sentence")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for i, name := range index {
			got[name], _ = c.Text(i)
		}
		if len(got) != len(index) {
			t.Error("two cells of one name")
		}
		return got
	}
	all := sentences("--sample", "2", "--perturbation", "DRUG-002", "--perturbation", "DRUG-008")
	if len(all) != 32*3 {
		t.Fatalf("%d cells", len(all))
	}
	part := sentences("--perturbation", "DRUG-008", "--where", `cell_type == "B cell"`)
	n := 0
	for name, sentence := range part {
		if want, ok := all[name]; ok {
			n++
			if sentence != want {
				t.Errorf("%s: %q, among more cells %q", name, sentence, want)
			}
		}
	}
	if n != 8 { // two cells of two contexts, with their controls
		t.Errorf("%d cells are in both", n)
	}
}
