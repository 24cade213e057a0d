package h5ad

import (
	"cmp"
	"slices"
	"strings"
)

// joinCategories joins parts that are all categorical, as anndata unifies them:
// the categories of all, sorted as people sort, or as in the first file if that has
// them all. Ordered ones must be the same in all files. It gives nil where the
// values must be joined instead.
func joinCategories(parts []columnPart) *Categorical {
	var lists []*Array
	ordered, agree, found := false, true, false
	first := 0 // categories of the first part
	for _, p := range parts {
		switch {
		case p.column == nil:
			continue
		case p.column.Categorical == nil:
			return nil
		}
		if !found {
			found, first = true, p.column.Categories.Len()
		}
		ordered = ordered || p.column.Ordered
		if p.column.Categories.Len() > 0 {
			agree = agree && p.column.Ordered
			lists = append(lists, p.column.Categories)
		}
	}
	if !found {
		return nil
	}
	dtype, ok := commonType(lists)
	if !ok {
		return nil
	}
	k := &Categorical{Ordered: ordered}
	var codes [][]int64 // for each list, the new codes
	same := true
	switch t, _ := numberTypeOf(dtype); {
	case len(lists) == 0:
		k.Categories = &Array{DType: "string", Dims: []int{0}, Values: []string{}}
	case dtype == "string":
		k.Categories, codes, same = union(lists, dtype, first, natural, func(a *Array) []string { return a.Values.([]string) })
	case t.kind == 'f':
		k.Categories, codes, same = union(lists, dtype, first, cmp.Compare, numbersAs[float64]("float64"))
	case t.kind == 'i':
		k.Categories, codes, same = union(lists, dtype, first, cmp.Compare, numbersAs[int64]("int64"))
	default:
		k.Categories, codes, same = union(lists, dtype, first, cmp.Compare, numbersAs[uint64]("uint64"))
	}
	if ordered && (!agree || !same) {
		return nil
	}
	at := 0
	for _, p := range parts {
		if p.column == nil {
			for range p.n {
				k.Codes = append(k.Codes, -1)
			}
			continue
		}
		var code []int64
		if p.column.Categories.Len() > 0 {
			code = codes[at]
			at++
		}
		put := func(old int64) {
			if old >= 0 {
				old = code[old]
			}
			k.Codes = append(k.Codes, old)
		}
		if p.from == nil {
			for _, old := range p.column.Codes {
				put(old)
			}
			continue
		}
		for _, r := range p.from {
			if r < 0 {
				put(-1)
			} else {
				put(p.column.Codes[r])
			}
		}
	}
	return k
}

// commonType is the dtype of joined categories; ok is false when text meets
// numbers.
func commonType(lists []*Array) (dtype string, ok bool) {
	var types []string
	for _, a := range lists {
		if slices.Contains(a.Missing, true) {
			return "", false
		}
		types = append(types, a.DType)
	}
	if dtype = resultType(types); dtype == "" && len(lists) > 0 {
		return "", false
	}
	if t, _ := numberTypeOf(dtype); t.kind == 'c' || t.bits > 64 {
		return "", false
	}
	return dtype, true
}

// numbersAs reads categories as one type.
func numbersAs[T Number](dtype string) func(*Array) []T {
	return func(a *Array) []T { return cast(numbersOf(a.Values), dtype, nil).([]T) }
}

// union joins lists of categories. If it has no more entries than the first part of
// the column, it is in the order of that, else sorted. codes are the places of each
// list's entries; same says that all lists are the same.
func union[T cmp.Ordered](lists []*Array, dtype string, first int, order func(a, b T) int, values func(*Array) []T) (all *Array, codes [][]int64, same bool) {
	same = true
	own := make([][]T, len(lists))
	var joined []T
	for i, a := range lists {
		own[i] = values(a)
		same = same && slices.Equal(own[i], own[0])
		joined = append(joined, own[i]...)
	}
	slices.Sort(joined)
	joined = slices.Compact(joined)
	slices.SortStableFunc(joined, order)
	if len(joined) == first {
		joined = own[0]
	}
	code := codesOf(joined)
	for _, list := range own {
		c := make([]int64, len(list))
		for i, v := range list {
			c[i] = code[v]
		}
		codes = append(codes, c)
	}
	a := &Array{DType: dtype, Dims: []int{len(joined)}, Values: joined}
	switch dtype {
	case "string":
	case "bool":
		b := make([]bool, len(joined))
		for i, v := range joined {
			b[i] = v != *new(T)
		}
		a.Values = b
	default:
		a.Values = cast(a.Values, dtype, nil)
	}
	return a, codes, same
}

func codesOf[T comparable](list []T) map[T]int64 {
	code := make(map[T]int64, len(list))
	for i, v := range list {
		code[v] = int64(i)
	}
	return code
}

// natural compares as natsort, which anndata sorts categories with: numbers within
// the text by their value. Unlike natsort, letters with accents come after all
// others, and digits are those of ASCII.
func natural(a, b string) int {
	for {
		i, j := strings.IndexFunc(a, isDigit), strings.IndexFunc(b, isDigit)
		if i < 0 {
			i = len(a)
		}
		if j < 0 {
			j = len(b)
		}
		if c := strings.Compare(a[:i], b[:j]); c != 0 {
			return c
		}
		if a, b = a[i:], b[j:]; a == "" || b == "" {
			return len(a) - len(b)
		}
		var m, n string
		m, a = number(a)
		n, b = number(b)
		if c := cmp.Or(len(m)-len(n), strings.Compare(m, n)); c != 0 {
			return c
		}
	}
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// number splits the digits that s begins with from the rest; they come without
// zeros in front.
func number(s string) (digits, rest string) {
	end := len(s) - len(strings.TrimLeft(s, "0123456789"))
	return strings.TrimLeft(s[:end], "0"), s[end:]
}
