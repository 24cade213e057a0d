package h5ad

import (
	"reflect"
	"slices"
	"strings"
)

// columnPart is what one file gives to a column.
type columnPart struct {
	column *Column // nil when the file has none
	n      int     // rows
	from   []int   // rows to take, −1 for a gap; nil takes all in order
}

// columnValues is a part without categories.
type columnValues struct {
	values   any // nil when the file has none
	dtype    string
	gaps     []bool // nil when there are none; NaN is none of them
	nullable bool   // of a type with a mask
	n        int
}

func (p columnPart) categorical() bool { return p.column != nil && p.column.Categorical != nil }

// plain is the values of a part.
func (p columnPart) plain() columnValues {
	v := columnValues{n: p.n}
	if p.column == nil {
		return v
	}
	if k := p.column.Categorical; k != nil {
		from := make([]int, len(k.Codes))
		for i, code := range k.Codes {
			from[i] = int(code)
		}
		v.take(k.Categories.Values, from)
		v.dtype = k.Categories.DType
	} else {
		a := p.column.Array
		v.values, v.gaps, v.dtype, v.nullable = a.Values, a.Missing, a.DType, a.Missing != nil
	}
	if p.from != nil {
		gaps := v.gaps
		v.take(v.values, p.from)
		for i, r := range p.from {
			if r >= 0 && gaps != nil && gaps[r] {
				v.gap(i)
			}
		}
	}
	if _, ok := v.values.([]float64); ok {
		v.dtype = "float64" // long double is read as such
	}
	return v
}

// take sets the values to rows of others.
func (v *columnValues) take(values any, from []int) {
	v.values, v.gaps = rowsAt(values, from, 1), nil
	for i, r := range from {
		if r < 0 {
			v.gap(i)
		}
	}
	v.n = len(from)
}

func (v *columnValues) gap(i int) {
	if v.gaps == nil {
		v.gaps = make([]bool, reflect.ValueOf(v.values).Len())
	}
	v.gaps[i] = true
}

// text prints a value; ok is false where it is missing.
func (v *columnValues) text(i int) (s string, ok bool) {
	if v.values == nil || v.gaps != nil && v.gaps[i] {
		return "", false
	}
	a := Array{Values: v.values}
	return a.Text(i)
}

// empty reports that all values are missing.
func (v *columnValues) empty() bool {
	for i := range v.n {
		if _, ok := v.text(i); ok {
			return false
		}
	}
	return true
}

// kind is string, bool or number.
func (v *columnValues) kind() string {
	switch v.values.(type) {
	case []string:
		return "string"
	case []bool:
		return "bool"
	}
	return "number"
}

// joinColumn puts the parts of a column below each other. mixed lists kinds of
// values that have nothing in common, which become text; it is "" otherwise.
func joinColumn(parts []columnPart) (col *Column, mixed string) {
	if k := joinCategories(parts); k != nil {
		return &Column{Categorical: k}, ""
	}
	values := make([]columnValues, len(parts))
	for i, p := range parts {
		values[i] = p.plain()
	}
	kinds := kindsOf(values)
	if len(kinds) > 1 || slices.ContainsFunc(parts, columnPart.categorical) {
		// A file in which nothing is known of a column has no say in its kind.
		left := slices.Clone(parts)
		for i := range values {
			if values[i].empty() {
				left[i].column = nil
				values[i] = columnValues{n: values[i].n}
			}
		}
		if k := joinCategories(left); k != nil {
			return &Column{Categorical: k}, ""
		}
		kinds = kindsOf(values)
	}
	switch {
	case slices.Equal(kinds, []string{"bool"}):
		return joinBools(values), ""
	case !slices.Contains(kinds, "string"):
		return joinNumbers(values), ""
	}
	if len(kinds) > 1 {
		mixed = strings.Join(kinds, " and ")
	}
	return joinText(values), mixed
}

