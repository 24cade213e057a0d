package embedding

import (
	"bufio"
	"context"
	"os"
	"slices"
	"strings"
)

// maxLine is the longest line of a table of labels.
const maxLine = 1 << 20

// table is the labels of a TSV file: names in the first line, then a line a cell.
type table struct {
	path string
	rows int
	head []string
}

func openTable(ctx context.Context, path string, rows int) (*table, error) {
	t := &table{path: path, rows: rows}
	n := 0
	err := t.lines(func(row int, line string) error {
		if row >= 0 {
			n++
		}
		if have := strings.Count(line, "\t") + 1; have != len(t.head) {
			return bad(path, "", "line %d has %d columns, the first %d", row+2, have, len(t.head))
		}
		return ctx.Err()
	})
	if err == nil && n != rows {
		err = bad(path, "a line of names, then a line for each row of the embedding", "labels of %d cells for %d rows", n, rows)
	}
	return t, err
}

func (t *table) names() []string { return t.head }

func (t *table) column(ctx context.Context, name string) ([]string, error) {
	out := make([]string, 0, t.rows)
	at := slices.Index(t.head, name)
	err := t.lines(func(row int, line string) error {
		if cells := strings.Split(line, "\t"); row >= 0 && at < len(cells) {
			out = append(out, cells[at])
		}
		return ctx.Err()
	})
	return out, err
}

// lines calls do with each line, the first of which is number −1.
func (t *table) lines(do func(row int, line string) error) error {
	f, err := os.Open(t.path)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, maxLine)
	for row := -1; s.Scan(); row++ {
		line := strings.TrimSuffix(s.Text(), "\r")
		if row < 0 {
			t.head = strings.Split(strings.TrimPrefix(line, "\ufeff"), "\t")
		}
		if err := do(row, line); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return bad(t.path, "labels are a TSV file", "%w", err)
	}
	if t.head == nil {
		return bad(t.path, "labels are a TSV file", "the file is empty")
	}
	return nil
}
