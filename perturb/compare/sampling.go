package compare

import (
	"math"
	"slices"
)

// PassAtK is the chance that at least one of k answers is right, drawn without
// replacement from n of which c are: 1 − C(n−c, k)/C(n, k), the unbiased estimator. It
// is NaN for k > n.
func PassAtK(n, c, k int) float64 {
	if k < 1 || k > n || c < 0 || c > n {
		return math.NaN()
	}
	wrong := 1.0
	for i := range k {
		wrong *= float64(max(0, n-c-i)) / float64(n-i)
	}
	return 1 - wrong
}

// maxVotes bounds the answers to an item: the work grows with their fourth power, and
// binomials must stay within float64.
const maxVotes = 256

// MajorityAtK is the chance that the most frequent of k answers is right, the k drawn
// without replacement from all of an item: counts is how often each different answer was
// given, right which of them are right. Answers that tie for the most frequent have
// equal chances. All draws are counted, none simulated. It is NaN for k > Σ counts and
// for more than 256 answers.
func MajorityAtK(counts []int, right []bool, k int) float64 {
	n := 0
	for _, c := range counts {
		n += c
	}
	if k < 1 || k > n || n > maxVotes || len(counts) != len(right) {
		return math.NaN()
	}
	won := 0.0
	of := map[int]float64{} // the ways to win for an answer, which hang on its count alone
	for winner, ok := range right {
		if !ok {
			continue
		}
		ways, known := of[counts[winner]]
		if !known {
			for votes := 1; votes <= min(k, counts[winner]); votes++ {
				ways += binomial(counts[winner], votes) * shared(counts, winner, votes, k-votes)
			}
			of[counts[winner]] = ways
		}
		won += ways
	}
	return won / binomial(n, k)
}

// shared is the number of ways in which the other answers get rest votes with none above
// votes, each way divided by the number of answers that then have the most.
func shared(counts []int, winner, votes, rest int) float64 {
	// ways[t][s]: t of the others have as many votes as the winner, all have s together.
	ways := make([][]float64, rest/votes+1)
	for t := range ways {
		ways[t] = make([]float64, rest+1)
	}
	ways[0][0] = 1
	for i, c := range counts {
		if i == winner {
			continue
		}
		for t := range slices.Backward(ways) {
			for s := rest; s >= 0; s-- {
				sum := 0.0
				for v := 0; v <= min(c, s, votes); v++ {
					switch {
					case v < votes:
						sum += binomial(c, v) * ways[t][s-v]
					case t > 0:
						sum += binomial(c, v) * ways[t-1][s-v]
					}
				}
				ways[t][s] = sum
			}
		}
	}
	out := 0.0
	for t := range ways {
		out += ways[t][rest] / float64(t+1)
	}
	return out
}

// binomial is C(n, k) for n up to 256, within rounding.
func binomial(n, k int) float64 {
	k = min(k, n-k)
	out := 1.0
	for i := range k {
		out = out * float64(n-i) / float64(i+1)
	}
	return out
}
