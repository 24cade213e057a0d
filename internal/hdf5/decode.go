package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unsafe"
)

// Number is the types that numbers are read into.
type Number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Data is values as they lie in the file, beside their type.
type Data struct {
	Type  *Datatype
	Space Space

	file   *File
	path   string
	raw    []byte
	off    int // of the first element in raw
	stride int // from one element to the next, in bytes
	n      int
	group  int // elements that lie side by side at each stride, 0 for 1
}

// Len is the number of elements.
func (d *Data) Len() int { return d.n }

// Raw is the bytes of a value that was read whole.
func (d *Data) Raw() []byte { return d.raw }

// Element is the bytes of element i.
func (d *Data) Element(i int) []byte {
	at := d.off
	if d.group > 1 {
		at += i/d.group*d.stride + i%d.group*d.Type.Size
	} else {
		at += i * d.stride
	}
	return d.raw[at : at+d.Type.Size : at+d.Type.Size]
}

func (d *Data) fail(err error) error { return d.file.fail(d.path, err) }

// Strings decodes strings of fixed or variable length.
func (d *Data) Strings() ([]string, error) {
	t := d.Type
	out := make([]string, d.n)
	switch {
	case t.Class == ClassString:
		for i := range out {
			out[i] = fixedString(d.Element(i), t.Padding)
		}
	case t.Class == ClassVLen && t.IsString:
		h := d.file.newHeapReader()
		for i := range out {
			s, err := h.str(d.Element(i))
			if err != nil {
				return nil, d.fail(fmt.Errorf("element %d: %w", i, err))
			}
			out[i] = s
		}
	default:
		return nil, d.fail(typef("expected strings, found %v", t.Class))
	}
	return out, nil
}

func fixedString(b []byte, p Padding) string {
	s := cString(b)
	if p == PadSpace {
		s = strings.TrimRight(s, " ")
	}
	return s
}

// Field is one member of compound data. A member that is an array adds its
// dimensions to the space.
func (d *Data) Field(name string) (*Data, error) {
	if d.Type.Class != ClassCompound {
		return nil, d.fail(typef("expected compound data, found %v", d.Type.Class))
	}
	if d.group > 1 {
		return nil, d.fail(unsupportedf("compound within an array"))
	}
	for _, m := range d.Type.Members {
		if m.Name != name {
			continue
		}
		out := *d
		out.Type, out.off, out.path = m.Type, d.off+m.Offset, join(d.path, name)
		out.spread()
		return &out, nil
	}
	return nil, d.fail(fmt.Errorf("member %q: %w", name, ErrNotFound))
}

// spread turns elements that are arrays into the arrays' elements.
func (d *Data) spread() {
	d.Space.Dims = append([]uint64(nil), d.Space.Dims...)
	for d.Type.Class == ClassArray {
		k := 1
		for _, n := range d.Type.Dims {
			d.Space.Dims = append(d.Space.Dims, uint64(n))
			k *= n
		}
		d.group = max(1, d.group) * k
		d.n *= k
		d.Type = d.Type.Base
	}
}

// Spread is data whose elements are arrays, as the elements of those arrays.
func (d *Data) Spread() *Data {
	out := *d
	out.spread()
	return &out
}

// Sequence is the elements behind variable-length element i.
func (d *Data) Sequence(i int) (*Data, error) {
	t := d.Type
	if t.Class != ClassVLen || t.IsString {
		return nil, d.fail(typef("expected variable-length sequences, found %v", t.Class))
	}
	text, n, ok, err := d.file.newHeapReader().item(d.Element(i))
	if err != nil {
		return nil, d.fail(err)
	}
	if !ok {
		n, text = 0, ""
	}
	if uint64(n)*uint64(t.Base.Size) > uint64(len(text)) {
		return nil, d.fail(corruptf("%d elements in a heap object of %d bytes", n, len(text)))
	}
	return &Data{
		Type: t.Base, Space: Space{Dims: []uint64{uint64(n)}}, file: d.file, path: d.path,
		raw: []byte(text), stride: t.Base.Size, n: int(n),
	}, nil
}

