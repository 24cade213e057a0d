package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// panel asks how well the screen tells known inducers of the program from compounds
// that are known not to move it, by the moderated t-statistic in the positive context.
func panel(r *Result) {
	type known struct {
		t       float64
		inducer bool
	}
	var list []known
	p := &r.Panel
	for _, c := range r.Hits {
		if c.Known == "" || c.TPos.Missing() {
			continue
		}
		if c.Known == "inducer" {
			p.Inducers++
		} else {
			p.Inert++
		}
		list = append(list, known{float64(c.TPos), c.Known == "inducer"})
	}
	p.AUROC, p.Precision = noEstimate(), noEstimate()
	p.Calibrated = p.Inducers >= LeastPanel && p.Inert >= LeastPanel
	if !p.Calibrated {
		p.Banner = fmt.Sprintf("uncalibrated: %d known inducers and %d known inert compounds were screened, and calibration takes %d of each",
			p.Inducers, p.Inert, LeastPanel)
	}
	if p.Inducers == 0 || p.Inert == 0 {
		return
	}
	slices.SortStableFunc(list, func(a, b known) int { return cmp.Compare(b.t, a.t) })
	// Pairs that are in order, ties counting a half.
	pairs := 0.0
	for _, a := range list {
		for _, b := range list {
			if a.inducer && !b.inducer {
				switch {
				case a.t > b.t:
					pairs++
				case a.t == b.t:
					pairs += 0.5
				}
			}
		}
	}
	z := distuv.UnitNormal.Quantile((1 + r.Config.Level) / 2)
	p.AUROC = areaInterval(pairs/float64(p.Inducers*p.Inert), p.Inducers, p.Inert, z)
	p.PrecisionAt = min(20, len(list))
	found := 0
	for _, k := range list[:p.PrecisionAt] {
		found += count(k.inducer)
	}
	p.Precision = wilson(found, p.PrecisionAt, z)
}

// areaInterval is R. G. Newcombe's method 5 (Stat. Med. 25, 2006, part 2): the areas
// whose own standard error, after Hanley and McNeil with a balanced sample of the same
// size, does not rule the estimate out. Unlike others it has a width at 0 and 1.
func areaInterval(area float64, m, n int, z float64) Estimate {
	half := float64(m+n)/2 - 1
	excess := func(theta float64) float64 { // above 0: theta is ruled out
		v := theta * (1 - theta) / float64(m*n) * (1 + half*((1-theta)/(2-theta)+theta/(1+theta)))
		return math.Abs(area-theta) - z*math.Sqrt(v)
	}
	edge := func(inside, outside float64) float64 {
		if excess(outside) <= 0 {
			return outside
		}
		for range 60 {
			middle := (inside + outside) / 2
			if excess(middle) > 0 {
				outside = middle
			} else {
				inside = middle
			}
		}
		return inside
	}
	return Estimate{Number(area), Number(edge(area, 0)), Number(edge(area, 1))}
}

// wilson is the interval of a share (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927).
func wilson(k, n int, z float64) Estimate {
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	w := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Estimate{Number(p), Number(max(0, centre-w)), Number(min(1, centre+w))}
}
