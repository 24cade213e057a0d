package score

import (
	"context"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Metric is one score of one prediction.
type Metric struct {
	// Name is the name that the source of the metric gives it.
	Name string
	// Lower says that less is better.
	Lower bool
	// Correlation says that the metric is a correlation, whose replicate ceiling is
	// corrected for the halved number of cells (Spearman–Brown).
	Correlation bool
	// Diagnostic says that neither more nor less is better: the metric is reported and
	// not put between anchors.
	Diagnostic bool
	// Values is one number a perturbation, in the order of
	// [Cells.Perturbations]; NaN where the metric is not defined. It is nil for a
	// metric of the panel as a whole.
	Values []float64
	// panel computes the metric of some perturbations, where it is not the mean of
	// Values. A perturbation may be named twice.
	panel func(perts []int) float64
}

// Total is the metric of the given perturbations, which may repeat: the mean of
// the defined values, NaN if there is none, or what the panel gives.
func (m *Metric) Total(perts []int) float64 {
	if m.panel != nil {
		return m.panel(perts)
	}
	sum, n := 0.0, 0
	for _, k := range perts {
		if v := m.Values[k]; !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	return sum / float64(n)
}

// Defined is the number of perturbations with a value, 0 for a metric of the panel.
func (m *Metric) Defined() int { return len(m.Values) - m.Undefined() }

// Undefined is the number of perturbations without a value.
func (m *Metric) Undefined() int {
	n := 0
	for _, v := range m.Values {
		if math.IsNaN(v) {
			n++
		}
	}
	return n
}

// side is the cells of one file, or of one anchor, as a preset sees them.
type side struct {
	cells *Cells
	means [][]float64 // profile of each group, the control first
	de    []Table     // nil where the preset has no use for it
	noise [][]float64 // jackknife variance of the profiles; nil likewise
	// donorDE is differential expression on donor pseudobulks; nil without donors.
	donorDE []Table
}

// pair is a real side and a predicted one with the same genes and groups.
type pair struct {
	real, pred *side
	targets    [][]int // columns of each perturbation's own genes, guides and combinations resolved
	exact      [][]int // the same where a gene is named exactly like the perturbation
	// whole is what both sides are halves of, nil if they are not: some errors are counted
	// in its genes.
	whole   *side
	workers int
}

func (p *pair) perts() int { return len(p.real.cells.groups) - 1 }

// each is the metric that do computes for one perturbation after another; k counts
// perturbations, k+1 is the group.
func (p *pair) each(name string, do func(k int) float64) Metric {
	m := Metric{Name: name, Values: make([]float64, p.perts())}
	for k := range m.Values {
		m.Values[k] = do(k)
	}
	return m
}

// lower marks a metric as better when less.
func lower(m Metric) Metric {
	m.Lower = true
	return m
}

// diagnostic marks a metric that is not scored.
func diagnostic(m Metric) Metric {
	m.Diagnostic = true
	return m
}

// correlation marks a metric as a correlation.
func correlation(m Metric) Metric {
	m.Correlation = true
	return m
}

// effects is each perturbation's profile less the origin.
func effects(means [][]float64, origin []float64) [][]float64 {
	out := make([][]float64, len(means)-1)
	for k, m := range means[1:] {
		out[k] = make([]float64, len(m))
		for j := range m {
			out[k][j] = m[j] - origin[j]
		}
	}
	return out
}

func meanSquare(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += (x[i] - y[i]) * (x[i] - y[i])
	}
	return sum / float64(len(x))
}

func meanAbsolute(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += math.Abs(x[i] - y[i])
	}
	return sum / float64(len(x))
}

// correlated is a panel metric: the correlation over perturbations of two numbers
// of each.
func correlated(name string, x, y []float64, r func(x, y []float64) float64) Metric {
	return Metric{Name: name, Correlation: true, panel: func(perts []int) float64 {
		return r(take(x, perts), take(y, perts))
	}}
}

func take(x []float64, at []int) []float64 {
	out := make([]float64, len(at))
	for i, k := range at {
		out[i] = x[k]
	}
	return out
}

// parallel calls do for 0 … n−1 on several goroutines.
func parallel(ctx context.Context, workers, n int, do func(i int) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(i)
		})
	}
	return group.Wait()
}
