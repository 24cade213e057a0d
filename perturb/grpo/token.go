package grpo

import (
	"fmt"
	"math"
)

// ClipLoss is the loss of one token: −min(ρÂ, clip(ρ, 1−low, 1+high)Â), with a high
// above low in clip-higher (DAPO .2 and .28).
func ClipLoss(ratio, advantage, low, high float64) float64 {
	return -min(ratio*advantage, min(max(ratio, 1-low), 1+high)*advantage)
}

// DualClipLoss is [ClipLoss], but at most −c·Â where the advantage is negative, so that
// a token that became far likelier does not dominate (Ye et al. 2020, arXiv 1912.09729;
// verl's clip_ratio_c). c is above 1.
func DualClipLoss(ratio, advantage, low, high, c float64) float64 {
	loss := ClipLoss(ratio, advantage, low, high)
	if advantage < 0 {
		return min(loss, -c*advantage)
	}
	return loss
}

// CISPOLoss is −min(ρ, cap)·Â·log π: the clipped ratio is a weight without gradient.
// cap is a ratio itself, not 1 + ε; ScaleRL tried 4, 5 and 8.
func CISPOLoss(ratio, advantage, logProb, limit float64) float64 {
	return -min(ratio, limit) * advantage * logProb
}

// SequenceRatio is GSPO's (π/π_old)^(1/|y|) of an answer, with the log-probabilities of
// its tokens; 1 for an answer without tokens.
func SequenceRatio(logProb, old []float64) float64 {
	sum := 0.0
	for t := range logProb {
		sum += logProb[t] - old[t]
	}
	return math.Exp(sum / float64(max(1, len(logProb))))
}

// K3 estimates the KL divergence of the policy from the reference at one token, in
// nats: exp(ref − lp) − (ref − lp) − 1. It is never negative.
func K3(logProb, ref float64) float64 {
	d := ref - logProb
	return math.Expm1(d) - d
}

// Overlong is DAPO's soft punishment of long answers, to be added to the reward.
type Overlong struct {
	Max   int // tokens that an answer may have (DAPO 20,480)
	Cache int // the last of them, over which the punishment grows (DAPO 4,096)
	// NoFloor lets it go on falling beyond Max, as the code of verl does; the paper
	// has −1 there.
	NoFloor bool
}

// Penalty is 0 up to Max − Cache tokens, then falls linearly to −1 at Max.
func (o Overlong) Penalty(tokens int) (float64, error) {
	if o.Cache <= 0 || o.Max < o.Cache {
		return 0, fmt.Errorf("overlong: the last %d of %d tokens are no interval", o.Cache, o.Max)
	}
	if tokens < 0 {
		return 0, badInput("an answer has %d tokens", tokens)
	}
	p := min(0, float64(o.Max-o.Cache-tokens)/float64(o.Cache))
	if !o.NoFloor {
		p = max(p, -1)
	}
	return p, nil
}
