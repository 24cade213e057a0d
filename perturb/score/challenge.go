package score

import (
	"context"
	"math"
)

// Challenge is the score of the 2026 Virtual Cell Challenge, the mean of its members:
// 0 is a submission of the mean response, 1 a replicate of the measurement. It differs
// from [Anchored].Normalised in the baseline, which is not the better of two, and in
// how the mean response is made: the profile of all perturbations, each cell a control
// cell whose genes are scaled to it.
type Challenge struct {
	Score   float64           `json:"score"`
	Members []ChallengeMember `json:"members"`
}

// ChallengeMember is (Value − Baseline) / (Replicate − Baseline) of one metric, within
// its limits.
type ChallengeMember struct {
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Baseline  float64 `json:"baseline"`
	Replicate float64 `json:"replicate"`
	Score     float64 `json:"score"`
}

const (
	lowestError      = -6.0 // what the error of fold changes can cost at most
	undefinedMembers = 0.0  // the value of a bounded metric that a prediction left undefined
)

// challenge makes the score of the six members.
func challenge(ctx context.Context, recipe recipe, truth *side, metrics []Anchored, known anchors, cfg Config) (*Challenge, error) {
	if len(truth.cells.groups) < 3 {
		return nil, nil // the mean response does not exist
	}
	s, err := recipe.side(ctx, genericResponse(truth.cells, cfg.Seed), cfg.Workers)
	if err != nil {
		return nil, err
	}
	base, err := recipe.metrics(ctx, newPair(truth, s, cfg.Workers))
	if err != nil {
		return nil, err
	}
	every := make([]int, len(truth.cells.groups)-1)
	for k := range every {
		every[k] = k
	}
	out := &Challenge{}
	for i := range base { // donor metrics, if any, follow the members
		m := ChallengeMember{Name: metrics[i].Name, Value: metrics[i].Score, Baseline: base[i].Total(every), Replicate: replicate(known, i, every)}
		m.Score = memberScore(m)
		out.Score += m.Score / float64(len(base))
		out.Members = append(out.Members, m)
	}
	return out, nil
}

// replicate is the mean over the splits of what one half scores against the other.
func replicate(known anchors, at int, every []int) float64 {
	total := 0.0
	for _, half := range known.halves {
		total += half[at].Total(every)
	}
	return total / float64(len(known.halves))
}

// memberScore is the score of one member. Only the error of expression is kept within
// 0 and 1, and only that of fold changes has a lower limit; a member that a prediction
// leaves undefined has the worst value there is.
func memberScore(m ChallengeMember) float64 {
	value := m.Value
	lowest, highest := math.Inf(-1), math.Inf(1)
	switch m.Name {
	case "expr_mse_unbiased_capped_norm":
		lowest, highest = 0, 1
	case wilcoxon + "lfc_nmae": //nolint:misspell // the name that cell-eval2 gives it
		lowest = lowestError
	default:
		if math.IsNaN(value) {
			value = undefinedMembers
		}
	}
	if math.IsNaN(value) {
		return lowest
	}
	return max(lowest, min(highest, (value-m.Baseline)/(m.Replicate-m.Baseline)))
}

// genericResponse gives each perturbation as many control cells as it has cells, drawn
// with replacement, with each gene scaled by the ratio of the mean perturbation to the
// control. A perturbation's own genes do not count in the mean.
func genericResponse(c *Cells, seed uint64) *Cells {
	means := c.means()
	at := make(map[string]int, len(c.genes))
	for j, g := range c.genes {
		at[g] = j
	}
	total, count := make([]float64, len(c.genes)), make([]float64, len(c.genes))
	for g, m := range means[1:] {
		own := set(targets(c.groups[g+1], at))
		for j, v := range m {
			if !own[j] {
				total[j] += v
				count[j]++
			}
		}
	}
	rows := pasted(c, seed)
	return c.pick(rows).perturbed(func(_ int, index []int32, in, out []float64) {
		for i, v := range in {
			j := index[i]
			if means[0][j] > 0 && count[j] > 0 {
				out[i] = v * total[j] / count[j] / means[0][j]
			}
		}
	})
}
