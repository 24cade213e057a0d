package hdf5

import (
	"fmt"
)

// Class is the class of a datatype, numbered as in the HDF5 file format
// specification, version 3, section IV.A.2.d.
type Class uint8

// The datatype classes.
const (
	ClassInteger   Class = 0
	ClassFloat     Class = 1
	ClassTime      Class = 2
	ClassString    Class = 3
	ClassBitfield  Class = 4
	ClassOpaque    Class = 5
	ClassCompound  Class = 6
	ClassReference Class = 7
	ClassEnum      Class = 8
	ClassVLen      Class = 9
	ClassArray     Class = 10
	ClassComplex   Class = 11
)

var classNames = [...]string{
	"integer", "float", "time", "string", "bitfield", "opaque",
	"compound", "reference", "enum", "variable-length", "array", "complex",
}

// String is the class's name in lower case.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class %d", uint8(c))
}

// Padding says how a string shorter than its field is filled up.
type Padding uint8

// The string paddings.
const (
	PadNullTerm Padding = 0 // ends at the first NUL
	PadNull     Padding = 1 // trailing NULs are not part of the string
	PadSpace    Padding = 2 // trailing blanks are not part of the string
)

// CharSet is the character set of a string.
type CharSet uint8

// The character sets.
const (
	ASCII CharSet = 0
	UTF8  CharSet = 1
)

// Reference types.
const (
	RefObject uint8 = 0
	RefRegion uint8 = 1
)

// Datatype describes one element as it lies in the file. Which fields are set
// depends on Class; Size is always the number of bytes an element takes in the
// dataset (for variable-length data that of the descriptor: 4 + offset size + 4).
type Datatype struct {
	Class     Class
	Size      int
	BigEndian bool // integer, float, bitfield, time

	Signed    bool // integer
	BitOffset int  // integer, float, bitfield: position of the lowest bit that counts
	Precision int  // the same: number of bits that count

	// Float layout: position and width in bits of the three fields.
	SignPos          int
	ExpPos, ExpBits  int
	ManPos, ManBits  int
	ExpBias          int64
	ManNormalization uint8 // 2: the leading mantissa bit is implied, as in IEEE 754

	Padding  Padding   // string, variable-length string
	CharSet  CharSet   // the same
	IsString bool      // variable-length: a string rather than a sequence
	Tag      string    // opaque
	RefType  uint8     // reference: RefObject, RefRegion or a newer kind
	Members  []Member  // compound
	Base     *Datatype // enum, variable-length, array, complex
	Dims     []int     // array

	EnumNames  []string // enum
	EnumValues []byte   // enum: the values one after another, each of Base.Size bytes
}

// Member is one field of a compound datatype.
type Member struct {
	Name   string
	Offset int
	Type   *Datatype
}
