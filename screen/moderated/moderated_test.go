package moderated_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/cellsentence/c2s/screen/moderated"
)

// golden is a case of testdata/golden.json, which testdata/reference.py wrote (Python
// 3.11, NumPy 2.4.6, SciPy 1.17.1).
type golden struct {
	Name     string
	Pos, Neu [][]*float64
	Shape    [3]float64
	PriorDF  *float64 `json:"prior_df"` // null is infinite
	PriorS2  float64  `json:"prior_s2"`
	Rows     []struct {
		S2, DF, Total float64
		Estimates     []struct{ Value, SE, Greater, Less, Within, Lo, Hi float64 }
	}
}

func effects(pos, neu []*float64) moderated.Effects {
	list := func(x []*float64) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = math.NaN()
			if v != nil {
				out[i] = *v
			}
		}
		return out
	}
	return moderated.Effects{Pos: list(pos), Neu: list(neu)}
}

// near compares with the reference. Its special functions and ours are good to some
// 1e-13; the shape, whose iteration ends at 1e-12, sets the tolerance.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) {
		t.Errorf("%s is %.15g, want %.15g", what, got, want)
	}
}

func TestGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, text)
}

// TestReference runs the reference program anew.
func TestReference(t *testing.T) {
	python := os.Getenv("C2S_PYTHON")
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with SciPy (C2S_PYTHON)")
		}
		t.Skip("no Python with SciPy (C2S_PYTHON)")
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, "testdata/reference.py")
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	compare(t, text)
}

func compare(t *testing.T, text []byte) {
	var cases []golden
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			var list []moderated.Effects
			for i := range c.Pos {
				list = append(list, effects(c.Pos[i], c.Neu[i]))
			}
			m := moderated.Learn(list)
			if !m.Learnt {
				t.Error("the shape was not learnt")
			}
			near(t, "positive variance", m.Shape.Pos, c.Shape[0])
			near(t, "neutral variance", m.Shape.Neu, c.Shape[1])
			near(t, "covariance", m.Shape.Cov, c.Shape[2])
			if c.PriorDF == nil {
				if !math.IsInf(m.Prior.DF, 1) {
					t.Errorf("degrees of freedom of the prior: %g, want infinity", m.Prior.DF)
				}
			} else {
				near(t, "degrees of freedom of the prior", m.Prior.DF, *c.PriorDF)
			}
			near(t, "variance of the prior", m.Prior.S2, c.PriorS2)
			for i, r := range c.Rows {
				f := m.Fit(list[i])
				near(t, "residual variance", f.S2, r.S2)
				near(t, "degrees of freedom", f.DF, r.DF)
				for k, contrast := range []moderated.Contrast{moderated.Positive(), moderated.Neutral(), moderated.Split(), {0.5, -2}} {
					e, want := m.Estimate(f, contrast), r.Estimates[k]
					near(t, "total degrees of freedom", e.DF, r.Total)
					near(t, "estimate", e.Value, want.Value)
					near(t, "standard error", e.SE, want.SE)
					near(t, "p of more than 0", e.Greater(0), want.Greater)
					near(t, "p of less than 0", e.Less(0), want.Less)
					near(t, "p of equivalence", e.Within(1), want.Within)
					lo, hi := e.Interval(0.9)
					near(t, "lower bound", lo, want.Lo)
					near(t, "upper bound", hi, want.Hi)
				}
			}
		})
	}
}

// TestTails has small p-values, whose relative error counts. From SciPy 1.17.1:
// stats.t(df).sf(t).
func TestTails(t *testing.T) {
	for _, c := range []struct{ df, t, want float64 }{
		{2, 40, 0.0003122073360923703},
		{13.6, 12, 6.424626926323827e-09},
		{20000, 8, 6.557449298250233e-16},
		{1e6, 1, 0.15865537491678916},
	} {
		e := moderated.Estimate{Value: c.t, SE: 1, DF: c.df}
		if got := e.Greater(0); !(math.Abs(got-c.want) <= 1e-8*c.want) {
			t.Errorf("t %g with %g degrees of freedom: %g, want %g", c.t, c.df, got, c.want)
		}
	}
}

// TestPrior has what limma's fitFDist does at its edges.
func TestPrior(t *testing.T) {
	if p := moderated.FitPrior([]float64{2}, []float64{3}); p != (moderated.Prior{}) {
		t.Errorf("one variance gives the prior %+v", p)
	}
	if p := moderated.FitPrior([]float64{0, 0, 0}, []float64{3, 3, 3}); p != (moderated.Prior{}) {
		t.Errorf("zero variances give the prior %+v", p)
	}
	p := moderated.FitPrior([]float64{1, 1, 1, 99}, []float64{3, 3, 3, 0})
	if !math.IsInf(p.DF, 1) || p.S2 != 1 || p.Pooled != 9 {
		t.Errorf("equal variances give the prior %+v", p)
	}
	if s2, df := p.Squeeze(5, 3); s2 != 1 || df != 9 {
		t.Errorf("squeezed to %g with %g degrees of freedom, want 1 with 9", s2, df)
	}
	// No variance is known better than all together.
	p = moderated.Prior{DF: 20, S2: 1, Pooled: 12}
	if s2, df := p.Squeeze(2, 4); s2 != 28.0/24 || df != 12 {
		t.Errorf("squeezed to %g with %g degrees of freedom, want 7/6 with 12", s2, df)
	}
}

