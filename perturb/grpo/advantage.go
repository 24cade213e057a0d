package grpo

import (
	"fmt"
	"math"
	"strings"
)

// Scale says which rewards' standard deviation an advantage is divided by.
type Scale string

// The scales.
const (
	ScaleGroup Scale = "group" // that of the answers to the same prompt
	ScaleBatch Scale = "batch" // that of the whole batch
	ScaleNone  Scale = "none"  // none, as in Dr. GRPO
)

// Rule is how rewards become advantages: (r − mean of the group) / (s + Epsilon).
type Rule struct {
	// Scale chooses s; the zero value is not valid.
	Scale Scale
	// Epsilon is added to s.
	Epsilon float64
	// DDof is what the divisor of the variance is smaller by than the number of
	// rewards: 0 or 1.
	DDof int
	// Centred takes the batch's deviation of the rewards less their group's mean,
	// as ScaleRL does, and not of the rewards themselves, as TRL does.
	Centred bool
	// LoneRaw leaves the reward of a group of one as it is, as verl does (mean 0,
	// deviation 1); otherwise its advantage is 0.
	LoneRaw bool
}

// TrainerRule is the rule of a trainer: "trl" (ε 1e-4), "verl" (1e-6; a group of one
// keeps its reward), "openrlhf" (group_norm, 1e-9), all with ddof 1; or "scalerl": the
// batch's deviation of centred rewards, whose ε and ddof the paper leaves open (here 0
// and 1). An empty scale is the trainer's default.
func TrainerRule(trainer string, scale Scale) (Rule, error) {
	var r Rule
	switch trainer {
	case "trl":
		r = Rule{Scale: ScaleGroup, Epsilon: 1e-4, DDof: 1}
	case "verl":
		r = Rule{Scale: ScaleGroup, Epsilon: 1e-6, DDof: 1, LoneRaw: true}
	case "openrlhf":
		r = Rule{Scale: ScaleGroup, Epsilon: 1e-9, DDof: 1}
	case "scalerl":
		r = Rule{Scale: ScaleBatch, DDof: 1, Centred: true}
	default:
		return r, fmt.Errorf("trainer %q is none of %s", trainer, strings.Join(Trainers(), ", "))
	}
	switch scale {
	case "":
	case ScaleGroup, ScaleBatch, ScaleNone:
		r.Scale = scale
	default:
		return r, fmt.Errorf("scale %q is none of group, batch, none", scale)
	}
	return r, nil
}

// Trainers are the names that [TrainerRule] knows.
func Trainers() []string { return []string{"trl", "verl", "openrlhf", "scalerl"} }

// Advantages are those of rewards; groups[i] is the prompt of reward i. A reward of
// NaN is one that was not given (TRL's None): it takes no part in mean and deviation
// and its advantage is 0. Where s + Epsilon is 0 or s has no degree of freedom, the
// advantage is 0, too. An infinite reward is an error.
func (r Rule) Advantages(rewards []float64, groups []int) ([]float64, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	stats, err := Groups(rewards, groups, r.DDof)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(rewards))
	raw, centred := newMoments(), newMoments()
	for i, v := range rewards {
		g := stats[groups[i]]
		switch {
		case math.IsNaN(v):
			continue
		case g.N == 1 && r.LoneRaw:
			out[i] = v
		default:
			out[i] = v - g.Mean
		}
		raw.add(v)
		centred.add(v - g.Mean)
	}
	batch := raw.std(r.DDof)
	if r.Centred {
		batch = centred.std(r.DDof)
	}
	for i := range out {
		g := stats[groups[i]]
		s := 0.0
		switch r.Scale {
		case ScaleNone:
			continue
		case ScaleBatch:
			s = batch
		default:
			if s = g.Std; g.N == 1 && r.LoneRaw {
				s = 1
			}
		}
		// NaN: no degree of freedom.
		if s += r.Epsilon; s > 0 {
			out[i] /= s
		} else {
			out[i] = 0
		}
	}
	return out, nil
}

func (r Rule) check() error {
	switch {
	case r.Scale != ScaleGroup && r.Scale != ScaleBatch && r.Scale != ScaleNone:
		return fmt.Errorf("scale %q is none of group, batch, none", r.Scale)
	case r.DDof != 0 && r.DDof != 1:
		return fmt.Errorf("ddof %d is neither 0 nor 1", r.DDof)
	case !(r.Epsilon >= 0): // NaN, too
		return fmt.Errorf("epsilon %g is negative", r.Epsilon)
	}
	return nil
}

// Group is the rewards of one prompt.
type Group struct {
	N    int     // rewards that were given
	Mean float64 // NaN if there are none
	Std  float64 // NaN if there are too few
}

// Groups is the statistics of each group, by number.
func Groups(rewards []float64, groups []int, ddof int) (map[int]Group, error) {
	if len(groups) != len(rewards) {
		return nil, badInput("%d rewards have %d groups", len(rewards), len(groups))
	}
	by := map[int]*moments{}
	for i, v := range rewards {
		if math.IsInf(v, 0) {
			return nil, badInput("reward %d is %g: a reward must be finite, or missing", i, v)
		}
		m := by[groups[i]]
		if m == nil {
			m = newMoments()
			by[groups[i]] = m
		}
		if !math.IsNaN(v) {
			m.add(v)
		}
	}
	out := make(map[int]Group, len(by))
	for g, m := range by {
		out[g] = Group{N: len(m.values), Mean: m.mean(), Std: m.std(ddof)}
	}
	return out, nil
}

// moments keeps the values, so that the deviation is taken around the exact mean:
// equal rewards have deviation 0 and nothing near it.
type moments struct{ values []float64 }

func newMoments() *moments { return &moments{} }

func (m *moments) add(v float64) { m.values = append(m.values, v) }

func (m *moments) mean() float64 {
	if len(m.values) == 0 {
		return math.NaN()
	}
	// Around the first value, the mean of equal values is that value.
	sum, at := 0.0, m.values[0]
	for _, v := range m.values {
		sum += v - at
	}
	return at + sum/float64(len(m.values))
}

func (m *moments) std(ddof int) float64 {
	n := len(m.values) - ddof
	if n <= 0 {
		return math.NaN()
	}
	mean, sum := m.mean(), 0.0
	for _, v := range m.values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(n))
}
