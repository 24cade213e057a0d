package scfid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/scfid"
)

// cells is two sides of three groups: equal, shifted, and too small; each side has
// a group of its own.
func cells(t *testing.T) (real, gen scfid.Side) {
	const d = 6
	r := source(31)
	var x, y []float64
	var gx, gy, donors []string
	add := func(to *[]float64, names *[]string, name string, n int, shift float64) {
		*to = append(*to, normal(r, n, ones(d), func(int) float64 { return shift })...)
		for range n {
			*names = append(*names, name)
		}
	}
	add(&x, &gx, "equal", 200, 0)
	add(&y, &gy, "equal", 150, 0)
	add(&x, &gx, "=shifted", 100, 0)
	add(&y, &gy, "=shifted", 120, 1)
	add(&x, &gx, "tiny", 1, 0)
	add(&y, &gy, "tiny", 3, 0)
	add(&x, &gx, "real only", 30, 0)
	add(&y, &gy, "gen only", 30, 0)
	for i := range gx {
		donors = append(donors, fmt.Sprint("d", i%4))
	}
	return scfid.Side{Rows: rows(t, x, d), Groups: gx, Donors: donors}, scfid.Side{Rows: rows(t, y, d), Groups: gy}
}

func TestEvaluateByGroup(t *testing.T) {
	real, gen := cells(t)
	r, err := scfid.Evaluate(context.Background(), real, gen, scfid.Config{Seed: 42})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Groups) != 3 || r.Groups[0].Key != "=shifted" || r.Groups[1].Key != "equal" || r.Groups[2].Key != "tiny" {
		t.Fatalf("groups %+v", r.Groups)
	}
	shifted, equal, tiny := r.Groups[0], r.Groups[1], r.Groups[2]
	if !slices.Equal(r.OnlyReal, []string{"real only"}) || !slices.Equal(r.OnlyGen, []string{"gen only"}) {
		t.Errorf("one side only: %v, %v", r.OnlyReal, r.OnlyGen)
	}
	// The true distances are 6 and 0.
	if shifted.CI == nil || shifted.CI[0] > 6 || shifted.CI[1] < 6 || shifted.PermutationP > 0.01 {
		t.Errorf("shifted: %+v", shifted.Scores)
	}
	if equal.CI != nil || equal.PermutationP <= 0.05 || equal.FD > 3*equal.BiasFloor {
		t.Errorf("equal: %+v", equal.Scores)
	}
	if !tiny.FD.Missing() || !tiny.Effect.Missing() || tiny.NReal != 1 || tiny.NGen != 3 {
		t.Errorf("tiny: %+v", tiny)
	}
	a, b := float64(shifted.FD), float64(equal.FD)
	near(t, "mean", float64(r.MeanOverGroups), (a+b)/2, 1e-15)
	near(t, "weighted mean", float64(r.WeightedMeanOverGroups), (100*a+200*b)/300, 1e-15)
	near(t, "effect", float64(shifted.Effect), (a+b)/2-b, 1e-12)
	all := strings.Join(r.Warnings, "\n")
	for _, want := range []string{"2 groups are present on one side only", "group tiny: 1 real and 3 generated", "group equal: the permutation test does not tell"} {
		if !strings.Contains(all, want) {
			t.Errorf("no warning with %q in\n%s", want, all)
		}
	}
	var tsv bytes.Buffer
	if err := r.WriteGroups(&tsv); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(tsv.String(), "\n"), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "'=shifted\t100\t120\t") {
		t.Errorf("groups.tsv:\n%s", tsv.String())
	}
	for _, l := range lines {
		if strings.Count(l, "\t") != strings.Count(lines[0], "\t") {
			t.Errorf("columns differ: %q", l)
		}
	}
	for _, want := range []string{"seed 42", "unweighted mean over 2 groups", "331 real and 303 generated cells", "an embedding of 6 dimensions"} {
		if !strings.Contains(r.Methods(), want) {
			t.Errorf("no %q in %q", want, r.Methods())
		}
	}
}

