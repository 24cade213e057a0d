package hdf5

import "encoding/binary"

// encDatatype is the body of a datatype message. Version 1 suffices but for
// arrays (2) and complex numbers (5); nested types have the version of the whole.
func encDatatype(t *Datatype) ([]byte, error) {
	version := uint8(1)
	err := wWalkType(t, 0, func(t *Datatype) {
		switch t.Class {
		case ClassArray:
			version = max(version, 2)
		case ClassComplex:
			version = 5
		}
	})
	if err != nil {
		return nil, err
	}
	b, err := encType(nil, t, version)
	if err == nil && len(b) > wMaxMessage {
		err = wTooLarge("datatype", len(b))
	}
	return b, err
}

// wWalkType calls fn for t and all types within.
func wWalkType(t *Datatype, depth int, fn func(*Datatype)) error {
	if t == nil {
		return wInvalidf("a datatype is missing")
	}
	if depth > maxTypeDepth {
		return wInvalidf("datatype nests deeper than %d", maxTypeDepth)
	}
	fn(t)
	switch t.Class {
	case ClassEnum, ClassVLen, ClassArray, ClassComplex:
		return wWalkType(t.Base, depth+1, fn)
	case ClassCompound:
		for _, m := range t.Members {
			if err := wWalkType(m.Type, depth+1, fn); err != nil {
				return err
			}
		}
	}
	return nil
}

// wHas reports whether t is or contains a type of class c.
func (t *Datatype) wHas(c Class) (found bool) {
	_ = wWalkType(t, 0, func(t *Datatype) { found = found || t.Class == c })
	return found
}

// encHead appends what all datatypes begin with.
func encHead(b []byte, t *Datatype, version uint8, bits uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, bits<<8|uint32(version)<<4|uint32(t.Class))
	return binary.LittleEndian.AppendUint32(b, uint32(t.Size))
}

func wBit(on bool, n int) uint32 {
	if on {
		return 1 << n
	}
	return 0
}

func encType(b []byte, t *Datatype, version uint8) ([]byte, error) {
	if t.Size < 1 || t.Size > 1<<30 {
		return nil, wInvalidf("%v datatype of %d bytes", t.Class, t.Size)
	}
	le := binary.LittleEndian
	switch t.Class {
	case ClassInteger, ClassBitfield, ClassFloat:
		return encNumber(b, t, version)
	case ClassTime:
		b = encHead(b, t, version, wBit(t.BigEndian, 0))
		return le.AppendUint16(b, uint16(t.Precision)), nil
	case ClassString:
		return encHead(b, t, version, uint32(t.Padding&0xf)|uint32(t.CharSet&0xf)<<4), nil
	case ClassOpaque:
		n := wPad8(len(t.Tag))
		if n > 248 {
			return nil, wInvalidf("opaque tag of %d bytes; at most 248 fit", len(t.Tag))
		}
		return wAppendPadded(encHead(b, t, version, uint32(n)), t.Tag, n), nil
	case ClassReference:
		if t.RefType > RefRegion {
			return nil, unsupportedf("writing references of type %d", t.RefType)
		}
		if t.RefType == RefObject && t.Size != 8 {
			return nil, unsupportedf("object references of %d bytes; this file has 8", t.Size)
		}
		return encHead(b, t, version, uint32(t.RefType)), nil
	case ClassCompound:
		return encCompound(b, t, version)
	case ClassEnum:
		return encEnum(b, t, version)
	case ClassVLen:
		if t.Size != wDescriptorSize {
			return nil, unsupportedf("variable-length elements of %d bytes; this file has %d", t.Size, wDescriptorSize)
		}
		bits := wBit(t.IsString, 0) | uint32(t.Padding&0xf)<<4 | uint32(t.CharSet&0xf)<<8
		return encType(encHead(b, t, version, bits), t.Base, version)
	case ClassArray:
		return encArray(b, t, version)
	case ClassComplex:
		if t.Size != 2*t.Base.Size {
			return nil, wInvalidf("complex number of %d bytes with parts of %d", t.Size, t.Base.Size)
		}
		return encType(encHead(b, t, version, 1), t.Base, version) // 1: two parts of one type
	}
	return nil, unsupportedf("writing the datatype %v", t.Class)
}

