package score_test

import (
	"bytes"
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

// halves is the even and the odd cells of a file with real cells, as logarithms (k562)
// or counts (kang: cell types stand for perturbations, under the names of genes, so that
// there are own genes to leave out); or the simulated screen.
func halves(t testing.TB, name string) (real, pred func() score.Input, control string) {
	t.Helper()
	switch name {
	case "simulated":
		real, pred = simulated(t)
		return real, pred, "control"
	case "k562":
		return func() score.Input { even, _ := evenOdd(t, name); return even }, func() score.Input { _, odd := evenOdd(t, name); return odd }, "control"
	}
	gene := map[string]string{"B cells": "ISG15", "CD14+ Monocytes": "IFI6", "CD4 T cells": "MX1", "CD8 T cells": "STAT1", "FCGR3A+ Monocytes": "B2M"}
	half := func(side string, want int) func() score.Input {
		return func() score.Input {
			return input(t, side, filepath.Join(sharedDir(t), "data", "h5ad", "kang_ifnb_muscat.h5ad"), func(row int, obs func(string) string) string {
				switch {
				case row%2 != want:
					return ""
				case obs("group_id") == "stim":
					return gene[obs("cluster_id")]
				}
				return "ctrl"
			})
		}
	}
	return half("real", 0), half("predicted", 1), "ctrl"
}

// theirs is what a program gives: values by metric and perturbation, and those of the
// panel. null is a value that does not exist.
type theirs struct {
	Metrics map[string]map[string]*float64
	Panel   map[string]*float64
}

// compare holds every metric of ours against theirs, which must have them all. reason
// excuses a metric: it says why the two need not agree.
func (want theirs) compare(t *testing.T, got *score.Result, tolerance func(name string) float64, reason map[string]string) {
	t.Helper()
	n := 0
	for i := range got.Metrics {
		m := &got.Metrics[i]
		if why := reason[m.Name]; why != "" {
			t.Logf("%s is not compared: %s", m.Name, why)
			continue
		}
		check := func(of string, v float64, w *float64, known bool) {
			n++
			switch {
			case !known:
				t.Errorf("%s%s: they have none", m.Name, of)
			case w == nil:
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					t.Errorf("%s%s: got %.12g, want none", m.Name, of, v)
				}
			case !(math.Abs(v-*w) <= tolerance(m.Name)):
				t.Errorf("%s%s: got %.12g, want %.12g", m.Name, of, v, *w)
			}
		}
		if m.Values == nil {
			w, known := want.Panel[m.Name]
			check("", m.Score, w, known)
			continue
		}
		for k, p := range got.Perturbations {
			w, known := want.Metrics[m.Name][p]
			check(" of "+p, m.Values[k], w, known || want.Metrics[m.Name] != nil)
		}
	}
	t.Logf("%d metrics, %d values compared", len(got.Metrics)-len(reason), n)
}

func scoreOf(t *testing.T, name string, preset score.Preset) (got *score.Result, realPath, predPath, control string) {
	t.Helper()
	real, pred, control := halves(t, name)
	dir := t.TempDir()
	realPath, predPath = filepath.Join(dir, "real.h5ad"), filepath.Join(dir, "pred.h5ad")
	save(t, real(), realPath)
	save(t, pred(), predPath)
	x, y := real(), pred()
	x.Donors, y.Donors = nil, nil // the programs know none
	return evaluate(t, x, y, score.Config{Control: control, Preset: preset, Splits: 1, Bootstraps: 50}), realPath, predPath, control
}

// Every metric that cell-eval itself gives, on logarithms, on counts and on simulated
// cells.
func TestEqualsCellEval(t *testing.T) {
	interpreter := python(t, "cell_eval")
	for _, name := range []string{"k562", "kang", "simulated"} {
		t.Run(name, func(t *testing.T) {
			got, real, pred, control := scoreOf(t, name, score.CellEval)
			var want theirs
			ask(t, &want, interpreter, "celleval.py", real, pred, control)
			excused := map[string]string{}
			if name == "kang" {
				const why = "more than 50 genes of these cells are absent from the control, their fold changes are all infinite, and cell-eval orders them by a sort that is not stable"
				excused["overlap_at_50"], excused["precision_at_50"] = why, why
			}
			want.compare(t, got, func(metric string) float64 {
				if strings.Contains(metric, "_auc") {
					return 1e-4 // a tie of two rates in the one float32 log10 and not in the other is worth half a pair of genes
				}
				return 1e-6 // cell-eval keeps its tables, and scales counts, in float32
			}, excused)
		})
	}
}

// Every metric of both presets of cell-eval2, as it gives them itself.
func TestEqualsCellEval2(t *testing.T) {
	interpreter := python(t, "cell_eval2")
	for _, name := range []string{"kang", "simulated"} {
		for _, c := range []struct {
			preset score.Preset
			theirs string
			number int
		}{{score.VCC2026, "vcc2026", 6}, {score.CellEval2, "v2", 54}} {
			t.Run(name+"/"+c.theirs, func(t *testing.T) {
				got, real, pred, control := scoreOf(t, name, c.preset)
				if len(got.Metrics) != c.number {
					t.Errorf("%d metrics, want %d", len(got.Metrics), c.number)
				}
				var want theirs
				ask(t, &want, interpreter, "celleval2.py", real, pred, control, c.theirs)
				want.compare(t, got, func(string) float64 { return 1e-6 }, nil) // differential expression in float32
			})
		}
	}
}
