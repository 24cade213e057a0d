package h5ad

import (
	"context"
	"fmt"
	"strconv"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// Array is values of any number of dimensions, in row-major order.
type Array struct {
	// DType is numpy's name of the type: float32, int64, bool, string …
	DType string
	// Dims is the shape, empty for a scalar.
	Dims []int
	// Values is a []string, []bool, []complex128 or a slice of a [Number]. float16
	// and bfloat16 are []float32; long double is a []float64.
	Values any
	// Missing is nil, or true where the value is missing.
	Missing []bool
}

// Len is the number of values.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Dims {
		n *= d
	}
	return n
}

// Text prints value i; ok is false when it is missing.
func (a *Array) Text(i int) (s string, ok bool) {
	if a.Missing != nil && a.Missing[i] {
		return "", false
	}
	switch v := a.Values.(type) {
	case []string:
		return v[i], true
	case []bool:
		return strconv.FormatBool(v[i]), true
	case []float32:
		if v[i] != v[i] {
			return "", false
		}
		return strconv.FormatFloat(float64(v[i]), 'g', -1, 32), true
	case []float64:
		if v[i] != v[i] {
			return "", false
		}
		return strconv.FormatFloat(v[i], 'g', -1, 64), true
	case []complex128:
		return fmt.Sprint(v[i]), true
	}
	switch v := a.Values.(type) {
	case []int8:
		return strconv.FormatInt(int64(v[i]), 10), true
	case []int16:
		return strconv.FormatInt(int64(v[i]), 10), true
	case []int32:
		return strconv.FormatInt(int64(v[i]), 10), true
	case []int64:
		return strconv.FormatInt(v[i], 10), true
	case []uint8:
		return strconv.FormatUint(uint64(v[i]), 10), true
	case []uint16:
		return strconv.FormatUint(uint64(v[i]), 10), true
	case []uint32:
		return strconv.FormatUint(uint64(v[i]), 10), true
	case []uint64:
		return strconv.FormatUint(v[i], 10), true
	}
	return "", false
}

// dtype is numpy's name of a datatype.
func dtype(t *hdf5.Datatype) string {
	switch t.Class {
	case hdf5.ClassInteger, hdf5.ClassBitfield:
		if t.Signed {
			return fmt.Sprintf("int%d", 8*t.Size)
		}
		return fmt.Sprintf("uint%d", 8*t.Size)
	case hdf5.ClassFloat:
		if t.Size == 2 && t.ExpBits == 8 {
			return "bfloat16"
		}
		return fmt.Sprintf("float%d", 8*t.Size)
	case hdf5.ClassEnum:
		if t.IsBool() {
			return "bool"
		}
		return dtype(t.Base)
	case hdf5.ClassString:
		return "string"
	case hdf5.ClassVLen:
		if t.IsString {
			return "string"
		}
	case hdf5.ClassComplex:
		return fmt.Sprintf("complex%d", 8*t.Size)
	case hdf5.ClassCompound:
		if isComplex(t) {
			return fmt.Sprintf("complex%d", 8*t.Size)
		}
	case hdf5.ClassArray:
		return dtype(t.Base)
	}
	return t.Class.String()
}

// isComplex reports whether t is how h5py writes complex numbers.
func isComplex(t *hdf5.Datatype) bool {
	return t.Class == hdf5.ClassCompound && len(t.Members) == 2 && t.Members[0].Name == "r" && t.Members[1].Name == "i" &&
		t.Members[0].Type.Class == hdf5.ClassFloat
}

// array decodes data as an Array.
func array(d *hdf5.Data) (*Array, error) {
	d = d.Spread()
	a := &Array{DType: dtype(d.Type)}
	for _, n := range d.Space.Dims {
		a.Dims = append(a.Dims, int(n))
	}
	if d.Space.Null {
		a.Dims = []int{0}
	}
	var err error
	t := d.Type
	switch {
	case a.DType == "string":
		a.Values, err = d.Strings()
	case a.DType == "bool":
		a.Values, err = d.Bools()
	case isComplex(t):
		a.Values, err = complexes(d)
	default:
		if t.Class == hdf5.ClassEnum {
			t = t.Base
		}
		switch {
		case t.Class == hdf5.ClassFloat && t.Size <= 4:
			a.Values, err = hdf5.Numbers[float32](d)
		case t.Class == hdf5.ClassFloat:
			a.Values, err = hdf5.Numbers[float64](d)
		case t.Signed:
			a.Values, err = signed(d, t.Size)
		default:
			a.Values, err = unsigned(d, t.Size)
		}
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

func signed(d *hdf5.Data, size int) (any, error) {
	switch size {
	case 1:
		return hdf5.Numbers[int8](d)
	case 2:
		return hdf5.Numbers[int16](d)
	case 4:
		return hdf5.Numbers[int32](d)
	}
	return hdf5.Numbers[int64](d)
}

func unsigned(d *hdf5.Data, size int) (any, error) {
	switch size {
	case 1:
		return hdf5.Numbers[uint8](d)
	case 2:
		return hdf5.Numbers[uint16](d)
	case 4:
		return hdf5.Numbers[uint32](d)
	}
	return hdf5.Numbers[uint64](d)
}

func complexes(d *hdf5.Data) ([]complex128, error) {
	var part [2][]float64
	for i, name := range []string{"r", "i"} {
		f, err := d.Field(name)
		if err != nil {
			return nil, err
		}
		if part[i], err = hdf5.Numbers[float64](f); err != nil {
			return nil, err
		}
	}
	out := make([]complex128, len(part[0]))
	for i := range out {
		out[i] = complex(part[0][i], part[1][i])
	}
	return out, nil
}

// readArray reads a whole dataset.
func readArray(ctx context.Context, d *hdf5.Dataset) (*Array, error) {
	v, err := d.Read(ctx)
	if err != nil {
		return nil, err
	}
	return array(v)
}
