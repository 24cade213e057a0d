package score

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/stats"
)

// cellEval2Metrics is the full profile of cell-eval2 (v2). What reality cannot score is
// NaN there, too: a perturbation with fewer than ten significant genes, say. What it can
// score and a prediction makes undefined has the worst value of the metric.
func cellEval2Metrics(_ context.Context, p *pair) ([]Metric, error) {
	return slices.Concat(cellEval2Profiles(p), cellEval2Sets(p), cellEval2Directions(p)), nil
}

// cellEval2Profiles is the metrics on the profiles of the summed counts.
func cellEval2Profiles(p *pair) []Metric {
	real, pred := effects(p.real.means, p.real.means[0]), effects(p.pred.means, p.pred.means[0])
	panel := p.panel()
	bulk := func(do func(x, y []float64) float64) func(k int) float64 {
		return func(k int) float64 { return do(p.pred.means[k+1], p.real.means[k+1]) }
	}
	delta := func(do func(x, y []float64) float64) func(k int) float64 {
		return func(k int) float64 { return do(pred[k], real[k]) }
	}
	rank := func(d distance) func(k int) float64 {
		return func(k int) float64 { return discriminate(d, pred, real, k, panel) }
	}
	of := func(x []float64) func(k int) float64 { return func(k int) float64 { return x[k] } }
	e := newExpression(p)
	return []Metric{
		lower(p.each("expr_mae", bulk(meanAbsolute))),
		p.each("pds_l1", rank(l1)),
		p.each("pds_l2", rank(l2)),
		p.each("pds_cosine", rank(cosine)),
		correlation(p.each("delta_pearson", func(k int) float64 {
			switch {
			case constant(real[k]):
				return math.NaN()
			case constant(pred[k]):
				return -1
			}
			return stats.Pearson(pred[k], real[k])
		})),
		lower(p.each("expr_mse", bulk(meanSquare))),
		diagnostic(p.each("expr_mse_unbiased", of(e.plain))),
		diagnostic(p.each("expr_mse_unbiased_capped", of(e.capped))),
		diagnostic(p.each("expr_distance_unbiased", of(e.effect))),
		diagnostic(p.each("expr_real_mass_ratio", func(k int) float64 {
			mass := 0.0
			for _, v := range p.real.means[k+1] {
				mass += math.Expm1(v)
			}
			return mass / perGroup
		})),
		e.metric(),
		lower(p.each("delta_mse", delta(meanSquare))),
		lower(p.each("delta_mae", delta(meanAbsolute))),
	}
}

func constant(x []float64) bool {
	return !slices.ContainsFunc(x, func(v float64) bool { return v != x[0] })
}

// calls is what two tables call significant, in cell-eval2's terms.
type calls struct {
	real, pred called
	genes      int // that were tested
}

// scorable reports that reality has enough significant genes; with rest, also a gene
// that is not.
func (c calls) scorable(rest bool) bool {
	n := len(c.real.genes)
	return n >= fewestGenes && (!rest || n < c.genes)
}

// fourfold is a 2 × 2 table of genes: hits among a of reality and b of the prediction, of
// genes in all.
type fourfold struct{ hits, a, b, genes float64 }

// recall is what chance alone does not explain of the share of a that was hit (Youden's
// J); −1 where a has no genes, or all.
func (f fourfold) recall() float64 {
	if f.a <= 0 || f.a >= f.genes {
		return -1
	}
	return f.hits/f.a - (f.b-f.hits)/(f.genes-f.a)
}

// precision is the same of b (markedness).
func (f fourfold) precision() float64 {
	return fourfold{f.hits, f.b, f.a, f.genes}.recall()
}

// matthews is the correlation of the two; −1 where a or b has no genes, or all.
func (f fourfold) matthews() float64 {
	if f.a <= 0 || f.a >= f.genes || f.b <= 0 || f.b >= f.genes {
		return -1
	}
	return (f.hits*f.genes - f.a*f.b) / math.Sqrt(f.a*f.b*(f.genes-f.a)*(f.genes-f.b))
}

