package where

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
)

// checkEvery is how many rows are filtered between looks at the context.
const checkEvery = 4096

// Rows lists the rows of a data frame for which an expression is true, in rising
// order. Only the columns that the expression uses are read. An error in the
// expression is an [*Error]; others are those of reading the file.
func Rows(ctx context.Context, df *h5ad.DataFrame, expression string) ([]int, error) {
	f, err := compile(expression, df.Names, func(name string) (Kind, error) {
		s, err := df.Describe(ctx, name)
		if err != nil {
			return 0, err
		}
		return kindOf(s.DType), nil
	})
	if err != nil {
		return nil, err
	}
	read := make([]func(row int) any, len(f.columns))
	for i, name := range f.columns {
		c, err := df.Column(ctx, name)
		if err != nil {
			return nil, err
		}
		read[i] = values(c)
	}
	var kept []int
	row := make([]any, len(read))
	for i := range df.Length {
		if i%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		for j, value := range read {
			row[j] = value(i)
		}
		keep, err := f.Keep(row)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		if keep {
			kept = append(kept, i)
		}
	}
	return kept, nil
}

// kindOf is the kind of a numpy type, 0 when there is none.
func kindOf(dtype string) Kind {
	for _, k := range [...]struct {
		prefix string
		kind   Kind
	}{{"string", Text}, {"bool", Bool}, {"int", Int}, {"uint", Int}, {"float", Float}, {"bfloat", Float}} {
		if strings.HasPrefix(dtype, k.prefix) {
			return k.kind
		}
	}
	return 0
}

// values reads a column by rows. Categories are turned into values once.
func values(c *h5ad.Column) func(row int) any {
	if c.Categorical == nil {
		return reader(c.Array)
	}
	read := reader(c.Categories)
	categories := make([]any, c.Categories.Len())
	for i := range categories {
		categories[i] = read(i)
	}
	return func(row int) any {
		if code := c.Codes[row]; code >= 0 {
			return categories[code]
		}
		return nil
	}
}

// reader gives the values of an array, nil where one is missing.
func reader(a *h5ad.Array) func(i int) any {
	read := func(int) any { return nil }
	switch v := a.Values.(type) {
	case []string:
		read = func(i int) any { return v[i] }
	case []bool:
		read = func(i int) any { return v[i] }
	case []float32:
		read = floats(v)
	case []float64:
		read = floats(v)
	case []int8:
		read = ints(v)
	case []int16:
		read = ints(v)
	case []int32:
		read = ints(v)
	case []int64:
		read = ints(v)
	case []uint8:
		read = ints(v)
	case []uint16:
		read = ints(v)
	case []uint32:
		read = ints(v)
	case []uint64:
		read = func(i int) any {
			if v[i] > math.MaxInt64 {
				return float64(v[i]) // which is at least in its place
			}
			return int(v[i])
		}
	}
	if a.Missing == nil {
		return read
	}
	return func(i int) any {
		if a.Missing[i] {
			return nil
		}
		return read(i)
	}
}

func floats[T float32 | float64](v []T) func(int) any {
	return func(i int) any {
		if v[i] != v[i] {
			return nil
		}
		return float64(v[i])
	}
}

func ints[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](v []T) func(int) any {
	return func(i int) any { return int(v[i]) }
}
