package scfid_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/cellsentence/c2s/scfid"
	"github.com/cellsentence/c2s/scfid/scfidplot"
)

// quick leaves out most of what a simulation does not look at.
var quick = scfid.Config{Splits: 2, Sizes: 8, Subsets: 1, SubsetSize: 200, Permutations: 19, MaxNeighbours: 50}

func evaluate(t testing.TB, x, y []float64, d int, cfg scfid.Config) *scfid.Result {
	t.Helper()
	r, err := scfid.Evaluate(context.Background(), scfid.Side{Rows: rows(t, x, d)}, scfid.Side{Rows: rows(t, y, d)}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// How the distance, FD∞ and KID behave for equal and for shifted distributions at
// few and many cells: 512 dimensions, variances 1/i, shift 0.3/√i. The numbers are
// means ± standard deviations of an independent simulation in NumPy; a mean of our
// repeats must lie within 4 of its own standard errors and 3 of theirs (3 to 10
// repeats there), the error of the latter being what a table rounds away too.
func TestBiasOfTheDistance(t *testing.T) {
	const d = 512
	table := []struct {
		n, repeats                           int
		fd, fdSD, shift, shiftSD, inf, infSD float64
		kid, kidSD                           float64 // × 1000, of the shift
	}{
		{50, 3, 5.875, 0.140, 6.481, 0.211, 4.369, 0.230, 3.663, 1.364},
		{200, 2, 3.013, 0.042, 3.589, 0.099, 1.733, 0.085, 3.359, 0.513},
		{500, 1, 1.444, 0.010, 2.086, 0.043, 0.319, 0.019, 3.773, 0.268},
		{1000, 1, 0.720, 0.009, 1.340, 0.048, -0.002, 0.008, 3.651, 0.267},
		{2000, 1, 0.358, 0.004, 0.988, 0.036, -0.003, 0.009, 3.722, 0.218},
		{5000, 1, 0.144, 0.001, 0.772, 0.014, 0.000, 0.001, 3.707, 0.241},
	}
	cfg := scfid.Config{Splits: 1, Sizes: 8, Subsets: 1, SubsetSize: 1000, Permutations: 1, MaxNeighbours: 20}
	sd := powerLaw(d)
	shown := map[int]scfidplot.BiasPoint{} // of the help page
	points, dim := scfidplot.Simulated()
	for _, p := range points {
		shown[p.N] = p
	}
	if dim != d || len(shown) != 7 {
		t.Errorf("the help page shows %d sizes in %d dimensions", len(shown), dim)
	}
	for _, c := range table {
		if c.n > 500 && testing.Short() {
			continue
		}
		if c.n > 2000 && os.Getenv("C2S_CI") != "1" { // half of the time of all
			t.Logf("n %d: left out without C2S_CI=1", c.n)
			continue
		}
		var equal, shifted, infinity, kidEqual, kidShift float64
		for k := range c.repeats {
			r := source(uint64(1000*c.n + k))
			real := normal(r, c.n, sd, nil)
			same := evaluate(t, real, normal(r, c.n, sd, nil), d, cfg)
			brief := cfg
			brief.Sizes = 3
			moved := evaluate(t, real, normal(r, c.n, sd, func(j int) float64 { return 0.3 * sd[j] }), d, brief)
			share := 1 / float64(c.repeats)
			equal += share * float64(same.FD)
			infinity += share * float64(same.FDInfinity)
			shifted += share * float64(moved.FD)
			kidEqual += share * float64(same.KID.Mean) * 1000
			kidShift += share * float64(moved.KID.Mean) * 1000
		}
		slack := 4/math.Sqrt(float64(c.repeats)) + 3/math.Sqrt(3)
		check := func(name string, got, want, sd float64) {
			t.Helper()
			t.Logf("n %d: %s %.3f (table %.3f ± %.3f)", c.n, name, got, want, sd)
			if math.Abs(got-want) > slack*sd+0.001 {
				t.Errorf("n %d: %s is %.4f, the table says %.3f ± %.3f", c.n, name, got, want, sd)
			}
		}
		check("FD of equal distributions", equal, c.fd, c.fdSD)
		check("FD of the shift", shifted, c.shift, c.shiftSD)
		check("FD∞ of equal distributions", infinity, c.inf, c.infSD)
		check("KID of the shift", kidShift, c.kid, c.kidSD)
		// KID is centred on 0 whatever n: its spread is at most that of the shift's.
		check("KID of equal distributions", kidEqual, 0, c.kidSD)
		p := shown[c.n]
		check("FD of the help page", p.FD, c.fd, c.fdSD)
		check("FD∞ of the help page", p.FDInfinity, c.inf, c.infSD)
		check("KID of the help page", 1000*p.KID, 0, c.kidSD)
	}
}

// Intervals cover the true distance in 95 % of simulations or more, at 50 dimensions
// and four and more cells a dimension: the share of repeats may lie three standard
// errors lower.
func TestIntervalCovers(t *testing.T) {
	const d = 50
	sd := powerLaw(d)
	wide := make([]float64, d)
	truth := 0.0
	for j, s := range sd {
		wide[j] = 1.3 * s
		truth += 0.09*s*s + 0.04*s*s
	}
	for _, c := range []struct{ n, m, repeats int }{{200, 200, 100}, {500, 300, 60}, {2000, 1000, 20}} {
		if c.n > 200 && testing.Short() {
			continue
		}
		covered, width := 0, 0.0
		for k := range c.repeats {
			r := source(uint64(7000 + 1000*c.n + k))
			cfg := quick
			cfg.Seed = uint64(k)
			got := evaluate(t, normal(r, c.n, sd, nil), normal(r, c.m, wide, func(j int) float64 { return 0.2 * sd[j] }), d, cfg)
			if got.CI == nil {
				t.Fatalf("no interval: %v", got.Warnings)
			}
			if got.CI[0] <= truth && truth <= got.CI[1] {
				covered++
			}
			width += (got.CI[1] - got.CI[0]) / float64(c.repeats)
		}
		share := float64(covered) / float64(c.repeats)
		t.Logf("n %d and %d: coverage %.3f, width %.3g, distance %.3g", c.n, c.m, share, width, truth)
		if share < 0.95-3*math.Sqrt(0.95*0.05/float64(c.repeats)) {
			t.Errorf("n %d and %d: coverage %.3f", c.n, c.m, share)
		}
	}
}

// Donors that differ make cells of one donor alike: an interval over cells is too
// short, one over donors covers. 8 donors, whose means are normal.
func TestIntervalOverDonors(t *testing.T) {
	const d, donors, each, repeats = 5, 12, 40, 60
	sd := ones(d)
	byCell, byDonor, floors := 0, 0, 0.0
	// Real cells of a population of donors have variance 1 + 0.25 about its mean 0.
	truth := 0.0
	for range d {
		truth += 1 + math.Pow(math.Sqrt(1.25)-1, 2)
	}
	for k := range repeats {
		r := source(uint64(90_000 + k))
		var x []float64
		var names []string
		for donor := range donors {
			shift := normal(r, 1, sd, nil)
			x = append(x, normal(r, each, sd, func(j int) float64 { return 0.5 * shift[j] })...)
			for range each {
				names = append(names, fmt.Sprint(donor))
			}
		}
		y := normal(r, 1000, sd, func(int) float64 { return 1 })
		real := scfid.Side{Rows: rows(t, x, d)}
		gen := scfid.Side{Rows: rows(t, y, d)}
		cells, err := scfid.Evaluate(context.Background(), real, gen, quick)
		if err != nil {
			t.Fatal(err)
		}
		real.Donors = names
		grouped, err := scfid.Evaluate(context.Background(), real, gen, quick)
		if err != nil {
			t.Fatal(err)
		}
		if cells.CI == nil || grouped.CI == nil {
			t.Fatal("no interval", cells.Warnings, grouped.Warnings)
		}
		if cells.CI[0] <= truth && truth <= cells.CI[1] {
			byCell++
		}
		if grouped.CI[0] <= truth && truth <= grouped.CI[1] {
			byDonor++
		}
		floors += float64(grouped.DonorFloor / grouped.BiasFloor)
	}
	// Halves of six donors differ in d·0.25·(1/6 + 1/6) = 0.42 of squared mean alone;
	// parts of cells in some 0.05.
	if floors /= repeats; floors < 4 {
		t.Errorf("the floor between donors is %.2g times that between cells", floors)
	}
	t.Logf("coverage over cells %d/%d, over donors %d/%d", byCell, repeats, byDonor, repeats)
	if byCell > repeats*7/10 || byDonor < repeats*8/10 {
		t.Errorf("coverage over cells %d/%d, over donors %d/%d", byCell, repeats, byDonor, repeats)
	}
}

// The permutation test of equal distributions gives uniform p-values, and rejects
// a shift.
func TestPermutationTest(t *testing.T) {
	const d, n, repeats = 4, 40, 200
	cfg := quick
	cfg.Permutations = 39
	small, sum := 0, 0.0
	for k := range repeats {
		r := source(uint64(50_000 + k))
		cfg.Seed = uint64(k)
		got := evaluate(t, normal(r, n, ones(d), nil), normal(r, n, ones(d), nil), d, cfg)
		p := float64(got.PermutationP)
		sum += p
		if p <= 0.1 {
			small++
		}
	}
	// The mean of 200 uniform numbers on {1/40 … 1} has a standard error of 0.02, the
	// number below 0.1 one of 4.2.
	if mean := sum / repeats; math.Abs(mean-0.5125) > 0.07 || small < 6 || small > 35 {
		t.Errorf("mean p %.3f, %d of %d at most 0.1", mean, small, repeats)
	}
	r := source(1)
	if got := evaluate(t, normal(r, n, ones(d), nil), normal(r, n, ones(d), func(int) float64 { return 1 }), d, cfg); got.PermutationP != 1.0/40 {
		t.Errorf("p of a shift by one standard deviation: %g", float64(got.PermutationP))
	}
}

// The transport map takes one covariance to the other.
func TestTransportMap(t *testing.T) {
	r := source(5)
	const d = 130 // more than a panel of the factorisation
	a := prepare(t, normal(r, 600, spectrum(d, 100), nil), d)
	y := normal(r, 700, ones(d), nil)
	b := prepare(t, y, d)
	raw, err := scfid.TransportMap(a, b)
	if err != nil {
		t.Fatal(err)
	}
	m := mat.NewDense(d, d, raw)
	var ts, tst mat.Dense
	cov := summarise(t, normal(source(5), 600, spectrum(d, 100), nil), d).Cov
	ts.Mul(m, cov)
	tst.Mul(&ts, m)
	want := summarise(t, y, d).Cov
	for i := range d {
		for j := range d {
			if math.Abs(tst.At(i, j)-want.At(i, j)) > 1e-12 {
				t.Fatalf("[%d,%d] = %g, want %g", i, j, tst.At(i, j), want.At(i, j))
			}
		}
	}
}
