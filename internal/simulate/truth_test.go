package simulate

import (
	"errors"
	"math"
	"testing"
)

// The log fold changes of a perturbation add up as its effects say.
func TestLogFC(t *testing.T) {
	w := mustNew(t, Config{
		NGenes: 400, Doses: []float64{1, 3},
		Programs: []Program{{"pair", []string{"ACTB", "GAPDH", "ACTB", "not there"}}},
		Perturbations: []Perturbation{{
			Name: "p", ED50: 1,
			Effects: []Effect{{"pair", 2, ""}, {"pair", -1, ContextPositive}},
			Genes:   []GeneEffect{{"STAT1", -2, ""}, {"ACTB", 0.25, ContextLow}},
		}},
	})
	load := w.loading("pair", "ACTB")
	if !(load >= 0.5 && load < 1.5) {
		t.Fatalf("the loading is %g", load)
	}
	for _, tc := range []struct {
		name          string
		p, ctx, dose  int
		actb, stat, g float64
	}{
		{"control", 0, 0, 0, 0, 0, 0},
		{"low, dose 1", 1, 0, 0, (2*load + 0.25) / 2, -1, w.loading("pair", "GAPDH")},
		{"positive, dose 1", 1, 1, 0, load / 2, -1, w.loading("pair", "GAPDH") / 2},
		{"positive, dose 3", 1, 1, 1, load * 3 / 4, -1.5, w.loading("pair", "GAPDH") * 3 / 4},
	} {
		got, err := w.LogFC(tc.p, tc.ctx, tc.dose)
		if err != nil {
			t.Fatal(err)
		}
		moved := 0
		for _, v := range got {
			if v != 0 {
				moved++
			}
		}
		if tc.p > 0 && moved != 3 {
			t.Errorf("%s: %d genes move, want 3", tc.name, moved)
		}
		for gene, want := range map[string]float64{"ACTB": tc.actb, "STAT1": tc.stat, "GAPDH": tc.g, "ISG15": 0} {
			if v := got[w.Column(gene)]; math.Abs(v-want) > 1e-12 {
				t.Errorf("%s: %s moves by %g, want %g", tc.name, gene, v, want)
			}
		}
	}
}

// After renormalisation every gene is shifted by the same amount more: the log of
// the sums of weights.
func TestRelativeLogFC(t *testing.T) {
	w := mustNew(t, Config{NGenes: 400})
	for p := range w.Perturbations {
		spec := CellSpec{CellType: 7, Donor: -1, Context: 1, Perturbation: p}
		rel, err := w.RelativeLogFC(spec)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := w.LogFC(p, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rel {
			if d := rel[i] - raw[i] - (rel[0] - raw[0]); math.Abs(d) > 1e-12 {
				t.Fatalf("%s: gene %d is off by %g", w.Perturbations[p].Name, i, d)
			}
		}
	}
}

func TestProportions(t *testing.T) {
	for _, ambient := range []float64{0, 0.2} {
		w := mustNew(t, Config{NGenes: 500, AmbientShare: ambient, ResponseSD: 0.2})
		for d := -1; d < len(w.Donors); d++ {
			p, err := w.Proportions(CellSpec{CellType: 1, Donor: d, Perturbation: 3})
			if err != nil {
				t.Fatal(err)
			}
			if s := sum(p); math.Abs(s-1) > 1e-12 {
				t.Errorf("ambient %g, donor %d: the proportions sum to %g", ambient, d, s)
			}
		}
	}
	// Ambient RNA brings markers of other types into a cell.
	clean, dirty := mustNew(t, Config{NGenes: 500}), mustNew(t, Config{NGenes: 500, AmbientShare: 0.2})
	g := clean.Column("MS4A1")
	a, _ := clean.Proportions(CellSpec{Donor: -1})
	b, _ := dirty.Proportions(CellSpec{Donor: -1})
	if b[g] < 1.5*a[g] {
		t.Errorf("MS4A1 in T cells: %g with ambient RNA, %g without", b[g], a[g])
	}
}

func TestTypeAndContextLogFC(t *testing.T) {
	w := mustNew(t, Config{NGenes: 500})
	b, err := w.TypeLogFC(3)
	if err != nil {
		t.Fatal(err)
	}
	if v := b[w.Column("MS4A1")]; v < 3 || v > 6 {
		t.Errorf("MS4A1 is up by %g in B cells", v)
	}
	c, err := w.ContextLogFC(1)
	if err != nil {
		t.Fatal(err)
	}
	if v := c[w.Column("ISG15")]; v < 0.6 || v > 1.8 {
		t.Errorf("ISG15 is up by %g in the interferon-positive context", v)
	}
	if v := c[w.Column("MS4A1")]; v != 0 {
		t.Errorf("MS4A1 is up by %g in the interferon-positive context", v)
	}
}

func TestTruthErrors(t *testing.T) {
	w := mustNew(t, Config{NGenes: 100})
	var c Cell
	_, e1 := w.LogFC(8, 0, 0)
	_, e2 := w.LogFC(0, 2, 0)
	_, e3 := w.RelativeLogFC(CellSpec{Donor: -2})
	_, e4 := w.Proportions(CellSpec{Donor: 4})
	_, e5 := w.TypeLogFC(8)
	_, e6 := w.ContextLogFC(-1)
	for i, err := range []error{
		e1, e2, e3, e4, e5, e6,
		w.Cell(-1, CellSpec{}, &c), w.Cell(0, CellSpec{Donor: -1}, &c), w.Cell(0, CellSpec{Dose: 1}, &c),
	} {
		if !errors.Is(err, ErrSpec) {
			t.Errorf("case %d: %v", i, err)
		}
	}
}
