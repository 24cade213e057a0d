package dataset

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Batch is some rows of a dataset, column by column.
type Batch struct {
	Schema  Schema
	Columns []Column // beside Schema
	// Start is the number of the first row in the whole dataset, counted from 0.
	Start int64
	// Last says that a block of the file ends with this batch.
	Last bool
}

// Column is the values of a column: those of its kind, and Missing.
type Column struct {
	Kind Kind
	// Text is the strings back to back; that of row i ends at Ends[i].
	Text   []byte
	Ends   []int
	Bools  []bool
	Ints   []int64
	Floats []float64
	// Missing has an entry a row. Where it is true the value is zero or empty.
	Missing []bool
}

// NewBatch returns an empty batch.
func NewBatch(schema Schema) *Batch {
	b := &Batch{Schema: schema, Columns: make([]Column, len(schema))}
	for i, f := range schema {
		b.Columns[i].Kind = f.Kind
	}
	return b
}

// Rows is the number of rows.
func (b *Batch) Rows() int {
	if len(b.Columns) == 0 {
		return 0
	}
	return len(b.Columns[0].Missing)
}

// Reset removes all rows and keeps the memory.
func (b *Batch) Reset() {
	for i := range b.Columns {
		c := &b.Columns[i]
		c.Text, c.Ends, c.Bools, c.Ints, c.Floats, c.Missing = c.Text[:0], c.Ends[:0], c.Bools[:0], c.Ints[:0], c.Floats[:0], c.Missing[:0]
	}
	b.Start, b.Last = 0, false
}

// Column is the column of that name, nil if there is none.
func (b *Batch) Column(name string) *Column {
	if i := b.Schema.Index(name); i >= 0 {
		return &b.Columns[i]
	}
	return nil
}

// size is the bytes of all values.
func (b *Batch) size() int {
	n := 0
	for i := range b.Columns {
		n += len(b.Columns[i].Text) + 9*len(b.Columns[i].Missing)
	}
	return n
}

// TextAt is the string of row i of a text column; it is valid as long as the
// column does not change.
func (c *Column) TextAt(i int) []byte {
	start := 0
	if i > 0 {
		start = c.Ends[i-1]
	}
	return c.Text[start:c.Ends[i]:c.Ends[i]]
}

// Print appends the value of row i in the way people write it; missing values
// append nothing.
func (c *Column) Print(dst []byte, i int) []byte {
	if c.Missing[i] {
		return dst
	}
	switch c.Kind {
	case Bool:
		return strconv.AppendBool(dst, c.Bools[i])
	case Int:
		return strconv.AppendInt(dst, c.Ints[i], 10)
	case Float:
		return strconv.AppendFloat(dst, c.Floats[i], 'g', -1, 64)
	}
	return append(dst, c.TextAt(i)...)
}

// AppendText adds a string to a column of the kind Text or Category. Bytes that
// are no UTF-8 become U+FFFD.
func (c *Column) AppendText(s []byte) {
	if !utf8.Valid(s) {
		s = bytes.ToValidUTF8(s, []byte("\uFFFD"))
	}
	c.Text = append(c.Text, s...)
	c.Ends = append(c.Ends, len(c.Text))
	c.Missing = append(c.Missing, false)
}

// AppendString is AppendText for a string.
func (c *Column) AppendString(s string) {
	c.Text = append(c.Text, strings.ToValidUTF8(s, "\uFFFD")...)
	c.Ends = append(c.Ends, len(c.Text))
	c.Missing = append(c.Missing, false)
}

// AppendBool adds a value to a column of the kind Bool.
func (c *Column) AppendBool(v bool) {
	c.Bools = append(c.Bools, v)
	c.Missing = append(c.Missing, false)
}

// AppendInt adds a value to a column of the kind Int.
func (c *Column) AppendInt(v int64) {
	c.Ints = append(c.Ints, v)
	c.Missing = append(c.Missing, false)
}

// AppendFloat adds a value to a column of the kind Float.
func (c *Column) AppendFloat(v float64) {
	c.Floats = append(c.Floats, v)
	c.Missing = append(c.Missing, false)
}

// AppendMissing adds a missing value.
func (c *Column) AppendMissing() {
	switch c.Kind {
	case Bool:
		c.Bools = append(c.Bools, false)
	case Int:
		c.Ints = append(c.Ints, 0)
	case Float:
		c.Floats = append(c.Floats, 0)
	default:
		c.Ends = append(c.Ends, len(c.Text))
	}
	c.Missing = append(c.Missing, true)
}

// Append adds the value of row i of another column of the same kind.
func (c *Column) Append(o *Column, i int) {
	switch {
	case o.Missing[i]:
		c.AppendMissing()
	case c.Kind == Bool:
		c.AppendBool(o.Bools[i])
	case c.Kind == Int:
		c.AppendInt(o.Ints[i])
	case c.Kind == Float:
		c.AppendFloat(o.Floats[i])
	default:
		c.AppendText(o.TextAt(i))
	}
}

// countMissing is how many values are missing.
func (c *Column) countMissing() int {
	n := 0
	for _, missing := range c.Missing {
		if missing {
			n++
		}
	}
	return n
}
