package compare

import (
	"fmt"
	"strconv"
	"strings"
)

// Verdict is the comparison in a sentence or two.
func (r *Result) Verdict() string {
	best := &r.Ranking[0]
	what, score := r.By, best.Overall
	for _, v := range best.Scores {
		if v.Metric == r.By {
			score = v.Score
		}
	}
	if score.Missing() {
		return fmt.Sprintf("No run has a score: %s is not defined.", what)
	}
	if what == Overall {
		what = "an overall score"
	}
	text := fmt.Sprintf("%s leads with %s of %s", best.Name, what, brief(score))
	if !best.Low.Missing() {
		text += fmt.Sprintf(" [%s, %s]", brief(best.Low), brief(best.High))
	}
	if len(r.Ranking) == 1 {
		return text + "."
	}
	var same []string
	tested := false
	for _, p := range r.Pairs {
		if p.Metric != r.By || p.First != best.Name {
			continue
		}
		tested = tested || !p.Holm.Missing()
		if !p.Apart {
			same = append(same, p.Second)
		}
	}
	switch {
	case !tested:
		return text + "; no test tells it apart from the others."
	case len(same) == 0:
		return text + ", and is told apart from all others."
	}
	return text + ", and cannot be told apart from " + strings.Join(same, ", ") + "."
}

func brief(n Number) string { return strconv.FormatFloat(float64(n), 'g', 3, 64) }
