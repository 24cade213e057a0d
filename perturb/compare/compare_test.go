package compare_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/compare"
)

// scores are those of some perturbations by two metrics, a correlation-like one between
// 0.25 and 0.75, of which the values are given, and an error between 5 and 1, of which
// they are 6 − 5·value. Of eighths and sixteenths all that is computed is exact.
func scores(values ...float64) *compare.Scores {
	s := &compare.Scores{Preset: "systema", Genes: 100}
	gain := compare.Metric{Name: "gain", Control: .25, MeanResponse: .125, Ceiling: .75, Baseline: "control"}
	loss := compare.Metric{Name: "loss", Lower: true, Control: 6, MeanResponse: 5, Ceiling: 1, Baseline: "mean-response"}
	sum := 0.0
	for k, v := range values {
		s.Perturbations = append(s.Perturbations, fmt.Sprintf("P%d", k))
		gain.Values, loss.Values = append(gain.Values, compare.Number(v)), append(loss.Values, compare.Number(6-5*v))
		gain.BaselineValues, gain.CeilingValues = append(gain.BaselineValues, .25), append(gain.CeilingValues, .75)
		loss.BaselineValues, loss.CeilingValues = append(loss.BaselineValues, 5), append(loss.CeilingValues, 1)
		sum += v / float64(len(values))
	}
	gain.Score, loss.Score = compare.Number(sum), compare.Number(6-5*sum)
	gain.Normalised, loss.Normalised = compare.Number((sum-.25)/.5), compare.Number((6-5*sum-5)/-4)
	s.Metrics = []compare.Metric{gain, loss}
	return s
}

func run(name string, values ...float64) compare.Run {
	return compare.Run{Name: name, Real: "real", Scores: scores(values...)}
}

