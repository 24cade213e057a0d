package cellsentence

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxMapBytes bounds a mapping file once it is unpacked: the largest known to
	// us, of all genes of man and mouse, has 5 MB.
	maxMapBytes = 256 << 20
	maxMapRows  = 4 << 20
)

// ReadGeneMap reads a mapping file, which may be compressed with gzip: columns
// with tabs between them, or with commas as CSV. Lines that are empty or begin with
// # are skipped. The formats are told apart by the first line:
//
//   - the header of an ortholog table ([GeneMapOrthologs]). The partner with the
//     highest support_n counts.
//   - five columns of which the first is an Ensembl identifier
//     ([GeneMapCellxgene]). Genes whose symbol is their identifier again have none.
//   - two columns ([GeneMapPairs]). A header does no harm, unless a gene has
//     its name. Names that come twice keep their first target.
//
// Anything else is bad input, as are lines with another number of columns.
func ReadGeneMap(r io.Reader) (*GeneMap, error) {
	m, err := readGeneMap(r)
	if err != nil {
		return nil, fmt.Errorf("gene map: %w", err)
	}
	return m, nil
}

func readGeneMap(r io.Reader) (*GeneMap, error) {
	br := bufio.NewReader(r)
	if magic, _ := br.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, mapError(err)
		}
		br = bufio.NewReader(z) // nothing is held that would need closing
	}
	limited := &io.LimitedReader{R: br, N: maxMapBytes}
	rows, err := newMapRows(limited)
	if err != nil {
		return nil, err
	}
	m, add, err := mapFormat(rows.first)
	if err != nil {
		return nil, err
	}
	width := len(rows.first)
	n := 0
	for {
		row, err := rows.next()
		switch {
		case limited.N == 0:
			return nil, badInput("more than %d bytes", maxMapBytes)
		case errors.Is(err, io.EOF):
			return m, m.check()
		case err != nil:
			return nil, err
		case len(row) != width:
			return nil, badInput("line %d has %s, the first %d", rows.line, plural(len(row), "column"), width)
		}
		if n++; n > maxMapRows {
			return nil, badInput("more than %d lines", maxMapRows)
		}
		if err := add(row); err != nil {
			return nil, badInput("line %d: %w", rows.line, err)
		}
	}
}

func (m *GeneMap) check() error {
	for _, t := range m.tables {
		if len(t.targets) > 0 {
			return nil
		}
	}
	return badInput("no gene in it")
}

// mapError names what is wrong with the file, or passes on what is wrong with the
// machine.
func mapError(err error) error {
	var parse *csv.ParseError
	switch {
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF):
		return badInput("the gzip file is damaged or cut off: %w", err)
	case errors.As(err, &parse), errors.Is(err, bufio.ErrTooLong):
		return &inputError{err}
	}
	return err
}

// mapRows reads lines of columns.
type mapRows struct {
	first []string
	line  int
	again bool // first is still to be given out
	read  func() ([]string, error)
}

// newMapRows looks at the first line to tell tabs from commas.
func newMapRows(r io.Reader) (*mapRows, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	if bom, _ := br.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		if _, err := br.Discard(3); err != nil {
			return nil, err
		}
	}
	rows := &mapRows{}
	head, err := br.Peek(4 << 10)
	if len(head) == 0 && err != nil && !errors.Is(err, io.EOF) {
		return nil, mapError(err)
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return nil, badInput("it is no text; give a table of two columns, or one with a header")
	}
	for bytes.HasPrefix(head, []byte("#")) || bytes.HasPrefix(head, []byte("\n")) {
		_, head, _ = bytes.Cut(head, []byte("\n"))
	}
	head, _, _ = bytes.Cut(head, []byte("\n"))
	switch {
	case bytes.IndexByte(head, '\t') >= 0:
		rows.tabs(br)
	case bytes.IndexByte(head, ',') >= 0:
		rows.commas(br)
	default:
		return nil, badInput("its first line %s has one column: give two, the name as it is and the name to give, with a tab or a comma between them", quote(string(head)))
	}
	if rows.first, err = rows.read(); err != nil {
		return nil, mapError(err)
	}
	rows.again = true
	return rows, nil
}

