package prompt

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Interactions is a table of gene pairs that act on each other, such as ligands and
// their receptors.
type Interactions struct {
	pairs []interaction
}

// interaction is one pair. A complex has several genes on a side.
type interaction struct {
	sides [2][]string // in upper case, as genes are in sentences
	line  string
}

// Limits on tables of interactions. CellPhoneDB, OmniPath and BioGRID's multiply
// validated set hold 10^3 to 10^6 pairs.
const (
	maxTable = 256 << 20
	maxPairs = 1 << 22
)

// LoadInteractions reads a table of pairs: lines of fields separated by tabs, or by
// commas if the first line has no tab, with a first line that names the columns.
// The pairs stand in the columns first and second. A side A_B is a complex, present
// if all of its genes are. Pairs that come again are left out. Faults of the table
// are [*Error].
func LoadInteractions(path, first, second string) (*Interactions, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("interactions: %w", err)
	}
	defer f.Close()
	return readInteractions(f, path, first, second)
}

func readInteractions(r io.Reader, file, first, second string) (*Interactions, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxTable+1))
	if err != nil {
		return nil, fmt.Errorf("interactions: %s: %w", file, err)
	}
	if len(data) > maxTable {
		return nil, &Error{File: file, Problem: fmt.Sprintf("larger than %d bytes: not a table of interactions", maxTable)}
	}
	all := strings.TrimPrefix(string(data), "\ufeff")
	head, _, _ := strings.Cut(all, "\n")
	c := csv.NewReader(strings.NewReader(all))
	c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord = -1, true, true
	if strings.Contains(head, "\t") {
		c.Comma = '\t'
	}
	var at [2]int
	out := &Interactions{}
	seen := map[string]bool{}
	for n := 0; ; n++ {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, &Error{File: file, Problem: fmt.Sprintf("not a table: %v", err), Err: err}
		}
		if n == 0 {
			if at, err = columns(row, file, first, second); err != nil {
				return nil, err
			}
			continue
		}
		at0, _ := c.FieldPos(0)
		where := fmt.Sprintf("line %d", at0)
		if len(row) <= max(at[0], at[1]) {
			return nil, &Error{File: file, Where: where, Problem: fmt.Sprintf("%d fields, too few for the columns %s and %s", len(row), quote(first), quote(second))}
		}
		var p interaction
		for i := range p.sides {
			p.sides[i], err = side(row[at[i]])
			if err != nil {
				return nil, &Error{File: file, Where: where, Problem: err.Error(), Err: err}
			}
		}
		p.line = strings.Join(p.sides[0], "_") + " - " + strings.Join(p.sides[1], "_")
		if seen[p.line] {
			continue
		}
		seen[p.line] = true
		if out.pairs = append(out.pairs, p); len(out.pairs) > maxPairs {
			return nil, &Error{File: file, Problem: fmt.Sprintf("more than %d pairs", maxPairs)}
		}
	}
	if len(out.pairs) == 0 {
		return nil, &Error{File: file, Problem: "the table has no pairs"}
	}
	return out, nil
}

// columns finds the two columns in the first line.
func columns(row []string, file, first, second string) (at [2]int, err error) {
	for i, name := range []string{first, second} {
		at[i] = -1
		for k, have := range row {
			if strings.TrimSpace(have) == name {
				at[i] = k
			}
		}
		if at[i] < 0 {
			var have []string
			for _, name := range row[:min(len(row), 20)] {
				have = append(have, quote(name))
			}
			return at, &Error{File: file, Where: "line 1", Problem: fmt.Sprintf("no column %s among %s", quote(name), list(have))}
		}
	}
	return at, nil
}

// side is the genes of one side of a pair.
func side(s string) ([]string, error) {
	var genes []string
	for g := range strings.SplitSeq(strings.ToUpper(strings.TrimSpace(s)), "_") {
		if _, bad := badRune(g, false); g == "" || bad || strings.ContainsRune(g, ' ') {
			return nil, fmt.Errorf("%s is no gene name, nor genes with _ between them", quote(s))
		}
		genes = append(genes, g)
	}
	return genes, nil
}

// Len is the number of different pairs.
func (t *Interactions) Len() int { return len(t.pairs) }

// write writes the pairs among the genes, at most limit if that is not 0.
func (t *Interactions) write(w *buffer, genes map[string]bool, limit int) {
	n := 0
	for i := range t.pairs {
		p := &t.pairs[i]
		if !all(p.sides[0], genes) || !all(p.sides[1], genes) {
			continue
		}
		if n++; n > 1 {
			w.text("\n")
		}
		w.text(p.line)
		w.genes += len(p.sides[0]) + len(p.sides[1])
		w.geneBytes += len(p.line) - len(" - ")
		if n == limit {
			return
		}
	}
	if n == 0 {
		w.text("none")
	}
}

// all reports whether a set holds all genes.
func all(genes []string, set map[string]bool) bool {
	for _, g := range genes {
		if !set[g] {
			return false
		}
	}
	return true
}
