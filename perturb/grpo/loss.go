package grpo

import (
	"fmt"
	"math"
)

// Objective is how ratio and advantage make the loss of a token.
type Objective string

// The objectives.
const (
	ObjectiveClip  Objective = "clip"  // GRPO and DAPO: the ratio of each token, clipped
	ObjectiveGSPO  Objective = "gspo"  // the ratio of the answer, clipped
	ObjectiveCISPO Objective = "cispo" // the capped ratio weighs log π
)

// Aggregation is how the losses of tokens become one number.
type Aggregation string

// The aggregations, with the names that trainers have for them.
const (
	// TokenMean is over all tokens of the batch: DAPO; verl's token-mean, TRL's dapo
	// and bnpo.
	TokenMean Aggregation = "token"
	// SequenceMean is the mean over answers of the mean over tokens: GRPO, GSPO;
	// verl's seq-mean-token-mean.
	SequenceMean Aggregation = "sequence"
	// SequenceSum is the mean over answers of the sum over tokens: verl's
	// seq-mean-token-sum.
	SequenceSum Aggregation = "sequence-sum"
	// SequenceConstant divides the sum of all tokens by answers × MaxTokens: TRL's
	// dr_grpo.
	SequenceConstant Aggregation = "constant"
	// SumConstant divides it by MaxTokens alone: verl's seq-mean-token-sum-norm.
	SumConstant Aggregation = "sum-constant"
	// PromptMean is the mean over prompts of the mean over all tokens of the prompt's
	// answers: ScaleRL.
	PromptMean Aggregation = "prompt"
)

// Sequence is one answer.
type Sequence struct {
	Prompt    int     // answers of the same number share a prompt
	Advantage float64 // as of [Rule.Advantages]
	// LogProb, Old and Ref are the natural logarithms of the probabilities of each
	// token under the policy, the policy that sampled, and the reference model. Ref
	// may be nil where Loss.Beta is 0.
	LogProb, Old, Ref []float64
}

// Loss is a policy loss.
type Loss struct {
	Objective   Objective
	Aggregation Aggregation
	// Low and High are the clip range 1−Low … 1+High. GRPO .2, .2; DAPO .2, .28; GSPO
	// 3e-4, 4e-4. For CISPO, High is the cap of the ratio and Low is not used.
	Low, High float64
	// Dual is the c of [DualClipLoss]; 0 is none. Only for ObjectiveClip.
	Dual float64
	// Beta weighs the KL term; 0 is none.
	Beta float64
	// MaxTokens is the divisor of the two constant aggregations.
	MaxTokens int
}

// Metrics is what trainers log beside the loss.
type Metrics struct {
	Loss float64 `json:"loss"`
	// ClipLow and ClipHigh are the shares of tokens whose clipped term was taken below
	// and above (for CISPO, ClipHigh is that of capped ratios).
	ClipLow  float64 `json:"clip_low"`
	ClipHigh float64 `json:"clip_high"`
	KL       float64 `json:"kl"`    // mean K3 over tokens, 0 without a reference
	Ratio    float64 `json:"ratio"` // mean over tokens
	Tokens   int     `json:"tokens"`
}

func (l Loss) check() error {
	switch l.Objective {
	case ObjectiveClip, ObjectiveGSPO:
		if !(l.Low >= 0 && l.Low <= 1 && l.High >= 0) {
			return fmt.Errorf("the clip range −%g, +%g is none", l.Low, l.High)
		}
	case ObjectiveCISPO:
		if !(l.High > 0) {
			return fmt.Errorf("the cap %g of the ratio is not positive", l.High)
		}
	default:
		return fmt.Errorf("objective %q is none of clip, gspo, cispo", l.Objective)
	}
	switch l.Aggregation {
	case TokenMean, SequenceMean, SequenceSum, PromptMean:
	case SequenceConstant, SumConstant:
		if l.MaxTokens < 1 {
			return fmt.Errorf("the aggregation %s needs the most tokens of an answer", l.Aggregation)
		}
	default:
		return fmt.Errorf("aggregation %q is none of token, sequence, sequence-sum, constant, sum-constant, prompt", l.Aggregation)
	}
	if l.Dual != 0 && (l.Objective != ObjectiveClip || !(l.Dual > 1)) {
		return fmt.Errorf("the dual clip %g must be above 1, and with the objective clip", l.Dual)
	}
	if !(l.Beta >= 0) {
		return fmt.Errorf("the weight %g of the KL term is negative", l.Beta)
	}
	return nil
}

