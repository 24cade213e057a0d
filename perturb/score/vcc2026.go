package score

import "context"

// countSide is a side of the presets on counts.
func countSide(ctx context.Context, c *Cells, workers int) (*side, error) {
	de, err := DE(ctx, c.perMillion(), DEOptions{Average: Arithmetic, Log: true, Epsilon: 1e-9, Above: 5, Workers: workers})
	if err != nil {
		return nil, err
	}
	noise, err := c.jackknife(ctx, workers)
	return &side{cells: c, means: c.profiles(), de: de, noise: noise}, err
}

// vcc2026Metrics is the six members of the score of the 2026 challenge. The own
// genes of a perturbation count in none.
func vcc2026Metrics(_ context.Context, p *pair) ([]Metric, error) {
	real, pred := effects(p.real.means, p.real.means[0]), effects(p.pred.means, p.pred.means[0])
	panel := p.panel()
	directions := p.directions(true)
	return []Metric{
		p.each("pds_cosine", func(k int) float64 { return discriminate(cosine, pred, real, k, panel) }),
		newExpression(p).metric(),
		p.each(wilcoxon+"direction_fidelity_yield_raw", func(k int) float64 { return directions[k].yield() }),
		p.each(wilcoxon+"direction_reach_raw", func(k int) float64 { return directions[k].reach() }),
		p.each(wilcoxon+"sig_jaccard", func(k int) float64 { return directions[k].jaccard() }),
		p.changeErrors(),
	}, nil
}

// wilcoxon begins the names that cell-eval2 gives to metrics on differential expression.
const wilcoxon = "de_wilcoxon_"

// panel is the own genes of all perturbations.
func (p *pair) panel() map[int]bool {
	panel := map[int]bool{}
	for _, genes := range p.targets {
		for _, g := range genes {
			panel[g] = true
		}
	}
	return panel
}

// directions compares the differential expression of each perturbation; without its own
// genes if so asked.
func (p *pair) directions(excluding bool) []direction {
	out := make([]direction, p.perts())
	for k := range out {
		var skip map[int]bool
		if excluding {
			skip = set(p.targets[k])
		}
		out[k] = compareDirections(&p.real.de[k], &p.pred.de[k], skip, p.real.cells.genes)
	}
	return out
}

func (p *pair) changeErrors() Metric {
	return lower(p.each(wilcoxon+"lfc_nmae", func(k int) float64 { //nolint:misspell // the name that cell-eval2 gives it
		var whole *Table
		if p.whole != nil {
			whole = &p.whole.de[k]
		}
		return changeError(&p.real.de[k], &p.pred.de[k], whole, set(p.targets[k]))
	}))
}

// expression is the squared error of the profiles, of each perturbation, less what
// chance adds to it.
type expression struct {
	plain  []float64 // with the whole credit for the prediction's own noise
	capped []float64 // with what of it is allowed
	effect []float64 // of reality, in place of an error
}

// metric is the ratio of sums of the capped error and the effect.
func (e expression) metric() Metric {
	return Metric{Name: "expr_mse_unbiased_capped_norm", Lower: true, panel: func(perts []int) float64 {
		return sum(take(e.capped, perts)) / sum(take(e.effect, perts))
	}}
}

// newExpression is the squared error of the profiles in units of the squared
// effects, both less what chance adds to them. The credit for the prediction's own
// noise is capped: by the noise of the real cells, and in sum by how much the
// predicted profiles differ from each other, so that noise cannot be sold as
// caution. A perturbation's own genes are left out of the distances; the noise is
// that of all genes, as cell-eval2 keeps it.
func newExpression(p *pair) expression {
	n := p.perts()
	own := make([]map[int]bool, n)
	scored := make([]float64, n) // number of genes
	noise := make([]float64, n)  // of the real profile
	credit := make([]float64, n) // min(Ĉ, C)
	credits := 0.0
	genes := len(p.real.cells.genes)
	for k := range n {
		own[k] = set(p.targets[k])
		scored[k] = float64(genes - len(own[k]))
		noise[k] = sum(p.real.noise[k+1])
		credit[k] = min(sum(p.pred.noise[k+1]), noise[k])
		credits += credit[k] / scored[k]
	}
	rho := 1.0
	if credits > 0 {
		rho = min(1, budget(p, own, scored)/credits)
	}
	e := expression{make([]float64, n), make([]float64, n), make([]float64, n)}
	for k := range n {
		real, pred := p.real.means[k+1], p.pred.means[k+1]
		off := squaredWithout(pred, real, own[k])
		e.plain[k] = (off - sum(p.pred.noise[k+1]) - noise[k]) / scored[k]
		e.capped[k] = (off - rho*credit[k] - noise[k]) / scored[k]
		e.effect[k] = (squaredWithout(real, p.real.means[0], own[k]) - noise[k] - sum(p.real.noise[0])) / scored[k]
	}
	return e
}

// budget is how much the predicted profiles differ between perturbations: the
// weighted sum of squares about the mean of each gene.
func budget(p *pair, own []map[int]bool, scored []float64) float64 {
	total := 0.0
	for g := range p.real.cells.genes {
		mean, weight, rows := 0.0, 0.0, 0
		for k := range own {
			if !own[k][g] {
				mean += p.pred.means[k+1][g] / scored[k]
				weight += 1 / scored[k]
				rows++
			}
		}
		if rows < 2 {
			continue
		}
		mean /= weight
		for k := range own {
			if !own[k][g] {
				d := p.pred.means[k+1][g] - mean
				total += d * d / scored[k]
			}
		}
	}
	return total
}

func squaredWithout(x, y []float64, skip map[int]bool) float64 {
	d := l2(x, y, skip)
	return d * d
}
