package scaling_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/scaling"
)

// base is the first row of the paper's table 1, with a reward of .2 at the start.
func base() scaling.Curve { return scaling.Curve{R0: .2, A: .61, B: 1.92, Mid: 2542} }

// points are n of a curve, at equal distances up to last, with noise.
func points(k scaling.Curve, n int, first, last, noise float64, rng *rand.Rand) []scaling.Point {
	out := []scaling.Point{{0, k.R0}}
	for i := range n {
		c := first + (last-first)*float64(i)/float64(n-1)
		out = append(out, scaling.Point{c, k.At(c) + noise*rng.NormFloat64()})
	}
	return out
}

// TestCurve has values of the paper's formula, computed by hand in Python.
func TestCurve(t *testing.T) {
	for c, want := range map[float64]float64{0: .2, 1500: .30924, 2542: .405, 8000: .56915, 16000: .59835} {
		if got := base().At(c); math.Abs(got-want) > 5e-6 { // five digits are given
			t.Errorf("R(%g) = %v, expected %v", c, got, want)
		}
	}
}

// TestExact fits points without noise, of the recipes of table 1.
func TestExact(t *testing.T) {
	for _, k := range []scaling.Curve{
		base(),
		{R0: .2, A: .645, B: 1.89, Mid: 11272},
		{R0: .2, A: .585, B: 2.44, Mid: 2542},
		{R0: .2, A: .71, B: 1.65, Mid: 4242},
		{R0: 0, A: .615, B: 1.09, Mid: 1675},
		{R0: .1, A: 1, B: 1, Mid: 5000},
	} {
		f, err := scaling.Run(context.Background(), points(k, 40, 1500, 16000, 0, rand.New(rand.NewPCG(1, 1))), scaling.Config{From: 1500, Resamples: 20})
		if err != nil {
			t.Fatal(err)
		}
		// Without noise the minimum is 0 and flat at about the root of float64's precision.
		if math.Abs(f.A-k.A) > 1e-5 || math.Abs(f.B/k.B-1) > 1e-4 || math.Abs(f.Mid/k.Mid-1) > 1e-4 || f.N != 40 {
			t.Errorf("%+v: %+v", k, f.Curve)
		}
	}
}

// simulations fits noisy runs and says how often A's intervals hold the true one and how
// often the estimate is within the margin.
func simulations(t *testing.T, n int, noise float64) (profile, boot, within float64) {
	t.Helper()
	k := base()
	for sim := range n {
		rng := rand.New(rand.NewPCG(uint64(sim), 7))
		f, err := scaling.Run(context.Background(), points(k, 60, 1500, 16000, noise, rng), scaling.Config{From: 1500, Resamples: 100, Seed: uint64(sim)})
		if err != nil {
			t.Fatal(err)
		}
		if f.AProfile[0] <= k.A && k.A <= f.AProfile[1] {
			profile++
		}
		if f.ABoot[0] <= k.A && k.A <= f.ABoot[1] {
			boot++
		}
		if math.Abs(f.A-k.A) <= scaling.Margin {
			within++
		}
	}
	return profile / float64(n), boot / float64(n), within / float64(n)
}

// TestCoverage: the coverage of a 95 % interval has a standard error of 1.5 % in 200
// simulations; four of them are allowed, below, and 3 % more for the bootstrap, whose
// percentiles are known to be too narrow for few points. The noise of a point is that of 1,000
// prompts, √(.5·.5/1000/10) or so: answers of a prompt are alike.
func TestCoverage(t *testing.T) {
	n := 40
	if os.Getenv("C2S_CI") == "1" {
		n = 200
	}
	profile, boot, within := simulations(t, n, .005)
	t.Logf("%d simulations: profile covers %.3f, bootstrap %.3f, within ±%g %.3f", n, profile, boot, scaling.Margin, within)
	least := .95 - 4*math.Sqrt(.95*.05/float64(n))
	if profile < least || boot < least-.03 {
		t.Errorf("profile covers %v, bootstrap %v", profile, boot)
	}
	if within < .99 {
		t.Errorf("%v within the margin", within)
	}
}

