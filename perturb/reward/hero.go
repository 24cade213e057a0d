package reward

import "math"

// Hero joins a binary verifier with a dense score (Tao et al. 2025, arXiv 2510.07242,
// equations 3 to 5): scores are normalised within the right and within the wrong answers
// of a prompt, so that a right answer always beats a wrong one, and prompts whose scores
// differ more weigh more.
//
// The weight is constant within a prompt: a trainer that divides advantages by the
// deviation of the prompt's rewards cancels it. Scale by the batch, or not at all.
type Hero struct {
	Alpha     float64 // wrong answers lie in −Alpha … Alpha
	Beta      float64 // right answers lie in 1−Beta … 1+Beta
	MinWeight float64
	MaxWeight float64
	Steepness float64 // k, of the weight over the deviation
	Momentum  float64 // of the running mean deviation: the share of the old value

	mean float64 // running mean deviation; the reproduction's rule, the paper has none
	seen bool
}

// NewHero has the paper's constants: α = β = .05 where all answers can be verified, .1
// where not; weights .4 to 3, k 6; and the momentum .9 of the reproduction in verl.
func NewHero(verifiable bool) *Hero {
	h := &Hero{Alpha: .1, Beta: .1, MinWeight: .4, MaxWeight: 3, Steepness: 6, Momentum: .9}
	if verifiable {
		h.Alpha, h.Beta = .05, .05
	}
	return h
}

// Answer is what HERO is told of an answer.
type Answer struct {
	Right bool    // the verifier's word
	Score float64 // the dense score; NaN counts as the lowest of its stratum
}

// heroEpsilon keeps the normalisation within a stratum finite.
const heroEpsilon = 1e-6

// Rewards are those of a batch of prompts, each with its answers. The running mean
// deviation is that of the batches before; for the first batch, its own. It is not safe
// for concurrent use.
func (h *Hero) Rewards(prompts [][]Answer) [][]float64 {
	if len(prompts) == 0 {
		return nil
	}
	spread := make([]float64, len(prompts))
	mean := 0.0
	for i, answers := range prompts {
		spread[i] = deviation(answers)
		mean += spread[i] / float64(len(prompts))
	}
	if !h.seen {
		h.mean, h.seen = mean, true
	}
	out := make([][]float64, len(prompts))
	for i, answers := range prompts {
		w := h.MinWeight + (h.MaxWeight-h.MinWeight)/(1+math.Exp(-h.Steepness*(spread[i]-h.mean)))
		out[i] = make([]float64, len(answers))
		for _, right := range []bool{false, true} {
			low, high := math.Inf(1), math.Inf(-1)
			for _, a := range answers {
				if a.Right == right && !math.IsNaN(a.Score) {
					low, high = min(low, a.Score), max(high, a.Score)
				}
			}
			base, width := -h.Alpha, 2*h.Alpha
			if right {
				base, width = 1-h.Beta, 2*h.Beta
			}
			for j, a := range answers {
				if a.Right != right {
					continue
				}
				z := 0.0
				if !math.IsNaN(a.Score) {
					z = (a.Score - low) / (high - low + heroEpsilon)
				}
				out[i][j] = w * (base + width*z)
			}
		}
	}
	h.mean = h.Momentum*h.mean + (1-h.Momentum)*mean
	return out
}

// deviation is the population standard deviation of the scores that are numbers.
func deviation(answers []Answer) float64 {
	n, mean := 0.0, 0.0
	for _, a := range answers {
		if !math.IsNaN(a.Score) {
			n++
			mean += (a.Score - mean) / n
		}
	}
	sum := 0.0
	for _, a := range answers {
		if !math.IsNaN(a.Score) {
			sum += (a.Score - mean) * (a.Score - mean)
		}
	}
	return math.Sqrt(sum / max(1, n))
}
