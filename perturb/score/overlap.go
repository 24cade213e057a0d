package score

import (
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/stats"
)

// significance is the false discovery rate below which every preset calls a gene
// significant.
const significance = 0.05

// called is the significant genes of one table and how they are ordered.
type called struct {
	table *Table
	genes []int // falling |LFC|; ties in the order of the genes
	in    map[int]bool
}

// call32 is what cell-eval calls, which looks at its tables in float32.
func call32(t *Table) called {
	return callBy(t, func(v float64) float64 { return float64(float32(v)) })
}

// call is what cell-eval2 calls.
func call(t *Table) called {
	return callBy(t, func(v float64) float64 { return v })
}

func callBy(t *Table, seen func(v float64) float64) called {
	c := called{table: t, in: map[int]bool{}}
	for g, q := range t.FDR {
		if seen(q) < significance {
			c.genes = append(c.genes, g)
			c.in[g] = true
		}
	}
	size := func(g int) float64 { return seen(math.Abs(t.LFC[g])) }
	slices.SortStableFunc(c.genes, func(a, b int) int {
		switch x, y := size(a), size(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return c
}

// shared is the number of genes among the first k of both.
func shared(a, b called, k int) int {
	first := set(a.genes[:min(k, len(a.genes))])
	n := 0
	for _, g := range b.genes[:min(k, len(b.genes))] {
		if first[g] {
			n++
		}
	}
	return n
}

// topShare is |top k ∩ top k| / k with k at most limit and at most the number of
// genes that from calls; 0 if k is 0, as cell-eval has it.
func topShare(real, pred called, from called, limit int) float64 {
	k := len(from.genes)
	if limit > 0 {
		k = min(k, limit)
	}
	if k == 0 {
		return 0
	}
	return float64(shared(real, pred, k)) / float64(k)
}

// cellEvalDE is the metrics of cell-eval (v1) on differential expression.
func cellEvalDE(p *pair) []Metric {
	real, pred := make([]called, p.perts()), make([]called, p.perts())
	nReal, nPred := make([]float64, p.perts()), make([]float64, p.perts())
	for k := range real {
		real[k], pred[k] = call32(&p.real.de[k]), call32(&p.pred.de[k])
		nReal[k], nPred[k] = float64(len(real[k].genes)), float64(len(pred[k].genes))
	}
	var out []Metric
	for _, limit := range []int{0, 50, 100, 200, 500} {
		name := "N"
		if limit > 0 {
			name = fmt.Sprint(limit)
		}
		out = append(out,
			p.each("overlap_at_"+name, func(k int) float64 { return topShare(real[k], pred[k], real[k], limit) }),
			p.each("precision_at_"+name, func(k int) float64 { return topShare(real[k], pred[k], pred[k], limit) }))
	}
	return append(out,
		Metric{Name: "de_spearman_sig", Correlation: true, panel: func(perts []int) float64 {
			return spearmanCounts(take(nReal, perts), take(nPred, perts))
		}},
		p.each("de_direction_match", func(k int) float64 { return directionMatch(real[k], pred[k].table) }),
		correlation(p.each("de_spearman_lfc_sig", func(k int) float64 { return spearmanLFC(real[k], pred[k].table) })),
		p.each("de_sig_genes_recall", func(k int) float64 {
			if len(real[k].genes) == 0 {
				return math.NaN()
			}
			return float64(shared(real[k], pred[k], len(p.real.cells.genes))) / float64(len(real[k].genes))
		}),
		p.each("pr_auc", func(k int) float64 {
			labels, scores := evidence(real[k], pred[k].table)
			return averagePrecision(labels, scores)
		}),
		p.each("roc_auc", func(k int) float64 {
			labels, scores := evidence(real[k], pred[k].table)
			return rocArea(labels, scores)
		}))
}

// spearmanCounts is over the perturbations that have a significant real gene; 1 if
// none has.
func spearmanCounts(real, pred []float64) float64 {
	var x, y []float64
	for i, n := range real {
		if n > 0 {
			x, y = append(x, n), append(y, pred[i])
		}
	}
	if len(x) == 0 {
		return 1
	}
	return stats.Spearman(x, y)
}

// directionMatch is the share of significant real genes that change in the same
// direction in the prediction; genes that the prediction does not test drop out.
func directionMatch(real called, pred *Table) float64 {
	same, n := 0, 0
	for _, g := range real.genes {
		if math.IsNaN(pred.LFC[g]) {
			continue
		}
		n++
		if sign(real.table.LFC[g]) == sign(pred.LFC[g]) {
			same++
		}
	}
	return float64(same) / float64(n)
}

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

func spearmanLFC(real called, pred *Table) float64 {
	x, y := make([]float64, len(real.genes)), make([]float64, len(real.genes))
	for i, g := range real.genes {
		x[i] = float64(float32(real.table.LFC[g]))
		if v := float32(pred.LFC[g]); v == v {
			y[i] = float64(v)
		}
	}
	return stats.Spearman(x, y)
}

// evidence is, for each gene that the real side tests, whether it is significant
// there and how strongly the prediction says so: −log10 of its FDR within
// [1e-10, 1]. A gene that the prediction does not test has FDR 1.
func evidence(real called, pred *Table) (labels []bool, scores []float64) {
	for g, q := range real.table.FDR {
		if math.IsNaN(q) {
			continue
		}
		f := pred.FDR[g]
		if math.IsNaN(f) {
			f = 1
		}
		// float32, as cell-eval's tables are: near values tie there.
		clipped := max(float32(1e-10), min(float32(f), 1))
		labels = append(labels, real.in[g])
		scores = append(scores, float64(float32(-math.Log10(float64(clipped)))))
	}
	return labels, scores
}

// averagePrecision is Σ (R_n − R_{n−1}) P_n over the distinct scores, falling; NaN
// if there is only one class.
func averagePrecision(labels []bool, scores []float64) float64 {
	area, hits, recalled := 0.0, 0, 0.0
	positives := 0
	for _, l := range labels {
		if l {
			positives++
		}
	}
	if positives == 0 || positives == len(labels) {
		return math.NaN()
	}
	falling(scores, func(seen int, tied []int) {
		for _, i := range tied {
			if labels[i] {
				hits++
			}
		}
		recall := float64(hits) / float64(positives)
		area += (recall - recalled) * float64(hits) / float64(seen)
		recalled = recall
	})
	return area
}

// rocArea is the share of pairs of a positive and a negative in which the positive
// scores higher, ties counting a half; NaN if there is only one class.
func rocArea(labels []bool, scores []float64) float64 {
	rankSum, n := 0.0, 0
	for i, r := range stats.Ranks(scores) {
		if labels[i] {
			rankSum += r
			n++
		}
	}
	if n == 0 || n == len(labels) {
		return math.NaN()
	}
	return (rankSum - float64(n)*float64(n+1)/2) / (float64(n) * float64(len(labels)-n))
}

// falling calls do with the places of equal scores, the highest first, and with
// the number of scores at or above them.
func falling(scores []float64, do func(seen int, tied []int)) {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && scores[order[j]] == scores[order[i]] {
			j++
		}
		do(j, order[i:j])
		i = j
	}
}
