package prompt

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// The line of expression over rank of 29,773 immune cells in the first tutorial of
// the Python package cell2sentence: log10(1 + x) = intercept + slope log10(1 + rank).
const (
	poolIntercept = 2.237853249084892
	poolSlope     = -0.6756886579917628
)

// Pool makes the sentence of a pseudobulk from the sentences of its cells: genes by
// falling sum of the expression that their ranks stand for, by the line that Cell2Sentence
// fits, and 0 where a cell does not name the gene; equal genes in the order in which
// they first come. Sentences should be whole, as a gene cut off counts as not
// expressed. Where the matrix is at hand, sum its rows and encode the sums instead:
// a sentence keeps only the order.
func Pool(cells []string) string {
	type gene struct {
		word  string
		score float64
	}
	var genes []gene
	index := map[string]int{}
	for _, s := range cells {
		rank := 0
		for word := range strings.SplitSeq(s, " ") {
			if word == "" {
				continue
			}
			i, ok := index[word]
			if !ok {
				i = len(genes)
				index[word] = i
				genes = append(genes, gene{word: word})
			}
			// The conversion keeps the product from being fused with the sum, which
			// would give other bits on other machines.
			x := poolIntercept + float64(poolSlope*math.Log10(float64(1+rank)))
			genes[i].score += max(x, 0)
			rank++
		}
	}
	slices.SortStableFunc(genes, func(a, b gene) int { return cmp.Compare(b.score, a.score) })
	words := make([]string, len(genes))
	for i, g := range genes {
		words[i] = g.word
	}
	return strings.Join(words, " ")
}
