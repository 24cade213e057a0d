package screen

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/screen/record"
	"github.com/cellsentence/c2s/testdata"
)

// The simulated cells of the demo, in their two contexts.
const demoScreen = `
contexts:
  positive: {file: demo.h5ad, where: 'context == "interferon-positive"', donor: donor, cell_type: cell_type, word: interferon-positive}
  neutral: {file: demo.h5ad, where: 'context == "interferon-low"', donor: donor, cell_type: cell_type, word: interferon-low}
cells: 6
genes: 32
compounds: compounds.tsv
predictor: {temperature: 1}
controls:
  vehicle_replicates: 4
  positive: [control a, control b]
  decoys: {invented: 2, stem: 1, shuffled: 1}
`

const demoCompounds = "name\tdose\ttargets\nsplit\t1 uM\tHLA-A;NOSUCH\nboth\t1 uM\t\nnothing\t1 uM\t\nharmful\t1 uM\tNOSUCH\n"

// folder is a folder with the files of a screen, in which some texts are replaced.
func folder(t testing.TB, compounds string, replace ...string) string {
	t.Helper()
	dir := t.TempDir()
	config := strings.NewReplacer(replace...).Replace(demoScreen)
	if len(replace) > 0 && config == demoScreen && replace[0] != replace[1] {
		t.Fatalf("nothing was replaced by %q", replace)
	}
	for name, text := range map[string][]byte{"demo.h5ad": testdata.Demo, "screen.yaml": []byte(config), "compounds.tsv": []byte(compounds)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func planOf(t testing.TB, dir string) (*Plan, error) {
	t.Helper()
	cfg, err := ReadConfig(filepath.Join(dir, "screen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return NewPlan(t.Context(), cfg, Options{Version: "test"})
}

func mustPlan(t testing.TB, dir string) *Plan {
	t.Helper()
	p, err := planOf(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPlanBalances: every donor has as many cells, in one mixture of types, and the
// first cells of a donor are a mixture as well.
func TestPlanBalances(t *testing.T) {
	p := mustPlan(t, folder(t, demoCompounds))
	if len(p.Clusters) != 4 || p.Power.Shared != 4 || p.Draws != 4 {
		t.Fatalf("%d donors, %d shared, %d draws", len(p.Clusters), p.Power.Shared, p.Draws)
	}
	for x, cells := range p.Cells {
		types := map[int]map[int]int{}
		for _, c := range cells {
			if types[c.Cluster] == nil {
				types[c.Cluster] = map[int]int{}
			}
			types[c.Cluster][c.CellType]++
		}
		for donor, n := range types {
			if fmt.Sprint(n) != fmt.Sprint(types[0]) {
				t.Errorf("context %d: donor %d has %v, the first %v", x, donor, n, types[0])
			}
		}
		if len(cells) != 24 {
			t.Errorf("context %d: %d cells", x, len(cells))
		}
		for i := 1; i < len(cells); i++ {
			if a, b := cells[i-1], cells[i]; a.Cluster == b.Cluster && b.Rank != a.Rank+1 || a.Cluster != b.Cluster && b.Rank != 0 {
				t.Errorf("context %d: ranks %+v, %+v", x, a, b)
			}
		}
	}
	sum := 0.0
	for _, w := range p.Weights {
		sum += w
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("weights sum to %v", sum)
	}
	if c := p.Checks[0]; !c.Passed || c.Pairs != 4 || c.Above != 4 || len(c.Donors[0]) != 4 {
		t.Errorf("%+v", c)
	}
	kinds := map[record.Kind]int{}
	for _, item := range p.Items {
		kinds[item.Kind]++
	}
	if kinds[record.Test] != 4 || kinds[record.Control] != 2 || kinds[record.Decoy] != 4 {
		t.Errorf("%v", kinds)
	}
	// 48 cells: 4 draws of the vehicle, 2 controls, 4 compounds and 4 decoys.
	if p.Cost.Predictions != 48*(4+2+8) || p.Cost.Least != p.Cost.Predictions {
		t.Errorf("%+v", p.Cost)
	}
}

// TestPlanRepeats: the same files give the same bytes; budget and title do not count
// towards the digest, everything else does.
func TestPlanRepeats(t *testing.T) {
	dir := folder(t, demoCompounds)
	first, err := mustPlan(t, dir).Encode()
	if err != nil {
		t.Fatal(err)
	}
	p := mustPlan(t, dir)
	again, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, again) {
		t.Error("two plans of one screen differ")
	}
	path := filepath.Join(dir, PlanName)
	if err := os.WriteFile(path, again, 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := ReadPlan(path)
	if err != nil || read.Digest != p.Digest || len(read.Cells[0]) != len(p.Cells[0]) {
		t.Errorf("%v", err)
	}
	for _, c := range []struct {
		compounds, from, to string
		same                bool
	}{
		{demoCompounds, "cells: 6", "cells: 6\ntitle: x\nbudget: {predictions: 7}\nprice: {rate: 3}", true},
		{demoCompounds, "cells: 6", "cells: 5", false},
		{demoCompounds, "cells: 6", "cells: 6\nseed: 7", false},
		{demoCompounds + "more\t\t\n", "cells: 6", "cells: 6\ntitle: x", false},
		{demoCompounds, "temperature: 1", "temperature: 0.5", false},
	} {
		other := mustPlan(t, folder(t, c.compounds, c.from, c.to))
		if (other.Digest == p.Digest) != c.same {
			t.Errorf("%s: the digest says %v", c.to, !c.same)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	low := `'context == "interferon-low"'`
	for _, c := range []struct{ name, from, to, want string }{
		{"one set of cells", low, `'context == "interferon-positive"'`, "same cells"},
		{"shared cells", low, `'n_counts > 0'`, "cells are in both contexts"},
		{"no cell", low, `'context == "elsewhere"'`, "no cell of"},
		{"mistaken where", low, `'contxt == 1'`, "contexts.neutral.where"},
		{"no such column", "donor: donor, cell_type: cell_type, word: interferon-low", "donor: patient, cell_type: cell_type", "patient"},
		{"no such file", "{file: demo.h5ad, where: " + low, "{file: nowhere.h5ad, where: " + low, "nowhere.h5ad"},
		{"no such compounds", "compounds: compounds.tsv", "compounds: elsewhere.tsv", "compounds"},
		{"a copy", "{file: demo.h5ad, where: " + low, "{file: copy.h5ad, where: 'n_counts > 0'", "in both"},
		{"swapped", "swap", "", "does not show interferon"},
		{"nothing seen", "genes: 32", "genes: 19", "show"},
		{"program too large", "genes: 32", "genes: 12", "more than the 12"},
		{"control twice", "[control a, control b]", "[control a, Control A]", "named twice"},
		{"no such leader", "cells: 6", "cells: 6\nleading: {names: [nobody]}", "nobody"},
		{"only controls", "[control a, control b]", "[split, both, nothing, harmful]", "no compound beside"},
	} {
		replace := []string{c.from, c.to}
		if c.from == "swap" {
			replace = []string{`"interferon-positive"`, `"interferon-low"`, `"interferon-low"`, `"interferon-positive"`}
		}
		dir := folder(t, demoCompounds, replace...)
		// A file of other bytes and the same cells.
		if err := os.WriteFile(filepath.Join(dir, "copy.h5ad"), append(slices.Clone(testdata.Demo), 0), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.name == "nothing seen" {
			if err := os.WriteFile(filepath.Join(dir, "rare.txt"), []byte("NOT\nTHERE\nATALL\nB2M\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "screen.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "screen.yaml"), append(text, "program: rare.txt\n"...), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := planOf(t, dir)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", c.name, err, c.want)
			continue
		}
		var bad interface{ BadInput() bool }
		if c.name != "no such file" && (!errors.As(err, &bad) || !bad.BadInput()) {
			t.Errorf("%s: %v is no fault of the input", c.name, err)
		}
	}
}

// TestContextsMayBeAccepted: the check is shown, and can be passed over.
func TestContextsMayBeAccepted(t *testing.T) {
	dir := folder(t, demoCompounds, `"interferon-positive"`, `"interferon-low"`, `"interferon-low"`, `"interferon-positive"`)
	p, err := planOf(t, dir)
	var contexts *ContextError
	if !errors.As(err, &contexts) || p == nil || p.Checks[0].Above != 0 || contexts.Hint() == "" {
		t.Fatalf("%v", err)
	}
	cfg, err := ReadConfig(filepath.Join(dir, "screen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewPlan(t.Context(), cfg, Options{Accept: true}); err != nil {
		t.Error(err)
	}
}

// TestOneDonor is allowed, and warned of.
func TestOneDonor(t *testing.T) {
	p := mustPlan(t, folder(t, demoCompounds, `interferon-positive"'`, `interferon-positive" && donor == "D1"'`, `interferon-low"'`, `interferon-low" && donor == "D1"'`))
	if len(p.Clusters) != 1 || p.Power.Effect != 0 || !strings.Contains(strings.Join(p.Warnings, "\n"), "one donor") {
		t.Errorf("%+v %q", p.Power, p.Warnings)
	}
}

func TestQuota(t *testing.T) {
	for _, c := range []struct {
		n       int
		weights []float64
		want    []int
	}{
		{10, []float64{0.5, 0.3, 0.2}, []int{5, 3, 2}},
		{10, []float64{1. / 3, 1. / 3, 1. / 3}, []int{4, 3, 3}},
		{2, []float64{0.6, 0.3, 0.1}, []int{1, 1, 0}},
		{1, []float64{1}, []int{1}},
	} {
		if got := quota(c.n, c.weights); !slices.Equal(got, c.want) {
			t.Errorf("%d by %v: %v", c.n, c.weights, got)
		}
	}
}