// The keys that scripts rely on, for all cells and for each group.
func TestResultHasTheKeysOfTheContract(t *testing.T) {
	real, gen := cells(t)
	r, err := scfid.Evaluate(context.Background(), real, gen, quick)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	keys := strings.Fields("fd mean_term cov_term n_real n_gen dim method bias_floor donor_floor fd_infinity ci kid precision recall density coverage")
	group := all["groups"].([]any)[0].(map[string]any)
	for _, k := range keys {
		for where, m := range map[string]map[string]any{"result": all, "group": group} {
			if _, ok := m[k]; !ok {
				t.Errorf("%s has no %s", where, k)
			}
		}
	}
	for _, k := range []string{"groups", "mean_over_groups", "warnings"} {
		if all[k] == nil {
			t.Errorf("no %s", k)
		}
	}
	if kid := all["kid"].(map[string]any); kid["mean"] == nil || len(kid) != 2 {
		t.Errorf("kid is %v", kid)
	}
	if tiny := all["groups"].([]any)[2].(map[string]any); tiny["fd"] != nil || tiny["ci"] != nil {
		t.Errorf("a group without a distance: %v", tiny)
	}
	var back scfid.Result
	if err := json.Unmarshal(b, &back); err != nil || back.FD != r.FD || !back.Groups[2].FD.Missing() {
		t.Errorf("read back: %v", err)
	}
}

func TestResultIsTheSameForAnyWorkers(t *testing.T) {
	real, gen := cells(t)
	var first []byte
	for _, workers := range []int{1, 2, 5} {
		cfg := scfid.Config{Seed: 3, Workers: workers, Permutations: 50, Subsets: 5}
		r, err := scfid.Evaluate(context.Background(), real, gen, cfg)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		} else if !bytes.Equal(b, first) {
			t.Errorf("%d workers: other bytes", workers)
		}
	}
}

