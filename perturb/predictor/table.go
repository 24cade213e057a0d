package predictor

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"strings"
)

// Bounds on tables. The largest that is in use, all of L1000's signatures by
// compound, has 20,000 rows of 12,000 genes.
const (
	maxLine  = 4 << 20
	maxTable = 4 << 30
)

// table reads lines of fields with tabs between them, gzipped or not. Empty lines and
// those that begin with # are passed over.
type table struct {
	name  string
	lines *bufio.Scanner
	bytes *io.LimitedReader
	line  int
}

func newTable(r io.Reader, name string) (*table, error) {
	br := bufio.NewReader(r)
	t := &table{name: name, bytes: &io.LimitedReader{R: br, N: maxTable}}
	if magic, _ := br.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, badInput("", "%s: the gzip file is damaged: %w", name, err)
		}
		t.bytes.R = z
	}
	t.lines = bufio.NewScanner(t.bytes)
	t.lines.Buffer(nil, maxLine)
	return t, nil
}

// next is the fields of a line; they are valid until the next one. io.EOF ends them.
func (t *table) next() ([]string, error) {
	for t.lines.Scan() {
		t.line++
		line := strings.TrimSuffix(t.lines.Text(), "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		if t.line == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		return strings.Split(line, "\t"), nil
	}
	var corrupt flate.CorruptInputError
	switch err := t.lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, badInput("", "%s: line %d is longer than %d bytes", t.name, t.line+1, maxLine)
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, badInput("", "%s: the gzip file is damaged: %w", t.name, err)
	case err != nil:
		return nil, err
	case t.bytes.N == 0:
		return nil, badInput("", "%s: more than %d bytes", t.name, int64(maxTable))
	}
	return nil, io.EOF
}

// all calls f for each line.
func (t *table) all(f func(fields []string) error) error {
	for {
		fields, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(fields); err != nil {
			return err
		}
	}
}

// ReadTargets reads a table of perturbations and their targets: the name, a tab, and
// targets with semicolons, commas, bars or blanks between them. name stands for the
// table in errors.
func ReadTargets(r io.Reader, name string) (map[string][]string, error) {
	t, err := newTable(r, name)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	err = t.all(func(fields []string) error {
		if len(fields) < 2 {
			return badInput("", "%s: line %d has one column: expected a name, a tab and its targets", name, t.line)
		}
		targets := strings.FieldsFunc(fields[1], func(r rune) bool { return strings.ContainsRune(";,| ", r) })
		out[fields[0]] = append(out[fields[0]], targets...)
		return nil
	})
	return out, err
}

// ReadNames reads a table that gives ids a name: an id, a tab and its name, or, with a
// header, the columns human_entrez and human_symbol of an ortholog table. An id that
// comes again keeps its first name.
func ReadNames(r io.Reader, name string) (map[string]string, error) {
	t, err := newTable(r, name)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	from, to := 0, 1
	first := true
	err = t.all(func(fields []string) error {
		if first {
			first = false
			for i, f := range fields {
				switch f {
				case "human_entrez":
					from = i
				case "human_symbol":
					to = i
				}
			}
		}
		if len(fields) <= max(from, to) {
			return badInput("", "%s: line %d has %d columns: expected an id, a tab and its name", name, t.line, len(fields))
		}
		if _, twice := out[fields[from]]; !twice && fields[from] != "" && fields[to] != "" {
			out[fields[from]] = fields[to]
		}
		return nil
	})
	return out, err
}
