package h5ad

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// numberType is one of numpy's types: the letter of its kind (b, u, i, f, c) and
// its bits.
type numberType struct {
	kind byte
	bits int
}

func numberTypeOf(dtype string) (t numberType, ok bool) {
	switch dtype {
	case "bool":
		return numberType{'b', 8}, true
	case "bfloat16": // not numpy's own: joins others as the float32 that holds it
		return numberType{'f', 32}, true
	}
	name := strings.TrimRight(dtype, "0123456789")
	bits, err := strconv.Atoi(dtype[len(name):])
	kind, ok := map[string]byte{"uint": 'u', "int": 'i', "float": 'f', "complex": 'c'}[name]
	return numberType{kind, bits}, ok && err == nil
}

// float is the bits of the smallest float that numpy takes for a type.
func (t numberType) float() int {
	switch {
	case t.kind == 'f':
		return t.bits
	case t.kind == 'c':
		return t.bits / 2
	case t.kind == 'b':
		return 0
	}
	return min(64, 2*t.bits)
}

// promote is numpy.result_type of two types; "" when they differ and one is no type
// of numbers.
func promote(a, b string) string {
	x, ok := numberTypeOf(a)
	y, also := numberTypeOf(b)
	switch {
	case a == b:
		return a
	case !ok || !also:
		return ""
	case y.kind == 'b':
		return a
	case x.kind == 'b':
		return b
	case x.kind == 'c' || y.kind == 'c':
		return fmt.Sprintf("complex%d", 2*max(32, x.float(), y.float()))
	case x.kind == 'f' || y.kind == 'f':
		return fmt.Sprintf("float%d", max(x.float(), y.float()))
	case x.kind == y.kind && x.kind == 'i':
		return fmt.Sprintf("int%d", max(x.bits, y.bits))
	case x.kind == y.kind:
		return fmt.Sprintf("uint%d", max(x.bits, y.bits))
	case x.kind == 'u':
		x, y = y, x
	}
	// Signed x must hold all of unsigned y.
	bits := max(x.bits, 2*y.bits)
	if bits > 64 {
		return "float64"
	}
	return fmt.Sprintf("int%d", bits)
}

// resultType is numpy.result_type of some types, "" when they have none or there is
// none. Floats come first, so that an int8 and a uint16 beside
// a float32 do not become an int32, which would make a float64 of it.
func resultType(types []string) (dtype string) {
	types = slices.Clone(types)
	rank := func(name string) int {
		t, _ := numberTypeOf(name)
		return strings.IndexByte("cfiub", t.kind)
	}
	slices.SortStableFunc(types, func(a, b string) int { return rank(a) - rank(b) })
	for i, t := range types {
		if i == 0 {
			dtype = t
			continue
		}
		if dtype = promote(dtype, t); dtype == "" {
			break
		}
	}
	return dtype
}

// withGaps is the type that holds NaN beside the values of a type, as pandas
// chooses it; for bool, where pandas takes objects, it is float64, too.
func withGaps(dtype string) string {
	if t, ok := numberTypeOf(dtype); ok && (t.kind == 'f' || t.kind == 'c') {
		return dtype
	}
	return "float64"
}

// cast converts numbers to the Go type of a dtype; buf is memory to use. bool is
// uint8, as in matrices.
func cast(values any, dtype string, buf any) any {
	switch dtype {
	case "float16", "bfloat16", "float32":
		return castTo[float32](values, buf)
	case "float64":
		return castTo[float64](values, buf)
	case "int8":
		return castTo[int8](values, buf)
	case "int16":
		return castTo[int16](values, buf)
	case "int32":
		return castTo[int32](values, buf)
	case "int64":
		return castTo[int64](values, buf)
	case "bool", "uint8":
		return castTo[uint8](values, buf)
	case "uint16":
		return castTo[uint16](values, buf)
	case "uint32":
		return castTo[uint32](values, buf)
	case "uint64":
		return castTo[uint64](values, buf)
	}
	return values
}

func castTo[D Number](values, buf any) any {
	if v, ok := values.([]D); ok {
		return v
	}
	out, _ := buf.([]D)
	switch v := values.(type) {
	case []float32:
		return converted(out, v)
	case []float64:
		return converted(out, v)
	case []int8:
		return converted(out, v)
	case []int16:
		return converted(out, v)
	case []int32:
		return converted(out, v)
	case []int64:
		return converted(out, v)
	case []uint8:
		return converted(out, v)
	case []uint16:
		return converted(out, v)
	case []uint32:
		return converted(out, v)
	case []uint64:
		return converted(out, v)
	}
	return values
}

func converted[D, S Number](out []D, v []S) []D {
	out = grow(out, len(v))
	for i, x := range v {
		out[i] = D(x)
	}
	return out
}

// numbersOf is values as a slice of a Number or of complex128: booleans become
// uint8.
func numbersOf(values any) any {
	b, ok := values.([]bool)
	if !ok {
		return values
	}
	return boolBytes(b)
}

// rowsAt is the rows of values, width of them each, that from names; −1 gives
// zeros. nil gives all rows.
func rowsAt(values any, from []int, width int) any {
	if from == nil {
		return values
	}
	v := reflect.ValueOf(values)
	out := reflect.MakeSlice(v.Type(), len(from)*width, len(from)*width)
	for i, r := range from {
		if r >= 0 {
			reflect.Copy(out.Slice(i*width, (i+1)*width), v.Slice(r*width, (r+1)*width))
		}
	}
	return out.Interface()
}

// gap is NaN with NumPy's bits, which are not those of math.NaN.
var gap = math.Float64frombits(0x7ff8 << 48)

// setNaN makes floats and complex numbers NaN where gaps is true, in rows of width
// values.
func setNaN(values any, gaps []bool, width int) {
	for i, missing := range gaps {
		if !missing {
			continue
		}
		for k := i * width; k < (i+1)*width; k++ {
			switch v := values.(type) {
			case []float32:
				v[k] = float32(gap)
			case []float64:
				v[k] = gap
			case []complex128:
				v[k] = complex(gap, 0)
			}
		}
	}
}
