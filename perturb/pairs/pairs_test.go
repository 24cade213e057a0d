package pairs_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/pairs"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// cells makes n cells for each line of "perturbation, cell type, time, n"; groups are
// the cell types.
func cells(t testing.TB, lines ...string) *pairs.Cells {
	t.Helper()
	c := &pairs.Cells{}
	known := map[[2]string]int{}
	for _, line := range lines {
		f := strings.Split(line, ", ")
		var n int
		if _, err := fmt.Sscan(f[3], &n); err != nil {
			t.Fatal(line)
		}
		at, ok := known[[2]string{f[0], f[2]}]
		if !ok {
			at = len(c.Perturbations)
			known[[2]string{f[0], f[2]}] = at
			p := predictor.Parse(f[0], "", "ctrl", "", f[2])
			if len(p.Parts) == 0 {
				p = perturb.Perturbation{}
			}
			c.Perturbations = append(c.Perturbations, p)
		}
		if f[0] == "-" {
			at = -1
		}
		for range n {
			c.Of, c.CellTypes, c.Groups = append(c.Of, at), append(c.CellTypes, f[1]), append(c.Groups, f[1])
		}
	}
	return c
}

// kept lists the perturbations and cell types of the cells that are kept, and all else.
func kept(c *pairs.Cells, h *pairs.Held) (test, train []string) {
	seen := map[string]bool{}
	for i, held := range h.Test {
		if c.Of[i] < 0 || len(c.Perturbations[c.Of[i]].Parts) == 0 {
			if held {
				test = append(test, "a control")
			}
			continue
		}
		p := c.Perturbations[c.Of[i]]
		what := strings.TrimSuffix(predictor.Label(p)+" in "+c.CellTypes[i]+" "+p.Time, " ")
		if seen[what+fmt.Sprint(held)] {
			continue
		}
		seen[what+fmt.Sprint(held)] = true
		if held {
			test = append(test, what)
		} else {
			train = append(train, what)
		}
	}
	slices.Sort(test)
	slices.Sort(train)
	return test, train
}

func TestDesigns(t *testing.T) {
	c := cells(t, "ctrl, T, , 9", "ctrl, B, , 9", "A, T, , 4", "A, B, , 4", "B, T, , 4", "C, T, , 4", "A+B, T, , 4", "B+C, T, , 4", "-, T, , 2")
	for _, w := range []struct {
		name  string
		d     pairs.Design
		cfg   pairs.HoldConfig
		test  []string
		wrong string
	}{
		{"a perturbation with its combinations", pairs.DesignPerturbation, pairs.HoldConfig{Names: []string{"C"}}, []string{"B+C in T", "C in T"}, ""},
		{"a combination by any order", pairs.DesignCombination, pairs.HoldConfig{Names: []string{"B+A"}}, []string{"A+B in T"}, ""},
		{"nothing", pairs.DesignNone, pairs.HoldConfig{}, nil, ""},
		{"an unknown name", pairs.DesignPerturbation, pairs.HoldConfig{Names: []string{"AB"}}, nil, `"AB" is none of the 3 perturbations`},
		{"names where there are none", pairs.DesignRandom, pairs.HoldConfig{Names: []string{"A"}}, nil, "takes no names"},
		{"everything", pairs.DesignPerturbation, pairs.HoldConfig{Names: []string{"A", "B", "C"}}, nil, "leaves 0 perturbed cells to train on"},
		{"no cytokine", pairs.DesignCytokine, pairs.HoldConfig{}, nil, "0 to test"},
	} {
		h, err := pairs.Hold(c, w.d, w.cfg)
		if w.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), w.wrong) {
				t.Errorf("%s: %v, expected %q", w.name, err, w.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", w.name, err)
			continue
		}
		if test, _ := kept(c, h); !slices.Equal(test, w.test) {
			t.Errorf("%s: %v, expected %v", w.name, test, w.test)
		}
	}
	// Only A has two cell types, and one of them is kept.
	h, err := pairs.Hold(c, pairs.DesignCellType, pairs.HoldConfig{})
	if err != nil {
		t.Fatal(err)
	}
	test, train := kept(c, h)
	if len(test) != 1 || test[0] != "A in T" && test[0] != "A in B" || len(train) != 5 || len(h.Warnings) != 1 {
		t.Errorf("%v %v %v", test, train, h.Warnings)
	}
	// A share of what there is: of three names one, of two combinations one.
	for seed := range uint64(20) {
		h, err := pairs.Hold(c, pairs.DesignPerturbation, pairs.HoldConfig{Seed: seed})
		if err != nil || len(h.What) != 1 {
			t.Fatalf("%v %v", h, err)
		}
		h, err = pairs.Hold(c, pairs.DesignCombination, pairs.HoldConfig{Seed: seed})
		if err != nil || len(h.What) != 1 {
			t.Fatalf("%v %v", h, err)
		}
		if _, train := kept(c, h); !slices.Contains(train, "A in T") || !slices.Contains(train, "B in T") {
			t.Errorf("parts of a combination are not trained on: %v", train)
		}
	}
}

