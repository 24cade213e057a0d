package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/llm/task"
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

func measure(list []task.Annotation, c *h5ad.Column) *truth {
	t := &truth{}
	at := map[string]int{}
	index := func(name string) int {
		i, ok := at[name]
		if !ok {
			i = len(t.Labels)
			at[name] = i
			t.Labels = append(t.Labels, name)
		}
		return i
	}
	for i, a := range list {
		if want, ok := c.Text(i); ok {
			index(want)
			if a.Label != "" {
				index(a.Label)
			}
		}
	}
	slices.Sort(t.Labels)
	for i, l := range t.Labels {
		at[l] = i
	}
	n := len(t.Labels)
	t.Confusion = make([][]int, n)
	for i := range t.Confusion {
		t.Confusion[i] = make([]int, n+1)
	}
	var bins [10]struct{ n, right, confidence float64 }
	right, scored := 0, 0
	for i, a := range list {
		want, ok := c.Text(i)
		if !ok {
			continue
		}
		t.Cells++
		got := n
		if a.Label != "" {
			got = at[a.Label]
		}
		t.Confusion[at[want]][got]++
		hit := a.Label == want
		if hit {
			right++
		}
		if !math.IsNaN(a.Confidence) && a.Label != "" {
			b := &bins[min(9, int(a.Confidence*10))]
			b.n, b.confidence = b.n+1, b.confidence+a.Confidence
			if hit {
				b.right++
			}
			scored++
		}
	}
	if t.Cells > 0 {
		t.Accuracy = float64(right) / float64(t.Cells)
		t.Interval = wilson(right, t.Cells)
	}
	t.MacroF1 = macroF1(t.Confusion)
	if scored > 0 {
		e := 0.0
		for _, b := range bins {
			e += math.Abs(b.confidence - b.right)
		}
		e /= float64(scored)
		t.Calibration = &e
	}
	return t
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