// TestFlat: effects that are the same for all donors have no error and are no result.
func TestFlat(t *testing.T) {
	var m moderated.Model
	m.Shape = moderated.Round()
	m.Prior = moderated.Prior{DF: 4, S2: 0.1, Pooled: 1000}
	copies := float64(float32(0.3)) - float64(float32(0.1))
	same := moderated.Effects{Pos: []float64{copies, copies + 3e-8, copies - 3e-8}, Neu: []float64{0, 0, 0}}
	f := m.Fit(same)
	e := m.Estimate(f, moderated.Positive())
	lo, _ := e.Interval(0.9)
	if !f.Flat || e.Greater(0) != 1 || e.Within(1) != 1 || !math.IsNaN(lo) {
		t.Errorf("flat effects: %+v, p %g and %g, bound %g", f, e.Greater(0), e.Within(1), lo)
	}
	// One donor in a context: an estimate, but no test.
	one := m.Fit(moderated.Effects{Pos: []float64{1, 2, 4}, Neu: []float64{0.5}})
	e = m.Estimate(one, moderated.Split())
	if math.IsNaN(e.Value) || !math.IsNaN(e.SE) || !math.IsNaN(e.Greater(0)) || !math.IsNaN(e.Within(1)) {
		t.Errorf("one donor: %+v", e)
	}
	if e = m.Estimate(one, moderated.Positive()); !(e.Greater(0) < 0.05) {
		t.Errorf("three donors in the other context: %+v has p %g", e, e.Greater(0))
	}
	if got, ok := moderated.FitShape([]moderated.Effects{same, same}); ok || got != moderated.Round() {
		t.Errorf("two compounds teach the shape %+v", got)
	}
	none := m.Fit(moderated.Effects{})
	if e = m.Estimate(none, moderated.Positive()); !math.IsNaN(e.Value) || !math.IsNaN(e.Greater(0)) {
		t.Errorf("no donor: %+v", e)
	}
}

// TestSize: over many null compounds the share of p ≤ 0.05 is 0.05, in each design,
// with variances that differ fourfold between the contexts: a pooled variance would
// miss that by far. 20,000 compounds give a standard error of 0.0015.
func TestSize(t *testing.T) {
	for _, design := range []struct {
		name          string
		pairs, single int
		correlation   float64
	}{{"paired", 6, 0, 0.5}, {"two samples", 0, 5, 0}, {"mixed", 3, 2, 0.3}} {
		t.Run(design.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			list := make([]moderated.Effects, 20_000)
			for i := range list {
				sigma := math.Sqrt(4 / chi4(r))
				for d := range design.pairs + 2*design.single {
					p := 2 * sigma * r.NormFloat64()
					n := sigma * (design.correlation*p/(2*sigma) + math.Sqrt(1-design.correlation*design.correlation)*r.NormFloat64())
					if d >= design.pairs && d%2 == 0 {
						p = math.NaN()
					} else if d >= design.pairs {
						n = math.NaN()
					}
					list[i].Pos = append(list[i].Pos, p)
					list[i].Neu = append(list[i].Neu, n)
				}
			}
			m := moderated.Learn(list)
			var count [3]int
			for _, e := range list {
				f := m.Fit(e)
				for k, c := range []moderated.Contrast{moderated.Positive(), moderated.Neutral(), moderated.Split()} {
					if m.Estimate(f, c).Greater(0) <= 0.05 {
						count[k]++
					}
				}
			}
			for k, n := range count {
				if share := float64(n) / float64(len(list)); math.Abs(share-0.05) > 4*0.0015 {
					t.Errorf("contrast %d: size %.4f", k, share)
				}
			}
			if got := m.Shape.Pos / m.Shape.Neu; math.Abs(got-4) > 0.2 {
				t.Errorf("ratio of variances %.3f, want 4", got)
			}
			if got := m.Prior.DF; math.Abs(got-4) > 0.5 {
				t.Errorf("degrees of freedom of the prior %.3f, want 4", got)
			}
		})
	}
}

// chi4 is a χ² of 4 degrees of freedom: twice the sum of two exponentials.
func chi4(r *rand.Rand) float64 { return 2 * (r.ExpFloat64() + r.ExpFloat64()) }
