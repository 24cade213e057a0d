package gguf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cellsentence/c2s/internal/kernel"
)

// Decode unpacks as many values as dst has room for; data holds exactly those, in
// F32, F16 or BF16. No value changes.
func Decode(dst []float32, typ Type, data []byte) error {
	switch typ {
	case F32, F16, BF16:
	default:
		return fmt.Errorf("%w: decoding %v", ErrUnsupported, typ)
	}
	if want := int64(len(dst)) * layouts[typ].bytes; int64(len(data)) != want {
		return corruptf("%d bytes, where %d values of %v have %d", len(data), len(dst), typ, want)
	}
	switch typ {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = kernel.Half(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
		}
	}
	return nil
}

// Encode appends values to dst as a type stores them: F32, F16, BF16, rounded to
// the nearest and among two to the even one, or Q8_0, rounded as ggml's reference
// (quantize_row_q8_0_ref) does, so that llama-quantize makes the same bytes. A
// value that the type cannot hold, or that is no number, is an error.
func Encode(dst []byte, typ Type, values []float32) ([]byte, error) {
	bad := -1
	switch typ {
	case F32:
		for i, v := range values {
			b := math.Float32bits(v)
			if b&0x7f800000 == 0x7f800000 && bad < 0 {
				bad = i
			}
			dst = binary.LittleEndian.AppendUint32(dst, b)
		}
	case F16:
		for i, v := range values {
			h, ok := half(v)
			if !ok && bad < 0 {
				bad = i
			}
			dst = binary.LittleEndian.AppendUint16(dst, h)
		}
	case BF16:
		for i, v := range values {
			b := math.Float32bits(v)
			if b&0x7fffffff >= 0x7f7f8000 && bad < 0 { // it would round to infinity
				bad = i
			}
			dst = binary.LittleEndian.AppendUint16(dst, uint16((b+0x7fff+b>>16&1)>>16))
		}
	case Q8_0:
		if len(values)%kernel.Block != 0 {
			return dst, corruptf("%d values, where %v has blocks of %d", len(values), typ, kernel.Block)
		}
		for at := 0; at < len(values); at += kernel.Block {
			var ok bool
			if dst, ok = appendBlock(dst, values[at:at+kernel.Block]); !ok && bad < 0 {
				bad = at + largest(values[at:at+kernel.Block])
			}
		}
	default:
		return dst, fmt.Errorf("%w: encoding %v", ErrUnsupported, typ)
	}
	if bad >= 0 {
		return dst, corruptf("the value %g cannot be stored as %v", values[bad], typ)
	}
	return dst, nil
}

// half rounds to IEEE 754 binary16; ok is false for what is no number there.
func half(v float32) (h uint16, ok bool) {
	const smallest, tooLarge = 0x38800000, 0x477ff000 // 2^-14, and 65520, which rounds up
	b := math.Float32bits(v)
	sign, abs := uint16(b>>16&0x8000), b&0x7fffffff
	switch {
	case abs >= tooLarge:
		return sign | 0x7c00, false
	case abs < smallest:
		// The numbers from 0.5 on are 2^-24 apart, as binary16's below 2^-14 are: the
		// addition rounds.
		return sign | uint16(math.Float32bits(math.Float32frombits(abs)+0.5)-0x3f000000), true
	}
	return sign | uint16((abs+0xfff+abs>>13&1)>>13-112<<10), true
}

// appendBlock stores 32 values as a scale and 32 bytes.
func appendBlock(dst []byte, v []float32) ([]byte, bool) {
	most := float32(0)
	finite := true
	for _, x := range v {
		b := math.Float32bits(x) & 0x7fffffff
		finite = finite && b < 0x7f800000
		most = max(most, math.Float32frombits(b))
	}
	if !finite {
		return dst, false
	}
	scale := most / 127
	inverse := float32(0)
	if scale >= 0x1p-126 { // below, the inverse is beyond float32, and the stored scale 0
		inverse = 1 / scale
	}
	h, ok := half(scale)
	dst = binary.LittleEndian.AppendUint16(dst, h)
	for _, x := range v {
		// Halves are rounded away from zero, as C's roundf does; in float64 the sum is
		// exact.
		q := float64(x * inverse)
		dst = append(dst, byte(int32(q+math.Copysign(0.5, q))))
	}
	return dst, ok
}

// largest is the index of the value that is no number or the largest.
func largest(v []float32) int {
	at, most := 0, float32(-1)
	for i, x := range v {
		a := math.Float32frombits(math.Float32bits(x) & 0x7fffffff)
		if !(a <= math.MaxFloat32) {
			return i
		}
		if a > most {
			at, most = i, a
		}
	}
	return at
}
