package score

import (
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/draws"
)

// Flag is a sign that a prediction earns its scores by something other than
// predicting. It accuses nobody: a poor model can show it too.
type Flag struct {
	Name    string `json:"name"`    // short and fixed, as "control-paste"
	Message string `json:"message"` // what was seen, with numbers
}

// Bounds beyond which a prediction is flagged. A replicate of the real cells keeps
// well within each.
const (
	inflatedEffect = 2.0  // median size of a predicted effect, in real ones
	otherScale     = 1.25 // mean expression, in that of the real cells, or its inverse
	spikedShare    = 0.25 // perturbations whose own gene leads in the prediction only
	floodedRatio   = 3.0  // predicted significant genes for each real one
	floodedShare   = 0.05 // significant among all tests, below which flooding is small
	pastedShare    = 0.1  // predicted cells that are control cells, or the real ones
	repeatedShare  = 0.5  // predicted cells that another of the same perturbation repeats
	sizeRatio      = 1.2  // cells of a perturbation, predicted to real, or its inverse
)

// flags looks for the known ways to raise scores.
func flags(p *pair) []Flag {
	var out []Flag
	add := func(name, format string, args ...any) {
		out = append(out, Flag{name, fmt.Sprintf(format, args...)})
	}
	real, pred := effects(p.real.means, p.real.means[0]), effects(p.pred.means, p.pred.means[0])
	n := p.perts()
	var ratios []float64
	var realSize, predSize float64
	same := 0
	for k := range n {
		if size := norm(real[k]); size > 0 {
			ratios = append(ratios, norm(pred[k])/size)
		}
		realSize += sum(p.real.means[k+1])
		predSize += sum(p.pred.means[k+1])
		if k > 0 && slices.Equal(pred[k], pred[0]) {
			same++
		}
	}
	slices.Sort(ratios)
	if len(ratios) > 0 && quantile(ratios, 0.5) > inflatedEffect {
		add("inflated-effects", "the median predicted effect is %.2f times as large as the real one", quantile(ratios, 0.5))
	}
	if f := predSize / realSize; !(f < otherScale && f > 1/otherScale) {
		add("other-scale", "perturbed cells hold %.3g times the expression of the real ones: other units, or logarithms taken twice", f)
	}
	if n > 1 && same == n-1 {
		add("constant", "all perturbations have the same predicted profile")
	}
	if spiked, known := spikes(p, real, pred); known > 0 && float64(spiked) > spikedShare*float64(known) {
		add("target-spike", "in %d of %d perturbations the perturbed gene itself is the largest predicted change, and not the largest real one", spiked, known)
	}
	if p.real.de != nil {
		a, tests := significant(p.real.de)
		b, _ := significant(p.pred.de)
		if float64(b) > floodedRatio*float64(a) && float64(b) > floodedShare*float64(tests) {
			add("flooded-significance", "%d genes are significant in the prediction and %d in reality, of %d tests", b, a, tests)
		}
	}
	out = append(out, cellFlags(p.real.cells, p.pred.cells)...)
	return out
}

// cellFlags looks at single cells: copies, and how many there are.
func cellFlags(real, pred *Cells) []Flag {
	var out []Flag
	control := map[uint64]bool{}
	for _, c := range []*Cells{real, pred} {
		for r := range c.size(0) {
			control[c.print(r)] = true
		}
	}
	pasted, leaked, repeated, cells, resized := 0, 0, 0, 0, 0
	for g := 1; g < len(pred.groups); g++ {
		seen, truth := map[uint64]bool{}, map[uint64]bool{}
		for r := real.start[g]; r < real.start[g+1]; r++ {
			truth[real.print(r)] = true
		}
		for r := pred.start[g]; r < pred.start[g+1]; r++ {
			id := pred.print(r)
			if control[id] {
				pasted++
			}
			if truth[id] {
				leaked++
			}
			if seen[id] {
				repeated++
			}
			seen[id] = true
			cells++
		}
		if f := float64(pred.size(g)) / float64(real.size(g)); f > sizeRatio || f < 1/sizeRatio {
			resized++
		}
	}
	if float64(pasted) > pastedShare*float64(cells) {
		out = append(out, Flag{"control-paste", fmt.Sprintf("%d of %d predicted cells are control cells, value for value", pasted, cells)})
	}
	if float64(leaked) > pastedShare*float64(cells) {
		out = append(out, Flag{"truth-paste", fmt.Sprintf("%d of %d predicted cells are the real cells of their perturbation, value for value", leaked, cells)})
	}
	if float64(repeated) > repeatedShare*float64(cells) {
		out = append(out, Flag{"repeated-cells", fmt.Sprintf("%d of %d predicted cells repeat another of the same perturbation", repeated, cells)})
	}
	if resized > 0 {
		out = append(out, Flag{"cell-numbers", fmt.Sprintf("%d of %d perturbations have another number of cells than in reality; how many genes become significant depends on it", resized, len(pred.groups)-1)})
	}
	return out
}

// print is a number that equal cells share, whatever the order of their values.
func (c *Cells) print(r int) uint64 {
	index, value := c.row(r)
	id := uint64(0)
	for i, j := range index {
		if value[i] != 0 {
			id += draws.Mix(draws.Mix(uint64(j)) ^ math.Float64bits(value[i]))
		}
	}
	return id
}

// spikes counts the perturbations whose own gene leads the prediction but not
// reality, among those whose gene is known.
func spikes(p *pair, real, pred [][]float64) (spiked, known int) {
	for k, own := range p.targets {
		if len(own) == 0 {
			continue
		}
		known++
		first, truth := largest(pred[k], 1)[0], largest(real[k], 1)[0]
		if slices.Contains(own, first) && !slices.Contains(own, truth) && math.Abs(pred[k][first]) > 2*math.Abs(real[k][first]) {
			spiked++
		}
	}
	return spiked, known
}

// significant counts genes called over all perturbations, and tests.
func significant(tables []Table) (called, tests int) {
	for _, t := range tables {
		for _, q := range t.FDR {
			if !math.IsNaN(q) {
				tests++
			}
			if q < significance {
				called++
			}
		}
	}
	return called, tests
}

func norm(x []float64) float64 { return math.Sqrt(squares(x)) }