// Of is the loss of a batch. Answers without tokens count as answers of loss 0.
func (l Loss) Of(batch []Sequence) (Metrics, error) {
	var m Metrics
	if err := l.check(); err != nil {
		return m, err
	}
	if len(batch) == 0 {
		return m, badInput("there are no answers")
	}
	sums := make([]float64, len(batch))
	for i := range batch {
		if err := l.sequence(i, &batch[i], &sums[i], &m); err != nil {
			return m, err
		}
	}
	if m.Tokens > 0 {
		n := float64(m.Tokens)
		m.ClipLow, m.ClipHigh, m.KL, m.Ratio = m.ClipLow/n, m.ClipHigh/n, m.KL/n, m.Ratio/n
	}
	m.Loss = l.aggregate(batch, sums, m.Tokens)
	return m, nil
}

// sequence sums the losses of an answer's tokens and what is logged of them.
func (l Loss) sequence(i int, s *Sequence, sum *float64, m *Metrics) error {
	n := len(s.LogProb)
	if len(s.Old) != n || (len(s.Ref) != n && (s.Ref != nil || l.Beta > 0)) {
		return badInput("answer %d has %d log-probabilities, %d of the sampling policy and %d of the reference", i, n, len(s.Old), len(s.Ref))
	}
	whole := 0.0
	if l.Objective == ObjectiveGSPO {
		whole = SequenceRatio(s.LogProb, s.Old)
	}
	for t := range n {
		ratio := whole
		if l.Objective != ObjectiveGSPO {
			ratio = math.Exp(s.LogProb[t] - s.Old[t])
		}
		loss := 0.0
		switch {
		case l.Objective == ObjectiveCISPO:
			loss = CISPOLoss(ratio, s.Advantage, s.LogProb[t], l.High)
			if ratio > l.High {
				m.ClipHigh++
			}
		case l.Dual > 0:
			loss = DualClipLoss(ratio, s.Advantage, l.Low, l.High, l.Dual)
		default:
			loss = ClipLoss(ratio, s.Advantage, l.Low, l.High)
		}
		if l.Objective != ObjectiveCISPO {
			switch {
			case ratio < 1-l.Low && s.Advantage < 0:
				m.ClipLow++
			case ratio > 1+l.High && s.Advantage > 0:
				m.ClipHigh++
			}
		}
		if s.Ref != nil {
			kl := K3(s.LogProb[t], s.Ref[t])
			m.KL += kl
			loss += l.Beta * kl
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return badInput("answer %d, token %d: the loss is %g (log-probabilities %g and %g, advantage %g)", i, t, loss, s.LogProb[t], s.Old[t], s.Advantage)
		}
		*sum += loss
		m.Ratio += ratio
	}
	m.Tokens += n
	return nil
}

func (l Loss) aggregate(batch []Sequence, sums []float64, tokens int) float64 {
	total, means := 0.0, 0.0
	type prompt struct {
		sum    float64
		tokens int
	}
	var order []int // of first appearance: a sum over a map would depend on its order
	prompts := map[int]*prompt{}
	for i, s := range sums {
		n := len(batch[i].LogProb)
		total += s
		means += s / float64(max(1, n))
		p := prompts[batch[i].Prompt]
		if p == nil {
			p = &prompt{}
			prompts[batch[i].Prompt] = p
			order = append(order, batch[i].Prompt)
		}
		p.sum += s
		p.tokens += n
	}
	answers := float64(len(batch))
	switch l.Aggregation {
	case TokenMean:
		return total / float64(max(1, tokens))
	case SequenceMean:
		return means / answers
	case SequenceSum:
		return total / answers
	case SequenceConstant:
		return total / (answers * float64(l.MaxTokens))
	case SumConstant:
		return total / float64(l.MaxTokens)
	}
	sum := 0.0
	for _, id := range order {
		sum += prompts[id].sum / float64(max(1, prompts[id].tokens))
	}
	return sum / float64(len(order))
}
