package hdf5

// Nesting deeper than this is refused: real types nest three deep, and the
// parser recurses.
const maxTypeDepth = 32

// parseDatatype reads a datatype message.
func parseDatatype(b []byte) (*Datatype, error) {
	c := &cursor{b: b}
	t, err := parseType(c, 0)
	if err != nil {
		return nil, err
	}
	return t, c.err("datatype message")
}

func parseType(c *cursor, depth int) (*Datatype, error) {
	if depth > maxTypeDepth {
		return nil, corruptf("datatype nests deeper than %d", maxTypeDepth)
	}
	start := c.u8()
	version := start >> 4
	bits := uint32(c.u8()) | uint32(c.u8())<<8 | uint32(c.u8())<<16
	size := c.u32()
	if err := c.err("datatype message"); err != nil {
		return nil, err
	}
	if size > 1<<30 {
		return nil, corruptf("datatype of %d bytes", size)
	}
	t := &Datatype{Class: Class(start & 0x0f), Size: int(size)}
	if version < 1 || version > 5 {
		return nil, unsupportedf("datatype message version %d", version)
	}
	if size == 0 && t.Class != ClassOpaque && t.Class != ClassString {
		return nil, corruptf("%v datatype of no bytes", t.Class)
	}
	var err error
	switch t.Class {
	case ClassInteger, ClassBitfield, ClassTime:
		t.BigEndian = bits&1 != 0
		t.Signed = t.Class == ClassInteger && bits&8 != 0
		if t.Class == ClassTime {
			t.Precision = int(c.u16())
			break
		}
		t.BitOffset, t.Precision = int(c.u16()), int(c.u16())
		if !c.bad && t.BitOffset+t.Precision > 8*t.Size {
			return nil, corruptf("integer of %d bits in %d bytes", t.Precision, t.Size)
		}
	case ClassFloat:
		err = parseFloat(c, t, bits)
	case ClassString:
		t.Padding, t.CharSet = Padding(bits&0xf), CharSet(bits>>4&0xf)
	case ClassOpaque:
		t.Tag = cString(c.bytes(int(bits & 0xff)))
	case ClassCompound:
		err = parseCompound(c, t, version, int(bits&0xffff), depth)
	case ClassReference:
		t.RefType = uint8(bits & 0xf)
	case ClassEnum:
		err = parseEnum(c, t, version, int(bits&0xffff), depth)
	case ClassVLen:
		t.IsString = bits&0xf == 1
		t.Padding, t.CharSet = Padding(bits>>4&0xf), CharSet(bits>>8&0xf)
		t.Base, err = parseType(c, depth+1)
	case ClassArray:
		err = parseArray(c, t, version, depth)
	case ClassComplex:
		t.Base, err = parseType(c, depth+1)
		if err == nil && t.Size != 2*t.Base.Size {
			err = corruptf("complex number of %d bytes with parts of %d", t.Size, t.Base.Size)
		}
	default:
		return nil, unsupportedf("datatype %v", t.Class)
	}
	if err != nil {
		return nil, err
	}
	return t, c.err("datatype message")
}

func parseFloat(c *cursor, t *Datatype, bits uint32) error {
	t.BigEndian = bits&1 != 0
	if bits&0x40 != 0 {
		return unsupportedf("VAX floating-point numbers")
	}
	t.ManNormalization, t.SignPos = uint8(bits>>4&3), int(bits>>8&0xff)
	t.BitOffset, t.Precision = int(c.u16()), int(c.u16())
	t.ExpPos, t.ExpBits = int(c.u8()), int(c.u8())
	t.ManPos, t.ManBits = int(c.u8()), int(c.u8())
	t.ExpBias = int64(c.u32())
	if c.bad {
		return nil
	}
	limit := 8 * t.Size
	if t.BitOffset+t.Precision > limit || t.SignPos >= limit || t.ExpPos+t.ExpBits > limit || t.ManPos+t.ManBits > limit {
		return corruptf("floating-point fields reach past %d bytes", t.Size)
	}
	return nil
}

func parseCompound(c *cursor, t *Datatype, version uint8, n, depth int) error {
	seen := make(map[string]bool)
	for range n {
		var m Member
		pad := 8
		if version >= 3 {
			pad = 1
		}
		m.Name = c.name(pad)
		var dims []int
		if version >= 3 {
			width := 1
			for s := t.Size; s >= 256; s >>= 8 {
				width++
			}
			m.Offset = int(c.uint(width))
		} else {
			m.Offset = int(c.u32())
		}
		if version == 1 {
			rank := int(c.u8())
			c.skip(3 + 4 + 4)
			for i := range 4 {
				if d := int(c.u32()); i < rank {
					dims = append(dims, d)
				}
			}
			if rank > 4 {
				return corruptf("compound member %q has %d dimensions", m.Name, rank)
			}
		}
		if err := c.err("compound datatype"); err != nil {
			return err
		}
		base, err := parseType(c, depth+1)
		if err != nil {
			return err
		}
		m.Type = base
		if len(dims) > 0 {
			if m.Type, err = arrayOf(base, dims); err != nil {
				return err
			}
		}
		if m.Offset > t.Size || m.Type.Size > t.Size-m.Offset {
			return corruptf("compound member %q reaches past its %d bytes", m.Name, t.Size)
		}
		if seen[m.Name] {
			return corruptf("compound has two members %q", m.Name)
		}
		seen[m.Name] = true
		t.Members = append(t.Members, m)
	}
	return nil
}

func parseEnum(c *cursor, t *Datatype, version uint8, n, depth int) error {
	base, err := parseType(c, depth+1)
	if err != nil {
		return err
	}
	if base.Class != ClassInteger || base.Size != t.Size {
		return corruptf("enumeration of %d bytes over a %v of %d", t.Size, base.Class, base.Size)
	}
	t.Base = base
	pad := 8
	if version >= 3 {
		pad = 1
	}
	for range n {
		if c.bad {
			break
		}
		t.EnumNames = append(t.EnumNames, c.name(pad))
	}
	t.EnumValues = c.bytes(n * base.Size)
	return nil
}

func parseArray(c *cursor, t *Datatype, version uint8, depth int) error {
	rank := int(c.u8())
	if version < 3 {
		c.skip(3)
	}
	if rank == 0 || rank > 32 {
		return corruptf("array datatype of %d dimensions", rank)
	}
	dims := make([]int, rank)
	for i := range dims {
		dims[i] = int(c.u32())
	}
	if version < 3 {
		c.skip(4 * rank) // permutation, never used
	}
	base, err := parseType(c, depth+1)
	if err != nil {
		return err
	}
	a, err := arrayOf(base, dims)
	if err != nil {
		return err
	}
	if a.Size != t.Size {
		return corruptf("array datatype of %d bytes whose elements take %d", t.Size, a.Size)
	}
	t.Base, t.Dims = base, dims
	return nil
}

// arrayOf is an array datatype of the given dimensions.
func arrayOf(base *Datatype, dims []int) (*Datatype, error) {
	size := base.Size
	for _, d := range dims {
		if d <= 0 || size > 1<<30/d {
			return nil, corruptf("array datatype of dimensions %v", dims)
		}
		size *= d
	}
	return &Datatype{Class: ClassArray, Size: size, Base: base, Dims: dims}, nil
}
