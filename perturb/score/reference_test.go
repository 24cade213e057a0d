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

// saved is a case on disk, for the programs.
type saved struct{ real, pred, control string }

func saveCase(t *testing.T, name string) saved {
	t.Helper()
	real, pred, control := halves(t, name)
	dir := t.TempDir()
	c := saved{filepath.Join(dir, "real.h5ad"), filepath.Join(dir, "pred.h5ad"), control}
	save(t, real(), c.real)
	save(t, pred(), c.pred)
	return c
}

func ours(t *testing.T, name string, preset score.Preset) *score.Result {
	t.Helper()
	real, pred, control := halves(t, name)
	x, y := real(), pred()
	x.Donors, y.Donors = nil, nil // the programs know none
	return evaluate(t, x, y, score.Config{Control: control, Preset: preset, Splits: 1, Bootstraps: 50})
}

// Every metric that cell-eval itself gives, on logarithms, on counts and on simulated
// cells.
func TestEqualsCellEval(t *testing.T) {
	interpreter := python(t, "cell_eval")
	cases := []string{"k562", "kang", "simulated"}
	var args []string
	for _, name := range cases {
		c := saveCase(t, name)
		args = append(args, c.real, c.pred, c.control)
	}
	want := make([]theirs, len(cases))
	ask(t, &want, interpreter, "celleval.py", args...)
	for i, name := range cases {
		t.Run(name, func(t *testing.T) {
			excused := map[string]string{}
			if name == "kang" {
				const why = "more than 50 genes of these cells are absent from the control, their fold changes are all infinite, and cell-eval orders them by a sort that is not stable"
				excused["overlap_at_50"], excused["precision_at_50"] = why, why
			}
			want[i].compare(t, ours(t, name, score.CellEval), func(metric string) float64 {
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
	presets := []struct {
		preset score.Preset
		theirs string
		number int
	}{{score.VCC2026, "vcc2026", 6}, {score.CellEval2, "v2", 54}}
	cases := []string{"kang", "simulated"}
	var args []string
	for _, name := range cases {
		c := saveCase(t, name)
		for _, p := range presets {
			args = append(args, c.real, c.pred, c.control, p.theirs)
		}
	}
	want := make([]theirs, len(cases)*len(presets))
	ask(t, &want, interpreter, "celleval2.py", args...)
	for i, name := range cases {
		for k, p := range presets {
			t.Run(name+"/"+p.theirs, func(t *testing.T) {
				got := ours(t, name, p.preset)
				if len(got.Metrics) != p.number {
					t.Errorf("%d metrics, want %d", len(got.Metrics), p.number)
				}
				want[i*len(presets)+k].compare(t, got, func(string) float64 { return 1e-6 }, nil) // results.csv has fewer digits
			})
		}
	}
}

// Differential expression as pdex itself gives it, on real and simulated logarithms.
func TestEqualsPdex(t *testing.T) {
	interpreter := python(t, "pdex")
	names := []string{"k562", "kang", "simulated"}
	cells := make([]*score.Cells, len(names))
	var args []string
	for i, name := range names {
		real, _, control := halves(t, name)
		c, err := score.Load(t.Context(), real(), control)
		if err != nil {
			t.Fatal(err)
		}
		if cells[i], err = score.LogNormalised(c); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "real.h5ad")
		save(t, score.AsInput(cells[i]), path)
		args = append(args, path, control)
	}
	var want []map[score.Average]map[string]map[string][4]any
	ask(t, &want, interpreter, "pdex_de.py", args...)
	for i, name := range names {
		for average, tables := range want[i] {
			t.Run(name+"/"+string(average), func(t *testing.T) {
				got, err := score.DE(t.Context(), cells[i], score.DEOptions{Average: average, Log: true})
				if err != nil {
					t.Fatal(err)
				}
				equalTables(t, cells[i], got, tables)
			})
		}
	}
}

func equalTables(t *testing.T, cells *score.Cells, got []score.Table, want map[string]map[string][4]any) {
	t.Helper()
	n := 0
	for k, p := range cells.Perturbations() {
		for g, gene := range cells.Genes() {
			w, ok := want[p][gene]
			if !ok {
				t.Fatalf("they have no %s of %s", gene, p)
			}
			for i, v := range []float64{got[k].LFC[g], got[k].U[g], got[k].P[g], got[k].FDR[g]} {
				n++
				want, isNumber := w[i].(float64)
				if !isNumber {
					if text := map[float64]string{1: "inf", -1: "-inf"}[math.Copysign(1, v)]; !math.IsInf(v, 0) || text != w[i] {
						t.Errorf("%s of %s, column %d: got %g, want %v", gene, p, i, v, w[i])
					}
					continue
				}
				// Sums in another order; p of a normal tail by another function.
				if !(math.Abs(v-want) <= 1e-9*math.Abs(want)+1e-12) {
					t.Errorf("%s of %s, column %d: got %.15g, want %.15g", gene, p, i, v, want)
				}
			}
		}
	}
	t.Logf("%d numbers compared", n)
}

// The presets whose programs are not on the package index, against their definitions in
// NumPy, SciPy and scikit-learn.
func TestEqualsDefinitions(t *testing.T) {
	interpreter := python(t, "sklearn, anndata")
	c := saveCase(t, "k562")
	var want map[score.Preset]map[string]map[string]float64
	ask(t, &want, interpreter, "others.py", c.real, c.pred, c.control)
	for preset, metrics := range want {
		t.Run(string(preset), func(t *testing.T) {
			got := ours(t, "k562", preset)
			if len(got.Metrics) != len(metrics) {
				t.Errorf("%d metrics, they have %d", len(got.Metrics), len(metrics))
			}
			for i := range got.Metrics {
				m := &got.Metrics[i]
				for k, p := range got.Perturbations {
					w, ok := metrics[m.Name][p]
					// Distances within a group lose digits to x² + y² − 2xy.
					if !ok || !(math.Abs(m.Values[k]-w) <= 1e-7) {
						t.Errorf("%s of %s: got %.12g, want %.12g", m.Name, p, m.Values[k], w)
					}
				}
			}
		})
	}
}

// The preset all is those on logarithms, each metric as in its own.
func TestAll(t *testing.T) {
	all := ours(t, "k562", score.All)
	n := 0
	for preset, prefix := range map[score.Preset]string{score.CellEval: "", score.Systema: "systema_", score.PerturBench: "", score.Distances: ""} {
		for _, m := range ours(t, "k562", preset).Metrics {
			n++
			if got := metric(t, all, prefix+m.Name); got.Score != m.Score {
				t.Errorf("%s: %g, in %s %g", prefix+m.Name, got.Score, preset, m.Score)
			}
		}
	}
	if n != len(all.Metrics) {
		t.Errorf("%d metrics, together %d", n, len(all.Metrics))
	}
}

// The score of the 2026 challenge rests on a baseline and a replicate that both programs
// draw at random: they agree within what seeds differ by.
func TestChallengeAgreesWithCellEval2(t *testing.T) {
	interpreter := python(t, "cell_eval2")
	c := saveCase(t, "simulated")
	var want map[string]struct {
		Baseline      []float64
		Replicate, SD float64
	}
	ask(t, &want, interpreter, "challenge.py", c.real, c.control)
	ours := map[string][]score.ChallengeMember{}
	for seed := range uint64(3) {
		real, pred, control := halves(t, "simulated")
		x, y := real(), pred()
		x.Donors, y.Donors = nil, nil
		got := evaluate(t, x, y, score.Config{Control: control, Preset: score.VCC2026, Bootstraps: 20, Seed: seed})
		total := 0.0
		for _, m := range got.Challenge.Members {
			ours[m.Name] = append(ours[m.Name], m)
			total += m.Score
		}
		if math.Abs(got.Challenge.Score-total/6) > 1e-12 || len(got.Challenge.Members) != 6 {
			t.Errorf("score %g of %d members", got.Challenge.Score, len(got.Challenge.Members))
		}
	}
	for name, members := range ours {
		w := want[name]
		base, replicate, theirs := 0.0, 0.0, 0.0
		for i, m := range members {
			base, replicate, theirs = base+m.Baseline/3, replicate+m.Replicate/3, theirs+w.Baseline[i]/3
		}
		t.Logf("%-42s baseline %.4f, theirs %.4f; replicate %.4f, theirs %.4f (sd of a split %.4f)", name, base, theirs, replicate, w.Replicate, w.SD)
		// A mean of three draws of 14 perturbations; PDS moves in steps of 1/182.
		if math.Abs(base-theirs) > 0.06 {
			t.Errorf("%s: baseline %.4f, theirs %.4f", name, base, theirs)
		}
		if math.Abs(replicate-w.Replicate) > 2*w.SD+0.01 {
			t.Errorf("%s: replicate %.4f, theirs %.4f with sd %.4f", name, replicate, w.Replicate, w.SD)
		}
	}
}
