package screen

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/screen/record"
)

// compared is how many cells of one name are read from both files.
const compared = 64

// shared refuses contexts that share cells: rows of one file, or, in two files, cells of
// one name that express the same genes.
func shared(ctx context.Context, cfg *Config, pools [2]*pool) error {
	files, err := manifest.Inputs(ctx, []string{pools[0].path, pools[1].path}, 2)
	if err != nil {
		return err
	}
	place := cfg.path + ": contexts"
	if files[0].SHA256 == files[1].SHA256 {
		n := 0
		for _, row := range pools[1].rows {
			if _, ok := slices.BinarySearch(pools[0].rows, row); ok {
				n++
			}
		}
		switch {
		case n == len(pools[0].rows) && n == len(pools[1].rows):
			return wrong(place, "tell them apart by where", "both contexts are the same cells of one file")
		case n > 0:
			return wrong(place, "tell them apart by where", "%d cells are in both contexts", n)
		}
		return nil
	}
	named := map[string]int{}
	for _, row := range pools[0].rows {
		named[pools[0].names[row]] = row
	}
	var cells [2][]Cell
	for _, row := range pools[1].rows {
		if other, ok := named[pools[1].names[row]]; ok && len(cells[0]) < compared {
			cells[0] = append(cells[0], Cell{Row: other})
			cells[1] = append(cells[1], Cell{Row: row})
		}
	}
	if len(cells[0]) == 0 {
		return nil
	}
	var profiles [2][]profile
	for x, p := range pools {
		if profiles[x], err = p.read(ctx, cfg.Seed, cells[x]); err != nil {
			return err
		}
	}
	var known [2]map[string]bool
	for x, p := range pools {
		known[x] = map[string]bool{}
		for _, g := range p.genes {
			known[x][strings.ToUpper(g)] = true
		}
	}
	// The files may have other genes, and totals with them: what counts is which of the
	// common genes are expressed.
	expressed := func(x, i int) []string {
		genes := slices.DeleteFunc(slices.Clone(profiles[x][i].sentence), func(g string) bool { return !known[1-x][g] })
		slices.Sort(genes)
		return genes
	}
	n, sure := 0, false
	for i := range cells[0] {
		a, b := expressed(0, i), expressed(1, i)
		if len(a) > 0 && slices.Equal(a, b) {
			n++
			sure = sure || len(a) > 20
		}
	}
	if sure || 2*n >= len(cells[0]) {
		return wrong(place, "a cell belongs to one context", "of %d cells that have one name in both files, %d are the same cell, such as %s", len(cells[0]), n, pools[0].names[cells[0][0].Row])
	}
	return nil
}

func sorted(values []float32) []float32 {
	out := slices.Clone(values)
	slices.SortFunc(out, func(a, b float32) int { return cmp.Compare(b, a) })
	return out
}

// warn says what of the plan its reader might not expect.
func (p *Plan) warn() {
	donors := [2]int{}
	for _, c := range p.Clusters {
		for x := range donors {
			if c.In[x] {
				donors[x]++
			}
		}
	}
	note := func(ok bool, text string) {
		if !ok {
			p.Warnings = append(p.Warnings, text)
		}
	}
	for x, n := range donors {
		name := contextName(record.Context(x))
		note(n != 1, "the "+name+" context has one donor: effects are estimated, nothing can be tested, and no call is made")
		note(n != 2, "the "+name+" context has two donors: tests rest on almost nothing")
	}
	short := 0
	for x := range p.Cells {
		for i := range p.profiles[x] {
			if len(p.profiles[x][i].sentence) < p.Genes {
				short++
			}
		}
	}
	note(2*short <= len(p.Cells[0])+len(p.Cells[1]), "most cells express fewer genes than a sentence asks for: genes may be smaller")
}
