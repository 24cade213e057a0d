package h5ad

import (
	"encoding/binary"
	"math"
	"testing"
)

// TestHalf rounds to half precision as IEEE 754 says: every half is itself, and
// what lies between two of them goes to the nearer, to the even one in the middle.
func TestHalf(t *testing.T) {
	value := func(h uint16) float64 { // by the definition of the format
		exp, man := int(h>>10&31), float64(h&1023)
		v := math.Ldexp(man, -24)
		if exp > 0 {
			v = math.Ldexp(1024+man, exp-25)
		}
		if h>>15 == 1 {
			v = -v
		}
		return v
	}
	for h := range uint16(0x7c00) { // up to the infinity
		for _, sign := range []uint16{0, 0x8000} {
			if got := half(float32(value(h | sign))); got != h|sign {
				t.Fatalf("%#x becomes %#x", h|sign, got)
			}
		}
		if h == 0x7bff {
			break
		}
		middle := (value(h) + value(h+1)) / 2
		even := h + h&1
		if got := half(float32(middle)); got != even {
			t.Fatalf("between %#x and the next: %#x, expected %#x", h, got, even)
		}
		if got := half(math.Nextafter32(float32(middle), math.MaxFloat32)); got != h+1 {
			t.Fatalf("above the middle of %#x and the next: %#x", h, got)
		}
	}
	inf := float32(math.Inf(1))
	for f, want := range map[float32]uint16{inf: 0x7c00, -inf: 0xfc00, 65519: 0x7bff, 65520: 0x7c00, 1e30: 0x7c00, 1e-30: 0} {
		if got := half(f); got != want {
			t.Errorf("%g: %#x, expected %#x", f, got, want)
		}
	}
	if got := half(float32(math.NaN())); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
		t.Errorf("NaN: %#x", got)
	}
}

func TestEncodeAsRefusesOtherTypes(t *testing.T) {
	for _, c := range []struct {
		dtype  string
		values any
	}{
		{"float32", []int32{1}},
		{"int32", []float32{1}},
		{"int32", []uint32{1}},
		{"int64", []int32{1}},
		{"float64", []float32{1}},
		{"bool", []int16{1}},
		{"float32", []string{"1"}},
	} {
		if b, err := encodeAs(nil, typeNamed(c.dtype), c.values); err == nil {
			t.Errorf("%T as %s: %x", c.values, c.dtype, b)
		}
	}
	b, err := encodeAs(nil, typeNamed("bfloat16"), []float32{1.5})
	if err != nil || binary.LittleEndian.Uint16(b) != 0x3fc0 {
		t.Errorf("1.5 as bfloat16: %x, %v", b, err)
	}
}