func compared(t *testing.T, cfg compare.Config, runs ...compare.Run) *compare.Result {
	t.Helper()
	r, err := compare.Compare(t.Context(), runs, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Worked by hand: eight perturbations, in seven of which the one is better by 1/8, and
// worse by 1/4 in the last.
func TestCompare(t *testing.T) {
	var low, high []float64
	for k := range 8 {
		low, high = append(low, float64(4+k)/16), append(high, float64(6+k)/16)
	}
	high[7] -= .375
	r := compared(t, compare.Config{}, run("low", low...), run("high", high...))
	if r.Ranking[0].Name != "high" || r.Ranking[1].Name != "low" || !slices.Equal(r.OverallOf, []string{"gain", "loss"}) {
		t.Fatalf("%+v", r.Ranking)
	}
	// Mean 0.546875 is 0.59375 of the way from .25 to .75, and its error 0.43359375 from 5 down to 1.
	about(t, "overall", float64(r.Ranking[0].Overall), 0.513671875, 0)
	about(t, "overall of the other", float64(r.Ranking[1].Overall), 0.38671875, 0)
	if len(r.Pairs) != 3 {
		t.Fatalf("%d pairs", len(r.Pairs))
	}
	for i, name := range []string{compare.Overall, "gain", "loss"} {
		p := r.Pairs[i]
		if p.Metric != name || p.First != "high" || p.N != 8 {
			t.Errorf("%+v", p)
		}
		// Of ranks 1 to 8, seven share 4 above 0 and the largest, 8, is below: 28 of 36. The
		// ranks of the same sign are tied, so that sums of 8 and less come from no more than
		// two of the seven without the last, or the last alone: 1 + 7 + 21 + 1 of 256.
		about(t, name+" p", float64(p.P), 2*30.0/256, 0)
		about(t, name+" Holm", float64(p.Holm), 2*30.0/256, 0)
		if p.Apart {
			t.Errorf("%s tells them apart", name)
		}
	}
	// The means are 0.545545 pooled standard deviations apart, and J(14) is 0.945288.
	about(t, "g of gain", float64(r.Pairs[1].G), 0.515696735, 1e-9)
	about(t, "g of loss", float64(r.Pairs[2].G), float64(r.Pairs[1].G), 1e-12)
	about(t, "difference of gain", float64(r.Pairs[1].Difference), 0.078125, 0)
	about(t, "difference of loss", float64(r.Pairs[2].Difference), 0.390625, 0)
	// The differences have the standard deviation 0.132582521; t of 7 degrees of freedom is
	// 2.364624.
	about(t, "lower end", float64(r.Pairs[1].Low), 0.078125-2.364624252*0.132582521/math.Sqrt(8), 1e-9)
}

// Whatever the order of the runs and of their perturbations, the result is the same.
func TestOrderDoesNotMatter(t *testing.T) {
	a, b, c := run("a", .1, .5, .4), run("b", .2, .3, .6), run("c", .3, .3, .3)
	turned := run("b", .6, .3, .2)
	turned.Scores.Perturbations = []string{"P2", "P1", "P0"}
	// Reading keeps metrics of one file together; their order is that of the first run.
	var texts []string
	for _, runs := range [][]compare.Run{{a, b, c}, {a, turned, c}, {a, c, b}} {
		text, err := json.Marshal(compared(t, compare.Config{}, runs...))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] || texts[0] != texts[2] {
		t.Errorf("%s\n%s\n%s", texts[0], texts[1], texts[2])
	}
}

func TestRunsThatDoNotCompare(t *testing.T) {
	change := func(what func(r *compare.Run)) compare.Run {
		r := run("b", .2, .3)
		what(&r)
		return r
	}
	for _, c := range []struct {
		want string
		b    compare.Run
	}{
		{"presets are systema and vcc2026", change(func(r *compare.Run) { r.Scores.Preset = "vcc2026" })},
		{"different real files", change(func(r *compare.Run) { r.Real = "other" })},
		{"2 and 3 perturbations, and 1 are in one only: P2", run("b", .1, .2, .3)},
		{"100 and 99 genes", change(func(r *compare.Run) { r.Scores.Genes = 99 })},
		{"b has no metric loss", change(func(r *compare.Run) { r.Scores.Metrics = r.Scores.Metrics[:1] })},
		{"different anchors", change(func(r *compare.Run) { r.Scores.Metrics[0].Ceiling = .9 })},
		{"of another kind", change(func(r *compare.Run) { r.Scores.Metrics[0].Lower = true })},
		{`two runs are called "a"`, run("a", .2, .3)},
	} {
		_, err := compare.Compare(t.Context(), []compare.Run{run("a", .1, .2), c.b}, compare.Config{})
		var bad interface{ BadInput() bool }
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &bad) || !bad.BadInput() {
			t.Errorf("%v, expected %q", err, c.want)
		}
	}
}

// What runs have in common compares: perturbations by their own anchors, if these are
// the same in all runs, and without normalised scores if not.
func TestCommon(t *testing.T) {
	r := compared(t, compare.Config{Common: true}, run("a", .1, .2, .9), run("b", .2, .3))
	if len(r.Perturbations) != 2 || r.Ranking[0].Name != "b" || len(r.OverallOf) != 2 {
		t.Errorf("%+v", r)
	}
	about(t, "score of the subset", float64(r.Ranking[1].Scores[0].Score), .15, 1e-12)
	about(t, "normalised score of the subset", float64(r.Ranking[1].Scores[0].Normalised), -.2, 1e-12)
	about(t, "overall score of the subset", float64(r.Ranking[0].Overall), (0+.0625)/2, 1e-12)
	other := run("b", .2, .3)
	other.Scores.Metrics = other.Scores.Metrics[:1]
	r = compared(t, compare.Config{Common: true}, run("a", .1, .2), other)
	if len(r.Ranking[0].Scores) != 1 || r.Ranking[0].Overall.Missing() {
		t.Errorf("%+v", r.Ranking)
	}
	// Other real cells have other anchors.
	other.Real = "other"
	other.Scores.Metrics[0].CeilingValues[1] = .8
	r = compared(t, compare.Config{Common: true}, run("a", .1, .2), other)
	if !r.Ranking[0].Overall.Missing() || len(r.OverallOf) != 0 || len(r.Frontiers) != 0 || r.Ranking[0].Scores[0].Score.Missing() ||
		!strings.Contains(strings.Join(r.Warnings, "\n"), "different real files") || !strings.Contains(strings.Join(r.Warnings, "\n"), "different anchors") {
		t.Errorf("%+v", r)
	}
	other.Scores.Perturbations = []string{"X", "Y"}
	if _, err := compare.Compare(t.Context(), []compare.Run{run("a", .1, .2), other}, compare.Config{Common: true}); err == nil {
		t.Error("runs without a perturbation in common were compared")
	}
	// What is of all perturbations together is not of some of them.
	a, b := run("a", .1, .2, .9), run("b", .2, .3)
	a.Scores.Metrics[1].Values, b.Scores.Metrics[1].Values = nil, nil
	if r = compared(t, compare.Config{Common: true}, a, b); len(r.Ranking[0].Scores) != 1 {
		t.Errorf("%+v", r.Ranking[0].Scores)
	}
}

// What is neither better nor worse ranks nothing.
func TestDiagnostic(t *testing.T) {
	a, b := run("a", .1, .2), run("b", .2, .3)
	for _, r := range []compare.Run{a, b} {
		r.Scores.Metrics[0].Diagnostic = true
	}
	if r := compared(t, compare.Config{}, a, b); !slices.Equal(r.OverallOf, []string{"loss"}) {
		t.Errorf("%v", r.OverallOf)
	}
	if _, err := compare.Compare(t.Context(), []compare.Run{a, b}, compare.Config{Metrics: []string{"gain"}}); err == nil {
		t.Error("a diagnostic metric became the overall score")
	}
}

// A perturbation without a value in one run counts in none.
func TestUndefinedValues(t *testing.T) {
	nan := compare.Number(math.NaN())
	a, b := run("a", .1, .2, .3, .4), run("b", .2, .3, .4, .5)
	a.Scores.Metrics[0].Values[3] = nan
	r := compared(t, compare.Config{}, a, b)
	// b's overall is of its first three perturbations, mean .3.
	about(t, "overall", float64(r.Ranking[0].Overall), (.1+.125)/2, 1e-12)
	if r.Pairs[0].N != 3 || r.Pairs[1].N != 3 || r.Pairs[2].N != 4 {
		t.Errorf("%+v", r.Pairs)
	}
	for k := range 3 {
		a.Scores.Metrics[0].Values[k] = nan
	}
	r = compared(t, compare.Config{}, a, b)
	if !slices.Equal(r.OverallOf, []string{"loss"}) {
		t.Errorf("%v", r.OverallOf)
	}
	if _, err := compare.Compare(t.Context(), []compare.Run{a, b}, compare.Config{Metrics: []string{"gain"}}); err == nil {
		t.Error("a metric without values became the overall score")
	}
}

// A metric of all perturbations together has no pairs, and one perturbation no interval.
func TestWithoutATest(t *testing.T) {
	a, b := run("a", .4), run("b", .5)
	for _, r := range []compare.Run{a, b} {
		r.Scores.Metrics[1].Values = nil
	}
	r := compared(t, compare.Config{}, a, b)
	if len(r.Pairs) != 2 || !r.Pairs[0].P.Missing() || !r.Pairs[0].Low.Missing() || r.Pairs[0].Difference.Missing() || !r.Ranking[0].Low.Missing() {
		t.Errorf("%+v", r.Pairs)
	}
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"p_holm":null`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestFrontier(t *testing.T) {
	var runs []compare.Run
	for i, c := range []struct {
		name  string
		score float64
		cost  int64
	}{{"A", .20, 1}, {"B", .50, 2}, {"C", .55, 4}, {"D", .60, 8}, {"E", .50, 5}} {
		r := run(c.name, .25+.5*c.score)
		r.Scores.Metrics = r.Scores.Metrics[:1]
		r.Record = &compare.Record{Model: "m", Cells: int64(10 * (i + 1)), AnswerTokens: c.cost * int64(10*(i+1))}
		runs = append(runs, r)
	}
	free := run("free", .3)
	free.Scores.Metrics = free.Scores.Metrics[:1]
	price := 2.0
	prices := &compare.Prices{Date: "2026-11-01", Currency: "EUR", Models: map[string]compare.Price{"m": {Answer: &price}}}
	r := compared(t, compare.Config{Prices: prices}, append(runs, free)...)
	if len(r.Frontiers) != 2 || r.Frontiers[1].Unit != "EUR for 1,000 cells, prices of 2026-11-01" || !slices.Equal(r.Frontiers[0].Left, []string{"free"}) {
		t.Fatalf("%+v", r.Frontiers)
	}
	for i, f := range r.Frontiers {
		for _, p := range f.Points {
			if p.On != strings.Contains("BCD", p.Name) {
				t.Errorf("%s: %+v", f.Unit, p)
			}
			if p.Name == "D" {
				about(t, "cost", p.Cost, []float64{8, 16e-3}[i], 1e-15)
			}
		}
	}
}

// Each perturbation falls by 0.4 from dose 0 to 100, evenly but for a wiggle that the
// line averages out.
func TestTrend(t *testing.T) {
	var runs []compare.Run
	for i, d := range []int{0, 50, 100} {
		r := run(fmt.Sprint("r", d), .5-.2*float64(i), .6-.2*float64(i), .7-.2*float64(i))
		r.Scores.Metrics[0].Values[0] += compare.Number([]float64{.01, -.02, .01}[i])
		r.Dose = &d
		runs = append(runs, r)
	}
	r := compared(t, compare.Config{}, runs...)
	if len(r.Trends) != 3 {
		t.Fatalf("%+v", r.Trends)
	}
	gain, loss := r.Trends[1], r.Trends[2]
	about(t, "slope", float64(gain.Slope), -.4, 1e-12)
	about(t, "slope of what falls when better", float64(loss.Slope), -2, 1e-12)
	about(t, "p of three", float64(gain.P), .25, 1e-12)
	// Values .5 .6 .7 against .3 .4 .5: 2 standard deviations, times .8 for 4 degrees of
	// freedom (J = Γ(2)/(√2·Γ(1.5)) = .797885).
	about(t, "g", float64(loss.Doses[1].G), -2*.797885, 1e-6)
	if !loss.Doses[0].G.Missing() || loss.Doses[2].Dose != 100 || loss.N != 3 {
		t.Errorf("%+v", loss)
	}
	if r := compared(t, compare.Config{}, runs[0]); len(r.Trends) != 0 {
		t.Error("one dose has a trend")
	}
}
