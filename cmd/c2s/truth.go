package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
)

// truth measures labels against those of a column. Cells without a label on either
// side are counted apart; a missing answer is a wrong one.
type truth struct {
	Cells    int     `json:"cells"` // with a true label
	Accuracy float64 `json:"accuracy"`
	// Interval is Wilson's, at 95 %.
	Interval [2]float64 `json:"accuracy_ci"`
	MacroF1  float64    `json:"macro_f1"` // over the true labels
	// Calibration is the expected calibration error: the mean distance of confidence
	// and accuracy over ten bins of confidence; null without confidences.
	Calibration *float64 `json:"calibration_error"`
	Labels      []string `json:"labels"` // rows and columns of Confusion
	// Confusion counts cells by true label (row) and given label (column); the last
	// column is those without one.
	Confusion [][]int `json:"confusion"`
}

// tally counts labels against the true ones as they come.
type tally struct {
	want  *h5ad.Column
	pairs map[[2]string]int // the true label and the given one, "" for none
	bins  [10]struct{ n, right, confidence float64 }
}

func newTally(want *h5ad.Column) *tally { return &tally{want: want, pairs: map[[2]string]int{}} }

// add counts the label of a row, "" for none.
func (t *tally) add(row int, label string, confidence float64) {
	want, ok := t.want.Text(row)
	if !ok || want == "" {
		return
	}
	t.pairs[[2]string{want, label}]++
	if label == "" || math.IsNaN(confidence) {
		return
	}
	b := &t.bins[min(9, int(confidence*10))]
	b.n, b.confidence = b.n+1, b.confidence+confidence
	if label == want {
		b.right++
	}
}

// truth is what came of it.
func (t *tally) truth() *truth {
	out := &truth{}
	at := map[string]int{}
	for pair := range t.pairs {
		for _, l := range pair {
			if l != "" {
				at[l] = 0
			}
		}
	}
	out.Labels = slices.Sorted(maps.Keys(at))
	for i, l := range out.Labels {
		at[l] = i
	}
	n := len(out.Labels)
	out.Confusion = make([][]int, n)
	for i := range out.Confusion {
		out.Confusion[i] = make([]int, n+1)
	}
	right := 0
	for pair, k := range t.pairs {
		got := n
		if pair[1] != "" {
			got = at[pair[1]]
		}
		out.Confusion[at[pair[0]]][got] += k
		out.Cells += k
		if pair[0] == pair[1] {
			right += k
		}
	}
	if out.Cells > 0 {
		out.Accuracy = float64(right) / float64(out.Cells)
		out.Interval = wilson(right, out.Cells)
	}
	out.MacroF1 = macroF1(out.Confusion)
	scored, e := 0.0, 0.0
	for _, b := range t.bins {
		scored, e = scored+b.n, e+math.Abs(b.confidence-b.right)
	}
	if scored > 0 {
		e /= scored
		out.Calibration = &e
	}
	return out
}

// wilson is the 95 % interval of a proportion (Wilson, JASA 22, 1927).
func wilson(k, n int) [2]float64 {
	const z = 1.959963984540054
	p, m := float64(k)/float64(n), float64(n)
	middle := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return [2]float64{middle - half, middle + half}
}

// macroF1 is the mean F1 over the labels that are true of some cell.
func macroF1(confusion [][]int) float64 {
	sum, labels := 0.0, 0
	for i, row := range confusion {
		actual, given := 0, 0
		for _, k := range row {
			actual += k
		}
		for j := range confusion {
			given += confusion[j][i]
		}
		if actual == 0 {
			continue
		}
		labels++
		sum += 2 * float64(row[i]) / float64(actual+given)
	}
	if labels == 0 {
		return 0
	}
	return sum / float64(labels)
}

// text prints the measurement for people.
func (t *truth) text(notice string) string {
	var b strings.Builder
	if notice != "" {
		fmt.Fprintf(&b, "%s\n", notice)
	}
	fmt.Fprintf(&b, "accuracy %.3f [%.3f, %.3f], macro-F1 %.3f, %d cells\n", t.Accuracy, t.Interval[0], t.Interval[1], t.MacroF1, t.Cells)
	if t.Calibration != nil {
		fmt.Fprintf(&b, "calibration error %.3f\n", *t.Calibration)
	}
	wide := 0
	for _, l := range t.Labels {
		wide = max(wide, len([]rune(l)))
	}
	fmt.Fprintf(&b, "confusion (rows: true, columns in the same order, then none)\n")
	for i, l := range t.Labels {
		fmt.Fprintf(&b, "  %-*s", wide, printable(l))
		for _, k := range t.Confusion[i] {
			fmt.Fprintf(&b, " %5d", k)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
