package analysis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
)

func TestCalls(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	b := newBench(10)
	b.control(r, 0.4, 0.16) // a margin of 0.04
	b.crowd(r, 40)
	b.add(compound("selective"), noisy(r, 0.1), noisy(r, 0))
	b.add(compound("both"), noisy(r, 0.2), noisy(r, 0.08))
	b.add(compound("neutral-only"), noisy(r, 0), noisy(r, 0.1))
	b.add(compound("suppressor"), noisy(r, -0.1), noisy(r, 0))
	// A split of the score, but none in units of the control's effect: 0.06/0.4 against
	// 0.025/0.16.
	b.add(compound("scale"), noisy(r, 0.06), noisy(r, 0.025))
	flat := make([]float64, donors)
	for d := range flat {
		flat[d] = 0.1
	}
	b.add(compound("flat"), flat, make([]float64, donors))
	b.add(record.Item{Name: "stopped", Kind: record.Test, StoppedAt: 1}, noisy(r, 0.1), nil)
	missing := b.add(compound("missing"), noisy(r, 0.1), noisy(r, 0))
	copies := b.add(compound("copies"), noisy(r, 0.1), noisy(r, 0))
	// A rise that is certain, and counts as none in the neutral context.
	b.add(compound("slight"), noisy(r, 0.02), noisy(r, 0))
	b.add(compound("never run"), nil, nil)
	n := 0
	for i := range b.Len() {
		switch {
		case b.Item[i] == missing && b.Context[i] == record.Neutral && b.Cell[i]%5 == 0: // 10 of 50
			b.Valid[i], b.U[i] = false, float32(math.NaN())
		case b.Item[i] == copies && b.Context[i] == record.Positive && b.Cell[i]%4 == 0: // 13 of 50
			b.Copy[i] = true
			n++
		}
	}
	if n != 13 {
		t.Fatal(n)
	}
	got := analyse(t, b, analysis.Config{})
	near(t, "margin", got.Margin, 0.04, 0.002)
	if !got.Assay.Sensitive || !got.Model.Learnt || got.Shared != donors || got.Cells != [2]int{50, 50} {
		t.Errorf("assay %+v, model %+v, %d donors in both, %v cells", got.Assay, got.Model, got.Shared, got.Cells)
	}
	for name, want := range map[string]analysis.Call{
		"selective": analysis.ContextSelective, "both": analysis.Both, "neutral-only": analysis.NeutralOnly,
		"suppressor": analysis.Suppressor, "inert-00": analysis.Inert, "scale": analysis.Both,
		"slight": analysis.Inert, "flat": analysis.Undetermined, "stopped": analysis.Undetermined, "never run": analysis.Undetermined,
		"missing": analysis.Unreliable, "copies": analysis.Unreliable,
	} {
		if c := find(t, got, name); c.Call != want {
			t.Errorf("%s is called %s (%s), want %s: %+v", name, c.Call, c.Why, want, c.Calls)
		}
	}
	for _, name := range []string{"flat", "stopped", "missing", "copies"} {
		if c := find(t, got, name); c.P != 1 {
			t.Errorf("%s has p %v, want 1", name, c.P)
		}
	}
	if c := find(t, got, "scale"); !(c.PSplit < 0.001 && c.PRel > 0.1) {
		t.Errorf("on another scale: p_split %v, p_rel %v", c.PSplit, c.PRel)
	}
	if c := find(t, got, "slight"); !(c.PPos < 0.001) || c.P != 1 {
		t.Errorf("slight: p_pos %v, p %v", c.PPos, c.P)
	}
	if c := find(t, got, "never run"); !c.P.Missing() || !c.Q.Missing() || !c.Pos.Value.Missing() {
		t.Errorf("never run: p %v, q %v", c.P, c.Q)
	}
	near(t, "valid rate", find(t, got, "missing").ValidRate, 0.8, 0)
	near(t, "copy rate", find(t, got, "copies").CopyRate, 0.26, 1e-15)
	if last := got.Hits[len(got.Hits)-1]; last.Call != analysis.Unreliable || got.Hits[0].Name != "selective" || got.Hits[0].Rank != 1 {
		t.Errorf("the ranking goes from %s to %s", got.Hits[0].Name, last.Name)
	}
	total := 0
	for _, n := range got.Calls {
		total += n
	}
	if total != len(got.Hits) || len(got.Hits) != 51 {
		t.Errorf("%d calls for %d compounds", total, len(got.Hits))
	}
}