func encNumber(b []byte, t *Datatype, version uint8) ([]byte, error) {
	limit := 8 * t.Size
	inside := func(at, n int) bool { return at >= 0 && n >= 0 && at+n <= limit && at+n < 1<<16 }
	if t.Precision < 1 || !inside(t.BitOffset, t.Precision) {
		return nil, wInvalidf("%v of %d bits at bit %d in %d bytes", t.Class, t.Precision, t.BitOffset, t.Size)
	}
	le := binary.LittleEndian
	bits := wBit(t.BigEndian, 0)
	if t.Class != ClassFloat {
		b = encHead(b, t, version, bits|wBit(t.Signed && t.Class == ClassInteger, 3))
		b = le.AppendUint16(b, uint16(t.BitOffset))
		return le.AppendUint16(b, uint16(t.Precision)), nil
	}
	if limit > 256 || !inside(t.SignPos, 1) || !inside(t.ExpPos, t.ExpBits) || !inside(t.ManPos, t.ManBits) {
		return nil, wInvalidf("floating-point fields reach past %d bytes", t.Size)
	}
	bits |= uint32(t.ManNormalization&3)<<4 | uint32(t.SignPos)<<8
	b = encHead(b, t, version, bits)
	b = le.AppendUint16(b, uint16(t.BitOffset))
	b = le.AppendUint16(b, uint16(t.Precision))
	b = append(b, byte(t.ExpPos), byte(t.ExpBits), byte(t.ManPos), byte(t.ManBits))
	return le.AppendUint32(b, uint32(t.ExpBias)), nil
}

func encCompound(b []byte, t *Datatype, version uint8) (_ []byte, err error) {
	if len(t.Members) < 1 || len(t.Members) > 1<<16-1 {
		return nil, wInvalidf("compound with %d members", len(t.Members))
	}
	b = encHead(b, t, version, uint32(len(t.Members)))
	for _, m := range t.Members {
		if m.Offset < 0 || m.Offset > t.Size || m.Type.Size > t.Size-m.Offset {
			return nil, wInvalidf("compound member %q reaches past its %d bytes", m.Name, t.Size)
		}
		if b, err = encName(b, m.Name, version); err != nil {
			return nil, err
		}
		if version >= 3 {
			off := uint32(m.Offset)
			for s := t.Size; s > 0; s >>= 8 {
				b = append(b, byte(off))
				off >>= 8
			}
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(m.Offset))
		}
		if version == 1 {
			b = append(b, make([]byte, 28)...) // dimensions, of which there are none
		}
		if b, err = encType(b, m.Type, version); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func encEnum(b []byte, t *Datatype, version uint8) (_ []byte, err error) {
	n := len(t.EnumNames)
	if n > 1<<16-1 || t.Base.Class != ClassInteger || t.Base.Size != t.Size || len(t.EnumValues) != n*t.Size {
		return nil, wInvalidf("enumeration of %d names and %d bytes of values over a %v", n, len(t.EnumValues), t.Base.Class)
	}
	b = encHead(b, t, version, uint32(n))
	if b, err = encType(b, t.Base, version); err != nil {
		return nil, err
	}
	for _, name := range t.EnumNames {
		if b, err = encName(b, name, version); err != nil {
			return nil, err
		}
	}
	return append(b, t.EnumValues...), nil
}

func encArray(b []byte, t *Datatype, version uint8) ([]byte, error) {
	a, err := arrayOf(t.Base, t.Dims)
	if err != nil || a.Size != t.Size || len(t.Dims) < 1 || len(t.Dims) > maxRank {
		return nil, wInvalidf("array datatype of %d bytes with dimensions %v of %d bytes", t.Size, t.Dims, t.Base.Size)
	}
	b = append(encHead(b, t, version, 0), byte(len(t.Dims)))
	if version < 3 {
		b = append(b, 0, 0, 0)
	}
	for _, d := range t.Dims {
		b = binary.LittleEndian.AppendUint32(b, uint32(d))
	}
	if version < 3 {
		b = append(b, make([]byte, 4*len(t.Dims))...) // permutation, never used
	}
	return encType(b, t.Base, version)
}

// encName appends a member's name, padded to 8 bytes before version 3.
func encName(b []byte, name string, version uint8) ([]byte, error) {
	for i := range len(name) {
		if name[i] == 0 {
			return nil, wInvalidf("member name %q contains NUL", name)
		}
	}
	n := len(name) + 1
	if version < 3 {
		n = wPad8(n)
	}
	return wAppendPadded(b, name, n), nil
}

// wPad8 rounds up to a multiple of 8.
func wPad8(n int) int { return (n + 7) &^ 7 }

// wAppendPadded appends s and zeros up to n bytes in all.
func wAppendPadded[S string | []byte](b []byte, s S, n int) []byte {
	b = append(b, s...)
	return append(b, make([]byte, n-len(s))...)
}
