package compare

import (
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/stats"
)

// Trend is how a score changes with the dose of junk that models were trained on.
// Scores are counted so that more is better.
type Trend struct {
	Metric string `json:"metric"`
	// Slope is the change from no junk to junk alone: the mean over perturbations of a
	// straight line's, with its 95 % interval by Student's t.
	Slope Number `json:"slope"`
	Low   Number `json:"low"`
	High  Number `json:"high"`
	// P is of Wilcoxon's signed ranks of the perturbations' slopes, two-sided.
	P     Number      `json:"p"`
	N     int         `json:"n"` // perturbations with a value at each dose
	Doses []DoseScore `json:"doses"`
}

// DoseScore is the runs of one dose.
type DoseScore struct {
	Dose  int      `json:"dose"` // percent of the tokens
	Runs  []string `json:"runs"`
	Score Number   `json:"score"`
	Low   Number   `json:"low"` // 95 % over perturbations
	High  Number   `json:"high"`
	// G is Hedges' g of the perturbations' scores against those at dose 0; missing there,
	// and where no run has dose 0.
	G Number `json:"hedges_g"`
}

// trend fits one metric over the doses of the runs; nil if fewer than two differ.
func (c *column) trend(runs []Run) *Trend {
	if c.values == nil {
		return nil
	}
	of := map[int][]int{}
	var doses []int
	for i := range runs {
		if d := runs[i].Dose; d != nil {
			if len(of[*d]) == 0 {
				doses = append(doses, *d)
			}
			of[*d] = append(of[*d], i)
		}
	}
	if len(doses) < 2 {
		return nil
	}
	slices.Sort(doses)
	// The perturbations' means over the runs of each dose, where all are defined.
	scores := make([][]float64, len(doses))
	var slopes []float64
	for k := range c.values[0] {
		at := make([]float64, len(doses))
		for d, dose := range doses {
			for _, i := range of[dose] {
				at[d] += c.toward * c.values[i][k] / float64(len(of[dose]))
			}
		}
		if slices.ContainsFunc(at, math.IsNaN) {
			continue
		}
		for d, v := range at {
			scores[d] = append(scores[d], v)
		}
		slopes = append(slopes, slope(doses, at))
	}
	out := &Trend{Metric: c.name, N: len(slopes), Slope: Number(mean(slopes)), P: missing()}
	low, high := interval(slopes)
	out.Low, out.High = Number(low), Number(high)
	if len(slopes) > 1 {
		_, p := stats.SignedRank(slopes)
		out.P = Number(p)
	}
	for d, dose := range doses {
		s := DoseScore{Dose: dose, Score: Number(mean(scores[d])), G: missing()}
		low, high := interval(scores[d])
		s.Low, s.High = Number(low), Number(high)
		for _, i := range of[dose] {
			s.Runs = append(s.Runs, runs[i].Name)
		}
		if dose != 0 && doses[0] == 0 {
			s.G = Number(stats.HedgesG(scores[d], scores[0]))
		}
		out.Doses = append(out.Doses, s)
	}
	return out
}

// slope is that of the least-squares line through scores at doses in percent, for the
// whole way from 0 to 100.
func slope(doses []int, scores []float64) float64 {
	x := make([]float64, len(doses))
	for i, d := range doses {
		x[i] = float64(d) / 100
	}
	mx, my := stats.Mean(x), stats.Mean(scores)
	var xx, xy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		xy += (x[i] - mx) * (scores[i] - my)
	}
	return xy / xx
}
