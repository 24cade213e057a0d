package h5ad

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// typeOf is the datatype of a slice of a [Number], nil for anything else.
func typeOf(values any) *hdf5.Datatype {
	switch values.(type) {
	case []float32:
		return hdf5.TypeOf[float32]()
	case []float64:
		return hdf5.TypeOf[float64]()
	case []int8:
		return hdf5.TypeOf[int8]()
	case []int16:
		return hdf5.TypeOf[int16]()
	case []int32:
		return hdf5.TypeOf[int32]()
	case []int64:
		return hdf5.TypeOf[int64]()
	case []uint8:
		return hdf5.TypeOf[uint8]()
	case []uint16:
		return hdf5.TypeOf[uint16]()
	case []uint32:
		return hdf5.TypeOf[uint32]()
	case []uint64:
		return hdf5.TypeOf[uint64]()
	}
	return nil
}

// appendValues appends a slice of a [Number] as it lies in a file.
func appendValues(b []byte, values any) []byte {
	switch v := values.(type) {
	case []float32:
		return appendNumbers(b, v)
	case []float64:
		return appendNumbers(b, v)
	case []int8:
		return appendNumbers(b, v)
	case []int16:
		return appendNumbers(b, v)
	case []int32:
		return appendNumbers(b, v)
	case []int64:
		return appendNumbers(b, v)
	case []uint8:
		return appendNumbers(b, v)
	case []uint16:
		return appendNumbers(b, v)
	case []uint32:
		return appendNumbers(b, v)
	case []uint64:
		return appendNumbers(b, v)
	}
	return b
}

// appendNumbers appends little-endian numbers.
func appendNumbers[T Number](b []byte, x []T) []byte {
	if len(x) == 0 {
		return b
	}
	size := int(unsafe.Sizeof(x[0]))
	raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*size)
	at := len(b)
	b = append(b, raw...)
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 && size > 1 {
		for i := at; i < len(b); i += size {
			for k := range size / 2 {
				b[i+k], b[i+size-1-k] = b[i+size-1-k], b[i+k]
			}
		}
	}
	return b
}

// appendHalves appends IEEE half-precision numbers. Values that came from such
// numbers are exact; others are rounded to the nearest, ties to even.
func appendHalves(b []byte, x []float32) []byte {
	for _, f := range x {
		b = binary.LittleEndian.AppendUint16(b, half(f))
	}
	return b
}

func half(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	exp, man := int(bits>>23&0xff)-127+15, bits&0x7fffff
	switch {
	case bits&0x7fffffff > 0x7f800000:
		return sign | 0x7e00 | uint16(man>>13)
	case exp >= 31:
		return sign | 0x7c00
	case exp < -10:
		return sign
	case exp <= 0: // subnormal
		man |= 0x800000
		shift := uint(14 - exp)
		return sign | uint16(roundShift(man, shift))
	}
	// Rounding up may carry into the exponent, which is what it should do.
	return sign | uint16(uint32(exp)<<10+roundShift(man, 13))
}

// roundShift is x >> n, rounded to the nearest, ties to even.
func roundShift(x uint32, n uint) uint32 {
	half, rest := uint32(1)<<(n-1), x&(1<<n-1)
	q := x >> n
	if rest > half || rest == half && q&1 == 1 {
		q++
	}
	return q
}

// bfloats appends the upper halves of float32, which values from such numbers
// fill exactly.
func appendBFloats(b []byte, x []float32) []byte {
	for _, f := range x {
		b = binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(f)>>16))
	}
	return b
}

// typeNamed is the datatype of numpy's name, nil for what a matrix cannot hold.
func typeNamed(name string) *hdf5.Datatype {
	switch name {
	case "float16":
		return hdf5.FloatType(2)
	case "bfloat16":
		return bfloat16()
	case "float32":
		return hdf5.FloatType(4)
	case "float64":
		return hdf5.FloatType(8)
	case "bool":
		return hdf5.BoolType()
	}
	for _, size := range []int{1, 2, 4, 8} {
		for _, signed := range []bool{true, false} {
			if t := hdf5.IntType(size, signed); dtype(t) == name {
				return t
			}
		}
	}
	return nil
}

func bfloat16() *hdf5.Datatype {
	t := *hdf5.FloatType(4)
	t.Size, t.Precision, t.SignPos, t.ExpPos, t.ExpBits, t.ManPos, t.ManBits = 2, 16, 15, 7, 8, 0, 7
	return &t
}

// encodeAs appends the values of a batch as elements of type t, which is that of
// the values, or one that was widened when they were read.
func encodeAs(b []byte, t *hdf5.Datatype, values any) ([]byte, error) {
	if f, ok := values.([]float32); ok && t.Size == 2 {
		if t.ExpBits == 8 {
			return appendBFloats(b, f), nil
		}
		return appendHalves(b, f), nil
	}
	own := typeOf(values)
	if own == nil || own.Size != t.Size || (own.Class == hdf5.ClassFloat) != (t.Class == hdf5.ClassFloat) ||
		t.Class == hdf5.ClassInteger && own.Signed != t.Signed {
		return nil, fmt.Errorf("values of type %T for a matrix of %s", values, dtype(t))
	}
	return appendValues(b, values), nil
}

// encodeInts appends integers as elements of type t, which must hold them.
func encodeInts[T int32 | int64](b []byte, t *hdf5.Datatype, x []T) []byte {
	switch t.Size {
	case 1:
		for _, v := range x {
			b = append(b, byte(v))
		}
	case 2:
		for _, v := range x {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
	case 4:
		for _, v := range x {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
	default:
		for _, v := range x {
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		}
	}
	return b
}

// Floats appends the values of a batch (Batch.Values) to dst as float64.
func Floats(dst []float64, values any) []float64 {
	switch v := values.(type) {
	case []float32:
		return appendFloats(dst, v)
	case []float64:
		return append(dst, v...)
	case []int8:
		return appendFloats(dst, v)
	case []int16:
		return appendFloats(dst, v)
	case []int32:
		return appendFloats(dst, v)
	case []int64:
		return appendFloats(dst, v)
	case []uint8:
		return appendFloats(dst, v)
	case []uint16:
		return appendFloats(dst, v)
	case []uint32:
		return appendFloats(dst, v)
	case []uint64:
		return appendFloats(dst, v)
	}
	return dst
}

func appendFloats[T Number](dst []float64, v []T) []float64 {
	for _, x := range v {
		dst = append(dst, float64(x))
	}
	return dst
}
