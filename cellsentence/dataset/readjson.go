package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxColumns bounds the columns of a file that was not written here.
const maxColumns = 10_000

// inference learns the columns of a jsonl file.
type inference struct {
	names  []string
	kinds  []jsonKind // jsonNull until a value was seen
	index  map[string]int
	parser jsonParser
}

// read looks at all lines.
func (a *inference) read(ctx context.Context, l *lines) error {
	for {
		if l.n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = a.add(line)
		}
		if err != nil {
			return at("", fmt.Sprintf("line %d", l.n), err)
		}
	}
}

// add looks at one line.
func (a *inference) add(line []byte) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	if a.index == nil {
		a.index = map[string]int{}
	}
	next := 0
	return a.parser.object(line, func(name []byte) error {
		i := next
		if i >= len(a.names) || string(name) != a.names[i] {
			known := false
			if i, known = a.index[string(name)]; !known {
				if i = len(a.names); i == maxColumns {
					return fmt.Errorf("there are more than %d columns", maxColumns)
				}
				a.index[string(name)] = i
				a.names = append(a.names, string(name))
				a.kinds = append(a.kinds, jsonNull)
			}
		}
		next = i + 1
		kind, _, err := a.parser.value()
		if err != nil {
			return err
		}
		joined, ok := joinJSON(a.kinds[i], kind)
		if !ok {
			return fmt.Errorf("column %q is %v here and %v in lines before", a.names[i], kind, a.kinds[i])
		}
		a.kinds[i] = joined
		return nil
	})
}

// joinJSON is the kind of a column in which both occur.
func joinJSON(a, b jsonKind) (jsonKind, bool) {
	switch {
	case a == b || b == jsonNull:
		return a, true
	case a == jsonNull:
		return b, true
	case a == jsonNested || b == jsonNested:
		return jsonNested, true
	case (a == jsonInt || a == jsonFloat) && (b == jsonInt || b == jsonFloat):
		return jsonFloat, true
	}
	return 0, false
}

// schema is the columns, and those that are left out.
func (a *inference) schema() (Schema, []string) {
	var s Schema
	var skipped []string
	for i, name := range a.names {
		switch kind := a.kinds[i]; {
		case kind == jsonNested:
			skipped = append(skipped, name)
		case kind == jsonBool:
			s = append(s, Field{name, Bool})
		case kind == jsonInt && name != ColumnTotal:
			s = append(s, Field{name, Int})
		case kind == jsonInt || kind == jsonFloat || name == ColumnTotal && kind == jsonNull:
			s = append(s, Field{name, Float})
		default:
			s = append(s, Field{name, kindOfText(name)})
		}
	}
	return s, skipped
}

// jsonSource reads an object a line.
type jsonSource struct {
	lines  *lines
	rows   int
	end    func() error
	parser jsonParser

	ahead [][]byte // lines of a pipe that were looked at
	line  int      // the number of the line in work

	names []string // all columns of the file
	to    []int    // where each goes in a batch, −1: nowhere
	index map[string]int
	seen  []int // the row in which a column was last set
	row   int
}

// lookAhead learns the columns of a pipe from its first lines.
func (s *jsonSource) lookAhead(a *inference) error {
	size := 0
	for len(s.ahead) < BlockRows && size < maxBatchBytes {
		line, err := s.lines.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = a.add(line)
		}
		if err != nil {
			return at("", fmt.Sprintf("line %d", s.lines.n), err)
		}
		s.ahead = append(s.ahead, bytes.Clone(line))
		size += len(line)
	}
	return nil
}

// bind says where the columns of the file go.
func (s *jsonSource) bind(a *inference, schema Schema, columns []int) {
	s.names, s.index = a.names, a.index
	s.to, s.seen = make([]int, len(a.names)), make([]int, len(a.names))
	for i, name := range a.names {
		s.to[i] = -1
		for k, c := range columns {
			if schema[c].Name == name {
				s.to[i] = k
			}
		}
	}
}

func (s *jsonSource) next(b *Batch) error {
	size := 0
	for b.Rows() < s.rows && size < maxBatchBytes {
		line, err := s.nextLine()
		if errors.Is(err, io.EOF) && b.Rows() > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		size += len(line)
		if err := s.add(b, line); err != nil {
			return at("", fmt.Sprintf("line %d", s.line), err)
		}
	}
	return nil
}

func (s *jsonSource) nextLine() ([]byte, error) {
	s.line++
	if len(s.ahead) > 0 {
		line := s.ahead[0]
		s.ahead = s.ahead[1:]
		return line, nil
	}
	return s.lines.next()
}

// add reads a row.
func (s *jsonSource) add(b *Batch, line []byte) error {
	s.row++
	next := 0
	err := s.parser.object(line, func(name []byte) error {
		i := next
		if i >= len(s.names) || string(name) != s.names[i] {
			known := false
			if i, known = s.index[string(name)]; !known {
				return fmt.Errorf("column %q is not in the first %d lines, which tell the columns of a pipe", name, BlockRows)
			}
		}
		next = i + 1
		if s.seen[i] == s.row {
			return fmt.Errorf("column %q is given twice", name)
		}
		s.seen[i] = s.row
		kind, text, err := s.parser.value()
		if err != nil || s.to[i] < 0 {
			return err
		}
		return put(&b.Columns[s.to[i]], s.names[i], kind, text)
	})
	if err != nil {
		return err
	}
	for i, to := range s.to {
		if to >= 0 && s.seen[i] != s.row {
			b.Columns[to].AppendMissing()
		}
	}
	return nil
}

// put adds a value to a column.
func put(c *Column, name string, kind jsonKind, text []byte) error {
	switch {
	case kind == jsonNull:
		c.AppendMissing()
	case kind == jsonString && c.Kind.IsText():
		c.AppendText(text)
	case kind == jsonBool && c.Kind == Bool:
		c.AppendBool(text[0] == 't')
	case kind == jsonInt && c.Kind == Int:
		n, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return err
		}
		c.AppendInt(n)
	case (kind == jsonInt || kind == jsonFloat) && c.Kind == Float:
		v, err := strconv.ParseFloat(string(text), 64)
		if err != nil {
			return err
		}
		c.AppendFloat(v)
	default:
		return fmt.Errorf("column %q is %v here, and its values in the first %d lines are of the kind %v", name, kind, BlockRows, c.Kind)
	}
	return nil
}

func (s *jsonSource) close() error {
	if s.end == nil {
		return nil
	}
	return s.end()
}