// TestEffects has donor means that are plain from the construction.
func TestEffects(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	b := newBench(4)
	b.control(r, 0.2, 0.2)
	b.crowd(r, 20)
	pos, neu := []float64{0.1, 0.2, 0.3, 0.1, 0.05}, []float64{0, 0.01, -0.01, 0.02, 0.03}
	b.add(compound("x"), pos, neu)
	for score, scale := range map[analysis.Score]float64{analysis.U: 1, analysis.Expr: 10} {
		c := find(t, analyse(t, b, analysis.Config{Score: score}), "x")
		near(t, "positive", c.Pos.Value, scale*0.15, scale*single)
		near(t, "neutral", c.Neu.Value, scale*0.01, scale*single)
		near(t, "split", c.Split.Value, scale*0.14, scale*single)
		for d, e := range c.Donors {
			near(t, e.Name+" positive", e.Pos, scale*pos[d], scale*single)
			near(t, e.Name+" neutral", e.Neu, scale*neu[d], scale*single)
		}
		if c.CellsPos != 20 || c.CellsNeu != 20 || c.DonorsPos != 5 || c.DonorsNeu != 5 {
			t.Errorf("%d and %d cells of %d and %d donors", c.CellsPos, c.CellsNeu, c.DonorsPos, c.DonorsNeu)
		}
	}
}

// TestComposition: T cells respond in both contexts alike, B cells do not; only the
// numbers of T cells differ. A plain mean would see a split of half the effect.
func TestComposition(t *testing.T) {
	b := newBench(4)
	b.Header.CellTypes = []string{"B", "T", "rare"}
	r := rand.New(rand.NewPCG(3, 1))
	b.control(r, 0.2, 0.2)
	b.crowd(r, 10)
	b.add(compound("x"), make([]float64, donors), make([]float64, donors))
	x := int32(len(b.Header.Items) - 1)
	for i := range b.Len() {
		// Positive: cells 0, 1, 2 of 4 are T. Neutral: cell 0.
		if cell := int(b.Cell[i]) % 4; cell == 0 || b.Context[i] == record.Positive && cell < 3 {
			b.CellType[i] = 1
			if b.Item[i] == x {
				b.U[i] += 0.2
			}
		}
	}
	got := analyse(t, b, analysis.Config{})
	c := find(t, got, "x")
	// Common shares: a quarter each, so that both types weigh the same.
	near(t, "weight", analysis.Number(got.CellTypes["T"]), 0.5, 1e-12)
	near(t, "positive", c.Pos.Value, 0.1, single)
	near(t, "split", c.Split.Value, 0, single)
	b.Header.Weights = []float64{1, 3, 0}
	c = find(t, analyse(t, b, analysis.Config{}), "x")
	near(t, "positive with given weights", c.Pos.Value, 0.15, single)
}

func TestAssay(t *testing.T) {
	for _, c := range []struct {
		name      string
		pos, neu  float64
		margin    float64
		sensitive bool
		why       string
	}{
		{"seen", 0.2, 0.2, 0, true, "exceeds the margin"},
		{"below a margin of the plan", 0.2, 0.2, 0.3, false, "not shown to exceed the margin"},
		{"not seen", 0.2, 0.001, 0.04, false, "not shown to exceed the margin"},
		{"the other way", 0.2, -0.2, 0, false, "not shown to exceed the margin"},
		{"none", math.NaN(), 0, 0.04, false, "there is no positive control"},
		// Nothing is left to raise: there is no unit, so nothing is context-selective.
		{"saturated", -0.01, 0.2, 0, true, "exceeds the margin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(4, 1))
			b := newBench(4)
			b.Header.Margin = c.margin
			if !math.IsNaN(c.pos) {
				b.control(r, c.pos, c.neu)
			}
			b.crowd(r, 20)
			b.add(compound("selective"), noisy(r, 0.1), noisy(r, 0))
			got := analyse(t, b, analysis.Config{})
			if got.Assay.Sensitive != c.sensitive || !strings.Contains(got.Assay.Reason, c.why) {
				t.Errorf("assay %+v", got.Assay)
			}
			want := analysis.ContextSelective
			switch {
			case !c.sensitive:
				want = analysis.Uninterpretable
			case c.name == "saturated":
				want = analysis.Undetermined
			}
			if call := find(t, got, "selective").Call; call != want {
				t.Errorf("called %s, want %s", call, want)
			}
			if !c.sensitive && got.Calls[analysis.Uninterpretable] != len(got.Hits) {
				t.Errorf("calls %v", got.Calls)
			}
		})
	}
}

