package pairs

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// Columns of a file of gene sets.
const (
	columnSet         = "gene_set_name"
	columnDescription = "description"
	columnGenes       = "genes"
)

// Limits on files of gene sets. All of MSigDB 2025 is 35,000 sets in 40 MB; its
// largest set takes 20 kB.
const (
	maxSetFile = 1 << 30
	maxSetLine = 16 << 20
)

// openSets reads a file in the GMT format of MSigDB: a set a line, of a name, a
// description, which may be empty, and genes, with tabs between them. Genes get upper
// case, as in sentences. Genes that a set names again are left out and counted.
func openSets(path string) (*Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	bad := func(place, format string, args ...any) error {
		return &dataset.Error{
			File: path, Place: place, Err: fmt.Errorf(format, args...),
			Tip: "a .gmt has a set a line: its name, a description and genes, separated by tabs",
		}
	}
	if st.Size() > maxSetFile {
		return nil, bad("", "%d bytes are too many for a file of gene sets", st.Size())
	}
	b := dataset.NewBatch(dataset.Schema{
		{Name: columnSet, Kind: dataset.Category}, {Name: columnDescription, Kind: dataset.Text}, {Name: columnGenes, Kind: dataset.Text},
	})
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxSetLine)
	again := 0
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r\n\t ")
		if line == "" {
			continue
		}
		place := fmt.Sprintf("line %d", n)
		fields := strings.Split(line, "\t")
		if len(fields) < 3 || strings.TrimSpace(fields[0]) == "" {
			return nil, bad(place, "no name, description and genes with tabs between them")
		}
		var genes []string
		seen := map[string]bool{}
		for _, gene := range fields[2:] {
			switch gene = strings.ToUpper(strings.TrimSpace(gene)); {
			case strings.ContainsAny(gene, " ,"):
				return nil, bad(place, "%.40q is no gene", gene)
			case gene != "" && seen[gene]:
				again++
			case gene != "":
				seen[gene] = true
				genes = append(genes, gene)
			}
		}
		b.Columns[0].AppendString(strings.TrimSpace(fields[0]))
		if text := strings.TrimSpace(fields[1]); text == "" {
			b.Columns[1].AppendMissing()
		} else {
			b.Columns[1].AppendString(text)
		}
		b.Columns[2].AppendString(strings.Join(genes, " "))
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, bad("", "a line has more than %d bytes", maxSetLine)
	case err != nil:
		return nil, err
	case b.Rows() == 0:
		return nil, bad("", "there is no gene set")
	}
	s := &Source{name: path, sets: b}
	if again > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%d genes that a set names again left out", again))
	}
	return s, nil
}
