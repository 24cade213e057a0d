package score

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// align brings two sides to the same genes in the same order and checks that they
// have the same perturbations. minOverlap is the least share of the real genes that
// the prediction must know. Warnings tell what was left out.
func align(real, pred *Cells, minOverlap float64) (r, p *Cells, warnings []string, err error) {
	if err := samePerturbations(real, pred); err != nil {
		return nil, nil, nil, err
	}
	if slices.Equal(real.genes, pred.genes) {
		return real, pred, nil, nil
	}
	at := make(map[string]int, len(pred.genes))
	for j, g := range pred.genes {
		at[g] = j
	}
	var common []string
	for _, g := range real.genes {
		if _, ok := at[g]; ok {
			common = append(common, g)
		}
	}
	if n := len(real.genes); float64(len(common)) < minOverlap*float64(n) || len(common) == 0 {
		return nil, nil, nil, badInput("%s has %d of the %d genes of %s, fewer than the %g %% asked for; are the names of the same kind (symbols, Ensembl)?",
			pred.name, len(common), n, real.name, 100*minOverlap)
	}
	switch lost, extra := len(real.genes)-len(common), len(pred.genes)-len(common); {
	case lost == 0 && extra == 0:
		warnings = append(warnings, fmt.Sprintf("the genes of %s stand in another order; aligned by name", pred.name))
	default:
		warnings = append(warnings, fmt.Sprintf("scored on %d common genes: %d of %s are not in %s, %d only there", len(common), lost, real.name, pred.name, extra))
	}
	return real.columns(common), pred.columns(common), warnings, nil
}

// columns is the cells with the named genes, in that order.
func (c *Cells) columns(names []string) *Cells {
	to := make(map[string]int32, len(names))
	for j, g := range names {
		to[g] = int32(j)
	}
	place := make([]int32, len(c.genes))
	for j, g := range c.genes {
		place[j] = -1
		if k, ok := to[g]; ok {
			place[j] = k
		}
	}
	n := c.derive()
	n.genes, n.ptr, n.index, n.value = names, []int64{0}, nil, nil
	for r := range c.rows() {
		index, value := c.row(r)
		for i, j := range index {
			if place[j] >= 0 {
				n.index = append(n.index, place[j])
				n.value = append(n.value, value[i])
			}
		}
		n.ptr = append(n.ptr, int64(len(n.index)))
	}
	return n
}

// guide is the number that screens append to a target's name.
var guide = regexp.MustCompile(`[-_.]\d+$`)

// samePerturbations refuses sides with different labels: a perturbation that is
// left out would not be scored, and leaving out the hard ones must not pay.
func samePerturbations(real, pred *Cells) error {
	if slices.Equal(real.groups, pred.groups) {
		return nil
	}
	missing, extra := without(real.groups, pred.groups), without(pred.groups, real.groups)
	tip := ""
	strip := func(s string) string { return guide.ReplaceAllString(s, "") }
	if same := func(a, b string) bool { return strip(a) == strip(b) }; len(missing) > 0 && len(extra) > 0 && slices.ContainsFunc(missing, func(a string) bool {
		return slices.ContainsFunc(extra, func(b string) bool { return same(a, b) })
	}) {
		tip = "; some differ by the suffix of a guide only, as ABCA1-1 and ABCA1: label both sides by target or both by guide"
	}
	return badInput("%s and %s name different perturbations: %d are missing in %s (%s), %d are only there (%s)%s",
		real.name, pred.name, len(missing), pred.name, some(missing), len(extra), some(extra), tip)
}

func without(names, others []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(others, n) {
			out = append(out, n)
		}
	}
	return out
}

// targets is the columns of the genes that a perturbation names: the gene itself,
// the gene of a guide (ABCA1-1), the genes of a combination (A+B, "A-1 || B-2").
func targets(perturbation string, genes map[string]int) []int {
	var out []int
	for part := range strings.FieldsFuncSeq(perturbation, func(r rune) bool { return r == '+' || r == '|' || r == ',' }) {
		part = strings.TrimSpace(part)
		j, ok := genes[part]
		if !ok {
			j, ok = genes[guide.ReplaceAllString(part, "")]
		}
		if ok && !slices.Contains(out, j) {
			out = append(out, j)
		}
	}
	return out
}

// newPair is two sides with the genes of each perturbation.
func newPair(real, pred *side, workers int) *pair {
	p := &pair{real: real, pred: pred, workers: workers}
	at := make(map[string]int, len(real.cells.genes))
	for j, g := range real.cells.genes {
		at[g] = j
	}
	for _, name := range real.cells.groups[1:] {
		p.targets = append(p.targets, targets(name, at))
		var exact []int
		if j, ok := at[name]; ok {
			exact = []int{j}
		}
		p.exact = append(p.exact, exact)
	}
	return p
}