// Objects follows object references.
func (d *Data) Objects() ([]Object, error) {
	if d.Type.Class != ClassReference || d.Type.RefType != RefObject || d.Type.Size < d.file.sb.offsetSize {
		return nil, d.fail(typef("expected object references, found %v", d.Type.Class))
	}
	out := make([]Object, d.n)
	for i := range out {
		c := &cursor{b: d.Element(i)}
		addr := c.addr(d.file.sb.offsetSize)
		o, err := d.file.object(addr, fmt.Sprintf("%s[%d]", d.path, i))
		if err != nil {
			return nil, err
		}
		out[i] = o
	}
	return out, nil
}

// Bools decodes an enumeration of FALSE and TRUE, as h5py writes bools, or
// one-byte integers that are 0 or 1.
func (d *Data) Bools() ([]bool, error) {
	if d.Type.Size != 1 || d.Type.Class != ClassEnum && d.Type.Class != ClassInteger && d.Type.Class != ClassBitfield {
		return nil, d.fail(typef("expected bools, found %v of %d bytes", d.Type.Class, d.Type.Size))
	}
	out := make([]bool, d.n)
	for i := range out {
		switch v := d.Element(i)[0]; v {
		case 0:
		case 1:
			out[i] = true
		default:
			return nil, d.fail(corruptf("element %d of a bool is %d", i, v))
		}
	}
	return out, nil
}

// IsBool reports whether the type is h5py's bool.
func (t *Datatype) IsBool() bool {
	return t.Class == ClassEnum && t.Size == 1 && len(t.EnumNames) == 2 &&
		t.EnumNames[0] == "FALSE" && t.EnumNames[1] == "TRUE" && string(t.EnumValues) == "\x00\x01"
}

// Numbers decodes integers, enumerations, bitfields and floats as T. A value
// that T cannot hold exactly is an error, and so are floats asked for as
// integers.
func Numbers[T Number](d *Data) ([]T, error) {
	out := make([]T, d.n)
	return out, d.fail(convert(d, out))
}

// native reports whether an element in the file is a T in memory.
func native[T Number](t *Datatype) bool {
	if !littleEndian() || t.BigEndian && t.Size > 1 || t.Size != int(unsafe.Sizeof(*new(T))) {
		return false
	}
	isFloat, signed := kindOf[T]()
	switch t.Class {
	case ClassInteger:
		return !isFloat && signed == t.Signed && t.BitOffset == 0 && t.Precision == 8*t.Size
	case ClassFloat:
		return isFloat && t.ieee()
	}
	return false
}

func kindOf[T Number]() (isFloat, signed bool) {
	half := 0.5
	var zero T
	return T(half) != 0, zero-1 < zero
}

func littleEndian() bool {
	return binary.NativeEndian.Uint16([]byte{1, 0}) == 1
}

// ieee reports whether t is IEEE 754 binary16, 32 or 64.
func (t *Datatype) ieee() bool {
	if t.BitOffset != 0 || t.ManPos != 0 || t.ManNormalization != 2 || t.SignPos != 8*t.Size-1 || t.ExpPos != t.ManBits {
		return false
	}
	switch t.Size {
	case 2:
		return t.ExpBits == 5 && t.ManBits == 10 && t.ExpBias == 15
	case 4:
		return t.ExpBits == 8 && t.ManBits == 23 && t.ExpBias == 127
	case 8:
		return t.ExpBits == 11 && t.ManBits == 52 && t.ExpBias == 1023
	}
	return false
}

