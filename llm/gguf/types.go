package gguf

import (
	"fmt"
	"math"
)

// Type is how a tensor's values are stored; the numbers are those of ggml.
type Type uint32

// The types that this package names. Others of ggml are known by size only.
const (
	F32  Type = 0
	F16  Type = 1
	Q8_0 Type = 8 // blocks of 32: a scale in F16, then 32 signed bytes
	BF16 Type = 30
)

// layout is a name, the values of a block and the bytes it takes.
type layout struct {
	name          string
	values, bytes int64
}

// layouts is ggml's table of types (ggml.c, type_traits), without those that were
// withdrawn.
var layouts = map[Type]layout{
	F32: {"F32", 1, 4}, F16: {"F16", 1, 2}, 2: {"Q4_0", 32, 18}, 3: {"Q4_1", 32, 20},
	6: {"Q5_0", 32, 22}, 7: {"Q5_1", 32, 24}, Q8_0: {"Q8_0", 32, 34}, 9: {"Q8_1", 32, 36},
	10: {"Q2_K", 256, 84}, 11: {"Q3_K", 256, 110}, 12: {"Q4_K", 256, 144}, 13: {"Q5_K", 256, 176},
	14: {"Q6_K", 256, 210}, 15: {"Q8_K", 256, 292}, 16: {"IQ2_XXS", 256, 66}, 17: {"IQ2_XS", 256, 74},
	18: {"IQ3_XXS", 256, 98}, 19: {"IQ1_S", 256, 50}, 20: {"IQ4_NL", 32, 18}, 21: {"IQ3_S", 256, 110},
	22: {"IQ2_S", 256, 82}, 23: {"IQ4_XS", 256, 136}, 24: {"I8", 1, 1}, 25: {"I16", 1, 2}, 26: {"I32", 1, 4},
	27: {"I64", 1, 8}, 28: {"F64", 1, 8}, 29: {"IQ1_M", 256, 56}, BF16: {"BF16", 1, 2},
	34: {"TQ1_0", 256, 54}, 35: {"TQ2_0", 256, 66}, 39: {"MXFP4", 32, 17},
}

// String is ggml's name of the type.
func (t Type) String() string {
	if l, ok := layouts[t]; ok {
		return l.name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Tensor is a named array of numbers in a file.
type Tensor struct {
	Name string
	Type Type
	// Shape has the longest rows' length last, as in NumPy: a matrix is rows, columns.
	// (The file has it the other way round.)
	Shape []int64

	offset, size int64 // in the data, in bytes
}

// Size is the number of bytes that the values take.
func (t *Tensor) Size() int64 { return t.size }

const maxDimensions = 4 // as in ggml

// measure sets the size and checks it against overflow.
func (t *Tensor) measure() error {
	l, ok := layouts[t.Type]
	if !ok {
		return fmt.Errorf("%w: tensors of %v", ErrUnsupported, t.Type)
	}
	if len(t.Shape) == 0 || len(t.Shape) > maxDimensions {
		return corruptf("%d dimensions, where 1 to %d are possible", len(t.Shape), maxDimensions)
	}
	n := int64(1)
	for _, d := range t.Shape {
		if d <= 0 || n > math.MaxInt64/l.bytes/d {
			return corruptf("a shape of %v", t.Shape)
		}
		n *= d
	}
	if row := t.Shape[len(t.Shape)-1]; row%l.values != 0 {
		return corruptf("rows of %d values, where %v has blocks of %d", row, t.Type, l.values)
	}
	t.size = n / l.values * l.bytes
	return nil
}

// The types of metadata values.
const (
	kindUint8 = iota
	kindInt8
	kindUint16
	kindInt16
	kindUint32
	kindInt32
	kindFloat32
	kindBool
	kindString
	kindArray
	kindUint64
	kindInt64
	kindFloat64
)
