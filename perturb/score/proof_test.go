package score_test

import (
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb/score"
)

// table is cells in memory, dense, with their labels and donors: what plain predictors
// work on.
type table struct {
	genes         []string
	rows          [][]float64
	label, donors []string
}

// tabulate reads an input; total, if not 0, is what counts are scaled to before log(1+x).
func tabulate(t *testing.T, in score.Input, total float64) *table {
	t.Helper()
	out := &table{genes: in.Genes}
	read := 0
	for {
		var b h5ad.Batch
		err := in.Cells.Next(t.Context(), &b)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.NObs() {
			at := read
			read++
			if in.Labels[at] == "" {
				continue
			}
			row, sum := make([]float64, len(in.Genes)), 0.0
			for k := b.Indptr[i]; k < b.Indptr[i+1]; k++ {
				switch v := b.Values.(type) {
				case []float32:
					row[b.Indices[k]] = float64(v[k])
				case []float64:
					row[b.Indices[k]] = v[k]
				}
				sum += row[b.Indices[k]]
			}
			if total > 0 {
				for j, v := range row {
					row[j] = math.Log1p(v / sum * total)
				}
			}
			out.rows, out.label = append(out.rows, row), append(out.label, in.Labels[at])
			donor := ""
			if in.Donors != nil {
				donor = in.Donors[at]
			}
			out.donors = append(out.donors, donor)
		}
	}
}

// input gives the cells to be scored.
func (c *table) input(name string, donors bool) score.Input {
	b := h5ad.Batch{Indptr: []int64{0}}
	var values []float64
	for _, row := range c.rows {
		for j, v := range row {
			if v != 0 {
				b.Indices, values = append(b.Indices, int32(j)), append(values, v)
			}
		}
		b.Indptr = append(b.Indptr, int64(len(values)))
	}
	b.Values = values
	in := score.Input{Name: name, Genes: c.genes, Labels: c.label, Cells: cellsentence.NewSliceSource(b, 0)}
	if donors {
		in.Donors = c.donors
	}
	return in
}

// take is the cells for which keep is true.
func (c *table) take(keep func(i int) bool) *table {
	out := &table{genes: c.genes}
	for i := range c.rows {
		if keep(i) {
			out.add(c.rows[i], c.label[i], c.donors[i])
		}
	}
	return out
}

func (c *table) add(row []float64, label, donor string) {
	c.rows, c.label, c.donors = append(c.rows, row), append(c.label, label), append(c.donors, donor)
}

// mean is the mean cell of those with a label, and with a donor if one is named.
func (c *table) mean(label, donor string) []float64 {
	sum, n := make([]float64, len(c.genes)), 0.0
	for i, row := range c.rows {
		if c.label[i] == label && (donor == "" || c.donors[i] == donor) {
			for j, v := range row {
				sum[j] += v
			}
			n++
		}
	}
	for j := range sum {
		sum[j] /= n
	}
	return sum
}

// shifted is a cell with a shift added, never below 0.
func shifted(cell, shift []float64) []float64 {
	out := make([]float64, len(cell))
	for j, v := range cell {
		out[j] = max(0, v+shift[j])
	}
	return out
}

func minus(x, y []float64) []float64 {
	out := make([]float64, len(x))
	for j := range x {
		out[j] = x[j] - y[j]
	}
	return out
}

// parity takes the even or the odd cells of each label and donor.
func (c *table) parity(want int) *table {
	seen := map[string]int{}
	return c.take(func(i int) bool {
		key := c.label[i] + "\x00" + c.donors[i]
		seen[key]++
		return (seen[key]-1)%2 == want
	})
}