// convert fills dst, which has d.Len() elements.
func convert[T Number](d *Data, dst []T) error {
	t := d.Type
	if t.Class == ClassEnum {
		t = t.Base
	}
	isFloat, _ := kindOf[T]()
	switch t.Class {
	case ClassInteger, ClassBitfield:
		for i := range dst {
			u, err := t.integer(d.Element(i))
			if err != nil {
				return err
			}
			if t.Signed {
				dst[i] = T(int64(u))
				if int64(dst[i]) != int64(u) || (dst[i] < 0) != (int64(u) < 0) {
					return typef("element %d is %d, which %T cannot hold", i, int64(u), dst[i])
				}
			} else {
				dst[i] = T(u)
				if uint64(dst[i]) != u || dst[i] < 0 {
					return typef("element %d is %d, which %T cannot hold", i, u, dst[i])
				}
			}
		}
	case ClassFloat:
		if !isFloat {
			return typef("expected integers, found floating-point numbers")
		}
		for i := range dst {
			v, err := t.float(d.Element(i))
			if err != nil {
				return err
			}
			dst[i] = T(v)
			if float64(dst[i]) != v && v == v {
				return typef("element %d is %v, which %T cannot hold", i, v, dst[i])
			}
		}
	default:
		return typef("expected numbers, found %v", t.Class)
	}
	return nil
}

// word is the element as one little-endian integer.
func (t *Datatype) word(b []byte) uint64 {
	var u uint64
	for i := range b {
		j := len(b) - 1 - i
		if t.BigEndian {
			j = i
		}
		u = u<<8 | uint64(b[j])
	}
	return u
}

// integer is an integer, sign-extended to 64 bits where it is signed.
func (t *Datatype) integer(b []byte) (uint64, error) {
	if t.Size > 8 {
		return 0, unsupportedf("integers of %d bytes", t.Size)
	}
	u := t.word(b) >> t.BitOffset
	if unused := 64 - t.Precision; unused > 0 {
		if u <<= unused; t.Signed {
			return uint64(int64(u) >> unused), nil
		}
		u >>= unused
	}
	return u, nil
}

// float decodes any layout of up to 64 mantissa bits; what float64 cannot hold
// (long double) is rounded to the nearest.
func (t *Datatype) float(b []byte) (float64, error) {
	if t.ieee() && t.Size == 4 {
		return float64(math.Float32frombits(uint32(t.word(b)))), nil
	}
	if t.ieee() && t.Size == 8 {
		return math.Float64frombits(t.word(b)), nil
	}
	if t.Size > 16 || t.ManBits > 64 || t.ExpBits > 16 || t.ExpBits < 1 {
		return 0, unsupportedf("floating-point numbers of %d bytes with %d mantissa bits", t.Size, t.ManBits)
	}
	field := func(pos, n int) uint64 {
		var u uint64
		for i := n - 1; i >= 0; i-- {
			bit := pos + i
			at := bit / 8
			if t.BigEndian {
				at = t.Size - 1 - at
			}
			u = u<<1 | uint64(b[at]>>(bit%8)&1)
		}
		return u
	}
	sign, exp, man := field(t.SignPos, 1), field(t.ExpPos, t.ExpBits), field(t.ManPos, t.ManBits)
	var v float64
	explicit := t.ManNormalization != 2
	top := uint64(1)<<t.ExpBits - 1
	scale := int(int64(exp)-t.ExpBias) - t.ManBits
	if explicit {
		scale++ // the leading bit is one of the mantissa's
	}
	switch {
	case exp == top:
		fraction := man
		if explicit {
			fraction &= 1<<(t.ManBits-1) - 1
		}
		if v = math.Inf(1); fraction != 0 {
			return math.NaN(), nil
		}
	case exp == 0:
		v = math.Ldexp(float64(man), scale+1)
	case explicit:
		v = math.Ldexp(float64(man), scale)
	default:
		v = math.Ldexp(float64(man), scale) + math.Ldexp(1, int(int64(exp)-t.ExpBias))
	}
	if sign == 1 {
		v = -v
	}
	return v, nil
}
