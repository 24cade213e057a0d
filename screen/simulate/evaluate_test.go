package simulate_test

import (
	"testing"
	"time"

	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/simulate"
)

func TestScreen(t *testing.T) {
	for seed := range 3 {
		cfg := simulate.Typical(4000, 40)
		cfg.Seed = uint64(seed)
		t0 := time.Now()
		tb, truth, err := simulate.Table(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t1 := time.Now()
		r, err := analysis.Analyse(t.Context(), tb, analysis.Config{})
		if err != nil {
			t.Fatal(err)
		}
		o := simulate.Judge(r, truth)
		t.Logf("%v %v %+v\n%+v %v", t1.Sub(t0), time.Since(t1), o, r.Model, r.Warnings)
		tb, err = simulate.Race(t.Context(), cfg, tb)
		if err != nil {
			t.Fatal(err)
		}
		r2, err := analysis.Analyse(t.Context(), tb, analysis.Config{})
		if err != nil {
			t.Fatal(err)
		}
		o2 := simulate.Judge(r2, truth)
		t.Logf("%.3g %+v\n%+v %v", float64(o.Predictions)/float64(o2.Predictions), o2, r2.Model, r2.Warnings)
	}
}
