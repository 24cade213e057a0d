package scfid

import (
	"fmt"
	"strings"
)

// Verdict is what the distance between all cells means, in a few sentences: whether
// the sets differ at all, how much of the number is bias, and when it is not to be
// read.
func (r *Result) Verdict() string {
	var b strings.Builder
	few := min(r.NReal, r.NGen)
	switch {
	case r.BiasFloor.Missing():
		fmt.Fprintf(&b, "The distance is %s, and nothing tells how much of it is bias.", brief(r.FD))
	case few < 2*r.Dim:
		fmt.Fprintf(&b, "The distance of %s says little: %d cells in %d dimensions are fewer than two a dimension, and equal distributions of these sizes reach %s. %s",
			brief(r.FD), few, r.Dim, brief(r.BiasFloor), r.verdictOfTest())
	case r.told():
		fmt.Fprintf(&b, "%s The distance is %s; equal distributions of these sizes reach %s, and ", r.verdictOfTest(), brief(r.FD), brief(r.BiasFloor))
		if r.CI != nil {
			fmt.Fprintf(&b, "without bias it lies in [%s, %s] (95 %%).", brief(Value(r.CI[0])), brief(Value(r.CI[1])))
		} else {
			fmt.Fprintf(&b, "extrapolated to infinitely many cells it is %s.", brief(r.FDInfinity))
		}
	case r.FD <= r.BiasFloor:
		fmt.Fprintf(&b, "%s The distance of %s is no more than what equal distributions of these sizes reach, %s.", r.verdictOfTest(), brief(r.FD), brief(r.BiasFloor))
	default:
		fmt.Fprintf(&b, "%s The distance of %s may be bias: equal distributions of these sizes reach %s.", r.verdictOfTest(), brief(r.FD), brief(r.BiasFloor))
	}
	if !r.DonorFloor.Missing() {
		which := "less"
		if r.FD <= r.DonorFloor {
			which = "no less"
		}
		fmt.Fprintf(&b, " Halves of the donors differ by %s, %s than that.", brief(r.DonorFloor), which)
	}
	if !r.MeanOverGroups.Missing() {
		fmt.Fprintf(&b, " The mean over %d groups (scFID) is %s.", counted(r.Groups), brief(r.MeanOverGroups))
	}
	return b.String()
}

// told reports whether the permutation test tells the sets apart.
func (s *Scores) told() bool { return s.PermutationP <= 0.05 }

func (r *Result) verdictOfTest() string {
	if r.told() {
		return fmt.Sprintf("The generated cells differ from the real ones (permutation test, p = %s).", brief(r.PermutationP))
	}
	return fmt.Sprintf("The permutation test cannot tell the generated cells from the real ones (p = %s, %d cells a side).", brief(r.PermutationP), r.MMD.N)
}

// Verdict is which set is nearest, and from which others it cannot be told apart.
func (c *Comparison) Verdict() string {
	first := c.Ranking[0].Name
	var alike []string
	open := 0
	for _, p := range c.Pairs {
		if p.Apart {
			continue
		}
		open++
		switch first {
		case p.Nearer:
			alike = append(alike, p.Farther)
		case p.Farther:
			alike = append(alike, p.Nearer)
		}
	}
	text := fmt.Sprintf("%s is nearest to the real cells (FD %s at %d cells)", first, brief(c.Ranking[0].FD), c.N)
	if len(alike) > 0 {
		text += ", but cannot be told apart from " + strings.Join(alike, ", ")
	}
	return fmt.Sprintf("%s; %d of %d pairs can be told apart.", text, len(c.Pairs)-open, len(c.Pairs))
}

// brief prints a number for people.
func brief(v Value) string {
	if v.Missing() {
		return "not known"
	}
	return fmt.Sprintf("%.4g", float64(v))
}
