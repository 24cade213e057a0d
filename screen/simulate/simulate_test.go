package simulate_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cellsentence/c2s/internal/stats"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
	"github.com/cellsentence/c2s/screen/simulate"
)

// full asks for the sizes of bench/screen.sh, which take minutes. The small ones are
// the same tests with wider tolerances.
func full() bool { return os.Getenv("C2S_SCREEN_PROOF") == "full" }

func pick[T any](small, large T) T {
	if full() {
		return large
	}
	return small
}

// TestRecall: 40 of 4,000 compounds with an effect of 4 and a margin of 3, among them
// 600 that move the neutral context exactly as far as the margin. Ordinary t-tests,
// each with its own variance, find far fewer.
func TestRecall(t *testing.T) {
	fixed, racing := simulate.NewOutcome(), simulate.NewOutcome()
	ordinary, screens := 0.0, pick(2, 20)
	var synergy, of [2]float64 // inert and context-selective compounds with p ≤ 0.05
	var slowest time.Duration
	for seed := range screens {
		cfg := simulate.Typical(4000, 40)
		cfg.Seed = uint64(seed)
		table, truth, err := simulate.Table(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		r, err := analysis.Analyse(t.Context(), table, analysis.Config{})
		if err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(start))
		fixed.Add(r, truth)
		ordinary += ordinaryRecall(r, truth) / float64(screens)
		for _, c := range r.Hits {
			for k, class := range []simulate.Class{simulate.Inert, simulate.Selective} {
				if truth[c.Item].Class == class {
					of[k]++
					if c.SynergyP <= 0.05 {
						synergy[k]++
					}
				}
			}
		}
		if table, err = simulate.Race(t.Context(), cfg, table); err != nil {
			t.Fatal(err)
		}
		if r, err = analysis.Analyse(t.Context(), table, analysis.Config{}); err != nil {
			t.Fatal(err)
		}
		racing.Add(r, truth)
	}
	saved := fixed.Predictions / racing.Predictions
	t.Logf("%d screens: recall %.4f, FDR %.4f; ordinary t-tests %.4f; race: recall %.4f, FDR %.4f, %.2f times fewer predictions; slowest analysis of %.0f rows %v",
		screens, fixed.Recall, fixed.FDR, ordinary, racing.Recall, racing.FDR, saved, fixed.Predictions, slowest)
	t.Logf("calibration %+v; race %+v; inert p ≤ 0.05: %.4f and %.4f; coverage %.4f", fixed.Calibration, racing.Calibration, fixed.InertPos, fixed.InertSplit, fixed.Coverage)
	t.Logf("synergy: size %.4f, power %.4f at 0.05, where 1/32 is the least p", synergy[0]/of[0], synergy[1]/of[1])
	if synergy[0]/of[0] > 0.06 || synergy[1]/of[1] < 0.7 {
		t.Error("the test of the synergy is not what it was")
	}
	if fixed.Recall < 0.9 || fixed.FDR > 0.1 || racing.FDR > 0.1 {
		t.Errorf("recall %.3f, FDR %.3f and %.3f", fixed.Recall, fixed.FDR, racing.FDR)
	}
	if ordinary > 0.8 {
		t.Errorf("ordinary t-tests find %.3f", ordinary)
	}
	if saved < 3 || fixed.Recall-racing.Recall > 0.01 {
		t.Errorf("the race saves %.2f times and loses %.4f of recall", saved, fixed.Recall-racing.Recall)
	}
	if math.Abs(fixed.Coverage-0.9) > 0.02 {
		t.Errorf("intervals of level 0.9 hold %.3f", fixed.Coverage)
	}
}

