package score_test

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb/score"
)

// sharedDir is where the real data lie.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no shared data (C2S_SHARED): ", err)
		}
		t.Skip("no shared data (C2S_SHARED): ", err)
	}
	return dir
}

// input is a file, with the labels that label gives; an empty one leaves the cell
// out.
func input(t testing.TB, name, path string, label func(row int, obs func(column string) string) string) score.Input {
	t.Helper()
	ctx := context.Background()
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	x, err := f.X()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := x.Rows(ctx, h5ad.RowOptions{})
	if err != nil {
		t.Fatal(err)
	}
	genes, err := f.Var().Index(ctx)
	if err != nil {
		t.Fatal(err)
	}
	in := score.Input{Name: name, Cells: rows, Genes: genes}
	columns := map[string]*h5ad.Column{}
	for row := range f.NObs() {
		in.Labels = append(in.Labels, label(row, func(column string) string {
			if columns[column] == nil {
				if columns[column], err = f.Obs().Column(ctx, column); err != nil {
					t.Fatal(err)
				}
			}
			text, _ := columns[column].Text(row)
			return text
		}))
	}
	return in
}

// evenOdd is one cell line of the PerturBench sample with its even rows as real
// cells and its odd ones as predicted cells.
func evenOdd(t testing.TB, line string) (even, odd score.Input) {
	t.Helper()
	path := filepath.Join(sharedDir(t), "data", "h5ad", "perturbench_devel_norman19_mcfaline23.h5ad")
	half := func(name string, want int) score.Input {
		n := 0
		return input(t, name, path, func(_ int, obs func(string) string) string {
			if obs("cell_type") != line {
				return ""
			}
			n++
			if (n-1)%2 != want {
				return ""
			}
			return obs("condition")
		})
	}
	return half("real", 0), half("predicted", 1)
}

// Every field of golden values that cell-eval 0.8 gave on halves of real data.
func TestCellEvalGolden(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(sharedDir(t), "data", "golden", "celleval_perturbench_even_odd.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]map[string]json.RawMessage
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	for key, fields := range golden {
		line, _, _ := strings.Cut(key, ":")
		t.Run(line, func(t *testing.T) {
			even, odd := evenOdd(t, line)
			got, err := score.Evaluate(context.Background(), even, odd, score.Config{Control: "control", Preset: score.CellEval})
			if err != nil {
				t.Fatal(err)
			}
			all := make([]int, len(got.Perturbations))
			for i := range all {
				all[i] = i
			}
			for field, raw := range fields {
				if field == "discrimination_score_l1_keep_target" {
					keepsTarget(t, line, raw)
					continue
				}
				at := slices.IndexFunc(got.Metrics, func(m score.Anchored) bool { return m.Name == field })
				if at < 0 {
					t.Errorf("no metric %s", field)
					continue
				}
				m := got.Metrics[at]
				if m.Values == nil {
					var want float64
					if err := json.Unmarshal(raw, &want); err != nil {
						t.Fatal(err)
					}
					if v := m.Total(all); !(math.Abs(v-want) <= 1e-9) {
						t.Errorf("%s: got %.15g, want %.15g", field, v, want)
					}
					continue
				}
				var want map[string]float64
				if err := json.Unmarshal(raw, &want); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got.Perturbations, slices.Sorted(maps.Keys(want))) {
					t.Fatalf("perturbations %v", got.Perturbations)
				}
				tolerance := 1e-9 // float64 sums in another order
				if strings.HasPrefix(field, "discrimination") {
					tolerance = 0
				}
				for i, name := range got.Perturbations {
					if !(math.Abs(m.Values[i]-want[name]) <= tolerance) {
						t.Errorf("%s of %s: got %.17g, want %.17g", field, name, m.Values[i], want[name])
					}
				}
			}
		})
	}
}

// keepsTarget checks the variant that no preset has.
func keepsTarget(t *testing.T, line string, raw json.RawMessage) {
	t.Helper()
	even, odd := evenOdd(t, line)
	var sides [2]*score.Cells
	for i, in := range []score.Input{even, odd} {
		var err error
		if sides[i], err = score.Load(context.Background(), in, "control"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := score.KeepTarget(sides[0], sides[1])
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]float64
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	for i, name := range sides[0].Perturbations() {
		if got[i] != want[name] {
			t.Errorf("discrimination with target of %s: got %.17g, want %.17g", name, got[i], want[name])
		}
	}
}