func TestForecast(t *testing.T) {
	k := base()
	rng := rand.New(rand.NewPCG(3, 3))
	f, err := scaling.Run(context.Background(), points(k, 60, 1500, 16000, .003, rng), scaling.Config{From: 1500, To: 8000, At: []float64{32000}})
	if err != nil {
		t.Fatal(err)
	}
	if f.Verification == nil || f.Verification.N != 33 || f.Verification.Worst > .03 {
		t.Errorf("%+v", f.Verification)
	}
	if len(f.Forecasts) != 2 || f.Forecasts[0].Compute != 32000 || f.Forecasts[1].Compute != 16000 {
		t.Fatalf("%+v", f.Forecasts)
	}
	for _, c := range f.Forecasts {
		if want := k.At(c.Compute); !(c.CI[0] <= want && want <= c.CI[1]) || !(c.CI[0] <= c.Reward && c.Reward <= c.CI[1]) {
			t.Errorf("%+v does not hold %v", c, want)
		}
	}
	again, err := scaling.Run(context.Background(), points(k, 60, 1500, 16000, .003, rand.New(rand.NewPCG(3, 3))), scaling.Config{From: 1500, To: 8000, At: []float64{32000}})
	if err != nil || again.ABoot != f.ABoot || again.AProfile != f.AProfile {
		t.Errorf("the same points and seed give %v and %v", f.ABoot, again.ABoot)
	}
}

func TestCompare(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(5, 5))
	slow := scaling.Curve{R0: .2, A: .61, B: 1.5, Mid: 2542}
	high := scaling.Curve{R0: .2, A: .7, B: 1.92, Mid: 2542}
	cfg := scaling.Config{From: 1500, Resamples: 100}
	run := func(k scaling.Curve) []scaling.Point { return points(k, 60, 1500, 30000, .003, rng) }
	_, _, c, err := scaling.Compare(ctx, run(base()), run(high), cfg)
	if err != nil || c.SameA || c.Ambiguous || math.Abs(c.DeltaA-.09) > .01 {
		t.Errorf("another ceiling: %+v, %v", c, err)
	}
	_, _, c, err = scaling.Compare(ctx, run(base()), run(slow), cfg)
	if err != nil || !c.SameA || c.Ambiguous || !(c.SecondB < c.FirstB && c.DeltaBCI[1] < 0) {
		t.Errorf("another slope: %+v, %v", c, err)
	}
	_, _, c, err = scaling.Compare(ctx, run(base()), run(base()), cfg)
	if err != nil || !c.SameA || !c.Ambiguous {
		t.Errorf("the same recipe: %+v, %v", c, err)
	}
}

func TestBadPoints(t *testing.T) {
	good := points(base(), 10, 100, 1000, 0, rand.New(rand.NewPCG(1, 1)))
	with := func(v scaling.Point) []scaling.Point { return append(slices.Clone(good), v) }
	one := 1.0
	for name, c := range map[string]struct {
		p   []scaling.Point
		cfg scaling.Config
	}{
		"none":           {},
		"no start":       {p: good[1:]},
		"few":            {p: good[:5]},
		"NaN":            {p: with(scaling.Point{math.NaN(), .1})},
		"reward":         {p: with(scaling.Point{10, 1.5})},
		"negative":       {p: with(scaling.Point{-1, .5})},
		"infinite":       {p: with(scaling.Point{math.Inf(1), .5})},
		"start":          {p: good, cfg: scaling.Config{R0: &one}},
		"level":          {p: good, cfg: scaling.Config{Level: 2}},
		"forecast":       {p: good, cfg: scaling.Config{At: []float64{-1}}},
		"all after From": {p: good, cfg: scaling.Config{From: 1e9}},
	} {
		_, err := scaling.Run(context.Background(), c.p, c.cfg)
		var bad interface{ BadInput() bool }
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := scaling.Run(ctx, good, scaling.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// Rewards that do not move: a fit, with a word about it.
	flat := points(scaling.Curve{R0: .2, A: .2, B: 1, Mid: 100}, 10, 100, 1000, 0, rand.New(rand.NewPCG(1, 1)))
	f, err := scaling.Run(context.Background(), flat, scaling.Config{Resamples: 20})
	if err != nil || len(f.Warnings) == 0 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestReadPoints(t *testing.T) {
	const log = `{"gpu_hours":0,"pass":0.2,"loss":1}
{"note":"a checkpoint"}

{"gpu_hours":1.5,"pass":0.25}
`
	got, err := scaling.ReadPoints(strings.NewReader(log), "gpu_hours", "pass")
	if err != nil || !slices.Equal(got, []scaling.Point{{0, .2}, {1.5, .25}}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"{", `{"c":1}`, `{"c":1,"r":null}`, `{"c":"1","r":1}`} {
		_, err := scaling.ReadPoints(strings.NewReader(bad), "c", "r")
		if b, ok := err.(interface{ BadInput() bool }); !ok || !b.BadInput() {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
