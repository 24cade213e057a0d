package score

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cellsentence/c2s/internal/stats"
)

const (
	bulkCells = 10  // cells below which a donor has no pseudobulk, as in muscat
	bulkFloor = 5.0 // counts per million of the control above which a gene is tested
)

// bulk is the cells of one donor in one group as one sample.
type bulk struct {
	donor string
	level []float64 // log2 counts per million
	share []float64 // counts per million
}

// bulks makes a sample of each donor with enough cells in group g: the sum of the
// counts x of its cells, as log2((x + 0.5) / (Σx + 1) · 10⁶) (C. Law and others, Genome
// Biology 15, R29, 2014). Logarithms are taken back to normalised counts first.
func (c *Cells) bulks(g int, logs bool) []bulk {
	sums := map[string][]float64{}
	cells := map[string]int{}
	for r := c.start[g]; r < c.start[g+1]; r++ {
		d := c.donor[r]
		if d == "" {
			continue
		}
		if sums[d] == nil {
			sums[d] = make([]float64, len(c.genes))
		}
		cells[d]++
		index, value := c.row(r)
		for i, j := range index {
			v := value[i]
			if logs {
				v = math.Expm1(v)
			}
			sums[d][j] += v
		}
	}
	var out []bulk
	for d, x := range sums {
		if cells[d] < bulkCells {
			continue
		}
		b := bulk{d, make([]float64, len(x)), make([]float64, len(x))}
		total := sum(x)
		for j, v := range x {
			b.level[j] = math.Log2((v + 0.5) / (total + 1) * perCell)
			b.share[j] = v / total * perCell
		}
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b bulk) int { return cmp.Compare(a.donor, b.donor) })
	return out
}

// donorDE is differential expression with the donor as the unit, which single cells of
// one donor are not (J. Squair and others, Nature Communications 12, 5692, 2021): a
// moderated t-test on the pseudobulks of the donors. Where two or more donors have both
// the perturbation and the control their differences are tested, else the two groups;
// with fewer than two donors on a side there is no test and the table is NaN. Genes at
// or below 5 counts per million in the mean of the control bulks are left out: a gate on
// the perturbed cells would tell the direction. logs says that values are log(1 + x).
func (c *Cells) donorDE(logs bool) []Table {
	control := c.bulks(0, logs)
	tables := make([]Table, len(c.groups)-1)
	tested := make([]bool, len(c.genes))
	for j := range tested {
		mean := 0.0
		for _, b := range control {
			mean += b.share[j] / float64(len(control))
		}
		tested[j] = mean > bulkFloor
	}
	for k := range tables {
		tables[k] = compareBulks(c.bulks(k+1, logs), control, tested)
	}
	return tables
}

func compareBulks(treated, control []bulk, tested []bool) Table {
	genes := len(tested)
	t := Table{}
	for _, column := range []*[]float64{&t.Mean, &t.Control, &t.LFC, &t.P, &t.FDR} {
		*column = slices.Repeat([]float64{math.NaN()}, genes)
	}
	var pairs [][2]bulk
	for _, b := range treated {
		if at := slices.IndexFunc(control, func(o bulk) bool { return o.donor == b.donor }); at >= 0 {
			pairs = append(pairs, [2]bulk{b, control[at]})
		}
	}
	var df, unscaled float64
	switch {
	case len(pairs) >= 2:
		df, unscaled = float64(len(pairs)-1), math.Sqrt(1/float64(len(pairs)))
	case len(treated) >= 2 && len(control) >= 2:
		n, m := float64(len(treated)), float64(len(control))
		pairs, df, unscaled = nil, n+m-2, math.Sqrt(1/n+1/m)
	default:
		return t
	}
	var at []int
	var change, variance []float64
	for j := range genes {
		if !tested[j] {
			continue
		}
		x, y := column(treated, j), column(control, j)
		t.Mean[j], t.Control[j] = stats.Mean(x), stats.Mean(y)
		effect, squares := t.Mean[j]-t.Control[j], deviations(x)+deviations(y)
		if pairs != nil {
			x = x[:0]
			for _, p := range pairs {
				x = append(x, p[0].level[j]-p[1].level[j])
			}
			effect, squares = stats.Mean(x), deviations(x)
		}
		at, change, variance = append(at, j), append(change, effect), append(variance, squares/df)
	}
	p := moderated(change, variance, df, unscaled)
	for i, j := range at {
		t.LFC[j], t.P[j] = change[i], p[i]
	}
	t.FDR = stats.Adjust(t.P)
	return t
}