// TestZPrime by hand: donor means of the vehicle in the neutral context are 0.3 + 0.0015
// + 0.02 times 0 … 4, of standard deviation 0.02·√2.5; the control adds 0.5 to all.
func TestZPrime(t *testing.T) {
	b := newBench(4)
	b.add(record.Item{Name: "IFN", Kind: record.Control}, nil, []float64{0.5, 0.5, 0.5, 0.5, 0.5})
	b.crowd(rand.New(rand.NewPCG(1, 2)), 5)
	got := analyse(t, b, analysis.Config{})
	sd := 0.02 * math.Sqrt(2.5)
	near(t, "Z′", got.Assay.Controls[0].ZPrime[1], 1-3*(sd+sd)/0.5, 1e-5)
	if !got.Assay.Controls[0].ZPrime[0].Missing() {
		t.Error("Z′ where the control was not run")
	}
}

func TestOneDonor(t *testing.T) {
	b := newBench(3)
	r := rand.New(rand.NewPCG(5, 1))
	b.control(r, 0.2, 0.2)
	b.crowd(r, 20)
	b.add(compound("x"), noisy(r, 0.1), noisy(r, 0))
	one := &bench{Table: record.Table{Header: b.Header}}
	for i := range b.Len() {
		if row := b.Row(i); row.Context == record.Positive || row.Cluster == 0 {
			one.Append(row)
		}
	}
	got := analyse(t, one, analysis.Config{Margin: 0.05})
	c := find(t, got, "x")
	if c.Split.Value.Missing() || !c.Split.Lo.Missing() || !c.Q.Missing() || c.Call != analysis.Uninterpretable {
		t.Errorf("split %+v, q %v, call %s", c.Split, c.Q, c.Call)
	}
	// The effects of the others are within the margin, which is no test either: they
	// would lead the ranking.
	for _, c := range got.Hits {
		if !c.P.Missing() || !c.Q.Missing() {
			t.Errorf("%s has p %v and q %v with one donor", c.Name, c.P, c.Q)
		}
	}
	if got.Hits[0].Name != "x" {
		t.Errorf("the ranking begins with %s, not with the largest split", got.Hits[0].Name)
	}
	if !strings.Contains(strings.Join(got.Warnings, "\n"), "one donor or cell line") {
		t.Errorf("warnings %q", got.Warnings)
	}
}

// TestDecoys by hand: 9 compounds, families of 5, 3 and 1 decoys; a family may tell
// its rate from 3 on.
func TestDecoys(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	b := newBench(6)
	b.control(r, 0.2, 0.2)
	b.crowd(r, 6)
	b.add(compound("hit 1"), noisy(r, 0.2), noisy(r, 0))
	b.add(compound("hit 2"), noisy(r, 0.2), noisy(r, 0))
	b.add(compound("hit 3"), noisy(r, 0.1), noisy(r, 0))
	decoy := func(family string, effects ...float64) {
		for i, e := range effects {
			b.add(record.Item{Name: fmt.Sprint(family, i), Kind: record.Decoy, Family: family}, noisy(r, e), noisy(r, 0))
		}
	}
	decoy("invented", 0, 0, 0, 0, 0)
	decoy("stem", 0, 0, 0.15)
	decoy("shuffled", 0.15)
	got := analyse(t, b, analysis.Config{})
	d := got.Decoys
	if !d.Estimable || d.Family != "stem" || len(d.Families) != 3 || !strings.Contains(d.Reason, "shuffled (1)") {
		t.Fatalf("decoys %+v", d)
	}
	// One of three decoys is as good as the last of three hits: (1 + 1)/3 · 9/3, at most 1.
	near(t, "rate", d.FDR, 1, 0)
	near(t, "rate of the invented names", d.Families[0].FDR, 0.6, 1e-15) // 1/5 · 9/3
	for _, c := range got.Hits {
		worst := 0.0
		for family, n := range map[string]float64{"invented": 5, "stem": 3, "shuffled": 1} {
			as := 0.0
			for _, o := range got.Others {
				if o.Family == family && o.P <= c.P {
					as++
				}
			}
			worst = max(worst, (1+as)/(1+n))
		}
		near(t, "p by decoys of "+c.Name, c.DecoyP, worst, 1e-15)
	}
	if len(got.Hits) != 9 || find(t, got, "stem2").Call == analysis.ContextSelective {
		t.Errorf("%d compounds; a decoy is called %s", len(got.Hits), find(t, got, "stem2").Call)
	}
}