// ordinaryRecall is that of one-sample t-tests of the donors' effects.
func ordinaryRecall(r *analysis.Result, truth []simulate.Truth) float64 {
	one := func(x []float64, against float64) (t float64) {
		n, mean, sum := float64(len(x)), 0.0, 0.0
		for _, v := range x {
			mean += v / n
		}
		for _, v := range x {
			sum += (v - mean) * (v - mean)
		}
		return (mean - against) / math.Sqrt(sum/(n-1)/n)
	}
	p := make([]float64, len(r.Hits))
	for i, c := range r.Hits {
		var pos, neu, split []float64
		for _, d := range c.Donors {
			pos = append(pos, float64(d.Pos))
			neu = append(neu, float64(d.Neu))
			split = append(split, float64(d.Pos-d.Neu))
		}
		m := float64(r.Margin)
		least := min(one(pos, 0), one(split, 0), one(neu, -m), -one(neu, m))
		p[i] = distuv.StudentsT{Sigma: 1, Nu: float64(len(pos) - 1)}.CDF(-least)
	}
	found, all := 0.0, 0.0
	for i, q := range stats.Adjust(p) {
		if truth[r.Hits[i].Item].Class == simulate.Selective {
			all++
			if q <= 0.1 {
				found++
			}
		}
	}
	return found / all
}

