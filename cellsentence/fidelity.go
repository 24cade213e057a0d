package cellsentence

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// FidelityConfig is how [MeasureFidelity] works. The zero value is good.
type FidelityConfig struct {
	// Seed decides, together with a cell's row, on which side of the split it
	// falls, and it keys the bootstrap and the choice of points to plot.
	Seed uint64
	// TopK lists the lengths of cut sentences to measure; nil means 100, 200, 500
	// and 1000.
	TopK []int
	// Resamples is the size of the bootstrap; 0 means 400.
	Resamples int
	// Group, if not nil, names the group of a row, such as its cell type, in which
	// the models are measured, too; "" is none.
	Group func(row int) string
	// Points is about how many points each plot gets; 0 means 20,000.
	Points int
	// Units says what the values are; it goes into the rank model.
	Units string
}

// maxGroups bounds the memory of the groups, some 800 KB each.
const maxGroupLabels = 256

func (c FidelityConfig) filled() (FidelityConfig, error) {
	if c.TopK == nil {
		c.TopK = []int{100, 200, 500, 1000}
	}
	c.TopK = slices.Clone(c.TopK)
	slices.Sort(c.TopK)
	c.TopK = slices.Compact(c.TopK)
	if c.Resamples == 0 {
		c.Resamples = 400
	}
	if c.Points == 0 {
		c.Points = 20_000
	}
	switch {
	case len(c.TopK) > 0 && c.TopK[0] < 1:
		return c, fmt.Errorf("top-k is %d: give numbers of genes above 0", c.TopK[0])
	case len(c.TopK) > 16:
		return c, fmt.Errorf("%d lengths of cut sentences: give at most 16", len(c.TopK))
	case c.Resamples < 0 || c.Resamples > 10_000:
		return c, fmt.Errorf("%d resamples: give at most 10,000", c.Resamples)
	case c.Points < 0 || c.Points > 10_000_000:
		return c, fmt.Errorf("%d points: give at most 10,000,000", c.Points)
	}
	return c, nil
}

// Fidelity is how much of the expression survives the way into a sentence and
// back.
type Fidelity struct {
	// Model is the conditional model; [RankModel.Linear] is the other.
	Model  *RankModel
	Report *FidelityReport
	Plots  *FidelityPlots
}

// MeasureFidelity fits both rank models on about one half of the cells and
// measures them on the other: what they say of a gene's expression given its
// rank, against the expression it has. Genes are the names of the columns and
// only used in errors. Values must be expression on the scale on which it is to
// be decoded, normally normalised and with logarithms taken: the order of genes
// does not depend on that, but the quality of a line does.
//
// Each cell falls on one side by a hash of its row and the seed. Ties do not
// matter: whatever their order, the ranks of a cell meet the same values. A cell
// has one rank more for each expressed gene; unexpressed genes and empty cells
// take no part.
//
// Intervals are 95 % percentile intervals of a Poisson bootstrap over cells
// (Hanley and MacGibbon, "Creating non-parametric bootstrap samples using
// Poisson frequencies", 2006), the fit staying as it is. Spearman's correlation
// is taken from ranks within classes of values 0.2 % apart, which moves it by
// less than 1e-4, and its bootstrap does not rank anew.
//
// The source is opened three times. Memory is bounded by the numbers of genes,
// groups and resamples, not of cells. Bad values are errors as in
// [Encoder.Encode]; so are too few cells.
func MeasureFidelity(ctx context.Context, genes []string, open Opener, cfg FidelityConfig) (*Fidelity, error) {
	cfg, err := cfg.filled()
	if err != nil {
		return nil, err
	}
	if len(genes) > math.MaxInt32 {
		return nil, fmt.Errorf("%d genes: a matrix has at most %d", len(genes), math.MaxInt32)
	}
	var fit rankFit
	var held, points, empty int64
	err = profiles(ctx, genes, open, func(row int, values []float64) error {
		switch {
		case len(values) == 0:
			empty++
		case forFit(cfg.Seed, row):
			falling(values)
			fit.add(values)
		default:
			held++
			points += int64(len(values))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if fit.cells < 2 || held < 2 {
		return nil, badInput("%s with expression in the half to fit and %d in the half to measure: each needs two", plural(fit.cells, "cell"), held)
	}
	model := fit.model()
	model.Units = cfg.Units
	if err := model.Linear().check(); err != nil {
		return nil, badInput("the cells give no rank model: %w", err)
	}
	if err := model.check(); err != nil {
		return nil, badInput("the cells give no rank model: %w", err)
	}
	m := newMeasurement(&cfg, model, len(genes), float64(cfg.Points)/float64(points))
	for _, pass := range []func(int, []float64) error{m.measure, m.correlate} {
		err := profiles(ctx, genes, open, func(row int, values []float64) error {
			if len(values) == 0 || forFit(cfg.Seed, row) {
				return nil
			}
			falling(values)
			return pass(row, values)
		})
		if err != nil {
			return nil, err
		}
		if err := m.endPass(held); err != nil {
			return nil, err
		}
	}
	r := m.report(&fit)
	r.Fit, r.Held, r.Empty = int64(fit.cells), held, empty
	r.Verdict = r.verdict()
	return &Fidelity{Model: model, Report: r, Plots: m.plots()}, nil
}

// What randomness is for, mixed into the seed so that its uses are independent.
const (
	forSplit    = 0x73706c6974 // "split"
	forResample = 0x626f6f74   // "boot"
	forPoints   = 0x706f696e74 // "point"
)

// rowBits is 64 random bits of (seed, what, row).
func rowBits(seed, what uint64, row int) uint64 {
	return mix64(mix64(seed+golden) ^ mix64(what*golden+mixA) ^ mix64(uint64(row)*golden+mixB))
}

// forFit says on which side a cell falls.
func forFit(seed uint64, row int) bool { return rowBits(seed, forSplit, row)>>63 == 0 }

var errChanged = errors.New("the cells were not the same when they were read again")