// TestCytokines: the conditions of the paper, in the spellings of files.
func TestCytokines(t *testing.T) {
	c := cells(t,
		"ctrl, B cells, , 5", "IFN-β+IL-6, Monocytes, acute, 3", "IL6+IFNb, B cells, chronic, 3", "IFN-III, B cells, acute, 3", "IFN lambda, NK cells, chronic, 3",
		"IFN-III, NK cells, acute, 3", "IFNG, CD4+ T cells, acute, 3", "IFN-gamma, CD4 T, acute, 3", "IFN-α2, CD8 T cells, chronic, 3", "IFN-beta, DC, acute, 3",
		"IL-6, NK, acute, 3", "IL-6, B, acute, 3", "IFN-b, B, acute, 3", "IFN-b, B, chronic, 3", "IFN-gamma+IFN-beta, CD4 T, acute, 3", "IFN-gamma+IFN-beta, CD4 T, chronic, 3",
		"TNF-α, CD8 T, chronic, 3", "TNF-α, CD8 T, acute, 3")
	h, err := pairs.Hold(c, pairs.DesignCytokine, pairs.HoldConfig{})
	if err != nil {
		t.Fatal(err)
	}
	test, train := kept(c, h)
	want := []string{
		"IFN lambda in NK cells chronic", "IFN-III in B cells acute", "IFN-b in B acute", "IFN-beta in DC acute", "IFN-gamma in CD4 T acute", "IFN-gamma+IFN-beta in CD4 T acute", "IFNG in CD4+ T cells acute",
		"IFN-α2 in CD8 T cells chronic", "IFN-β+IL-6 in Monocytes acute", "IL-6 in NK acute", "IL6+IFNb in B cells chronic", "TNF-α in CD8 T chronic",
	}
	slices.Sort(want)
	if !slices.Equal(test, want) {
		t.Errorf("kept %q, expected %q; trained on %q", test, want, train)
	}
	if len(h.Warnings) != 0 || len(h.What) != 10 {
		t.Errorf("%v %v", h.What, h.Warnings)
	}
}

