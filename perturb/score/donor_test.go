package score_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/score"
)

// bulkCase is donors whose counts a gene is the sum of, by condition.
type bulkCase struct {
	Treated map[string][]float64 `json:"treated"`
	Control map[string][]float64 `json:"control"`
}

// asCells splits the sums into 12 cells a donor.
func (c bulkCase) asCells() score.Input {
	in := score.Input{}
	var groups []group
	var donors []string
	genes := 0
	for _, side := range []struct {
		label string
		sums  map[string][]float64
	}{{"control", c.Control}, {"p", c.Treated}} {
		for _, donor := range slices.Sorted(func(yield func(string) bool) {
			for d := range side.sums {
				if !yield(d) {
					return
				}
			}
		}) {
			sums := side.sums[donor]
			genes = len(sums)
			g := group{label: side.label}
			for i := range 12 {
				cell := map[int]float64{}
				for j, v := range sums {
					if part := math.Floor(v / 12); part > 0 {
						cell[j] = part
					}
					if i < int(v)%12 {
						cell[j]++
					}
				}
				g.cells = append(g.cells, cell)
				donors = append(donors, donor)
			}
			groups = append(groups, g)
		}
	}
	in = sparse(genes, groups...)
	in.Donors = donors
	return in
}

func TestDonorDEEqualsSciPy(t *testing.T) {
	interpreter := python(t, "scipy")
	draw := func(r *rand.Rand, genes int, moved float64) []float64 {
		x := make([]float64, genes)
		for j := range x {
			mean := math.Exp(float64(j%7)) * math.Exp(0.3*r.NormFloat64())
			if j%5 == 0 {
				mean *= moved
			}
			x[j] = math.Round(mean * (1 + 0.2*r.NormFloat64()))
			x[j] = max(0, x[j])
		}
		return x
	}
	for _, tc := range []struct {
		name             string
		treated, control []string
	}{
		{"paired", []string{"d1", "d2", "d3", "d4"}, []string{"d1", "d2", "d3", "d4"}},
		{"two pairs", []string{"d1", "d2", "d9"}, []string{"d1", "d2"}},
		{"two groups", []string{"d1", "d2", "d3"}, []string{"d4", "d5", "d6", "d7"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, uint64(len(tc.treated))))
			c := bulkCase{map[string][]float64{}, map[string][]float64{}}
			for _, d := range tc.treated {
				c.Treated[d] = draw(r, 90, 4)
			}
			for _, d := range tc.control {
				c.Control[d] = draw(r, 90, 1)
			}
			path := filepath.Join(t.TempDir(), "bulks.json")
			b, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			var want struct{ LFC, P, FDR []*float64 }
			ask(t, &want, interpreter, "donor_de.py", path)
			cells, err := score.Load(context.Background(), c.asCells(), "control")
			if err != nil {
				t.Fatal(err)
			}
			got := score.DonorDE(cells)[0]
			tests := 0
			for j := range want.P {
				if want.P[j] == nil {
					if !math.IsNaN(got.P[j]) {
						t.Errorf("gene %d is tested: p %g", j, got.P[j])
					}
					continue
				}
				tests++
				for _, v := range []struct {
					what      string
					got, want float64
				}{{"log fold change", got.LFC[j], *want.LFC[j]}, {"p", got.P[j], *want.P[j]}, {"rate", got.FDR[j], *want.FDR[j]}} {
					// Newton's method stops at 1e-8 of the prior degrees of freedom.
					if !(math.Abs(v.got-v.want) <= 1e-7*math.Abs(v.want)+1e-14) {
						t.Errorf("gene %d, %s: got %.12g, want %.12g", j, v.what, v.got, v.want)
					}
				}
			}
			if tests < 60 {
				t.Errorf("%d genes were tested", tests)
			}
		})
	}
}

// Without two donors on a side there is no test, and nothing is 0.
func TestDonorDENeedsDonors(t *testing.T) {
	sums := func(scale float64) []float64 { return []float64{100 * scale, 200, 300} }
	c := bulkCase{map[string][]float64{"a": sums(2)}, map[string][]float64{"a": sums(1), "b": sums(1)}}
	cells, err := score.Load(context.Background(), c.asCells(), "control")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range score.DonorDE(cells)[0].P {
		if !math.IsNaN(p) {
			t.Errorf("p %g of one donor", p)
		}
	}
}

// Metrics on donors join any preset, and the ceiling is that of halves of the donors.
func TestDonorMetrics(t *testing.T) {
	real, pred := simulated(t)
	got := evaluate(t, real(), pred(), score.Config{Control: "control", Preset: score.CellEval, Splits: 3, Bootstraps: 100})
	if got.Donors != 4 || got.Splits != 3 {
		t.Errorf("%d donors, %d splits", got.Donors, got.Splits)
	}
	for _, name := range []string{"donor_de_overlap", "donor_de_sig_jaccard", "donor_de_direction_match", "donor_de_direction_reach", "donor_de_lfc_spearman"} {
		m := metric(t, got, name)
		t.Logf("%s %.3f, ceiling %.3f, n %d", name, m.Score, m.Ceiling, m.Defined())
		if !(m.Score > 0 && m.Score <= 1) {
			t.Errorf("%s: %g", name, m.Score)
		}
		if m.Defined() == 0 || m.Undefined() == 0 { // two perturbations do nothing, one has six cells
			t.Errorf("%s: defined for %d of %d", name, m.Defined(), len(m.Values))
		}
	}
	// A prediction whose donors are not known has the ceiling by donors, not the metrics.
	unknown := pred()
	unknown.Donors = nil
	got = evaluate(t, real(), unknown, score.Config{Control: "control", Preset: score.CellEval, Splits: 1, Bootstraps: 50})
	if slices.ContainsFunc(got.Metrics, func(m score.Anchored) bool { return strings.HasPrefix(m.Name, "donor_") }) {
		t.Error("metrics on donors that are not known")
	}
	if got.Donors != 4 || !slices.ContainsFunc(got.Warnings, func(w string) bool { return strings.Contains(w, "donors of predicted are not known") }) {
		t.Errorf("%d donors; %q", got.Donors, got.Warnings)
	}
	if fmt.Sprint(metric(t, got, "mse").Ceiling) == "NaN" {
		t.Error("no ceiling by donors")
	}
}
