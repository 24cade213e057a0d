package dataset

import (
	"context"
	"math"
)

// profiles counts in how many cells of each label a gene is among the first words.
// It is a naive Bayes model of the content of sentences, learnt from the datasets
// themselves, so that it needs no table of markers: what marks a label is what its
// cells have first and others have not.
type profiles struct {
	cells  []int32   // of each label
	counts [][]int32 // [label][gene]
	total  []int32   // [gene], of all cells
	all    int32
	logs   [][]float32 // [label][gene]: log ratio to all cells
	common []bool      // genes among the first words of half of all cells

	places placeTable   // of all cells
	own    []placeTable // of each label

	ratios []float64 // of the cell in work
	pairs  map[[2]int32]bool
}

// orderWords is how many words the order of a sentence is told by, and leastOrder how
// many it takes.
const (
	orderWords = 500
	leastOrder = 20
)

// placeTable adds up where genes stand in sentences, from 0 to below 1.
type placeTable struct {
	sum   []float64
	cells []int32
}

func (t *placeTable) add(gene int32, place float64) {
	t.cells = extend(t.cells, int(gene))
	for len(t.sum) < len(t.cells) {
		t.sum = append(t.sum, 0)
	}
	t.cells[gene]++
	t.sum[gene] += place
}

// without is the sum and the number of cells, one of them left out.
func (t *placeTable) without(gene int32, place float64) (sum, cells float64) {
	if int(gene) >= len(t.cells) {
		return 0, 0
	}
	return t.sum[gene] - place, float64(t.cells[gene] - 1)
}

// addOrder adds the places of the genes of a sentence.
func (p *profiles) addOrder(label int32, genes []int32) {
	if len(genes) < leastOrder {
		return
	}
	var own *placeTable
	if label >= 0 && int(label) < maxProfile/max(len(p.total), 1) {
		for len(p.own) <= int(label) {
			p.own = append(p.own, placeTable{})
		}
		own = &p.own[label]
	}
	for i, g := range genes {
		place := float64(i) / float64(len(genes))
		p.places.add(g, place)
		if own != nil {
			own.add(g, place)
		}
	}
}

// placePrior is how many cells the place of a gene in all cells is worth beside those
// of the label.
const placePrior = 5

// orderOf correlates the order of the genes of a sentence with their usual places in
// the other sentences of its label, and takes Fisher's transformation of it, which
// varies about alike around any correlation; 0 where nothing can be said.
func (p *profiles) orderOf(label int32, genes []int32) float64 {
	if len(genes) < leastOrder || int(label) >= len(p.own) {
		return 0
	}
	var n, sx, sy, sxx, syy, sxy float64
	for i, g := range genes {
		x := float64(i) / float64(len(genes))
		all, cells := p.places.without(g, x)
		if cells < 1 {
			continue
		}
		sum, own := p.own[label].without(g, x)
		y := (sum + placePrior*all/cells) / (own + placePrior)
		n, sx, sy, sxx, syy, sxy = n+1, sx+x, sy+y, sxx+x*x, syy+y*y, sxy+x*y
	}
	r := (n*sxy - sx*sy) / math.Sqrt((n*sxx-sx*sx)*(n*syy-sy*sy))
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return 0
	}
	return math.Atanh(min(max(r, -0.999), 0.999))
}

// maxProfile bounds the counts: 1,000 labels of 100,000 genes.
const maxProfile = 100_000_000

func (p *profiles) add(label int32, top []int32) {
	if len(top) == 0 {
		return
	}
	p.all++
	for _, g := range top {
		p.total = extend(p.total, int(g))
		p.total[g]++
	}
	if label < 0 || int(label) >= maxProfile/max(len(p.total), 1) {
		return
	}
	for len(p.counts) <= int(label) {
		p.counts, p.cells = append(p.counts, nil), append(p.cells, 0)
	}
	p.cells[label]++
	for _, g := range top {
		p.counts[label] = extend(p.counts[label], int(g))
		p.counts[label][g]++
	}
}

func extend(s []int32, i int) []int32 {
	for len(s) <= i {
		s = append(s, 0)
	}
	return s
}

// prior is how many occurrences, both seen and expected, are added before two rates
// are compared. Rare genes are most of a sentence, and each of them says little: with
// a prior of so many cells instead of occurrences they would add up to a preference
// for labels of few cells.
const prior = 5

// logRatio is the log of how much likelier a gene is among the first words of a
// label than among those of all cells, drawn towards 0 where little was expected.
func (p *profiles) logRatio(count, cells, gene int32) float64 {
	expected := float64(cells) * float64(p.total[gene]) / float64(p.all)
	return math.Log((float64(count) + prior) / (expected + prior))
}

