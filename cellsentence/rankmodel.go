package cellsentence

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// RankKind is what a [RankModel] knows a gene's expression by.
type RankKind string

const (
	// RankLinear is the line of Cell2Sentence: expression falls linearly with
	// log10(1 + rank). It is the same for all cells, and below zero far down.
	RankLinear RankKind = "linear"
	// RankConditional is a falling function of the rank given the number of
	// expressed genes of the cell, always above zero.
	RankConditional RankKind = "conditional"
)

// RankModel gives back expression from a gene's rank in its cell (0 for the
// most expressed), which is what is left of it in a sentence. Fit one with
// [MeasureFidelity] or [FitParity], read one with [ReadRankModel].
//
// The conditional model is a table. Along the rank its coordinate is
//
//	u = log(1 + rank) / log(1 + n)
//
// for a cell of n expressed genes, so that the first genes and the last of small
// and large cells lie beside each other; along n it is log(n). Both are
// interpolated linearly, and n beyond the table counts as its end.
type RankModel struct {
	// Kind says how [RankModel.Predict] works.
	Kind RankKind `json:"kind"`
	// Units says what the values are, such as "log10(1 + counts per 2048)"; it is
	// not interpreted.
	Units string `json:"units,omitempty"`
	// Slope and Intercept are the line over log10(1 + rank). A conditional model
	// carries that of the same cells, see [RankModel.Linear].
	Slope     float64 `json:"slope"`
	Intercept float64 `json:"intercept"`
	// Nodes is the table of a conditional model, by rising number of genes.
	Nodes []RankNode `json:"nodes,omitempty"`
}

// RankNode is expression by rank in cells of one number of expressed genes.
type RankNode struct {
	// NGenes is that number; it need not be whole.
	NGenes float64 `json:"n_genes"`
	// Cells is how many cells of the fit are nearest to it, where a cell between
	// two nodes counts for both in parts.
	Cells float64 `json:"cells"`
	// Values is the expression at u = 0, 1/(len-1) … 1: above zero, never rising.
	Values []float32 `json:"values"`
}

// Linear is the model's line alone.
func (m *RankModel) Linear() *RankModel {
	return &RankModel{Kind: RankLinear, Units: m.Units, Slope: m.Slope, Intercept: m.Intercept}
}

// line is the linear model at a rank.
func (m *RankModel) line(rank int) float64 {
	return m.Intercept + m.Slope*math.Log10(float64(1+rank))
}

// Predict fills dst with the expression of the genes at ranks 0, 1 … of a cell
// with nGenes expressed genes. It falls strictly, so that no order is lost.
//
// The conditional model uses nGenes, or len(dst) if that is larger. 0 means that
// the number is not known but at least len(dst): the sentence was cut. Then it
// takes the mean over the numbers that the cells of the fit had.
func (m *RankModel) Predict(dst []float32, nGenes int) {
	p := newPredictor(m)
	copy(dst, p.curve(len(dst), nGenes))
}

// predictor evaluates a model for one goroutine.
type predictor struct {
	m       *RankModel
	logs    []float64 // log(1 + rank)
	nodes   []float64 // log of the numbers of genes
	mixed   []float32
	out     []float32 // conditional: the last curve; linear: the line
	sum     []float64
	unknown []float32 // the last curve of an unknown number of genes
}

func newPredictor(m *RankModel) *predictor {
	p := &predictor{m: m}
	for _, n := range m.Nodes {
		p.nodes = append(p.nodes, math.Log(n.NGenes))
	}
	return p
}

// curve returns the expression at the ranks below words, valid until the next
// call.
func (p *predictor) curve(words, nGenes int) []float32 {
	if p.m.Kind == RankLinear {
		for r := len(p.out); r < words; r++ {
			p.out = append(p.out, float32(p.m.line(r)))
		}
		return p.out[:words]
	}
	for r := len(p.logs); r <= words; r++ {
		p.logs = append(p.logs, math.Log(float64(1+r)))
	}
	if nGenes <= 0 {
		return p.marginal(words)
	}
	p.out = slices.Grow(p.out[:0], words)[:words]
	n := max(nGenes, words)
	lo, share := p.between(math.Log(float64(n)))
	a, b := p.m.Nodes[lo].Values, p.m.Nodes[min(lo+1, len(p.nodes)-1)].Values
	p.mixed = p.mixed[:0]
	for i := range a {
		p.mixed = append(p.mixed, a[i]+share*(b[i]-a[i]))
	}
	alongTable(p.out, p.mixed, p.logs, n)
	fall(p.out)
	return p.out
}

