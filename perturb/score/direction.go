package score

import (
	"cmp"
	"math"
	"slices"
)

const (
	purity      = 0.9 // share of equal signs down to which a prefix counts as reached
	fewestGenes = 10  // significant genes below which a relative error is not given
)

// direction is how the differential expression of a prediction compares with the
// real one, as the 2026 challenge counts it.
type direction struct {
	real    int     // genes significant in reality
	pred    int     // genes significant in the prediction whose real fold change has a sign
	right   int     // of those, the genes of equal sign
	both    int     // genes significant on both sides
	either  int     // genes significant on either side
	deepest int     // longest prefix of the prediction's ranking that is pure enough
	error   float64 // Σ|l̂fc − lfc| / Σ|lfc|
}

// compareDirections leaves out the genes of skip.
func compareDirections(real, pred *Table, skip map[int]bool, genes []string) direction {
	d := direction{error: math.NaN()}
	var ranked []int
	var off, size float64
	finite := 0
	for g := range real.FDR {
		if skip[g] {
			continue
		}
		inReal, inPred := real.FDR[g] < significance, pred.FDR[g] < significance
		signed := sign(real.LFC[g]) != 0
		if inReal || inPred {
			d.either++
		}
		if inReal && inPred {
			d.both++
		}
		if inPred && signed {
			d.pred++
			if agree(real, pred, g) {
				d.right++
			}
		}
		if !inReal {
			continue
		}
		d.real++
		if signed && !math.IsNaN(pred.P[g]) {
			ranked = append(ranked, g)
		}
		if lfc := real.LFC[g]; !math.IsInf(lfc, 0) {
			guess := pred.LFC[g]
			if math.IsNaN(guess) || math.IsInf(guess, 0) {
				guess = 0
			}
			off += math.Abs(guess - lfc)
			size += math.Abs(lfc)
			finite++
		}
	}
	if finite >= fewestGenes && size > 0 {
		d.error = off / size
	}
	slices.SortFunc(ranked, func(a, b int) int { return before(pred, genes, a, b) })
	matches := 0
	for i, g := range ranked {
		if agree(real, pred, g) {
			matches++
		}
		if float64(matches)/float64(i+1) >= purity {
			d.deepest = i + 1
		}
	}
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

// fidelity is the share of right signs among the larger of the two lists; undefined
// where both are empty.
func (d direction) fidelity() float64 { return float64(d.right) / float64(max(d.pred, d.real)) }

// reach is the share of the real list that the longest pure prefix covers.
func (d direction) reach() float64 { return float64(d.deepest) / float64(d.real) }

// jaccard of two empty lists is 1.
func (d direction) jaccard() float64 {
	if d.either == 0 {
		return 1
	}
	return float64(d.both) / float64(d.either)
}
