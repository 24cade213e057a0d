package cellsentence

import (
	"fmt"
	"strings"
)

// GeneMap gives genes other names: symbols for Ensembl identifiers, current
// symbols for aliases, those of the orthologs in another species. Read one with
// [ReadGeneMap].
type GeneMap struct {
	// Format is what kind of file it came from.
	Format GeneMapFormat
	tables []mapTable
}

// GeneMapFormat is a form of mapping file.
type GeneMapFormat string

const (
	// GeneMapPairs is two columns, the name as it is and the name to give.
	GeneMapPairs GeneMapFormat = "pairs"
	// GeneMapCellxgene is the gene list of the CELLxGENE schema: Ensembl
	// identifier, symbol, version, length and type, without a header.
	GeneMapCellxgene GeneMapFormat = "cellxgene"
	// GeneMapOrthologs is a table as the R package babelgene has it, with a header
	// that names human_symbol, symbol and support_n among others.
	GeneMapOrthologs GeneMapFormat = "orthologs"
)

// mapTable maps the names of one kind.
type mapTable struct {
	from, to string // what the columns are called
	targets  map[string]target
}

// target is where a name leads.
type target struct {
	name    string
	support int  // the more, the better
	tied    bool // another has as much
}

// add keeps the best supported target, of equals the first.
func (t *mapTable) add(from, to string, support int) {
	if from == "" || to == "" || from == "NA" || to == "NA" {
		return
	}
	switch old, ok := t.targets[from]; {
	case !ok || support > old.support:
		t.targets[from] = target{to, support, false}
	case support == old.support && to != old.name:
		old.tied = true
		t.targets[from] = old
	}
}

// find looks a name up, an Ensembl identifier without its version, too.
func (t *mapTable) find(name string) (target, bool) {
	to, ok := t.targets[name]
	if !ok && isEnsembl(name) {
		id, _, _ := strings.Cut(name, ".")
		to, ok = t.targets[strings.ToUpper(id)]
	}
	return to, ok
}

// GeneMapping is the result of [GeneMap.Apply].
type GeneMapping struct {
	// Names has the new name of each gene. Several may get the same one: the
	// encoder's rule for [Collisions] says what becomes of them.
	Names []string
	// From and To say what was mapped to what, in the words of the file's columns.
	From, To string
	// Mapped counts the genes that the map knows.
	Mapped int
	// Unmapped lists the columns of the others, which keep their names.
	Unmapped []int
	// Ambiguous lists the columns of genes that the map gives several names with
	// the same support. They got the first.
	Ambiguous []int
	// Shared counts the genes whose new name another gene has, too.
	Shared int
}

// Apply maps the names of a matrix's genes. An ortholog table maps from whichever
// of its columns knows most of the names to the symbols of the other species;
// equally many are an error, as are names none of which the map knows.
func (m *GeneMap) Apply(names []string) (*GeneMapping, error) {
	best, most, tie := -1, 0, -1
	for i := range m.tables {
		n := 0
		for _, name := range names {
			if _, ok := m.tables[i].find(name); ok {
				n++
			}
		}
		switch {
		case n > most:
			best, most, tie = i, n, -1
		case n == most && n > 0:
			tie = i
		}
	}
	if best < 0 {
		return nil, badInput("gene map: it knows none of %s, such as %s: it maps %s",
			plural(len(names), "gene name"), examples(names), m.describe())
	}
	if tie >= 0 {
		return nil, badInput("gene map: %d names are in the column %s, and as many in %s: cut the table to one of them and the column to map to",
			most, m.tables[best].from, m.tables[tie].from)
	}
	t := &m.tables[best]
	g := &GeneMapping{Names: make([]string, len(names)), From: t.from, To: t.to, Mapped: most}
	genes := make(map[string]int, len(names))
	for i, name := range names {
		to, ok := t.find(name)
		g.Names[i] = to.name
		switch {
		case !ok:
			g.Names[i] = name
			g.Unmapped = append(g.Unmapped, i)
		case to.tied:
			g.Ambiguous = append(g.Ambiguous, i)
		}
		genes[g.Names[i]]++
	}
	for _, n := range genes {
		if n > 1 {
			g.Shared += n
		}
	}
	return g, nil
}

// describe says what the map can map, with an example.
func (m *GeneMap) describe() string {
	var parts []string
	for i := range m.tables {
		t := &m.tables[i]
		least := ""
		for name := range t.targets {
			if least == "" || name < least {
				least = name
			}
		}
		parts = append(parts, fmt.Sprintf("%s (such as %s) to %s", t.from, quote(least), t.to))
	}
	return and(parts)
}

// Warnings returns, for people, what they might not expect of the mapping, a
// sentence each. names are those that were mapped.
func (g *GeneMapping) Warnings(names []string) []string {
	var out []string
	list := func(columns []int) string {
		var some []string
		for _, c := range columns[:min(shown, len(columns))] {
			some = append(some, names[c])
		}
		return examples(some)
	}
	if n := len(g.Unmapped); n > 0 {
		out = append(out, fmt.Sprintf("the gene map does not know %d of %d genes (such as %s): they keep their names", n, len(names), list(g.Unmapped)))
	}
	if n := len(g.Ambiguous); n > 0 {
		out = append(out, fmt.Sprintf("the gene map gives %s several names with the same support (such as %s): they get the first", plural(n, "gene"), list(g.Ambiguous)))
	}
	if g.Shared > 0 {
		out = append(out, fmt.Sprintf("%s have the same name as another after mapping: --collisions says what becomes of them", plural(g.Shared, "gene")))
	}
	return out
}

// examples quotes the first few names.
func examples(names []string) string {
	var some []string
	for _, n := range names[:min(shown, len(names))] {
		some = append(some, quote(n))
	}
	return strings.Join(some, ", ")
}
