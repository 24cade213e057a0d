package score

import "math"

// distance is between two profiles, over the genes that keep.
type distance func(x, y []float64, skip map[int]bool) float64

func l1(x, y []float64, skip map[int]bool) float64 {
	sum := 0.0
	for j := range x {
		if !skip[j] {
			sum += math.Abs(x[j] - y[j])
		}
	}
	return sum
}

func l2(x, y []float64, skip map[int]bool) float64 {
	sum := 0.0
	for j := range x {
		if !skip[j] {
			sum += (x[j] - y[j]) * (x[j] - y[j])
		}
	}
	return math.Sqrt(sum)
}

// cosine is 1 − the cosine; a profile of zeros has distance 1.
func cosine(x, y []float64, skip map[int]bool) float64 {
	var xx, yy, xy float64
	for j := range x {
		if !skip[j] {
			xx += x[j] * x[j]
			yy += y[j] * y[j]
			xy += x[j] * y[j]
		}
	}
	if xx == 0 || yy == 0 {
		return 1
	}
	return 1 - xy/(math.Sqrt(xx)*math.Sqrt(yy))
}

// place is how many real effects are nearer to a predicted one than its own, k:
// first those that are strictly nearer, then those at the same distance that stand
// before it, and after it. A distance that is not a number gives ok = false.
func place(d distance, pred []float64, real [][]float64, k int, skip map[int]bool) (nearer, before, after int, ok bool) {
	own := d(pred, real[k], skip)
	for q := range real {
		switch other := d(pred, real[q], skip); {
		case math.IsNaN(other) || math.IsNaN(own):
			return 0, 0, 0, false
		case q == k:
		case other < own:
			nearer++
		case other == own && q < k:
			before++
		case other == own:
			after++
		}
	}
	return nearer, before, after, true
}

// discriminateByPosition is cell-eval's discrimination score: 1 − rank/P, ties
// going to the name that comes first. For one perturbation, which cell-eval gives 1,
// it does not exist.
func discriminateByPosition(d distance, pred, real [][]float64, k int, skip map[int]bool) float64 {
	nearer, before, _, ok := place(d, pred[k], real, k, skip)
	if !ok || len(real) < 2 {
		return math.NaN()
	}
	return 1 - float64(nearer+before)/float64(len(real))
}

// discriminate is cell-eval2's: ties share their rank, and the worst place is 0.
// It does not exist for one perturbation.
func discriminate(d distance, pred, real [][]float64, k int, skip map[int]bool) float64 {
	nearer, before, after, ok := place(d, pred[k], real, k, skip)
	if !ok || len(real) < 2 {
		return math.NaN()
	}
	return 1 - (float64(nearer)+float64(before+after)/2)/float64(len(real)-1)
}

// set is columns as a set.
func set(columns []int) map[int]bool {
	if len(columns) == 0 {
		return nil
	}
	s := make(map[int]bool, len(columns))
	for _, j := range columns {
		s[j] = true
	}
	return s
}