// TestL1000: half the lines of 50 perturbations with fewer than 1,000 cells.
func TestL1000(t *testing.T) {
	lines := []string{"ctrl, L0, , 5"}
	for p := range 60 {
		for line := range 6 {
			n := 2
			if p < 5 {
				n = 200 // 1,200 in all
			}
			lines = append(lines, fmt.Sprintf("P%02d, L%d, , %d", p, line, n))
		}
	}
	c := cells(t, lines...)
	h, err := pairs.Hold(c, pairs.DesignL1000, pairs.HoldConfig{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	test, _ := kept(c, h)
	each := map[string]int{}
	for _, what := range test {
		each[what[:3]]++
	}
	if len(each) != 50 || len(test) != 150 || each["P00"] > 0 || len(h.Warnings) != 0 {
		t.Errorf("%d perturbations, %d lines, %v", len(each), len(test), h.Warnings)
	}
	c = cells(t, lines[:1+60]...) // ten perturbations, five of them small
	if h, err = pairs.Hold(c, pairs.DesignL1000, pairs.HoldConfig{}); err != nil || len(h.Warnings) != 1 {
		t.Errorf("%v %v: expected a warning of too few", h, err)
	}
}

// TestSidesAreApart: whatever the cells and the design, no control serves both sides,
// pairs share their group, and every cell is accounted for.
func TestSidesAreApart(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := cells(t, "ctrl, x, , 1", "A, x, , 1", "B, x, , 1", "-, x, , 1")
		for range 5 + r.IntN(80) {
			c.Of = append(c.Of, r.IntN(4)-1)
			c.Groups = append(c.Groups, fmt.Sprint("g", r.IntN(6)))
			c.CellTypes = append(c.CellTypes, "x")
		}
		for range c.Of {
			c.Points = append(c.Points, []float32{float32(r.NormFloat64()), float32(r.NormFloat64())})
		}
		for _, d := range []pairs.Design{pairs.DesignNone, pairs.DesignRandom, pairs.DesignPerturbation} {
			h, err := pairs.Hold(c, d, pairs.HoldConfig{Share: 0.3, Seed: seed})
			if err != nil {
				continue // too few cells
			}
			for _, m := range pairs.Matchings() {
				list, report, err := pairs.Match(t.Context(), c, h, pairs.MatchConfig{Matching: m, Seed: seed})
				if err != nil {
					t.Fatal(err)
				}
				sides := map[int]bool{}
				for _, p := range list {
					if test, used := sides[p.Control]; used && test != p.Test || p.Test != h.Test[p.Perturbed] || c.Groups[p.Control] != c.Groups[p.Perturbed] || c.Of[p.Control] != 0 || c.Of[p.Perturbed] < 1 {
						t.Fatalf("seed %d, %s, %s: pair %+v", seed, d, m, p)
					}
					sides[p.Control] = p.Test
				}
				controls, perturbed := 0, 0
				for _, p := range c.Of {
					switch {
					case p == 0:
						controls++
					case p > 0:
						perturbed++
					}
				}
				if report.SharedControls != 0 || report.Train+report.Test != len(list) || len(list)+report.NoControl != perturbed ||
					report.ControlsTrain+report.ControlsTest+report.IdleControls != controls || report.Unlabelled != len(c.Of)-controls-perturbed {
					t.Fatalf("seed %d, %s, %s: %+v", seed, d, m, report)
				}
				again, _, err := pairs.Match(t.Context(), c, h, pairs.MatchConfig{Matching: m, Seed: seed})
				if err != nil || !slices.Equal(again, list) {
					t.Fatalf("seed %d, %s, %s: a second run differs", seed, d, m)
				}
			}
		}
	}
}

func TestRandomUsesAll(t *testing.T) {
	c := cells(t, "ctrl, T, , 4", "A, T, , 6")
	h, err := pairs.Hold(c, pairs.DesignNone, pairs.HoldConfig{})
	if err != nil {
		t.Fatal(err)
	}
	list, report, err := pairs.Match(t.Context(), c, h, pairs.MatchConfig{})
	if err != nil {
		t.Fatal(err)
	}
	used := map[int]int{}
	for _, p := range list {
		used[p.Control]++
	}
	if len(used) != 4 || report.IdleControls != 0 {
		t.Errorf("%v %+v", used, report)
	}
	for c, n := range used {
		if n > 2 {
			t.Errorf("control %d is used %d times for 6 cells and 4 controls", c, n)
		}
	}
}

// TestNearest: two clusters of controls and perturbed cells on a line; the controls of a
// cluster suffice for its cells.
func TestNearest(t *testing.T) {
	c := cells(t, "ctrl, T, , 4", "A, T, , 4")
	for _, x := range []float32{0, 1, 10, 11, 0.1, 1.1, 10.1, 11.1} {
		c.Points = append(c.Points, []float32{x, 5})
	}
	for _, m := range []pairs.Matching{pairs.MatchNearest, pairs.MatchTransport} {
		h, err := pairs.Hold(c, pairs.DesignNone, pairs.HoldConfig{})
		if err != nil {
			t.Fatal(err)
		}
		list, report, err := pairs.Match(t.Context(), c, h, pairs.MatchConfig{Matching: m})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			near := p.Control == p.Perturbed-4
			if same := p.Control/2 == (p.Perturbed-4)/2; m == pairs.MatchNearest && !near || !same {
				t.Errorf("%s: %+v", m, p)
			}
		}
		if m == pairs.MatchNearest && math.Abs(report.Distance-0.1) > 1e-6 || report.Distance >= report.RandomDistance {
			t.Errorf("%s: distance %g, random %g", m, report.Distance, report.RandomDistance)
		}
	}
	h, _ := pairs.Hold(c, pairs.DesignNone, pairs.HoldConfig{})
	_, _, err := pairs.Match(t.Context(), c, h, pairs.MatchConfig{Matching: pairs.MatchTransport, Budget: 100})
	if err == nil || !strings.Contains(err.Error(), "4 control and 4 perturbed cells needs 128 bytes") {
		t.Errorf("%v", err)
	}
	c.Points = nil
	if _, _, err := pairs.Match(t.Context(), c, h, pairs.MatchConfig{Matching: pairs.MatchNearest}); err == nil {
		t.Error("nearest without points")
	}
}