// cellEval2Sets is the metrics on what is significant, and on fold changes.
func cellEval2Sets(p *pair) []Metric {
	n := p.perts()
	c := make([]calls, n)
	nReal, nPred := make([]float64, n), make([]float64, n)
	for k := range c {
		c[k] = calls{call(&p.real.de[k]), call(&p.pred.de[k]), 0}
		for _, q := range p.real.de[k].FDR {
			if !math.IsNaN(q) {
				c[k].genes++
			}
		}
		nReal[k], nPred[k] = float64(len(c[k].real.genes)), float64(len(c[k].pred.genes))
	}
	var out []Metric
	for _, of := range []struct {
		name string
		from func(c calls) called
	}{{"overlap", func(c calls) called { return c.real }}, {"precision", func(c calls) called { return c.pred }}} {
		for _, limit := range []int{0, 50, 100, 200, 500} {
			name := wilcoxon + of.name
			if limit > 0 {
				name += fmt.Sprintf("_top%d", limit)
			}
			out = append(out, p.each(name, func(k int) float64 { return topShare(c[k].real, c[k].pred, of.from(c[k]), limit) }))
		}
	}
	gated := func(name string, rest bool, do func(k int, c calls) float64) Metric {
		return p.each(wilcoxon+name, func(k int) float64 {
			if !c[k].scorable(rest) {
				return math.NaN()
			}
			return do(k, c[k])
		})
	}
	all := len(p.real.cells.genes)
	square := func(c calls, top int) fourfold {
		return fourfold{float64(shared(c.real, c.pred, top)), float64(len(c.real.genes)), float64(min(top, len(c.pred.genes))), float64(c.genes)}
	}
	least := leastRate(p.pred.de)
	return append(out,
		diagnostic(p.each(wilcoxon+"nsig_counts_real", func(k int) float64 { return nReal[k] })),
		diagnostic(p.each(wilcoxon+"nsig_counts_pred", func(k int) float64 { return nPred[k] })),
		Metric{Name: wilcoxon + "nsig_spearman", Correlation: true, panel: func(perts []int) float64 {
			return gatedCounts(take(nReal, perts), take(nPred, perts))
		}},
		gated("sig_recall", false, func(_ int, c calls) float64 {
			return float64(shared(c.real, c.pred, all)) / float64(len(c.real.genes))
		}),
		gated("direction_match", false, func(k int, c calls) float64 {
			return worstIfNaN(directionMatch(c.real, &p.pred.de[k]), 0)
		}),
		p.each(wilcoxon+"model_direction_match", func(k int) float64 {
			if c[k].genes < fewestGenes {
				return math.NaN()
			}
			return worstIfNaN(directionMatch(c[k].pred, &p.real.de[k]), 0)
		}),
		correlation(p.each(wilcoxon+"lfc_spearman", func(k int) float64 { return gatedLFC(c[k].real, &p.pred.de[k], 0) })),
		correlation(p.each(wilcoxon+"lfc_spearman_pos", func(k int) float64 { return gatedLFC(c[k].real, &p.pred.de[k], 1) })),
		correlation(p.each(wilcoxon+"lfc_spearman_neg", func(k int) float64 { return gatedLFC(c[k].real, &p.pred.de[k], -1) })),
		p.changeErrors(),
		gated("pr_auc", true, func(k int, c calls) float64 {
			return averagePrecision(evidence2(c.real, &p.pred.de[k], least))
		}),
		gated("roc_auc", true, func(k int, c calls) float64 {
			return rocArea(evidence2(c.real, &p.pred.de[k], least))
		}),
		gated("overlap_adjusted", true, func(_ int, c calls) float64 { return square(c, len(c.real.genes)).matthews() }),
		p.each(wilcoxon+"precision_adjusted", func(k int) float64 { return square(c[k], all).precision() }),
		gated("sig_recall_adjusted", true, func(_ int, c calls) float64 { return square(c, all).recall() }),
		gated("sig_mcc", true, func(_ int, c calls) float64 { return square(c, all).matthews() }),
	)
}

func worstIfNaN(v, worst float64) float64 {
	if math.IsNaN(v) {
		return worst
	}
	return v
}

// gatedCounts is the correlation of the numbers of significant genes over the
// perturbations that have real ones, at least ten of them; −1 for a prediction in which
// all have the same number.
func gatedCounts(real, pred []float64) float64 {
	var x, y []float64
	for i, n := range real {
		if n > 0 {
			x, y = append(x, n), append(y, pred[i])
		}
	}
	switch {
	case len(x) < fewestGenes || constant(x):
		return math.NaN()
	case constant(y):
		return -1
	}
	return stats.Spearman(x, y)
}