func column(bulks []bulk, gene int) []float64 {
	x := make([]float64, len(bulks))
	for i, b := range bulks {
		x[i] = b.level[gene]
	}
	return x
}

// deviations is the sum of squares about the mean.
func deviations(x []float64) float64 {
	mean, total := stats.Mean(x), 0.0
	for _, v := range x {
		total += (v - mean) * (v - mean)
	}
	return total
}

// moderated is the two-sided p of each change, whose variance is drawn towards that of
// all genes by empirical Bayes (G. Smyth, Stat. Appl. Genet. Mol. Biol. 3(1), 2004,
// equations of section 6.2). As in limma a variance below 10⁻⁵ of the median counts as
// that, and the degrees of freedom are at most those of all genes together.
func moderated(change, variance []float64, df, unscaled float64) []float64 {
	if len(change) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(variance))
	floor := 1e-5 * quantile(sorted, 0.5)
	e := make([]float64, len(variance))
	for i, v := range variance {
		e[i] = math.Log(max(v, floor)) - mathext.Digamma(df/2) + math.Log(df/2)
	}
	mean := stats.Mean(e)
	spread := deviations(e)/float64(len(e)-1) - trigamma(df/2)
	prior, weight := math.Exp(mean), math.Inf(1)
	if spread > 0 {
		weight = 2 * trigammaInverse(spread)
		prior = math.Exp(mean + mathext.Digamma(weight/2) - math.Log(weight/2))
	}
	total := min(df+weight, df*float64(len(change)))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: total}
	p := make([]float64, len(change))
	for i, v := range variance {
		posterior := prior
		if !math.IsInf(weight, 1) {
			posterior = (weight*prior + df*v) / (weight + df)
		}
		p[i] = 2 * t.CDF(-math.Abs(change[i])/(unscaled*math.Sqrt(posterior)))
	}
	return p
}

// trigamma is the derivative of digamma: Σ 1/(x + k)², a Hurwitz zeta function.
func trigamma(x float64) float64 { return mathext.Zeta(2, x) }

// trigammaInverse solves trigamma(x) = y by Newton's method on 1/trigamma, which is
// convex and nearly linear (Smyth 2004, appendix).
func trigammaInverse(y float64) float64 {
	switch {
	case y > 1e7:
		return 1 / math.Sqrt(y)
	case y < 1e-6:
		return 1 / y
	}
	x := 0.5 + 1/y
	for range 50 {
		tri := trigamma(x)
		step := tri * (1 - tri/y) / (-2 * mathext.Zeta(3, x)) // the derivative of trigamma is −2 ζ(3, x)
		x += step
		if -step/x < 1e-8 {
			break
		}
	}
	return x
}

// donorMetrics compares the prediction with reality on donor pseudobulks. A
// perturbation in which reality has no significant gene has no value.
func donorMetrics(p *pair) []Metric {
	n := p.perts()
	names := []string{"donor_de_overlap", "donor_de_sig_jaccard", "donor_de_direction_match", "donor_de_direction_reach", "donor_de_lfc_spearman"}
	values := make([][]float64, len(names))
	for i := range values {
		values[i] = slices.Repeat([]float64{math.NaN()}, n)
	}
	for k := range n {
		real, pred := p.real.donorDE[k].without(p.targets[k]), p.pred.donorDE[k].without(p.targets[k])
		r := call32(real)
		if len(r.genes) == 0 || !slices.ContainsFunc(pred.P, func(v float64) bool { return !math.IsNaN(v) }) {
			continue
		}
		d := compareDirections(real, pred, nil, p.real.cells.genes)
		values[0][k] = topShare(r, call32(pred), r, 0)
		values[1][k] = d.jaccard()
		values[2][k] = directionMatch(r, pred)
		values[3][k] = d.reach()
		values[4][k] = spearmanLFC(r, pred)
	}
	out := make([]Metric, len(names))
	for i, name := range names {
		out[i] = Metric{Name: name, Values: values[i], Correlation: name == "donor_de_lfc_spearman"}
	}
	return out
}

// without is the table with some genes left out.
func (t *Table) without(genes []int) *Table {
	if len(genes) == 0 {
		return t
	}
	out := &Table{LFC: slices.Clone(t.LFC), P: slices.Clone(t.P), FDR: slices.Clone(t.FDR)}
	for _, g := range genes {
		out.LFC[g], out.P[g], out.FDR[g] = math.NaN(), math.NaN(), math.NaN()
	}
	return out
}