// Interferon on the cells of two donors (Kang). Real is every other cell; predictors see
// the rest: other control cells, the control of a donor with the shift of the other
// donor added, and the stimulated cells themselves. The ceiling is one donor against
// the other.
func TestKangDonors(t *testing.T) {
	const total = 1e4
	in := input(t, "kang", filepath.Join(sharedDir(t), "data", "h5ad", "kang_ifnb_muscat.h5ad"), func(_ int, obs func(string) string) string { return obs("group_id") })
	donors := input(t, "kang", filepath.Join(sharedDir(t), "data", "h5ad", "kang_ifnb_muscat.h5ad"), func(_ int, obs func(string) string) string {
		return strings.TrimPrefix(strings.TrimPrefix(obs("sample_id"), "ctrl"), "stim")
	})
	in.Donors = donors.Labels
	all := tabulate(t, in, total)
	real, seen := all.parity(0), all.parity(1)
	other := map[string]string{"101": "107", "107": "101"}
	shift := map[string][]float64{}
	for d, o := range other {
		shift[d] = minus(seen.mean("stim", o), seen.mean("ctrl", o))
	}
	// The control of the prediction is the one that it starts from.
	predict := func(stim func(i int) []float64) *table {
		out := seen.take(func(i int) bool { return seen.label[i] == "ctrl" })
		for i := range seen.rows {
			if seen.label[i] == "ctrl" {
				out.add(stim(i), "stim", seen.donors[i])
			}
		}
		return out
	}
	var controls [][]float64
	for i, row := range seen.rows {
		if seen.label[i] == "ctrl" {
			controls = append(controls, row)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	predictors := []struct {
		name  string
		cells *table
	}{
		{"control", predict(func(int) []float64 { return controls[r.IntN(len(controls))] })},
		{"additive", predict(func(i int) []float64 { return shifted(seen.rows[i], shift[seen.donors[i]]) })},
		{"replicate", seen},
	}
	results := make([]*score.Result, len(predictors))
	for i, p := range predictors {
		results[i] = evaluate(t, real.input("real", true), p.cells.input(p.name, true), score.Config{Control: "ctrl", Preset: score.All, Seed: 1})
	}
	if results[0].Donors != 2 || results[0].Splits != 1 {
		t.Errorf("%d donors, %d splits", results[0].Donors, results[0].Splits)
	}
	for _, name := range []string{"pearson_delta", "mse", "mae", "overlap_at_N", "de_spearman_lfc_sig", "edistance_u", "edistance_v", "r2_mean"} {
		var at [3]score.Anchored
		for i, r := range results {
			at[i] = metric(t, r, name)
		}
		t.Logf("%-20s control %.4g, ceiling %.4g | normalised: control %.3f, additive %.3f, replicate %.3f", name, at[0].Control, at[0].Ceiling, at[0].Normalised, at[1].Normalised, at[2].Normalised)
		if math.IsNaN(at[0].Normalised) {
			t.Errorf("%s is not normalised: %s", name, at[0].Reason)
			continue
		}
		// A correlation of two draws of the same cells is nearest to its own noise.
		if limit := map[bool]float64{false: 0.1, true: 0.2}[at[0].Correlation]; math.Abs(at[0].Normalised) > limit {
			t.Errorf("%s: a draw of the control stands at %.3f, not at 0", name, at[0].Normalised)
		}
		// Cells of the same donors are nearer than one donor to the other is.
		if !(at[2].Normalised > 0.9) || !(at[1].Normalised > at[0].Normalised+0.1) {
			t.Errorf("%s: control %.3f, additive %.3f, replicate %.3f", name, at[0].Normalised, at[1].Normalised, at[2].Normalised)
		}
	}
	// The ceiling is what one donor scores against the other, so that a prediction which
	// is the other donor stands at 1 by definition.
	first := real.take(func(i int) bool { return real.donors[i] == "101" })
	second := real.take(func(i int) bool { return real.donors[i] == "107" })
	between := []*score.Result{
		evaluate(t, first.input("101", false), second.input("107", false), score.Config{Control: "ctrl", Preset: score.CellEval, Splits: 1}),
		evaluate(t, second.input("107", false), first.input("101", false), score.Config{Control: "ctrl", Preset: score.CellEval, Splits: 1}),
	}
	for _, name := range []string{"mse", "mae", "mse_delta"} { // which take no side
		ceiling, got := metric(t, results[0], name).Ceiling, metric(t, between[0], name).Score
		if math.Abs(got-metric(t, between[1], name).Score) > 1e-12 || math.Abs(ceiling-got) > 1e-12 {
			t.Errorf("%s: one donor against the other %g, ceiling %g", name, got, ceiling)
		}
	}
	for _, r := range results {
		if !slices.ContainsFunc(r.Warnings, func(w string) bool {
			return strings.Contains(w, "one perturbation") && strings.Contains(w, "do not exist")
		}) {
			t.Errorf("nothing is said of one perturbation: %q", r.Warnings)
		}
		for _, m := range r.Metrics {
			if !math.IsNaN(m.Low) || !math.IsNaN(m.High) || !math.IsNaN(m.ScoreLow) {
				t.Errorf("%s has an interval over one perturbation", m.Name)
			}
			if strings.HasPrefix(m.Name, "discrimination") && !math.IsNaN(m.Score) {
				t.Errorf("%s: %g of one perturbation", m.Name, m.Score)
			}
		}
	}
	if !slices.ContainsFunc(results[0].Flags, func(f score.Flag) bool { return f.Name == "control-paste" }) {
		t.Errorf("pasted controls are not flagged: %v", results[0].Flags)
	}
}

// 33 conditions of K562 cells. Real is every other cell; predictors see the rest.
func TestOrderOfPredictors(t *testing.T) {
	even, odd := evenOdd(t, "k562")
	real, seen := tabulate(t, even, 0), tabulate(t, odd, 0)
	control := seen.take(func(i int) bool { return seen.label[i] == "control" })
	base := seen.mean("control", "")
	size := map[string]int{}
	for _, l := range real.label {
		size[l]++
	}
	delete(size, "control")
	effect, all := map[string][]float64{}, make([]float64, len(seen.genes))
	for p := range size {
		effect[p] = minus(seen.mean(p, ""), base)
		for j, v := range effect[p] {
			all[j] += v
		}
	}
	predict := func(shift func(p string) []float64) *table {
		out := control.take(func(int) bool { return true })
		for p, n := range size {
			s := shift(p)
			for i := range n {
				out.add(shifted(control.rows[i%len(control.rows)], s), p, "")
			}
		}
		return out
	}
	nothing := make([]float64, len(seen.genes))
	predictors := []struct {
		name  string
		cells *table
	}{
		{"control", predict(func(string) []float64 { return nothing })},
		{"mean-response", predict(func(p string) []float64 {
			rest := make([]float64, len(all))
			for j, v := range all {
				rest[j] = (v - effect[p][j]) / float64(len(size)-1)
			}
			return rest
		})},
		{"additive", predict(func(p string) []float64 { return effect[p] })},
		{"ceiling", seen},
	}
	results := make([]*score.Result, len(predictors))
	for i, p := range predictors {
		results[i] = evaluate(t, real.input("real", false), p.cells.input(p.name, false), score.Config{Control: "control", Preset: score.All, Splits: 3, Bootstraps: 300, Seed: 1})
	}
	for _, c := range []struct {
		name  string
		ranks bool // compares perturbations, which the mean response has no part in
	}{
		{"pearson_delta", false},
		{"mse", false},
		{"discrimination_score_l1", true},
		{"discrimination_score_cosine", true},
		{"systema_centroid_accuracy", true},
		{"rmse_rank_average", true},
		{"edistance_u", false},
		{"edistance_v", false},
		{"r2_mean", false},
	} {
		var at [4]float64
		for i, r := range results {
			at[i] = metric(t, r, c.name).Normalised
		}
		t.Logf("%-28s control %6.3f  mean-response %6.3f  additive %6.3f  ceiling %6.3f", c.name, at[0], at[1], at[2], at[3])
		// The means of additive are those of the ceiling, so that only cells tell the two
		// apart; the better of the first two is the baseline, up to the halves' luck.
		order := c.ranks || at[0] < at[1]
		if !order || !(max(at[0], at[1]) < 0.1) || !(at[2] > 0.8) || !(at[3] > 0.8) || !(at[2] < at[3]+0.1) {
			t.Errorf("%s: control %.3f, mean-response %.3f, additive %.3f, ceiling %.3f", c.name, at[0], at[1], at[2], at[3])
		}
	}
}