// gatedLFC is the correlation of the fold changes over the significant real genes, or
// over those of one sign; −1 for a prediction that gives all the same.
func gatedLFC(real called, pred *Table, only int) float64 {
	var x, y []float64
	for _, g := range real.genes {
		if lfc := real.table.LFC[g]; only == 0 || sign(lfc) == only {
			x, y = append(x, lfc), append(y, worstIfNaN(pred.LFC[g], 0))
		}
	}
	switch {
	case len(x) < fewestGenes || constant(x):
		return math.NaN()
	case constant(y):
		return -1
	}
	return stats.Spearman(x, y)
}

// leastRate is the smallest false discovery rate above 0 of all tables.
func leastRate(tables []Table) float64 {
	least := math.Inf(1)
	for _, t := range tables {
		for _, q := range t.FDR {
			if q > 0 {
				least = min(least, q)
			}
		}
	}
	if math.IsInf(least, 1) {
		return 1e-10
	}
	return least
}

// evidence2 is [evidence] with the strength of rates of 0 that of the least one above.
func evidence2(real called, pred *Table, least float64) (labels []bool, scores []float64) {
	for g, q := range real.table.FDR {
		if math.IsNaN(q) {
			continue
		}
		f := worstIfNaN(pred.FDR[g], 1)
		if f == 0 {
			f = least
		}
		labels = append(labels, real.in[g])
		scores = append(scores, -math.Log10(f))
	}
	return labels, scores
}

// cellEval2Directions is the metrics on the signs of what is called significant.
func cellEval2Directions(p *pair) []Metric {
	const pure = 1 - significance/2 // share of right signs that sensitivity asks for
	whole, own := p.directions(false), p.directions(true)
	each := func(name string, d []direction, do func(d direction) float64) Metric {
		return p.each(wilcoxon+"direction_"+name, func(k int) float64 { return do(d[k]) })
	}
	// Above what the majority sign alone would get, in units of what is left to get.
	corrected := func(d direction) float64 {
		q := d.majority()
		return (float64(d.right)/float64(d.pred) - q) / max(1-q, 0.05)
	}
	// Where reality has no significant gene, 1 for a prediction with none and 0 for others.
	empty := func(d direction) float64 {
		if d.pred == 0 {
			return 1
		}
		return 0
	}
	beyondMajority := func(d direction) float64 {
		q := d.majority()
		return q + (1-significance)*(1-q)
	}
	part := func(n int, d direction) float64 {
		if d.real == 0 {
			return math.NaN()
		}
		return float64(n) / float64(d.real)
	}
	return []Metric{
		each("precision", whole, func(d direction) float64 {
			if len(d.all) < fewestGenes {
				return math.NaN()
			}
			return worstIfNaN(float64(d.right)/float64(d.pred), 0)
		}),
		each("sensitivity", whole, func(d direction) float64 {
			if d.real < fewestGenes {
				return math.NaN()
			}
			return part(deepest(d.ranked, pure), d)
		}),
		each("sensitivity_universe", whole, func(d direction) float64 {
			if d.real < fewestGenes {
				return math.NaN()
			}
			return part(deepest(d.all, pure), d)
		}),
		each("fidelity", own, func(d direction) float64 {
			if d.real == 0 {
				return empty(d)
			}
			return corrected(d)
		}),
		each("fidelity_raw", own, func(d direction) float64 { return float64(d.right) / float64(d.pred) }),
		each("coverage", own, func(d direction) float64 { return part(d.pred, d) }),
		each("yield", own, func(d direction) float64 {
			q := d.majority()
			return (float64(d.right) - q*float64(d.pred)) / (float64(d.real) * max(1-q, 0.05))
		}),
		each("yield_raw", own, func(d direction) float64 { return part(d.right, d) }),
		each("fidelity_yield", own, func(d direction) float64 {
			switch {
			case d.real == 0:
				return empty(d)
			case d.pred == 0 && d.signed > 0:
				return 0
			}
			return min(1, part(d.pred, d)) * corrected(d)
		}),
		each("fidelity_yield_raw", own, direction.yield),
		each("reach", own, func(d direction) float64 {
			if d.signed == 0 {
				return math.NaN()
			}
			return part(deepest(d.ranked, beyondMajority(d)), d)
		}),
		each("reach_raw", own, func(d direction) float64 { return part(deepest(d.ranked, purity), d) }),
		each("reach_unbounded", own, func(d direction) float64 {
			if d.signed == 0 {
				return math.NaN()
			}
			return part(deepest(d.all, beyondMajority(d)), d)
		}),
		each("reach_unbounded_raw", own, func(d direction) float64 { return part(deepest(d.all, purity), d) }),
		p.each(wilcoxon+"sig_jaccard", func(k int) float64 { return own[k].jaccard() }),
	}
}