// TestTransport: the sums are right, two by two is as by hand, and a plan is hardly
// dearer than the best assignment.
func TestTransport(t *testing.T) {
	// Median 1, so ε is 1/20 and each way off the diagonal is exp(−20) of the others.
	plan, err := pairs.Transport(t.Context(), [][]float64{{0, 1}, {1, 0}})
	if err != nil {
		t.Fatal(err)
	}
	e := math.Exp(-20)
	for i, want := range [][]float64{{0.5 / (1 + e), 0.5 * e / (1 + e)}, {0.5 * e / (1 + e), 0.5 / (1 + e)}} {
		for j := range want {
			if math.Abs(plan[i][j]-want[j]) > 1e-12 {
				t.Errorf("plan %v", plan)
			}
		}
	}
	r := rand.New(rand.NewPCG(4, 4))
	for range 50 {
		n, k := 1+r.IntN(6), 1+r.IntN(6)
		cost := make([][]float64, n)
		for i := range cost {
			for range k {
				// Costs over many orders, and many zeros.
				cost[i] = append(cost[i], math.Max(0, r.NormFloat64())*math.Pow(10, float64(r.IntN(5))))
			}
		}
		plan, err := pairs.Transport(t.Context(), cost)
		if err != nil {
			t.Fatal(err)
		}
		columns := make([]float64, k)
		for i := range plan {
			sum := 0.0
			for j, v := range plan[i] {
				if !(v >= 0) {
					t.Fatalf("%v", plan)
				}
				sum += v
				columns[j] += v
			}
			if math.Abs(sum*float64(n)-1) > 1e-9 {
				t.Errorf("row %d of %d has %g", i, n, sum)
			}
		}
		for _, v := range columns {
			// The iteration may end before the columns are exact: see the tolerance there.
			if math.Abs(v*float64(k)-1) > 1e-2 {
				t.Errorf("a column of %d has %g for the cost %v", k, v, cost)
			}
		}
	}
	// Points on a line: the best assignment keeps their order.
	n := 8
	x, y := make([]float64, n), make([]float64, n)
	for i := range n {
		x[i], y[i] = r.Float64()*10, r.Float64()*10
	}
	slices.Sort(x)
	slices.Sort(y)
	cost := make([][]float64, n)
	best := 0.0
	for i := range n {
		for j := range n {
			cost[i] = append(cost[i], (x[i]-y[j])*(x[i]-y[j]))
		}
		best += cost[i][i] / float64(n)
	}
	if plan, err = pairs.Transport(t.Context(), cost); err != nil {
		t.Fatal(err)
	}
	got, mean := 0.0, 0.0
	for i := range n {
		for j := range n {
			got += plan[i][j] * cost[i][j]
			mean += cost[i][j] / float64(n*n)
		}
	}
	// The entropy of n! orders costs at most ε log n.
	if got < best-1e-9 || got > best+0.05*mean*4*math.Log(float64(n)) {
		t.Errorf("cost %g, the best assignment %g, any %g", got, best, mean)
	}
}

func TestNoPairs(t *testing.T) {
	c := cells(t, "ctrl, T, , 4", "A, B, , 6")
	h, err := pairs.Hold(c, pairs.DesignNone, pairs.HoldConfig{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = pairs.Match(t.Context(), c, h, pairs.MatchConfig{})
	var bad interface{ BadInput() bool }
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "6 have none") {
		t.Errorf("%v", err)
	}
}
