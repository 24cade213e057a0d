package dataset

import (
	"math"

	"github.com/cellsentence/c2s/h5ad"
)

// Label is a column of obs that goes beside the sentences.
type Label struct {
	Field
	// column is nil for a label that this file does not have.
	column *h5ad.Column
	read   func(c *Column, row int)
}

// LabelKind is the kind of a column of obs: of its categories if it is categorical.
// Unsigned numbers above the greatest Int, and complex numbers, become Category.
func LabelKind(c *h5ad.Column) Kind {
	values := c.Array
	if c.Categorical != nil {
		values = c.Categories
	}
	switch v := values.Values.(type) {
	case []string:
		if c.Categorical == nil {
			return Text
		}
	case []bool:
		return Bool
	case []int8, []int16, []int32, []int64, []uint8, []uint16, []uint32:
		return Int
	case []uint64:
		for _, x := range v {
			if x > math.MaxInt64 {
				return Category
			}
		}
		return Int
	case []float32, []float64:
		return Float
	}
	return Category
}

// JoinKinds is the kind that holds the values of both: a number where one is Int
// and the other Float, else a string.
func JoinKinds(a, b Kind) Kind {
	switch {
	case a == b:
		return a
	case a == Int && b == Float || a == Float && b == Int:
		return Float
	}
	return Category
}

// NewLabel reads field from a column of obs, whose own kind may be narrower; a nil
// column gives missing values.
func NewLabel(field Field, column *h5ad.Column) Label {
	l := Label{Field: field, column: column}
	if column == nil {
		l.read = func(c *Column, _ int) { c.AppendMissing() }
		return l
	}
	value := l.reader(column)
	codes := column.Categorical
	l.read = func(c *Column, row int) {
		if codes != nil {
			if row = int(codes.Codes[row]); row < 0 {
				c.AppendMissing()
				return
			}
		}
		value(c, row)
	}
	return l
}

// reader appends entry i of the values of a column.
func (l *Label) reader(column *h5ad.Column) func(c *Column, i int) {
	a := column.Array
	if column.Categorical != nil {
		a = column.Categories
	}
	missing := func(i int) bool { return a.Missing != nil && a.Missing[i] }
	if b, ok := a.Values.([]bool); ok && l.Kind == Bool {
		return func(c *Column, i int) {
			if missing(i) {
				c.AppendMissing()
			} else {
				c.AppendBool(b[i])
			}
		}
	}
	if number := numberOf(a.Values); number != nil && (l.Kind == Int || l.Kind == Float) {
		return func(c *Column, i int) {
			n, f := number(i)
			switch {
			case missing(i) || math.IsNaN(f):
				c.AppendMissing()
			case l.Kind == Int:
				c.AppendInt(n)
			default:
				c.AppendFloat(f)
			}
		}
	}
	return func(c *Column, i int) {
		if s, ok := a.Text(i); ok {
			c.AppendString(s)
		} else {
			c.AppendMissing()
		}
	}
}

// numberOf gives entry i of a slice of numbers as an integer and as a float.
func numberOf(values any) func(i int) (int64, float64) {
	switch v := values.(type) {
	case []int8:
		return numbers(v)
	case []int16:
		return numbers(v)
	case []int32:
		return numbers(v)
	case []int64:
		return numbers(v)
	case []uint8:
		return numbers(v)
	case []uint16:
		return numbers(v)
	case []uint32:
		return numbers(v)
	case []uint64:
		return numbers(v)
	case []float32:
		return numbers(v)
	case []float64:
		return numbers(v)
	}
	return nil
}

func numbers[T h5ad.Number](v []T) func(i int) (int64, float64) {
	return func(i int) (int64, float64) { return int64(v[i]), float64(v[i]) }
}
