package score

import (
	"cmp"
	"math"
	"slices"
)

const (
	purity      = 0.9 // share of equal signs down to which a prefix counts as reached
	fewestGenes = 10  // significant genes below which reality cannot be scored
)

// direction is how the differential expression of a prediction compares with the
// real one, as cell-eval2 counts it.
type direction struct {
	real   int // genes significant in reality
	pred   int // genes significant in the prediction whose real fold change has a sign
	right  int // of those, the genes of equal sign
	both   int // genes significant on both sides
	either int // genes significant on either side
	signed int // significant real genes whose fold change has a sign
	rising int // of those, the genes that rise
	// Whether the sign is right, in the order in which the prediction ranks the genes:
	// the significant real genes, and all genes whose real fold change has a sign.
	ranked, all []bool
}

// compareDirections leaves out the genes of skip.
func compareDirections(real, pred *Table, skip map[int]bool, genes []string) direction {
	var d direction
	var ranked, all []int
	for g := range real.FDR {
		if skip[g] {
			continue
		}
		inReal, inPred := real.FDR[g] < significance, pred.FDR[g] < significance
		up := sign(real.LFC[g])
		if inReal || inPred {
			d.either++
		}
		if inReal && inPred {
			d.both++
		}
		if inPred && up != 0 {
			d.pred++
			if agree(real, pred, g) {
				d.right++
			}
		}
		if inReal {
			d.real++
		}
		if up == 0 {
			continue
		}
		if inReal {
			d.signed++
			if up > 0 {
				d.rising++
			}
		}
		if !math.IsNaN(pred.P[g]) {
			all = append(all, g)
			if inReal {
				ranked = append(ranked, g)
			}
		}
	}
	matches := func(list []int) []bool {
		slices.SortFunc(list, func(a, b int) int { return before(pred, genes, a, b) })
		m := make([]bool, len(list))
		for i, g := range list {
			m[i] = agree(real, pred, g)
		}
		return m
	}
	d.ranked, d.all = matches(ranked), matches(all)
	return d
}

// agree reports equal signs; no fold change agrees with nothing.
func agree(real, pred *Table, g int) bool {
	return sign(real.LFC[g]) != 0 && sign(real.LFC[g]) == sign(pred.LFC[g])
}

// before orders genes as a prediction ranks them: what it calls significant, then
// by adjusted p, p, the size of the fold change and the name.
func before(t *Table, genes []string, a, b int) int {
	return cmp.Or(
		cmp.Compare(t.FDR[a], t.FDR[b]),
		cmp.Compare(t.P[a], t.P[b]),
		cmp.Compare(math.Abs(t.LFC[b]), math.Abs(t.LFC[a])),
		cmp.Compare(genes[a], genes[b]),
	)
}

// deepest is the longest prefix in which at least a share of the signs is right.
func deepest(matches []bool, share float64) int {
	right, deep := 0, 0
	for i, m := range matches {
		if m {
			right++
		}
		if float64(right)/float64(i+1) >= share {
			deep = i + 1
		}
	}
	return deep
}

// yield is the share of right signs among the larger of the two lists; undefined
// where both are empty.
func (d direction) yield() float64 { return float64(d.right) / float64(max(d.pred, d.real)) }

// reach is the share of the real list that the longest pure prefix covers.
func (d direction) reach() float64 {
	return float64(deepest(d.ranked, purity)) / float64(d.real)
}

// jaccard of two empty lists is 1.
func (d direction) jaccard() float64 {
	if d.either == 0 {
		return 1
	}
	return float64(d.both) / float64(d.either)
}

// majority is the share of the commoner sign among the significant real genes, which a
// guess of that sign for every gene would get right; NaN if none has a sign.
func (d direction) majority() float64 {
	return float64(max(d.rising, d.signed-d.rising)) / float64(d.signed)
}

// changeError is Σ|l̂fc − lfc| / Σ|lfc| over the significant real genes; a fold change
// that the prediction lacks is 0. NaN with fewer than fewestGenes of them. whole, if not
// nil, is what real and pred are halves of: the genes and Σ|lfc| are then its own.
func changeError(real, pred, whole *Table, skip map[int]bool) float64 {
	gate := real
	if whole != nil {
		gate = whole
	}
	finite := func(v float64) float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0
		}
		return v
	}
	var off, size float64
	n := 0
	for g, q := range gate.FDR {
		lfc := gate.LFC[g]
		if skip[g] || !(q < significance) || math.IsNaN(lfc) || math.IsInf(lfc, 0) {
			continue
		}
		off += math.Abs(finite(pred.LFC[g]) - finite(real.LFC[g]))
		size += math.Abs(lfc)
		n++
	}
	if n < fewestGenes || size == 0 {
		return math.NaN()
	}
	return off / size
}
