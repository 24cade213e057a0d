// Package specificity asks whether a compound moves the genes of a program more than
// other genes of the same ranks: a compound that upsets whole sentences moves any set.
//
// Start with [Heights], which add up the sentences of a run while it goes; then
// [Change] between compound and vehicle in each context, and a [Null] of random gene
// sets. It is done while a screen runs, as only then whole sentences are at hand; what
// is kept (record.Item.Specificity and .Moved) is one number and a few genes.
//
// # Why means of ranks are enough
//
// UCell's score of a set of n genes is 1 − (Σr − n(n+1)/2)/(n·L − n(n+1)/2), with ranks
// r that are L + 1 beyond the length L of the sentence. It is linear in the ranks, so
// that the mean score of any set over any cells follows from each gene's mean rank.
package specificity

import (
	"cmp"
	"math"
	"slices"

	"github.com/cellsentence/c2s/screen/record"
)

// Heights add up sentences: the height of a gene is how far above the end of the
// sentence it stands, 1 for the first gene and 0 for one that is not there. A Heights
// is for one goroutine.
type Heights struct {
	length int
	sum    [][]float64 // by group and gene
	n      []float64
}

// NewHeights is for sentences of up to length genes, of that many genes in all, in
// groups: the donors and cell types of a context.
func NewHeights(groups, genes, length int) *Heights {
	h := &Heights{length: length, sum: make([][]float64, groups), n: make([]float64, groups)}
	for g := range h.sum {
		h.sum[g] = make([]float64, genes)
	}
	return h
}

// Add counts a cell of a group: the genes of its sentence, by falling expression, each
// once. What is beyond the length does not count.
func (h *Heights) Add(group int, sentence []int32) {
	h.n[group]++
	sum := h.sum[group]
	for i, gene := range sentence[:min(len(sentence), h.length)] {
		sum[gene] += float64(h.length-i) / float64(h.length)
	}
}

// Mean is the mean height of each gene over the groups that have cells, weighted.
func (h *Heights) Mean(weight []float64) []float64 {
	return h.mean(weight, func(group int) bool { return h.n[group] > 0 })
}

func (h *Heights) mean(weight []float64, use func(group int) bool) []float64 {
	out := make([]float64, len(h.sum[0]))
	total := 0.0
	for g, w := range weight {
		if w > 0 && use(g) {
			total += w
			for k, v := range h.sum[g] {
				out[k] += w * v / h.n[g]
			}
		}
	}
	for k := range out {
		out[k] /= total
	}
	return out
}

// Change is by how much each gene rose from the vehicle to the compound, over the
// groups that have cells in both, weighted: for a donor's cell type the weight of the
// type. It is NaN if there is no such group.
func Change(compound, vehicle *Heights, weight []float64) []float64 {
	both := func(group int) bool { return compound.n[group] > 0 && vehicle.n[group] > 0 }
	out := compound.mean(weight, both)
	for k, v := range vehicle.mean(weight, both) {
		out[k] -= v
	}
	return out
}

// Most are the n genes that moved farthest in either context.
func Most(genes []string, pos, neu []float64, n int) []record.Moved {
	order := make([]int, 0, len(genes))
	far := func(i int) float64 { return max(math.Abs(pos[i]), math.Abs(neu[i])) }
	for i := range genes {
		if far(i) > 0 { // neither unmoved nor NaN
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(far(b), far(a)) })
	var out []record.Moved
	for _, i := range order[:min(n, len(order))] {
		out = append(out, record.Moved{Gene: genes[i], By: record.Pair{pos[i], neu[i]}})
	}
	return out
}
