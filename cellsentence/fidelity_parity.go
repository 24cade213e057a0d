package cellsentence

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/mt19937"
)

// ParityConfig is how [FitParity] samples cells.
type ParityConfig struct {
	// Cells is the number of cells of the source.
	Cells int
	// Sample is how many of them are used; 0 means 1,024, as in the reference
	// package.
	Sample int
	// Seed is that of NumPy's generator, below 2^32. The reference package does not
	// set it, so that its own result can only be repeated where numpy.random.seed
	// was called before, or where all cells are used.
	Seed uint64
	// Points is about how many points each plot gets; 0 means 20,000.
	Points int
	// Units says what the values are; it goes into the rank model.
	Units string
}

// Parity is what the reference package's benchmark_expression_conversion finds.
type Parity struct {
	Model *RankModel
	// Metrics are over the cells of the fit, without intervals (NaN).
	Metrics FidelityMetrics
	Plots   *FidelityPlots
}

// FitParity fits the linear model as cell2sentence 1.2.0 does and measures it on
// the cells of the fit: a sample drawn as numpy.random.choice draws it, ranks of
// all genes counted from 0, a least-squares line of the values over
// log10(1 + rank) through the points where that is below 3, and R², Pearson and
// Spearman over all points that are not zero.
//
// The package shuffles a cell before it sorts it. That decides which gene has
// which rank, but not the value at each rank, of which alone the fit is made; the
// shuffle is therefore left out. Values are used in the precision that the
// source has; float32 is what the package sees. Errors are as for
// [MeasureFidelity].
func FitParity(ctx context.Context, genes []string, open Opener, cfg ParityConfig) (*Parity, error) {
	if cfg.Sample == 0 {
		cfg.Sample = 1024
	}
	if cfg.Points == 0 {
		cfg.Points = 20_000
	}
	if cfg.Cells < 1 || cfg.Cells > math.MaxInt32 || cfg.Sample < 1 || cfg.Points < 0 || cfg.Seed > math.MaxUint32 {
		return nil, fmt.Errorf("parity: %d cells, a sample of %d, %d points, seed %d: out of range", cfg.Cells, cfg.Sample, cfg.Points, cfg.Seed)
	}
	sample := choice(cfg.Cells, cfg.Sample, uint32(cfg.Seed))
	var p parityPoints
	seen := 0
	err := profiles(ctx, genes, open, func(row int, values []float64) error {
		if seen < len(sample) && int(sample[seen]) == row {
			seen++
			falling(values)
			p.add(values)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if seen < len(sample) {
		return nil, fmt.Errorf("parity: the source has no row %d of %d", sample[seen], cfg.Cells)
	}
	if len(p.y) == 0 {
		return nil, badInput("parity: none of %s has a value above zero", plural(len(sample), "sampled cell"))
	}
	m := &RankModel{Kind: RankLinear, Units: cfg.Units}
	m.Slope, m.Intercept = p.fit()
	if err := m.check(); err != nil {
		return nil, badInput("the cells give no rank model: %w", err)
	}
	out := &Parity{Model: m, Metrics: p.measure(m, len(genes), len(sample))}
	out.Plots = p.plots(m, cfg.Seed, cfg.Points)
	return out, nil
}

// WriteCSV writes the metrics as the reference package's
// c2s_transformation_metrics.csv.
func (p *Parity) WriteCSV(w io.Writer) error {
	return writeMetrics(w, []string{experiment}, []FidelityMetrics{p.Metrics})
}

// choice is numpy.random.choice(n, size=k, replace=False) after a seed, sorted:
// the first k of a permutation.
func choice(n, k int, seed uint32) []uint32 {
	a, draws := make([]uint32, n), make([]uint32, n)
	for i := range a {
		a[i] = uint32(i)
	}
	mt19937.New(seed).Draws(draws)
	mt19937.Swap(a, draws)
	a = a[:min(k, n)]
	slices.Sort(a)
	return a
}

// parityPoints is the points of the sample, cell by cell in order of rank.
type parityPoints struct {
	y    []float64
	rank []int32
}

func (p *parityPoints) add(values []float64) {
	for r, v := range values {
		p.y = append(p.y, v)
		p.rank = append(p.rank, int32(r))
	}
}

// fit is the line, from centred sums.
func (p *parityPoints) fit() (slope, intercept float64) {
	var n, x, y, xx, xy float64
	below := func(visit func(x, y float64)) {
		for i, r := range p.rank {
			if l := math.Log10(float64(1 + r)); l < lineEnd {
				visit(l, p.y[i])
			}
		}
	}
	below(func(a, b float64) { n, x, y = n+1, x+a, y+b })
	x, y = x/n, y/n
	below(func(a, b float64) { xx, xy = xx+(a-x)*(a-x), xy+(a-x)*(b-y) })
	if xx > 0 {
		slope = xy / xx
	}
	return slope, y - slope*x
}

func (p *parityPoints) measure(m *RankModel, genes, cells int) FidelityMetrics {
	nan := Interval{Stat(math.NaN()), Stat(math.NaN())}
	out := FidelityMetrics{
		R2CI: nan, PearsonCI: nan, SpearmanCI: nan, MAECI: nan, R2AllCI: nan,
		Slope: m.Slope, Intercept: m.Intercept, NPoints: int64(len(p.y)), NCells: int64(cells),
	}
	f := make([]float64, len(p.y))
	for i, r := range p.rank {
		f[i] = m.line(int(r))
	}
	// Centred, so that nothing cancels.
	mean := 0.0
	for _, v := range p.y {
		mean += v
	}
	mean /= float64(len(p.y))
	var sums moments
	sums[mCells] = float64(cells)
	sums.kept(p.y, f)
	all := sums.r2All(genes)
	y := make([]float64, len(p.y))
	for i, v := range p.y {
		y[i], f[i] = v-mean, f[i]-mean
	}
	sums = moments{}
	sums.kept(y, f)
	out.R2, out.Pearson, out.MAE, out.R2All = Stat(sums.r2()), Stat(sums.pearson()), Stat(sums.mae()), Stat(all)
	// The line falls with the rank.
	ranks := make([]float64, len(p.rank))
	for i, r := range p.rank {
		ranks[i] = -float64(r)
	}
	sums = moments{}
	sums.kept(meanRanks(p.y), meanRanks(ranks))
	out.Spearman = Stat(sums.pearson())
	return out
}

// meanRanks gives each value its rank as a fraction of all, minus a half, the
// mean one to values that are equal.
func meanRanks(v []float64) []float64 {
	order := make([]int32, len(v))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		switch {
		case v[a] < v[b]:
			return -1
		case v[a] > v[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(v))
	for a := 0; a < len(order); {
		b := a + 1
		for b < len(order) && v[order[b]] == v[order[a]] {
			b++
		}
		for _, i := range order[a:b] {
			out[i] = float64(a+b)/2/float64(len(v)) - 0.5
		}
		a = b
	}
	return out
}

func (p *parityPoints) plots(m *RankModel, seed uint64, points int) *FidelityPlots {
	out := &FidelityPlots{}
	share := float64(points) / float64(len(p.y))
	limit := uint64(math.MaxUint64)
	if share < 1 {
		limit = uint64(share * (1 << 63) * 2)
	}
	var most int32
	var bins []residualSums
	for i, r := range p.rank {
		most = max(most, r)
		f := m.line(int(r))
		for len(bins) <= residualBin(int(r)) {
			bins = append(bins, residualSums{})
		}
		bins[residualBin(int(r))].add(p.y[i], f, f)
		if rowBits(seed, forPoints, i) <= limit {
			out.Rank = append(out.Rank, Point{math.Log10(float64(1 + r)), p.y[i]})
			out.Linear = append(out.Linear, Point{p.y[i], f})
		}
	}
	out.Curves = []Curve{lineCurve(m, int(most)+1)}
	c := Curve{Label: "linear"}
	for bin, s := range bins {
		if s.n > 0 {
			c.Points = append(c.Points, Point{(float64(bin) + 0.5) / residualsPerDecade, s.line / s.n})
		}
	}
	out.Residuals = []Curve{c}
	return out
}
