package cellsentence

import (
	"math"
	"strconv"
)

// Point is a gene of a cell in a plot.
type Point struct{ X, Y float64 }

// Curve is a line through a plot.
type Curve struct {
	Label  string
	Points []Point
}

// FidelityPlots is what the plots of a [Fidelity] show. The points are chosen at
// random, so that all cells and ranks are in them in proportion.
type FidelityPlots struct {
	// Rank has log10(1 + rank) in X and the expression in Y.
	Rank []Point
	// Curves are the models over log10(1 + rank): the line, and the conditional
	// model for cells of few, of median and of many expressed genes.
	Curves []Curve
	// Linear and Conditional have the expression in X and what the model says in
	// Y, for the same points. One of them is nil if its model was not measured.
	Linear, Conditional []Point
	// Residuals has, a curve for each model, log10(1 + rank) in X and the mean of
	// expression − model in Y.
	Residuals []Curve
}

// pointSample keeps a share of all points.
type pointSample struct {
	seed  uint64
	share float64
	plots FidelityPlots
}

func (s *pointSample) add(row int, y, line, known []float64) {
	stream := rowBits(s.seed, forPoints, row)
	limit := uint64(math.MaxUint64)
	if s.share < 1 {
		limit = uint64(s.share * (1 << 63) * 2)
	}
	for r, v := range y {
		if mix64(stream+uint64(r)*golden) > limit {
			continue
		}
		s.plots.Rank = append(s.plots.Rank, Point{math.Log10(float64(1 + r)), v})
		s.plots.Linear = append(s.plots.Linear, Point{v, line[r]})
		s.plots.Conditional = append(s.plots.Conditional, Point{v, known[r]})
	}
}

func (m *measurement) plots() *FidelityPlots {
	p := &m.points.plots
	p.Curves = append(p.Curves, lineCurve(m.model, len(m.lines)))
	for _, q := range []float64{0.05, 0.5, 0.95} {
		n := m.model.quantile(q)
		c := Curve{Label: "conditional, " + strconv.Itoa(n) + " genes"}
		values := m.predictor.curve(n, n)
		for r := range steps(n) {
			c.Points = append(c.Points, Point{math.Log10(float64(1 + r)), float64(values[r])})
		}
		p.Curves = append(p.Curves, c)
	}
	line, known := Curve{Label: "linear"}, Curve{Label: "conditional"}
	for bin, s := range m.residuals {
		if s.n > 0 {
			x := (float64(bin) + 0.5) / residualsPerDecade
			line.Points = append(line.Points, Point{x, s.line / s.n})
			known.Points = append(known.Points, Point{x, s.known / s.n})
		}
	}
	p.Residuals = []Curve{line, known}
	return p
}

// lineCurve is the line up to the n-th rank.
func lineCurve(m *RankModel, n int) Curve {
	c := Curve{Label: "linear"}
	for r := range steps(n) {
		c.Points = append(c.Points, Point{math.Log10(float64(1 + r)), m.line(r)})
	}
	return c
}

// steps yields ranks below n, ever further apart, and the last.
func steps(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for r := 0; r < n-1; r += 1 + r/50 {
			if !yield(r) {
				return
			}
		}
		if n > 0 {
			yield(n - 1)
		}
	}
}

// quantile is the number of genes below which that part of the fit's cells lies,
// to the nearest node.
func (m *RankModel) quantile(q float64) int {
	total, sum := 0.0, 0.0
	for _, n := range m.Nodes {
		total += n.Cells
	}
	for _, n := range m.Nodes {
		if sum += n.Cells; sum >= q*total {
			return max(1, int(math.Round(n.NGenes)))
		}
	}
	return 1
}