func TestPanel(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	b := newBench(2)
	b.control(r, 0.2, 0.2)
	for i := range 25 {
		b.add(record.Item{Name: fmt.Sprint("inducer ", i), Kind: record.Test, Known: "inducer", Evidence: "PMID"}, noisy(r, 0.1), noisy(r, 0.1))
		b.add(record.Item{Name: fmt.Sprint("inert ", i), Kind: record.Test, Known: "inert", Evidence: "PMID"}, noisy(r, 0), noisy(r, 0))
	}
	p := analyse(t, b, analysis.Config{Level: 0.95}).Panel
	if !p.Calibrated || p.Banner != "" || p.AUROC.Value != 1 || p.Precision.Value != 1 || p.PrecisionAt != 20 {
		t.Errorf("panel %+v", p)
	}
	// Newcombe's equation at an area of 1 with 25 and 25, and Wilson's interval of 20 of
	// 20, by SciPy 1.17.1: optimize.brentq and stats.binomtest(20, 20).proportion_ci(method="wilson").
	near(t, "lower bound of the area", p.AUROC.Lo, 0.9192705956423188, 1e-9)
	near(t, "upper bound of the area", p.AUROC.Hi, 1, 0)
	near(t, "lower bound of the precision", p.Precision.Lo, 0.8388748419471808, 1e-9)
	b.Header.Items[1].Known = ""
	for i := range 5 {
		b.Header.Items[3+2*i].Known = ""
	}
	if p = analyse(t, b, analysis.Config{}).Panel; p.Calibrated || !strings.HasPrefix(p.Banner, "uncalibrated: 19 known inducers") {
		t.Errorf("panel %+v", p)
	}
}

func TestArms(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	b := newBench(5)
	b.control(r, 0.2, 0.2)
	b.arm(record.Interferon, -1, 0, nil, []float64{0.05, 0.05, 0.06, 0.04, 0.05})
	sum := func(x, y []float64) []float64 {
		out := make([]float64, donors)
		for d := range out {
			out[d] = x[d] + y[d] + 0.05
		}
		return out
	}
	for i := range 30 {
		it := compound(fmt.Sprintf("c%02d", i))
		it.MainDose = 1
		neu, extra, slope := noisy(r, 0.01), 0.0, 0.0
		if i == 0 {
			extra, slope = 0.1, 0.03
		}
		at := b.add(it, noisy(r, 0.05), neu)
		b.arm(record.CompoundAndIFN, at, 1, nil, sum(neu, noisy(r, extra)))
		b.arm(record.Compound, at, 0, noisy(r, 0.05-slope), nil)
		if i < 20 {
			b.arm(record.Compound, at, 2, noisy(r, 0.05+slope), nil)
		}
	}
	// The baseline sees a split of 0.02, held against its own unchanged cells.
	b.Header.Items = append(b.Header.Items, record.Item{Kind: record.Baseline}, record.Item{Name: "c00", Kind: record.Baseline, MainDose: 1})
	for context := range 2 {
		for d := range donors {
			for c := range 5 {
				row := record.Row{Context: record.Context(context), Item: 31, Cluster: int32(d), Cell: int32(d*5 + c)}
				b.row(row, 0.7)
				row.Arm, row.Item, row.Dose = record.Compound, 32, 1
				b.row(row, 0.7+0.03-0.02*float64(context))
			}
		}
	}
	got := analyse(t, b, analysis.Config{})
	c := find(t, got, "c00")
	if !(c.Excess.Lo > 0.09 && c.Excess.Hi < 0.11 && c.ExcessQ < 0.001 && c.DoseTrend < 0.001) || len(c.Doses) != 3 {
		t.Errorf("excess %+v, q %v, trend %v, doses %v", c.Excess, c.ExcessQ, c.DoseTrend, c.Doses)
	}
	near(t, "split of the baseline", c.BaselineSplit, 0.02, single)
	near(t, "split beyond it", c.BaselineExcess, float64(c.Split.Value)-0.02, single)
	other, two := find(t, got, "c01"), find(t, got, "c25")
	if !(other.ExcessQ > 0.05) || !(other.DoseTrend > 0.01) || !two.DoseTrend.Missing() || len(two.Doses) != 2 || !other.BaselineSplit.Missing() {
		t.Errorf("excess q %v, trends %v and %v, baseline %v", other.ExcessQ, other.DoseTrend, two.DoseTrend, other.BaselineSplit)
	}
	if len(got.Hits) != 30 || len(got.Others) != 1 {
		t.Errorf("%d compounds and %d others", len(got.Hits), len(got.Others))
	}
}

