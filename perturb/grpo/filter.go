package grpo

import "fmt"

// Filter says which prompts are left out since their answers teach nothing.
type Filter string

// The filters.
const (
	FilterNone Filter = "none"
	// FilterEqual drops prompts whose rewards are all the same, whatever they are.
	FilterEqual Filter = "equal"
	// FilterBounds keeps prompts with 0 < mean reward < 1, for rewards of 0 and 1:
	// ScaleRL's zero-variance filter, and the 0 < correct < G of DAPO, which samples
	// others in their place.
	FilterBounds Filter = "bounds"
)

// Keep says for each reward whether its prompt stays. A prompt of which no reward
// was given goes.
func (f Filter) Keep(rewards []float64, groups []int) ([]bool, error) {
	stats, err := Groups(rewards, groups, 0)
	if err != nil {
		return nil, err
	}
	keep := make([]bool, len(rewards))
	for i := range rewards {
		g := stats[groups[i]]
		switch f {
		case FilterNone:
			keep[i] = true
		case FilterEqual:
			keep[i] = g.N > 0 && g.Std > 0
		case FilterBounds:
			if rewards[i] < 0 || rewards[i] > 1 {
				return nil, badInput("reward %d is %g: the filter bounds needs rewards from 0 to 1; use the filter equal", i, rewards[i])
			}
			keep[i] = g.Mean > 0 && g.Mean < 1 // false for NaN
		default:
			return nil, fmt.Errorf("filter %q is none of none, equal, bounds", f)
		}
	}
	return keep, nil
}
