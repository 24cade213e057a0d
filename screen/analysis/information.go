package analysis

import "math"

// atoms are what two sources tell of a target, in bits: what each tells that the other
// does too, what only one tells, and what only both together tell.
type atoms struct{ redundant, unique1, unique2, synergy float64 }

// decompose splits the information that two sources have about a target, given their
// joint distribution by first source, second source and target, after P. L. Williams
// and R. D. Beer ("Nonnegative decomposition of multivariate information",
// arXiv:1004.2515, 2010): the redundancy I_min is the mean over the target's values of
// the smaller of the specific informations.
func decompose(p [][][]float64) atoms {
	classes := len(p[0][0])
	target := make([]float64, classes)
	first := make([][]float64, len(p)) // joint with the target
	second := make([][]float64, len(p[0]))
	for i := range first {
		first[i] = make([]float64, classes)
	}
	for j := range second {
		second[j] = make([]float64, classes)
	}
	for i := range p {
		for j := range p[i] {
			for k, v := range p[i][j] {
				target[k] += v
				first[i][k] += v
				second[j][k] += v
			}
		}
	}
	joint := 0.0
	for i := range p {
		joint += mutual(p[i], target)
	}
	i1, i2 := mutual(first, target), mutual(second, target)
	redundant := 0.0
	for k, v := range target {
		if v > 0 {
			redundant += v * min(specific(first, k, v), specific(second, k, v))
		}
	}
	return atoms{redundant, i1 - redundant, i2 - redundant, joint - i1 - i2 + redundant}
}

// mutual is the information of the rows of a joint distribution about the target.
func mutual(rows [][]float64, target []float64) float64 {
	sum := 0.0
	for _, row := range rows {
		total := 0.0
		for _, v := range row {
			total += v
		}
		for k, v := range row {
			if v > 0 {
				sum += v * math.Log2(v/(total*target[k]))
			}
		}
	}
	return sum
}

// specific is the information of a source about the target being k, which has the
// probability pk.
func specific(rows [][]float64, k int, pk float64) float64 {
	sum := 0.0
	for _, row := range rows {
		if row[k] > 0 {
			total := 0.0
			for _, v := range row {
				total += v
			}
			sum += row[k] / pk * math.Log2(row[k]/(total*pk))
		}
	}
	return sum
}