// TestSeries: the dose of a compound's own, which stands behind those of the series, is
// none of them, however strong its effect is.
func TestSeries(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	b := newBench(5)
	b.Header.Doses = []string{"1 uM", "10 uM", "100 uM", "0.1 uM"}
	b.Header.Rising, b.Header.MarginShare = 3, 0.5
	b.control(r, 0.2, 0.2)
	for i := range 20 {
		it := compound(fmt.Sprintf("c%02d", i))
		it.MainDose = 3
		at := b.add(it, noisy(r, 0.3), noisy(r, 0))
		for dose := range int16(3) {
			b.arm(record.Compound, at, dose, noisy(r, 0.05), nil)
		}
	}
	got := analyse(t, b, analysis.Config{})
	low := 0
	for _, c := range got.Hits {
		if c.DoseTrend < 0.05 {
			low++
		}
		if len(c.Doses) != 3 || c.Doses[2].Dose != "100 uM" {
			t.Errorf("%s has the doses %v", c.Name, c.Doses)
		}
	}
	if low > 5 { // of 20, by chance with 3 in 10,000
		t.Errorf("%d of 20 compounds without a trend have one", low)
	}
	near(t, "margin", got.Margin, 0.1, 0.005)
	if !strings.Contains(got.MarginSource, "0.5 times") {
		t.Errorf("the margin is %s", got.MarginSource)
	}
}

func TestSynergy(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	b := newBench(20)
	b.control(r, 0.2, 0.2)
	b.crowd(r, 20)
	b.add(compound("selective"), noisy(r, 0.1), noisy(r, 0))
	b.add(compound("both"), noisy(r, 0.1), noisy(r, 0.1))
	got := analyse(t, b, analysis.Config{})
	// Of five donors in both contexts there are 16 assignments: 1/16 is the least p.
	c := find(t, got, "selective")
	if c.SynergyP != 1.0/16 || !(c.Synergy > 0.05) {
		t.Errorf("context-selective: synergy %v, p %v", c.Synergy, c.SynergyP)
	}
	if c = find(t, got, "both"); !(c.SynergyP > 1.0/16) || !(c.Synergy < 0.02) {
		t.Errorf("both: synergy %v, p %v", c.Synergy, c.SynergyP)
	}
}

// TestSame: the result does not hang on the number of goroutines, and survives JSON.
func TestSame(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 1))
	b := newBench(10)
	b.control(r, 0.2, 0.2)
	b.crowd(r, 60)
	var want []byte
	for _, workers := range []int{1, 2, 7} {
		got, err := json.Marshal(analyse(t, b, analysis.Config{Workers: workers}))
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d goroutines give another result", workers)
		}
	}
	var back analysis.Result
	if err := json.Unmarshal(want, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(&back); err != nil || !bytes.Equal(again, want) {
		t.Errorf("another result after JSON (%v)", err)
	}
}

