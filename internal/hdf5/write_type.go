package hdf5

import "unsafe"

// TypeOf is the datatype of T, little-endian.
func TypeOf[T Number]() *Datatype {
	size := int(unsafe.Sizeof(*new(T)))
	isFloat, signed := kindOf[T]()
	if isFloat {
		return FloatType(size)
	}
	return IntType(size, signed)
}

// IntType is a little-endian integer of size bytes.
func IntType(size int, signed bool) *Datatype {
	return &Datatype{Class: ClassInteger, Size: size, Signed: signed, Precision: 8 * size}
}

// FloatType is the little-endian IEEE 754 number of 2, 4 or 8 bytes.
func FloatType(size int) *Datatype {
	t := &Datatype{Class: ClassFloat, Size: size, Precision: 8 * size, SignPos: 8*size - 1, ManNormalization: 2}
	switch size {
	case 2:
		t.ExpBits, t.ManBits, t.ExpBias = 5, 10, 15
	case 4:
		t.ExpBits, t.ManBits, t.ExpBias = 8, 23, 127
	default:
		t.ExpBits, t.ManBits, t.ExpBias = 11, 52, 1023
	}
	t.ExpPos = t.ManBits
	return t
}

// BoolType is the enumeration by which h5py stores bools.
func BoolType() *Datatype {
	return &Datatype{
		Class: ClassEnum, Size: 1, Base: IntType(1, true),
		EnumNames: []string{"FALSE", "TRUE"}, EnumValues: []byte{0, 1},
	}
}

// StringType is a string of variable length in UTF-8, as h5py stores str.
func StringType() *Datatype {
	return &Datatype{Class: ClassVLen, Size: wDescriptorSize, IsString: true, CharSet: UTF8, Base: IntType(1, false)}
}

// FixedStringType is a string in size bytes.
func FixedStringType(size int, pad Padding, set CharSet) *Datatype {
	return &Datatype{Class: ClassString, Size: size, Padding: pad, CharSet: set}
}

// VLenType is a sequence of variable length of elements of type base.
func VLenType(base *Datatype) *Datatype {
	return &Datatype{Class: ClassVLen, Size: wDescriptorSize, Base: base}
}

// RefType is a reference to an object.
func RefType() *Datatype { return &Datatype{Class: ClassReference, Size: 8, RefType: RefObject} }
