package score_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/score"
)

// python is the first interpreter that can import a module.
func python(t testing.TB, module string) string {
	t.Helper()
	for _, name := range []string{os.Getenv("C2S_PYTHON"), os.Getenv("C2S_PYTHON_CELLEVAL"), "python3"} {
		if name != "" && exec.Command(name, "-c", "import "+module).Run() == nil {
			return name
		}
	}
	if os.Getenv("C2S_CI") == "1" {
		t.Fatalf("no Python with %s (C2S_PYTHON or C2S_PYTHON_CELLEVAL)", module)
	}
	t.Skipf("no Python with %s (C2S_PYTHON or C2S_PYTHON_CELLEVAL)", module)
	return ""
}

// ask runs a script of testdata and reads the JSON that it prints.
func ask(t testing.TB, into any, python, script string, args ...string) {
	t.Helper()
	cmd := exec.Command(python, append([]string{"-W", "ignore", filepath.Join("testdata", script)}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatal(err)
	}
}

// halves is the even and the odd cells of one case of celleval.py.
func halves(t testing.TB, name string) (path string, even, odd score.Input, control string) {
	t.Helper()
	if name == "k562" {
		even, odd = evenOdd(t, "k562")
		return filepath.Join(sharedDir(t), "data", "h5ad", "perturbench_devel_norman19_mcfaline23.h5ad"), even, odd, "control"
	}
	path = filepath.Join(sharedDir(t), "data", "h5ad", "kang_ifnb_muscat.h5ad")
	half := func(side string, want int) score.Input {
		return input(t, side, path, func(row int, obs func(string) string) string {
			switch {
			case row%2 != want:
				return ""
			case obs("group_id") == "stim":
				return obs("cluster_id")
			}
			return "ctrl"
		})
	}
	return path, half("real", 0), half("predicted", 1), "ctrl"
}

// Every metric that cell-eval itself gives, on logarithms and on counts.
func TestEqualsCellEval(t *testing.T) {
	interpreter := python(t, "cell_eval")
	for _, name := range []string{"k562", "kang"} {
		t.Run(name, func(t *testing.T) {
			path, even, odd, control := halves(t, name)
			var want struct {
				Metrics map[string]map[string]*float64
				Panel   map[string]*float64
			}
			ask(t, &want, interpreter, "celleval.py", path, name)
			got, err := score.Evaluate(context.Background(), even, odd, score.Config{Control: control, Preset: score.CellEval})
			if err != nil {
				t.Fatal(err)
			}
			// cell-eval keeps its tables in float32; counts are scaled in float32.
			compare := func(what string, got float64, want *float64) {
				tolerance := 1e-6
				if strings.Contains(what, "_auc") {
					tolerance = 1e-5 // two false discovery rates that tie in one float32 log10 only
				}
				if want == nil {
					if !math.IsNaN(got) {
						t.Errorf("%s: got %g, want none", what, got)
					}
				} else if !(math.Abs(got-*want) <= tolerance) {
					t.Errorf("%s: got %.12g, want %.12g", what, got, *want)
				}
			}
			all := make([]int, len(got.Perturbations))
			for i := range all {
				all[i] = i
			}
			n := 0
			for i := range got.Metrics {
				m := &got.Metrics[i]
				if m.Values == nil {
					if v, ok := want.Panel[m.Name]; ok {
						compare(m.Name, m.Total(all), v)
						n++
					}
					continue
				}
				if want.Metrics[m.Name] == nil {
					continue
				}
				n++
				// More than 50 genes of these cells are absent from the control: their fold
				// changes are all infinite, and cell-eval orders them by a sort that is not
				// stable.
				if name == "kang" && strings.HasSuffix(m.Name, "_at_50") {
					continue
				}
				for k, p := range got.Perturbations {
					compare(m.Name+" of "+p, m.Values[k], want.Metrics[m.Name][p])
				}
			}
			if n < 24 {
				t.Errorf("%d metrics were compared, expected 24", n)
			}
		})
	}
}

// The six members of the 2026 challenge, as cell-eval2 itself gives them.
func TestEqualsCellEval2(t *testing.T) {
	interpreter := python(t, "cell_eval2")
	path := filepath.Join(sharedDir(t), "data", "h5ad", "kang_ifnb_muscat.h5ad")
	// The cell types of the file in order, and the genes that stand for them.
	gene := map[string]string{"B cells": "ISG15", "CD14+ Monocytes": "IFI6", "CD4 T cells": "MX1", "CD8 T cells": "STAT1", "FCGR3A+ Monocytes": "B2M"}
	half := func(side string, want int) score.Input {
		return input(t, side, path, func(row int, obs func(string) string) string {
			switch {
			case row%2 != want:
				return ""
			case obs("group_id") == "stim":
				return gene[obs("cluster_id")]
			}
			return "ctrl"
		})
	}
	var want struct {
		Values map[string]map[string]float64
		Panel  map[string]float64
	}
	ask(t, &want, interpreter, "celleval2.py", path)
	got, err := score.Evaluate(context.Background(), half("real", 0), half("predicted", 1), score.Config{Control: "ctrl", Preset: score.VCC2026, Splits: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Metrics) != 6 {
		t.Errorf("%d metrics", len(got.Metrics))
	}
	for _, m := range got.Metrics {
		if m.Values == nil {
			if w := want.Panel[m.Name]; !(math.Abs(m.Score-w) <= 1e-9) {
				t.Errorf("%s: got %.15g, want %.15g", m.Name, m.Score, w)
			}
			continue
		}
		for k, p := range got.Perturbations {
			if w, ok := want.Values[m.Name][p]; !ok || !(math.Abs(m.Values[k]-w) <= 1e-6) {
				t.Errorf("%s of %s: got %.12g, want %.12g (%v)", m.Name, p, m.Values[k], w, ok)
			}
		}
	}
}