func (r *mapRows) next() ([]string, error) {
	if r.again {
		r.again = false
		return r.first, nil
	}
	row, err := r.read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, mapError(err)
	}
	return row, err
}

func (r *mapRows) tabs(br *bufio.Reader) {
	sc := bufio.NewScanner(br)
	sc.Buffer(nil, maxLine)
	r.read = func() ([]string, error) {
		for sc.Scan() {
			r.line++
			text := strings.TrimSuffix(sc.Text(), "\r")
			if text != "" && text[0] != '#' {
				return strings.Split(text, "\t"), nil
			}
		}
		if err := sc.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
}

func (r *mapRows) commas(br *bufio.Reader) {
	c := csv.NewReader(br)
	c.Comment = '#'
	c.FieldsPerRecord = -1 // checked by the caller, whose error is clearer
	r.read = func() ([]string, error) {
		row, err := c.Read()
		if err == nil {
			r.line, _ = c.FieldPos(0)
		}
		return row, err
	}
}

// mapFormat tells the format from the first line and returns what adds a line.
func mapFormat(first []string) (*GeneMap, func(row []string) error, error) {
	column := func(name string) int { return slices.Index(first, name) }
	switch {
	case column("human_symbol") >= 0 && column("symbol") >= 0:
		if column("support_n") < 0 {
			return nil, nil, badInput("an ortholog table without the column support_n, by which the best partner is chosen")
		}
		m, add := orthologs(column)
		return m, add, nil
	case len(first) == 5 && isEnsembl(first[0]):
		m := &GeneMap{Format: GeneMapCellxgene, tables: []mapTable{{"Ensembl identifiers", "symbols", map[string]target{}}}}
		return m, func(row []string) error {
			if !isEnsembl(row[0]) {
				return fmt.Errorf("%s is no Ensembl identifier", quote(row[0]))
			}
			if row[1] != row[0] {
				m.tables[0].add(strings.ToUpper(row[0]), row[1], 0)
			}
			return nil
		}, nil
	case len(first) == 2:
		m := &GeneMap{Format: GeneMapPairs, tables: []mapTable{{"its first column", "its second", map[string]target{}}}}
		return m, func(row []string) error {
			m.tables[0].add(strings.TrimSpace(row[0]), strings.TrimSpace(row[1]), 0)
			return nil
		}, nil
	}
	return nil, nil, badInput("%d columns that begin with %s: give two columns (the name as it is, the name to give), "+
		"an ortholog table with the columns human_symbol, symbol and support_n, or the gene list of CELLxGENE", len(first), examples(first))
}

// orthologs maps both ways, from any kind of name to symbols.
func orthologs(column func(string) int) (*GeneMap, func(row []string) error) {
	human, other, support, taxon := column("human_symbol"), column("symbol"), column("support_n"), column("taxon_id")
	m := &GeneMap{Format: GeneMapOrthologs}
	var from, to []int
	for _, dir := range []struct {
		names  []string
		target int
		to     string
	}{
		{[]string{"human_symbol", "human_entrez", "human_ensembl"}, other, "symbol"},
		{[]string{"symbol", "entrez", "ensembl"}, human, "human_symbol"},
	} {
		for _, name := range dir.names {
			if c := column(name); c >= 0 {
				m.tables = append(m.tables, mapTable{name, dir.to, map[string]target{}})
				from, to = append(from, c), append(to, dir.target)
			}
		}
	}
	header := true
	species := ""
	return m, func(row []string) error {
		if header {
			header = false
			return nil
		}
		n, err := strconv.Atoi(row[support])
		if err != nil || n < 0 {
			return fmt.Errorf("support_n is %s, expected a number", quote(row[support]))
		}
		if taxon >= 0 {
			if species == "" {
				species = row[taxon]
			}
			if row[taxon] != species {
				return fmt.Errorf("the species %s after %s: cut the table to one", quote(row[taxon]), quote(species))
			}
		}
		for i := range m.tables {
			m.tables[i].add(row[from[i]], row[to[i]], n)
		}
		return nil
	}
}