// kindsOf lists the kinds of the parts.
func kindsOf(values []columnValues) (kinds []string) {
	for i := range values {
		if values[i].values != nil {
			kinds = append(kinds, values[i].kind())
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// gapsOf joins the gaps of the parts; nil when there are none and no part has a
// mask.
func gapsOf(values []columnValues) (gaps []bool, nullable bool) {
	some := false
	for _, v := range values {
		some, nullable = some || v.values == nil || v.gaps != nil, nullable || v.nullable
		switch {
		case v.values == nil:
			gaps = append(gaps, slices.Repeat([]bool{true}, v.n)...)
		case v.gaps != nil:
			gaps = append(gaps, v.gaps...)
		default:
			gaps = append(gaps, make([]bool, v.n)...)
		}
	}
	if !some && !nullable {
		return nil, false
	}
	return gaps, nullable
}

// joinBools makes bool, or nullable-boolean where a value is missing.
func joinBools(values []columnValues) *Column {
	var out []bool
	for _, v := range values {
		if b, ok := v.values.([]bool); ok {
			out = append(out, b...)
		} else {
			out = append(out, make([]bool, v.n)...)
		}
	}
	gaps, _ := gapsOf(values)
	return &Column{Array: &Array{DType: "bool", Dims: []int{len(out)}, Values: out, Missing: gaps}}
}

// joinNumbers makes the type that numpy promotes to. Gaps in integers make it
// float64, but nullable where a file has the integers with a mask.
func joinNumbers(values []columnValues) *Column {
	var types []string
	for _, v := range values {
		if v.values != nil {
			types = append(types, v.dtype)
		}
	}
	dtype := resultType(types)
	gaps, nullable := gapsOf(values)
	exact := withGaps(dtype) != dtype // it has no NaN
	if gaps != nil && exact && !nullable {
		dtype = withGaps(dtype)
	}
	var out reflect.Value
	for _, v := range values {
		part := numbersOf(v.values)
		if v.values == nil {
			part = make([]uint8, v.n)
		}
		if strings.HasPrefix(dtype, "complex") {
			part = complexOf(part)
		}
		r := reflect.ValueOf(cast(part, dtype, nil))
		if !out.IsValid() {
			out = reflect.MakeSlice(r.Type(), 0, r.Len())
		}
		out = reflect.AppendSlice(out, r)
	}
	a := &Array{DType: dtype, Dims: []int{out.Len()}, Values: out.Interface()}
	if nullable && exact {
		a.Missing = gaps
	} else {
		setNaN(a.Values, gaps, 1)
	}
	return &Column{Array: a}
}

// complexOf is numbers as complex ones.
func complexOf(values any) []complex128 {
	if c, ok := values.([]complex128); ok {
		return c
	}
	var out []complex128
	for _, f := range Floats(nil, values) {
		out = append(out, complex(f, 0))
	}
	return out
}

// joinText makes strings; where some are missing, nullable strings if all files
// have those, else categories, as anndata does when it writes.
func joinText(values []columnValues) *Column {
	var text []string
	var gaps []bool
	nullable, some := true, false
	for k := range values {
		v := &values[k]
		nullable = nullable && (v.values == nil || v.nullable)
		for i := range v.n {
			s, ok := v.text(i)
			text, gaps = append(text, s), append(gaps, !ok)
			some = some || !ok
		}
	}
	a := &Array{DType: "string", Dims: []int{len(text)}, Values: text}
	switch {
	case nullable:
		a.Missing = gaps
	case some:
		return &Column{Categorical: categoriesOf(text, gaps)}
	}
	return &Column{Array: a}
}

// categoriesOf makes categories of strings.
func categoriesOf(text []string, gaps []bool) *Categorical {
	list := []string{}
	seen := map[string]bool{}
	for i, s := range text {
		if !gaps[i] && !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	slices.Sort(list)
	slices.SortStableFunc(list, natural)
	k := &Categorical{Codes: make([]int64, len(text)), Categories: &Array{DType: "string", Dims: []int{len(list)}, Values: list}}
	code := codesOf(list)
	for i, s := range text {
		k.Codes[i] = -1
		if !gaps[i] {
			k.Codes[i] = code[s]
		}
	}
	return k
}