// TestUniform: over screens, p_pos and p_split of one inert compound are uniform, and
// its p-value for the call is no smaller than uniform, by Kolmogorov and Smirnov at 1 %.
func TestUniform(t *testing.T) {
	screens := pick(150, 500)
	var pos, split, call []float64
	for seed := range screens {
		cfg := simulate.Typical(pick(150, 1000), pick(2, 10))
		cfg.Cells = pick(10, 50)
		cfg.Seed = 1000 + uint64(seed)
		table, truth, err := simulate.Table(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		r, err := analysis.Analyse(t.Context(), table, analysis.Config{})
		if err != nil {
			t.Fatal(err)
		}
		item := slices.IndexFunc(truth, func(c simulate.Truth) bool { return c.Class == simulate.Inert })
		for _, c := range r.Hits {
			if c.Item == item {
				pos = append(pos, float64(c.PPos))
				split = append(split, float64(c.PSplit))
				call = append(call, float64(c.P))
			}
		}
	}
	n := float64(screens)
	for _, c := range []struct {
		name    string
		p       []float64
		oneSide bool
	}{{"p_pos", pos, false}, {"p_split", split, false}, {"p", call, true}} {
		slices.Sort(c.p)
		above, below := 0.0, 0.0 // of the empirical distribution over and under the uniform
		for i, v := range c.p {
			above = max(above, float64(i+1)/n-v)
			below = max(below, v-float64(i)/n)
		}
		t.Logf("%s: %d screens, D+ %.4f, D− %.4f, 1 %% is %.4f", c.name, len(c.p), above, below, 1.628/math.Sqrt(n))
		if len(c.p) != screens || above > 1.628/math.Sqrt(n) || !c.oneSide && below > 1.628/math.Sqrt(n) {
			t.Errorf("%s is not uniform: D+ %.4f, D− %.4f", c.name, above, below)
		}
	}
}

// TestEquivalence: two one-sided tests at effects of exactly the margin, and of minus
// the margin (by mirroring all scores), reject in one of 20.
func TestEquivalence(t *testing.T) {
	var n, plus, minus float64
	for seed := range 2 * pick(10, 20) {
		cfg := simulate.Typical(pick(400, 1000), 0)
		cfg.Both, cfg.NeutralOnly, cfg.Suppressors = cfg.Compounds, 0, 0
		cfg.Cells = pick(10, 50)
		cfg.Seed = uint64(seed)
		table, _, err := simulate.Table(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		side := &plus
		if seed%2 == 1 {
			side = &minus
			for i := range table.U {
				table.U[i] = 0.8 - table.U[i]
			}
		}
		r, err := analysis.Analyse(t.Context(), table, analysis.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Hits {
			if c.PEquiv <= 0.05 {
				*side++
			}
		}
		n += float64(cfg.Compounds) / 2
	}
	t.Logf("%.0f compounds: size %.4f at the margin, %.4f at minus the margin", n, plus/n, minus/n)
	for _, size := range []float64{plus / n, minus / n} {
		if math.Abs(size-0.05) > 0.01 {
			t.Errorf("size %.4f", size)
		}
	}
}

// TestVehicleDraws: with one vehicle draw a cell all inert compounds look alike, so
// that between screens the share with p ≤ 0.05 swings; with 32 it does not.
func TestVehicleDraws(t *testing.T) {
	swing := func(draws int) (least, most float64) {
		least = 1
		for seed := range pick(12, 20) {
			cfg := simulate.Typical(pick(200, 1000), 0)
			cfg.Both, cfg.NeutralOnly, cfg.Suppressors = 0, 0, 0
			cfg.Cells, cfg.Draws, cfg.Seed = pick(10, 50), draws, uint64(seed)
			o, err := simulate.Evaluate(t.Context(), cfg, analysis.Config{}, simulate.Fixed, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			least, most = min(least, o.InertPos), max(most, o.InertPos)
		}
		return least, most
	}
	least, most := swing(1)
	t.Logf("one draw: share of p_pos ≤ 0.05 from %.3f to %.3f", least, most)
	if most < 0.12 {
		t.Errorf("one draw makes no difference: %.3f", most)
	}
	least, most = swing(32)
	t.Logf("32 draws: from %.3f to %.3f", least, most)
	if most > 0.11 {
		t.Errorf("32 draws leave a share of %.3f", most)
	}
}

// TestSame: the rows do not hang on the number of cores, nor those of a race.
func TestSame(t *testing.T) {
	cfg := simulate.Typical(30, 3)
	cfg.Decoys, cfg.Cells = 2, 12
	var want [2][]byte
	for _, cores := range []int{1, 2, 5} {
		old := runtime.GOMAXPROCS(cores)
		table, truth, err := simulate.Table(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		race, err := simulate.Race(t.Context(), cfg, table)
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if len(truth) != len(table.Header.Items) || race.Len() >= table.Len() {
			t.Errorf("%d truths of %d items; %d rows of %d in the race", len(truth), len(table.Header.Items), race.Len(), table.Len())
		}
		for i, tb := range []*record.Table{table, race} {
			if err := tb.Check(); err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := record.Write(&b, tb); err != nil {
				t.Fatal(err)
			}
			if want[i] == nil {
				want[i] = b.Bytes()
			}
			if !bytes.Equal(b.Bytes(), want[i]) {
				t.Errorf("%d cores give other rows", cores)
			}
		}
	}
}

// TestSeparate: donors of one context each are two samples.
func TestSeparate(t *testing.T) {
	cfg := simulate.Typical(400, 20)
	cfg.Separate, cfg.Cells, cfg.Correlation = true, 20, 0.5
	o, err := simulate.Evaluate(t.Context(), cfg, analysis.Config{}, simulate.Fixed, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o.Recall < 0.6 || o.FDR > 0.15 || math.Abs(o.Coverage-0.9) > 0.04 {
		t.Errorf("recall %.3f, FDR %.3f, coverage %.3f", o.Recall, o.FDR, o.Coverage)
	}
}

func TestCheck(t *testing.T) {
	for _, change := range []func(*simulate.Config){
		func(c *simulate.Config) { c.Compounds = 0 },
		func(c *simulate.Config) { c.Both = 99 },
		func(c *simulate.Config) { c.Donors = 0 },
		func(c *simulate.Config) { c.Cells = math.MaxInt32 },
		func(c *simulate.Config) { c.Margin = 0 },
		func(c *simulate.Config) { c.D0 = 2 },
		func(c *simulate.Config) { c.CellShare = math.NaN() },
		func(c *simulate.Config) { c.Correlation = 2 },
	} {
		cfg := simulate.Typical(50, 2)
		change(&cfg)
		if _, _, err := simulate.Table(t.Context(), cfg); err == nil {
			t.Errorf("no error for %+v", cfg)
		}
	}
	if cfg := simulate.Typical(4000, 40); cfg.Both != 600 || cfg.NeutralOnly != 160 || cfg.Suppressors != 200 {
		t.Errorf("%+v", cfg)
	}
}

func ExampleEvaluate() {
	cfg := simulate.Typical(400, 20)
	cfg.Donors = 3
	for _, design := range []simulate.Design{simulate.Fixed, simulate.Racing} {
		o, err := simulate.Evaluate(context.Background(), cfg, analysis.Config{}, design, 1, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: found %.0f %% of the compounds, %.0f %% of the calls are wrong\n", design, 100*o.Recall, 100*o.FDR)
	}
	// Output:
	// fixed: found 95 % of the compounds, 0 % of the calls are wrong
	// racing: found 95 % of the compounds, 0 % of the calls are wrong
}
