package program

import (
	"fmt"
	"math"
)

// Scorer scores cell sentences by a program. It is safe for concurrent use.
type Scorer struct {
	genes   map[string]int // position in the program
	down    []bool
	up      int // number of genes that rise
	maxRank int
	values  []float64
	mean    []float64
	scale   []float64 // 1 over the standard deviation, 0 for a gene that does not vary
	varying int
}

// Scale is what expression is measured by.
type Scale struct {
	// Values is the expression of the gene at each position of a sentence, as a rank
	// model gives it; genes further down, and those that are absent, have none.
	Values []float64 `json:"values"`
	// Mean and SD are those of each gene of the program over reference cells.
	Mean []float64 `json:"mean"`
	SD   []float64 `json:"sd"`
}

// NewScorer returns a scorer for sentences of maxRank words.
func NewScorer(p *Program, maxRank int, scale Scale) (*Scorer, error) {
	if maxRank < 1 {
		return nil, fmt.Errorf("a sentence of %d words has no ranks", maxRank)
	}
	if len(scale.Mean) != len(p.Genes) || len(scale.SD) != len(p.Genes) {
		return nil, fmt.Errorf("the program has %d genes, its scale %d and %d", len(p.Genes), len(scale.Mean), len(scale.SD))
	}
	s := newScorer(p, maxRank)
	if n := max(s.up, len(p.Genes)-s.up); n > maxRank {
		return nil, wrong("program "+p.Name, "take longer sentences or a smaller program", "%d genes cannot all be among the %d words of a sentence", n, maxRank)
	}
	s.values, s.mean = scale.Values, scale.Mean
	for i, sd := range scale.SD {
		if sd > 0 {
			s.scale[i] = 1 / sd
			s.varying++
		}
	}
	return s, nil
}

func newScorer(p *Program, maxRank int) *Scorer {
	s := &Scorer{genes: make(map[string]int, len(p.Genes)), down: make([]bool, len(p.Genes)), scale: make([]float64, len(p.Genes)), maxRank: maxRank}
	for i, g := range p.Genes {
		s.genes[g.Symbol], s.down[i] = i, g.Down
		if !g.Down {
			s.up++
		}
	}
	return s
}

// U gives the program's U alone, of sentences of any length: see [Scorer.Score].
// maxRank is at least the number of genes.
func U(p *Program, maxRank int, sentence []string) float64 {
	return newScorer(p, maxRank).u(sentence)
}

// Score scores a sentence, in which each gene stands once.
//
// u is the U statistic of UCell: with ranks from 1, and maxRank for genes further down
// or absent, 1 − (Σ ranks − n(n+1)/2) / (n·maxRank − n(n+1)/2) over the n genes that
// rise, less the same of those that fall, and never below 0. It is 1 where the program
// leads the sentence and 0 where none of it is seen.
//
// expression is the mean over the genes that vary of the z of their decoded expression,
// those that fall with the opposite sign; NaN if none varies.
func (s *Scorer) Score(sentence []string) (u, expression float64) {
	sum := 0.0
	for i := range s.mean {
		sum += s.z(i, 0)
	}
	for position, word := range sentence[:min(len(sentence), len(s.values))] {
		if i, ok := s.genes[word]; ok {
			sum += s.z(i, s.values[position]) - s.z(i, 0)
		}
	}
	expression = math.NaN()
	if s.varying > 0 {
		expression = sum / float64(s.varying)
	}
	return s.u(sentence), expression
}

// z is that of a gene's expression, with the sign of the program.
func (s *Scorer) z(gene int, value float64) float64 {
	z := (value - s.mean[gene]) * s.scale[gene]
	if s.down[gene] {
		return -z
	}
	return z
}

func (s *Scorer) u(sentence []string) float64 {
	// Sums of ranks, both sets counted as absent at first.
	up, down := s.up*s.maxRank, (len(s.down)-s.up)*s.maxRank
	for position, word := range sentence[:min(len(sentence), s.maxRank)] {
		i, ok := s.genes[word]
		switch {
		case !ok:
		case s.down[i]:
			down -= s.maxRank - (position + 1)
		default:
			up -= s.maxRank - (position + 1)
		}
	}
	return max(s.part(up, s.up)-s.part(down, len(s.down)-s.up), 0)
}

// part is 1 − U/Umax for n genes with a sum of ranks.
func (s *Scorer) part(sum, n int) float64 {
	least, most := n*(n+1)/2, n*s.maxRank
	if n == 0 || most == least {
		return 0
	}
	return 1 - float64(sum-least)/float64(most-least)
}
