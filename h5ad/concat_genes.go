package h5ad

import (
	"fmt"
	"slices"
)

// geneJoin joins the names of genes as pandas joins indexes.
type geneJoin struct {
	outer bool
	names []string        // of the join so far
	label string          // name of the index, "" when the files differ
	same  bool            // all files have these names in this order
	seen  map[string]bool // all names
	files int

	twice     string // a name that a file has twice
	twiceFile *File

	at map[string]int32 // place of a name in the join
}

func newGeneJoin(outer bool) *geneJoin {
	return &geneJoin{outer: outer, same: true, seen: map[string]bool{}}
}

// add joins the genes of another file.
func (g *geneJoin) add(f *File, names []string, label string) {
	own := make(map[string]bool, len(names))
	for _, n := range names {
		if own[n] && g.twiceFile == nil {
			g.twice, g.twiceFile = n, f
		}
		own[n] = true
		g.seen[n] = true
	}
	g.files++
	if g.files == 1 {
		g.names, g.label = names, label
		return
	}
	if label != g.label {
		g.label = ""
	}
	// pandas sorts a union, unless there is nothing to unite.
	switch {
	case slices.Equal(names, g.names):
		return
	case !g.outer:
		kept := []string{}
		for _, n := range g.names {
			if own[n] {
				kept = append(kept, n)
			}
		}
		g.names = kept
	case len(g.names) == 0:
		g.names = names
	case len(names) > 0:
		all := append(slices.Clone(g.names), names...)
		slices.Sort(all)
		g.names = slices.Compact(all)
	}
	g.same = false
}

// done ends the joining. Names that occur twice cannot be joined, as in pandas.
func (g *geneJoin) done() error {
	if g.same {
		return nil
	}
	if g.twiceFile != nil {
		return &Error{
			File: g.twiceFile.path, Key: "/var", Err: fmt.Errorf("two genes are called %q, so that genes cannot be joined by name with those of the other files", g.twice),
			Tip: "make the names unique first (var_names_make_unique() in Python)",
		}
	}
	g.at = make(map[string]int32, len(g.names))
	for i, n := range g.names {
		g.at[n] = int32(i)
	}
	return nil
}

// place says where the columns of a file go.
type place struct {
	keep  []int32 // column → column of the output, −1 to drop it; nil keeps all
	lacks bool    // the output has columns that the file has not
}

// placeOf is the place of the genes of a file.
func (g *geneJoin) placeOf(names []string) place {
	if g.same || slices.Equal(names, g.names) {
		return place{}
	}
	p := place{keep: make([]int32, len(names))}
	n := 0
	for i, name := range names {
		p.keep[i] = -1
		if at, ok := g.at[name]; ok {
			p.keep[i] = at
			n++
		}
	}
	p.lacks = n < len(g.names)
	return p
}

// from is, for each of n columns of the output, the column of the file, −1 where
// it has none; nil where they are the same.
func (p place) from(n int) []int {
	if p.keep == nil {
		return nil
	}
	from := make([]int, n)
	for i := range from {
		from[i] = -1
	}
	for i, to := range p.keep {
		if to >= 0 {
			from[to] = i
		}
	}
	return from
}