func TestEvaluateRefusesBadInput(t *testing.T) {
	const d = 3
	r := source(8)
	good := normal(r, 20, ones(d), nil)
	side := func(x []float64, d int) scfid.Side { return scfid.Side{Rows: rows(t, x, d)} }
	broken := slices.Clone(good)
	broken[4], broken[30] = math.NaN(), math.Inf(-1)
	labelled := side(good, d)
	labelled.Groups = []string{"a"}
	grouped := side(good, d)
	grouped.Groups = slices.Repeat([]string{"a"}, 20)
	other := grouped
	other.Groups = slices.Repeat([]string{"b"}, 20)
	for name, c := range map[string]struct {
		real, gen scfid.Side
		want      string
	}{
		"dimensions":     {side(good, d), side(good, 4), "3 dimensions"},
		"one row":        {side(good[:3], d), side(good, d), "needs two"},
		"no rows":        {side(good, d), side(nil, d), "needs two"},
		"nothing":        {side(good, d), scfid.Side{}, "no embeddings"},
		"not finite":     {side(good, d), side(broken, d), "2 rows with NaN or infinite values (rows 1, 10,"},
		"constant":       {side(good, d), side(make([]float64, 30), d), "all embeddings are equal"},
		"labels":         {labelled, grouped, "labels of 1 cells"},
		"one side":       {grouped, side(good, d), "one side only"},
		"nothing common": {grouped, other, "no group"},
	} {
		_, err := scfid.Evaluate(context.Background(), c.real, c.gen, quick)
		if err == nil || !badInput(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	var finite *scfid.NonFiniteError
	_, err := scfid.Evaluate(context.Background(), side(broken, d), side(good, d), quick)
	if !errors.As(err, &finite) || !slices.Equal(finite.Rows, []int{1, 10}) || finite.Side != "real" {
		t.Errorf("error %v", err)
	}
	cfg := quick
	cfg.DropNonFinite = true
	got, err := scfid.Evaluate(context.Background(), side(broken, d), side(good, d), cfg)
	if err != nil || got.DroppedReal != 2 || got.NReal != 18 || !strings.Contains(got.Warnings[0], "2 of 20 rows") {
		t.Errorf("%+v, %v", got, err)
	}
}

// Statistics without cells give the distance alone.
func TestEvaluateStatistics(t *testing.T) {
	m, err := scfid.NewMoments(0, []float64{0, 3}, diagonal(1, 4))
	if err != nil {
		t.Fatal(err)
	}
	n, err := scfid.NewMoments(500, []float64{0, 0}, diagonal(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	r, err := scfid.Evaluate(context.Background(), scfid.Side{Moments: m}, scfid.Side{Moments: n}, scfid.Config{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "fd", float64(r.FD), 9+1, 1e-14)
	if !r.BiasFloor.Missing() || r.CI != nil || !r.Precision.Missing() || len(r.Warnings) != 2 {
		t.Errorf("%+v", r)
	}
}

func TestEvaluateStopsWhenCancelled(t *testing.T) {
	real, gen := cells(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := scfid.Evaluate(ctx, real, gen, quick); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// Two models of equal quality cannot be told apart, a worse one can; sizes differ.
func TestCompare(t *testing.T) {
	const d = 5
	r := source(77)
	shifted := func(n int, by float64) scfid.Side {
		return scfid.Side{Rows: rows(t, normal(r, n, ones(d), func(int) float64 { return by }), d)}
	}
	real := shifted(800, 0)
	c, err := scfid.Compare(context.Background(), real, []scfid.Named{
		{Name: "far", Side: shifted(700, 1)}, {Name: "near", Side: shifted(900, 0.4)}, {Name: "as near", Side: shifted(600, 0.4)},
	}, scfid.Config{Permutations: 99})
	if err != nil {
		t.Fatal(err)
	}
	if c.N != 600 || c.NReal != 800 || len(c.Ranking) != 3 || c.Ranking[2].Name != "far" || len(c.Pairs) != 3 {
		t.Fatalf("%+v", c)
	}
	for i, truth := range []float64{0.8, 0.8, 5} {
		if ci := c.Ranking[i].CI; ci == nil || ci[0] > truth || ci[1] < truth {
			t.Errorf("%s: %v does not hold %g", c.Ranking[i].Name, ci, truth)
		}
	}
	for _, p := range c.Pairs {
		if want := p.Farther == "far"; p.Apart != want || p.CI == nil {
			t.Errorf("%+v", p)
		}
	}
	few, err := scfid.Compare(context.Background(), real, []scfid.Named{
		{Name: "a", Side: shifted(10, 1)}, {Name: "b", Side: shifted(12, 0)},
	}, scfid.Config{})
	if err != nil || few.Ranking[0].Name != "b" || few.Pairs[0].CI != nil || few.Pairs[0].Apart || len(few.Warnings) == 0 {
		t.Errorf("%+v, %v", few, err)
	}
	if _, err := scfid.Compare(context.Background(), real, []scfid.Named{{Name: "a", Side: real}}, scfid.Config{}); err == nil || !badInput(err) {
		t.Errorf("one set: %v", err)
	}
}

// The difference of two models that share the real cells has a shorter interval
// than the models have: its coverage says that it is not too short.
func TestCompareCovers(t *testing.T) {
	const d, repeats = 5, 60
	covered := 0
	for k := range repeats {
		r := source(uint64(120_000 + k))
		shifted := func(n int, by float64) scfid.Side {
			return scfid.Side{Rows: rows(t, normal(r, n, ones(d), func(int) float64 { return by }), d)}
		}
		c, err := scfid.Compare(context.Background(), shifted(100, 0), []scfid.Named{
			{Name: "a", Side: shifted(150, 0.8)}, {Name: "b", Side: shifted(150, 1)},
		}, scfid.Config{Seed: uint64(k), Permutations: 19, Splits: 3})
		if err != nil {
			t.Fatal(err)
		}
		truth := d * (1 - 0.64)
		if p := c.Pairs[0]; p.Nearer == "b" {
			truth = -truth
		}
		if ci := c.Pairs[0].CI; ci != nil && ci[0] <= truth && truth <= ci[1] {
			covered++
		}
	}
	// 0.95 less three standard errors.
	if covered < 52 {
		t.Errorf("%d of %d intervals cover the difference", covered, repeats)
	}
}

// The axes are the directions of largest variance.
func TestProject(t *testing.T) {
	const d, n = 20, 3000
	sd := ones(d)
	sd[7], sd[3] = 5, 3
	r := source(6)
	x := normal(r, n, sd, nil)
	y := normal(r, 100, sd, func(j int) float64 { return 10 * float64(max(0, 1-(j-7)*(j-7))) })
	p, err := scfid.Project(context.Background(), rows(t, x, d), rows(t, y, d), 2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Real) != 2000 || len(p.Gen) != 100 {
		t.Fatalf("%d and %d points", len(p.Real), len(p.Gen))
	}
	var mean float64
	for _, v := range p.Gen {
		mean += v[0] / 100
	}
	// Variances 25 and 9 of a total of 52; 2,000 cells give them to some 5 %.
	if math.Abs(mean-10) > 2 || math.Abs(p.Explained[0]-25.0/52) > 0.04 || math.Abs(p.Explained[1]-9.0/52) > 0.02 {
		t.Errorf("mean %g, explained %v", mean, p.Explained)
	}
	one, err := scfid.Project(context.Background(), rows(t, x[:10], 1), rows(t, y[:10], 1), 0, 1)
	if err != nil || len(one.Real) != 10 || one.Real[3][1] != 0 {
		t.Errorf("one dimension: %v, %v", one, err)
	}
}
