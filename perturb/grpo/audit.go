package grpo

import "math"

// Audit computes again what a trainer logged.
type Audit struct {
	Rule     Rule
	Filter   Filter    // "" is FilterNone
	Overlong *Overlong // added to the rewards, where set; needs the tokens of each answer
	Loss     *Loss     // computed where set; needs the log-probabilities of each answer
}

// Checked is a rollout with what it should have.
type Checked struct {
	Rollout
	Shaped float64 // the reward with the punishment for length
	Kept   bool    // by the filter
	Want   float64 // the advantage; 0 where it was not kept
}

// Step is a batch.
type Step struct {
	Name     string   `json:"step"` // as JSON; "" if the log has none
	Answers  int      `json:"answers"`
	Missing  int      `json:"missing"` // rewards that were not given
	Prompts  int      `json:"prompts"`
	Equal    int      `json:"equal"`     // prompts whose rewards are all the same
	Dropped  int      `json:"dropped"`   // prompts that the filter took out
	Reward   float64  `json:"reward"`    // mean of those given, 0 if none was
	Compared int      `json:"compared"`  // answers that were kept and have a logged advantage
	MaxDiff  float64  `json:"max_diff"`  // the largest difference of logged and computed
	DiffLine int      `json:"diff_line"` // where it is; 0 if nothing was compared
	Metrics  *Metrics `json:"metrics"`   // of the answers that were kept; null without a loss
}

// Check audits a log: its rollouts and its steps, both in the order of the log.
func (a Audit) Check(rollouts []Rollout) ([]Checked, []Step, error) {
	if a.Filter == "" {
		a.Filter = FilterNone
	}
	out := make([]Checked, len(rollouts))
	members, order := map[string][]int{}, []string{}
	for i, v := range rollouts {
		c := Checked{Rollout: v, Shaped: v.Reward}
		if a.Overlong != nil {
			if v.Tokens < 0 {
				return nil, nil, badInput("line %d: the tokens of the answer are not known", v.Line)
			}
			p, err := a.Overlong.Penalty(v.Tokens)
			if err != nil {
				return nil, nil, err
			}
			c.Shaped += p
		}
		out[i] = c
		if members[v.Step] == nil {
			order = append(order, v.Step)
		}
		members[v.Step] = append(members[v.Step], i)
	}
	var steps []Step
	for _, name := range order {
		s, err := a.step(name, out, members[name])
		if err != nil {
			return nil, nil, err
		}
		steps = append(steps, s)
	}
	return out, steps, nil
}

// step audits the rollouts of a batch.
func (a Audit) step(name string, all []Checked, members []int) (Step, error) {
	s := Step{Name: name, Answers: len(members)}
	number := map[string]int{}
	rewards, groups := make([]float64, len(members)), make([]int, len(members))
	for k, i := range members {
		g, ok := number[all[i].Group]
		if !ok {
			g = len(number)
			number[all[i].Group] = g
		}
		rewards[k], groups[k] = all[i].Shaped, g
	}
	stats, err := Groups(rewards, groups, 0)
	if err != nil {
		return s, err
	}
	keep, err := a.Filter.Keep(rewards, groups)
	if err != nil {
		return s, err
	}
	s.Prompts = len(stats)
	given := 0
	for _, g := range stats {
		given += g.N
		if g.N > 0 && g.Std == 0 {
			s.Equal++
		}
	}
	s.Missing = s.Answers - given
	dropped := map[int]bool{}
	var kept []int // places in members
	for k := range members {
		if !math.IsNaN(rewards[k]) {
			s.Reward += rewards[k] / float64(given)
		}
		if keep[k] {
			kept = append(kept, k)
		} else {
			dropped[groups[k]] = true
		}
	}
	s.Dropped = len(dropped)
	// What was dropped takes no part in the deviation of the batch.
	r, g := make([]float64, len(kept)), make([]int, len(kept))
	for j, k := range kept {
		r[j], g[j] = rewards[k], groups[k]
	}
	want, err := a.Rule.Advantages(r, g)
	if err != nil {
		return s, err
	}
	var batch []Sequence
	for j, k := range kept {
		c := &all[members[k]]
		c.Kept, c.Want = true, want[j]
		if !math.IsNaN(c.Advantage) {
			s.Compared++
			if d := math.Abs(c.Advantage - c.Want); d > s.MaxDiff || s.DiffLine == 0 {
				s.MaxDiff, s.DiffLine = d, c.Line
			}
		}
		if a.Loss != nil {
			if c.LogProb == nil {
				return s, badInput("line %d: there are no logprobs, which the loss needs", c.Line)
			}
			batch = append(batch, Sequence{Prompt: g[j], Advantage: c.Want, LogProb: c.LogProb, Old: c.Old, Ref: c.Ref})
		}
	}
	if len(batch) > 0 {
		m, err := a.Loss.Of(batch)
		if err != nil {
			return s, badInput("step %s: %w", name, err)
		}
		s.Metrics = &m
	}
	return s, nil
}
