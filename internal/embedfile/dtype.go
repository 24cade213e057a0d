package embedfile

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// dtype is a type of numbers.
type dtype struct {
	kind byte // 'f', 'i', 'u' or 'b'
	size int  // bytes
	big  bool // byte order
}

// parse reads NumPy's array-protocol type string.
func (t *dtype) parse(s string) error {
	if len(s) < 2 {
		return fmt.Errorf("the dtype %q is not known", s)
	}
	switch s[0] {
	case '<', '|', '=': // '=' is the writer's own order: NumPy stores < or >
	case '>':
		t.big = true
	default:
		return fmt.Errorf("the dtype %q is not known", s)
	}
	if s[1] == 'O' {
		return errPickled
	}
	switch s[1:] {
	case "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1":
		t.kind, t.size = s[1], int(s[2]-'0')
		return nil
	}
	return fmt.Errorf("the dtype %q is no real number that an embedding holds (float16 to float64, integers)", s)
}

// decode turns len(dst) numbers in src into float64.
func (t dtype) decode(dst []float64, src []byte) {
	src = src[:len(dst)*t.size]
	switch {
	case t.kind == 'f' && t.size == 8:
		for i := range dst {
			dst[i] = math.Float64frombits(t.word64(src[8*i:]))
		}
	case t.kind == 'f' && t.size == 4:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(t.word32(src[4*i:])))
		}
	case t.kind == 'f':
		for i := range dst {
			dst[i] = Half(t.word16(src[2*i:]))
		}
	default:
		for i := range dst {
			dst[i] = t.whole(src[i*t.size:])
		}
	}
}

func (t dtype) word16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if t.big {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (t dtype) word32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if t.big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (t dtype) word64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if t.big {
		v = bits.ReverseBytes64(v)
	}
	return v
}

// whole decodes an integer or a truth value.
func (t dtype) whole(b []byte) float64 {
	var v uint64
	switch t.size {
	case 1:
		v = uint64(b[0])
	case 2:
		v = uint64(t.word16(b))
	case 4:
		v = uint64(t.word32(b))
	case 8:
		v = t.word64(b)
	}
	switch t.kind {
	case 'i':
		shift := 64 - 8*t.size
		return float64(int64(v<<shift) >> shift)
	case 'b':
		return float64(min(v, 1))
	}
	return float64(v)
}

// Half widens an IEEE 754 binary16 number: its exponent and fraction as those of a
// float32 that is 2^-112 times too small, which holds for subnormal numbers, too.
func Half(h uint16) float64 {
	v := float64(math.Float32frombits(uint32(h&0x7fff)<<13)) * 0x1p112
	if h&0x7c00 == 0x7c00 {
		v = math.Inf(1)
		if h&0x3ff != 0 {
			v = math.NaN()
		}
	}
	if h>>15 != 0 {
		v = -v
	}
	return v
}
