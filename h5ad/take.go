package h5ad

import "fmt"

// rows keeps rows of an element of the source, which need not have them all.
func (c *carrier) rows(key string, a *Array, rows []int) (*Array, error) {
	if len(a.Dims) == 0 || len(rows) > 0 && rows[len(rows)-1] >= a.Dims[0] {
		return nil, c.f.fail(key, fmt.Errorf("shape %v, but row %d is to be kept", a.Dims, rows[max(0, len(rows)-1)]))
	}
	return a.take(rows), nil
}

// take keeps rows, which must be there and rise.
func (a *Array) take(rows []int) *Array {
	width := 1
	for _, n := range a.Dims[1:] {
		width *= n
	}
	out := &Array{DType: a.DType, Dims: append([]int{len(rows)}, a.Dims[1:]...)}
	switch v := a.Values.(type) {
	case []string:
		out.Values = takeRows(v, rows, width)
	case []bool:
		out.Values = takeRows(v, rows, width)
	case []complex128:
		out.Values = takeRows(v, rows, width)
	case []float32:
		out.Values = takeRows(v, rows, width)
	case []float64:
		out.Values = takeRows(v, rows, width)
	case []int8:
		out.Values = takeRows(v, rows, width)
	case []int16:
		out.Values = takeRows(v, rows, width)
	case []int32:
		out.Values = takeRows(v, rows, width)
	case []int64:
		out.Values = takeRows(v, rows, width)
	case []uint8:
		out.Values = takeRows(v, rows, width)
	case []uint16:
		out.Values = takeRows(v, rows, width)
	case []uint32:
		out.Values = takeRows(v, rows, width)
	case []uint64:
		out.Values = takeRows(v, rows, width)
	}
	if a.Missing != nil {
		out.Missing = takeRows(a.Missing, rows, width)
	}
	return out
}

func takeRows[T any](v []T, rows []int, width int) []T {
	out := make([]T, 0, len(rows)*width)
	for _, r := range rows {
		out = append(out, v[r*width:(r+1)*width]...)
	}
	return out
}

// take keeps rows of a categorical and renumbers the categories that are left,
// which used lists in their order; the caller takes those. c itself does not
// change.
func (c *Categorical) take(rows []int) (cut *Categorical, used []int, err error) {
	if err := c.check(); err != nil {
		return nil, nil, err
	}
	if n := len(rows); n > 0 && rows[n-1] >= len(c.Codes) {
		return nil, nil, fmt.Errorf("row %d of %d", rows[n-1], len(c.Codes))
	}
	seen := make([]bool, c.Categories.Len())
	for _, r := range rows {
		if code := c.Codes[r]; code >= 0 {
			seen[code] = true
		}
	}
	code := make([]int64, len(seen))
	used = []int{}
	for i, s := range seen {
		if s {
			code[i] = int64(len(used))
			used = append(used, i)
		}
	}
	cut = &Categorical{Ordered: c.Ordered, Codes: make([]int64, len(rows))}
	for i, r := range rows {
		cut.Codes[i] = -1
		if old := c.Codes[r]; old >= 0 {
			cut.Codes[i] = code[old]
		}
	}
	return cut, used, nil
}

// take keeps rows of a column and the categories that are left.
func (c *Column) take(rows []int) (cut *Column, used []int, err error) {
	if c.Categorical == nil {
		return &Column{Name: c.Name, Array: c.Array.take(rows)}, nil, nil
	}
	k, used, err := c.Categorical.take(rows)
	if err != nil {
		return nil, nil, err
	}
	k.Categories = c.Categories.take(used)
	return &Column{Name: c.Name, Categorical: k}, used, nil
}