// between finds the node at or below the log of a number of genes, and how far
// it lies on the way to the next.
func (p *predictor) between(t float64) (lo int, share float32) {
	last := len(p.nodes) - 1
	lo = sort.SearchFloat64s(p.nodes, t) - 1
	switch {
	case lo < 0:
		return 0, 0
	case lo >= last:
		return last, 0
	}
	return lo, float32((t - p.nodes[lo]) / (p.nodes[lo+1] - p.nodes[lo]))
}

// alongTable reads the values of a table at the ranks of a cell of n genes.
func alongTable(dst, values []float32, logs []float64, n int) {
	last := len(values) - 1
	scale := float64(last) / math.Log(float64(1+n))
	for r := range dst {
		u := logs[r] * scale
		i := min(int(u), last-1)
		dst[r] = values[i] + float32(u-float64(i))*(values[i+1]-values[i])
	}
}

// marginal averages over the numbers of genes that a cell with at least that
// many words may have. Sentences that were cut have one length, so that the last
// answer is kept.
func (p *predictor) marginal(words int) []float32 {
	if len(p.unknown) == words {
		return p.unknown
	}
	p.sum = append(p.sum[:0], make([]float64, words)...)
	p.out = slices.Grow(p.out[:0], words)[:words]
	total := 0.0
	for _, node := range p.m.Nodes {
		if n := int(math.Round(node.NGenes)); n >= words && node.Cells > 0 {
			alongTable(p.out, node.Values, p.logs, n)
			for r, v := range p.out {
				p.sum[r] += node.Cells * float64(v)
			}
			total += node.Cells
		}
	}
	if total == 0 {
		return p.curve(words, max(words, 1))
	}
	p.unknown = p.unknown[:0]
	for _, s := range p.sum {
		p.unknown = append(p.unknown, float32(s/total))
	}
	fall(p.unknown)
	return p.unknown
}

// fall lowers values that do not fall to the next smaller number. A plateau of
// ten thousand genes thus ends 0.1 % lower than it begins; in exchange the order
// of a sentence can be read from its expression.
func fall(v []float32) {
	for r := 1; r < len(v); r++ {
		if prev := math.Float32bits(v[r-1]); v[r] >= v[r-1] && prev > 1 {
			v[r] = math.Float32frombits(prev - 1)
		}
	}
}

// least is the smallest number of genes that a cell of the fit had, about.
func (m *RankModel) least() int {
	for _, n := range m.Nodes {
		if n.Cells > 0 {
			return int(n.NGenes)
		}
	}
	return 0
}

// What a table may have: more is damage, not precision.
const (
	maxNodes  = 4096
	maxValues = 1 << 16
)

// check reports what makes a model unusable.
func (m *RankModel) check() error {
	if !finite(m.Slope) || !finite(m.Intercept) {
		return fmt.Errorf("slope %g and intercept %g are not both finite", m.Slope, m.Intercept)
	}
	switch m.Kind {
	case RankLinear:
		if m.Slope >= 0 {
			return fmt.Errorf("the slope %g does not fall: more expressed genes come first in a sentence", m.Slope)
		}
		if len(m.Nodes) > 0 {
			return fmt.Errorf("a linear model with %s", plural(len(m.Nodes), "node"))
		}
		return nil
	case RankConditional:
	default:
		return fmt.Errorf("unknown kind %s: expected %s or %s", quote(string(m.Kind)), RankLinear, RankConditional)
	}
	if len(m.Nodes) == 0 || len(m.Nodes) > maxNodes {
		return fmt.Errorf("%s: expected 1 to %d", plural(len(m.Nodes), "node"), maxNodes)
	}
	size := len(m.Nodes[0].Values)
	if size < 2 || size > maxValues {
		return fmt.Errorf("%s a node: expected 2 to %d", plural(size, "value"), maxValues)
	}
	before := 0.0
	for i, n := range m.Nodes {
		switch {
		case !(n.NGenes > before) || !finite(n.NGenes):
			return fmt.Errorf("node %d: n_genes is %g, after %g: expected rising numbers above 0", i, n.NGenes, before)
		case !(n.Cells >= 0) || !finite(n.Cells):
			return fmt.Errorf("node %d: %g cells", i, n.Cells)
		case len(n.Values) != size:
			return fmt.Errorf("node %d has %s, the first %d", i, plural(len(n.Values), "value"), size)
		}
		for k, v := range n.Values {
			if !(v > 0) || !finite(float64(v)) || k > 0 && v > n.Values[k-1] {
				return fmt.Errorf("node %d: value %d is %g: expected finite values above 0 that never rise", i, k, v)
			}
		}
		before = n.NGenes
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