func TestBadRows(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(b *bench)
		want   string
	}{
		{"no vehicle", func(b *bench) { b.Table = record.Table{Header: b.Header} }, "no valid vehicle row"},
		{"one context", func(b *bench) {
			for i := range b.Len() {
				b.Valid[i] = b.Valid[i] && b.Context[i] == record.Positive
			}
		}, "no vehicle row in the neutral context"},
		{"no common type", func(b *bench) {
			b.Header.CellTypes = []string{"T", "tumour"}
			for i := range b.Len() {
				b.CellType[i] = int32(b.Context[i])
			}
		}, "no cell type in common"},
		{"moved cell", func(b *bench) { b.Cluster[b.Len()-1] = 0 }, "of another donor or type"},
		{"more donors than rows", func(b *bench) {
			b.Header.Clusters = append(b.Header.Clusters, make([]record.Cluster, 900_000)...)
			for i := range int32(20) {
				b.row(record.Row{Arm: record.Compound, Item: int32(len(b.Header.Items)), Cluster: i % donors, Cell: i % donors * 3}, 0.5)
				b.Header.Items = append(b.Header.Items, compound(fmt.Sprint("more ", i)))
			}
		}, "rows are too few"},
		{"ragged", func(b *bench) { b.Draw = b.Draw[1:] }, "columns of"},
		{"unknown control", func(b *bench) { b.Header.Control = "TNF" }, `no row of a positive control is named "TNF"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(11, 1))
			b := newBench(3)
			b.control(r, 0.2, 0.2)
			b.crowd(r, 3)
			c.change(b)
			_, err := analysis.Analyse(t.Context(), &b.Table, analysis.Config{})
			var bad interface{ BadInput() bool }
			if !errors.As(err, &bad) || !bad.BadInput() || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	for _, cfg := range []analysis.Config{{Score: "v"}, {FDR: 1}, {Level: -1}, {Margin: math.NaN()}, {Permutations: 3}} {
		if _, err := analysis.Analyse(t.Context(), &newBench(1).Table, cfg); err == nil {
			t.Errorf("no error for %+v", cfg)
		}
	}
}

func TestTables(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	b := newBench(6)
	b.Header.Program, b.Header.ProgramSeen = []string{"B2M", "HLA-A"}, 2
	b.control(r, 0.2, 0.2)
	b.crowd(r, 20)
	p := 0.2
	b.add(record.Item{
		Name: "=1+1", Kind: record.Test, MainDose: 1, Targets: []string{"CSNK2A1", "CSNK2B"}, Specificity: &p, Known: "inducer", Evidence: "PMID 1",
		Side: map[string]record.Pair{"apoptosis": {0.09, 0}}, TargetShare: &record.Pair{0.01, 0.3},
	}, noisy(r, 0.1), noisy(r, 0))
	got := analyse(t, b, analysis.Config{})
	hits := got.HitsTable()
	var names []string
	for _, c := range hits.Columns {
		if names = append(names, c.Name); c.Help == "" {
			t.Errorf("%s is not explained", c.Name)
		}
	}
	// The contract of the command.
	want := "rank, compound, call, delta_pos, delta_pos_lo, delta_pos_hi, delta_neu, delta_neu_lo, delta_neu_hi, split, split_lo, split_hi, " +
		"p_pos, p_equiv, p_split, p, q, decoy_p, decoy_family, synergy_bits, synergy_p, excess_ifn, excess_lo, excess_hi, excess_q, dose_trend_p, " +
		"baseline_split, rel_pos, rel_neu, program_genes_seen, program_specificity_p, n_pos, n_neu, n_donors_pos, n_donors_neu, valid_rate, copy_rate, known"
	if s := strings.Join(names, ", "); s != want {
		t.Errorf("columns\n%s\nwant\n%s", s, want)
	}
	cell := func(table analysis.Table, column string) string {
		for i, c := range table.Columns {
			if c.Name == column {
				return table.Rows[0][i]
			}
		}
		t.Fatalf("no column %q", column)
		return ""
	}
	for column, text := range map[string]string{
		"compound": "=1+1", "call": "context-selective", "program_genes_seen": "2", "program_specificity_p": "0.2", "excess_ifn": "", "n_donors_neu": "5", "known": "inducer",
	} {
		if s := cell(hits, column); s != text {
			t.Errorf("%s is %q, want %q", column, s, text)
		}
	}
	plan := got.ValidationTable()
	if len(plan.Rows) != 1 {
		t.Fatalf("%d rows", len(plan.Rows))
	}
	for column, text := range map[string]string{
		"targets": "CSNK2A1 CSNK2B", "apoptosis_pos": "0.09", "target_share_pos": "0.01", "doses": "a tenth of, equal to and ten times 1 uM", "evidence": "PMID 1",
		"readout": "surface HLA-A,B,C by flow cytometry with a viability dye; RT-qPCR of B2M, HLA-A",
		"caution": "random gene sets move as much (p 0.2); a target is expressed by 1.0 % of the cells of the positive context; apoptosis rises by half as much as the program or more",
	} {
		if s := cell(plan, column); s != text {
			t.Errorf("%s is %q, want %q", column, s, text)
		}
	}
	if m := got.Methods(); !strings.Contains(m, "21 compounds were screened") || strings.Contains(m, "%!") || strings.Contains(m, "NaN") {
		t.Error(m)
	}
}