func (p *profiles) prepare(a *auditor) {
	p.pairs = map[[2]int32]bool{}
	p.common = make([]bool, len(p.total))
	for g, n := range p.total {
		p.common[g] = 2*n >= p.all
	}
	for l := range p.counts {
		logs := make([]float32, len(p.total))
		for g := range logs {
			n := int32(0)
			if g < len(p.counts[l]) {
				n = p.counts[l][g]
			}
			logs[g] = float32(p.logRatio(n, p.cells[l], int32(g)))
		}
		p.logs = append(p.logs, logs)
	}
	a.report.Labels = len(p.counts)
}

// judge reads a dataset for the second time and scores the content of its rows.
func (a *auditor) judge(ctx context.Context, input int) error {
	p := a.profile
	at := a.starts[input]
	seen := map[int32]bool{}
	var top []int32
	for b, err := range Read(ctx, a.inputs[input].Path, ReadOptions{Columns: []string{a.cfg.Text}}) {
		if err != nil {
			return err
		}
		text := &b.Columns[0]
		for i := range b.Rows() {
			if at == len(a.rows) || a.rows[at].text != hashText(text.TextAt(i)) {
				return inputError(a.inputs[input].Path, "", "audit it when nothing writes to it", "it changed while it was read")
			}
			clear(seen)
			top = top[:0]
			a.words(text.TextAt(i), func(word []byte) {
				if len(top) == orderWords {
					return
				}
				if g, ok := a.genes.index[string(word)]; ok && !seen[g] {
					seen[g] = true
					top = append(top, g)
				}
			})
			if other := p.score(&a.rows[at], top, a.cfg.Odds); other >= 0 {
				a.rows[at].flags |= FlagLineages
				a.report.lineage(a.labels.words[other], a.labels.words[a.rows[at].label])
			}
			at++
		}
	}
	return nil
}

// score compares a cell with the profiles, its own without itself. It returns the
// label of which, mixed with its own, the cell looks like a doublet, or −1.
func (p *profiles) score(r *auditRow, genes []int32, odds float64) int32 {
	if len(genes) == 0 {
		return -1
	}
	top := genes[:min(len(genes), topWords)]
	common := 0
	for _, g := range top {
		if p.common[g] {
			common++
		}
	}
	r.common = float32(common) / float32(len(top))
	if r.label < 0 || int(r.label) >= len(p.counts) || p.cells[r.label] < 2 {
		return -1
	}
	ratios, sum := p.ratios[:0], 0.0
	fit, weights := 0.0, 0.0
	for i, g := range top {
		v := p.logRatio(p.counts[r.label][g]-1, p.cells[r.label]-1, g)
		ratios = append(ratios, v)
		sum += v
		// The last of the first words of a shallow cell have a count of one: chance.
		w := leadWeight(i)
		fit += w * v
		weights += w
	}
	p.ratios = ratios
	best, rival := math.Inf(-1), int32(-1)
	for l, logs := range p.logs {
		if int32(l) == r.label || p.cells[l] < leastGroup {
			continue
		}
		other := 0.0
		for _, g := range top {
			other += float64(logs[g])
		}
		if other > best {
			best, rival = other, int32(l)
		}
	}
	r.order = float32(p.orderOf(r.label, genes))
	r.fit = float32(fit / weights)
	r.other, r.rival, r.hasScore = float32(best-sum), rival, true
	return p.doublet(r.label, top, max(sum, best)+math.Log(odds))
}

// marks is the log ratio from which a gene marks a label: it is there nearly three
// times as often as in another, or in all cells.
const marks = 1

// doublet looks for a label, other than and unlike the cell's own, such that a mixture
// of both explains the sentence better than least, the best single label with
// the odds against it.
func (p *profiles) doublet(label int32, top []int32, least float64) int32 {
	best, partner := least, int32(-1)
	for l, logs := range p.logs {
		if int32(l) == label || p.cells[l] < leastGroup || p.alike(label, int32(l)) {
			continue
		}
		theirs := 0
		for i, g := range top {
			if float64(logs[g])-p.ratios[i] > marks {
				theirs++
			}
		}
		if theirs < fewMarkers {
			continue
		}
		for _, part := range [...]float64{0.2, 0.5, 0.8} { // cells differ in size
			sum := 0.0
			for i, g := range top {
				sum += math.Log((1-part)*math.Exp(p.ratios[i]) + part*math.Exp(float64(logs[g])))
			}
			if sum > best {
				best, partner = sum, int32(l)
			}
		}
	}
	return partner
}

// alike reports whether most of what marks either label marks both: labels of one
// lineage, a mixture of which is no doublet of two.
func (p *profiles) alike(a, b int32) bool {
	key := [2]int32{min(a, b), max(a, b)}
	if known, ok := p.pairs[key]; ok {
		return known
	}
	both, either := 0, 0
	for g, v := range p.logs[a] {
		w := p.logs[b][g]
		if v > marks && w > marks {
			both++
		}
		if v > marks || w > marks {
			either++
		}
	}
	p.pairs[key] = 5*both > either
	return p.pairs[key]
}
