package screen

import (
	"fmt"
	"math"
	"slices"

	"github.com/cellsentence/c2s/screen/program"
	"github.com/cellsentence/c2s/screen/record"
)

// The rule by which two contexts are different.
const (
	leastDifference = 0.5 // standard deviations of the interferon score of cells
	leastPairs      = 0.8 // of the donor pairs
	deepestRank     = 1500
)

// Check is what an interferon program says of the two contexts: U scores of the input
// cells by all genes that they express.
type Check struct {
	Program string `json:"program"`
	// Genes is the number of its genes that both files have.
	Genes  int        `json:"genes"`
	Donors [2][]Donor `json:"donors"` // by context
	// SD is the standard deviation of a cell within its donor and context.
	SD float64 `json:"sd"`
	// Pairs counts pairs of donors, each with itself if it is in both contexts, else any
	// with any; Above those of which the positive one is higher by half an SD.
	Pairs int `json:"pairs"`
	Above int `json:"pairs_above"`
	// Passed says that 4 of 5 are.
	Passed bool `json:"passed"`
}

// Donor is the interferon score of a donor in a context.
type Donor struct {
	Name  string  `json:"name"`
	Cells int     `json:"cells"`
	Mean  float64 `json:"mean"` // over cell types at the weights of the plan
	SD    float64 `json:"sd"`   // of its cells
}

// verify scores the cells of a plan by an interferon program.
func (p *Plan) verify(prog *program.Program, axis [2]map[string]bool) (*Check, error) {
	both := &program.Program{Name: prog.Name}
	for _, g := range prog.Genes {
		if axis[0][g.Symbol] && axis[1][g.Symbol] {
			both.Genes = append(both.Genes, g)
		}
	}
	c := &Check{Program: prog.Name, Genes: len(both.Genes)}
	if c.Genes < 3 {
		return nil, wrong(p.cfg.path+": interferon", "name a program that the files know: c2s vocab lists their genes",
			"only %d genes of %s are in both files", c.Genes, prog.Name)
	}
	squares, freedom := 0.0, 0
	byDonor := [2]map[int]float64{{}, {}}
	for x, cells := range p.Cells {
		maxRank := max(min(deepestRank, len(axis[x])), c.Genes)
		scores := make([]float64, len(cells))
		for i := range cells {
			scores[i] = program.U(both, maxRank, p.profiles[x][i].sentence)
		}
		for cluster, name := range p.Clusters {
			var own []float64
			for i, cell := range cells {
				if cell.Cluster == cluster {
					own = append(own, scores[i])
				}
			}
			if own == nil {
				continue
			}
			mean, square := spread(own)
			squares, freedom = squares+square, freedom+len(own)-1
			d := Donor{Name: name.Name, Cells: len(own), Mean: p.weighted(record.Context(x), cluster, scores)}
			if len(own) > 1 {
				d.SD = math.Sqrt(square / float64(len(own)-1))
			}
			if math.IsNaN(d.Mean) {
				d.Mean = mean
			}
			byDonor[x][cluster] = d.Mean
			c.Donors[x] = append(c.Donors[x], d)
		}
	}
	if freedom > 0 {
		c.SD = math.Sqrt(squares / float64(freedom))
	}
	shared := slices.ContainsFunc(p.Clusters, func(d record.Cluster) bool { return d.In == [2]bool{true, true} })
	for a, pos := range byDonor[record.Positive] {
		for b, neu := range byDonor[record.Neutral] {
			if shared && a != b {
				continue
			}
			c.Pairs++
			if pos-neu >= leastDifference*c.SD && pos > neu {
				c.Above++
			}
		}
	}
	c.Passed = c.Pairs > 0 && float64(c.Above) >= leastPairs*float64(c.Pairs)
	return c, nil
}

// weighted is the mean of a number of the cells of a donor in a context, first within
// cell types and then over them at the plan's weights; NaN without a cell.
func (p *Plan) weighted(which record.Context, cluster int, values []float64) float64 {
	sum, n := make([]float64, len(p.CellTypes)), make([]float64, len(p.CellTypes))
	for i, cell := range p.Cells[which] {
		if cell.Cluster == cluster && !math.IsNaN(values[i]) {
			sum[cell.CellType] += values[i]
			n[cell.CellType]++
		}
	}
	total, weight := 0.0, 0.0
	for t := range sum {
		if n[t] > 0 {
			total += p.Weights[t] * sum[t] / n[t]
			weight += p.Weights[t]
		}
	}
	return total / weight // 0/0 is NaN
}

// spread is the mean and the sum of squares about it.
func spread(x []float64) (mean, squares float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	return mean, squares
}

// ContextError means that the contexts are not what they are taken for.
type ContextError struct {
	Place  string
	Checks []*Check
}

// Error tells what was found.
func (e *ContextError) Error() string {
	c := e.Checks[0]
	for _, other := range e.Checks {
		if other.Above*c.Pairs > c.Above*other.Pairs {
			c = other
		}
	}
	return fmt.Sprintf("%s: the positive context does not show interferon: by %s it is above the neutral one, by half a standard deviation, in %d of %d donor pairs, expected 4 of 5",
		e.Place, c.Program, c.Above, c.Pairs)
}

// BadInput reports that the cells are at fault.
func (e *ContextError) BadInput() bool { return true }

// Hint says how to go on all the same.
func (e *ContextError) Hint() string {
	return "look at the scores by donor (--json); if the contexts are right and differ in another way, go on with --accept-contexts"
}
