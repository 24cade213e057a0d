package gguf

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"
)

func encode(t testing.TB, typ Type, v ...float32) []byte {
	t.Helper()
	out, err := Encode(nil, typ, v)
	if err != nil {
		t.Fatal(v, err)
	}
	return out
}

// TestHalves: every finite binary16 number survives, and what lies in the middle
// between two of them becomes the even one.
func TestHalves(t *testing.T) {
	value := func(h uint16) float32 {
		var v [1]float32
		if err := Decode(v[:], F16, binary.LittleEndian.AppendUint16(nil, h)); err != nil {
			t.Fatal(err)
		}
		return v[0]
	}
	for h := range uint16(0x7c00) {
		for _, sign := range []uint16{0, 0x8000} {
			if got := binary.LittleEndian.Uint16(encode(t, F16, value(h|sign))); got != h|sign {
				t.Fatalf("%#04x became %#04x", h|sign, got)
			}
		}
		if h == 0x7bff {
			break // the next one is infinity
		}
		a, b := value(h), value(h+1)
		middle := a + (b-a)/2
		for v, want := range map[float32]uint16{
			middle: h + h&1, math.Nextafter32(middle, 0): h, math.Nextafter32(middle, 1e6): h + 1,
		} {
			if got := binary.LittleEndian.Uint16(encode(t, F16, v)); got != want {
				t.Fatalf("%g became %#04x, expected %#04x", v, got, want)
			}
		}
	}
	if got := encode(t, F16, 65519.99); !slices.Equal(got, []byte{0xff, 0x7b}) {
		t.Error(got)
	}
}

func TestBF16(t *testing.T) {
	for _, c := range []struct {
		bits uint32
		want uint16
	}{
		{0x3f800000, 0x3f80},
		{0x3f808000, 0x3f80},
		{0x3f808001, 0x3f81},
		{0x3f818000, 0x3f82},
		{0xbf818000, 0xbf82},
		{0, 0},
		{0x80000000, 0x8000},
		{1, 0},
		{0x8000, 0},
		{0x8001, 1},
		{0x7f7f7fff, 0x7f7f},
	} {
		if got := binary.LittleEndian.Uint16(encode(t, BF16, math.Float32frombits(c.bits))); got != c.want {
			t.Errorf("%#08x became %#04x, expected %#04x", c.bits, got, c.want)
		}
	}
	var v [2]float32
	if err := Decode(v[:], BF16, []byte{0x80, 0x3f, 0x82, 0xbf}); err != nil || v != [2]float32{1, -1.015625} {
		t.Error(v, err)
	}
}

// TestQ8Block computes a block by hand: a largest value of 254 gives the scale 2,
// and 1 and −1 are halves of it, rounded away from zero.
func TestQ8Block(t *testing.T) {
	v := make([]float32, 32)
	copy(v, []float32{254, -254, 1, -1, 3, -3, 0.99, 100})
	want := append([]byte{0x00, 0x40}, 127, 129, 1, 255, 2, 254, 0, 50)
	if got := encode(t, Q8_0, v...); !slices.Equal(got[:len(want)], want) || len(got) != 34 {
		t.Errorf("%v, expected %v", got, want)
	}
	if got := encode(t, Q8_0, make([]float32, 64)...); !slices.Equal(got, make([]byte, 68)) {
		t.Error(got)
	}
	tiny := make([]float32, 32)
	tiny[5] = math.SmallestNonzeroFloat32
	if got := encode(t, Q8_0, tiny...); !slices.Equal(got, make([]byte, 34)) {
		t.Error(got)
	}
}

func TestEncodeErrors(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	block := func(v float32) []float32 { return append(make([]float32, 31), v) }
	for _, c := range []struct {
		typ Type
		v   []float32
	}{
		{F32, []float32{0, nan}},
		{F32, []float32{inf}},
		{F16, []float32{65520}},
		{F16, []float32{-inf}},
		{F16, []float32{nan}},
		{BF16, []float32{math.MaxFloat32}},
		{BF16, []float32{nan}},
		{BF16, []float32{-inf}},
		{Q8_0, block(nan)},
		{Q8_0, block(-inf)},
		{Q8_0, block(1e10)},
		{Q8_0, make([]float32, 31)},
	} {
		if _, err := Encode(nil, c.typ, c.v); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%v %v: %v", c.typ, c.v[len(c.v)-1], err)
		}
	}
	if _, err := Encode(nil, 2, nil); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
	if err := Decode(nil, Q8_0, nil); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
	if err := Decode(make([]float32, 2), F16, make([]byte, 3)); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

func TestSection(t *testing.T) {
	f, err := Parse(sample(t), "x")
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.Tensors {
		want, _ := f.Data(&f.Tensors[i])
		s := f.Section(&f.Tensors[i])
		got := make([]byte, s.Size())
		if _, err := s.ReadAt(got, 0); err != nil || !slices.Equal(got, want) {
			t.Error(f.Tensors[i].Name, err)
		}
	}
}
