package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// store makes a random matrix of a type and gives the values that it stands for,
// worked out by other code than the package's.
func store(r *rand.Rand, typ Type, rows, cols int) (Matrix, []float64) {
	m := Matrix{Type: typ, Rows: rows, Cols: cols}
	var values []float64
	for range rows {
		for c := range cols {
			switch typ {
			case F32:
				v := float32(r.NormFloat64())
				m.Data = binary.LittleEndian.AppendUint32(m.Data, math.Float32bits(v))
				values = append(values, float64(v))
			case F16:
				// A random sign, an exponent from 2^-7 to 2^0, ten random bits.
				h := uint16(r.IntN(2))<<15 | uint16(8+r.IntN(8))<<10 | uint16(r.IntN(1024))
				m.Data = binary.LittleEndian.AppendUint16(m.Data, h)
				v := math.Ldexp(1+float64(h&1023)/1024, int(h>>10&31)-15)
				if h>>15 == 1 {
					v = -v
				}
				values = append(values, v)
			case Q8:
				if c%Block == 0 {
					m.Data = append(m.Data, byte(r.IntN(256)), 0x20|byte(r.IntN(2)))
				}
				b := m.Data[len(m.Data)-2-c%Block:]
				scale := math.Ldexp(1+float64(int(b[1]&3)<<8|int(b[0]))/1024, int(b[1]>>2&31)-15)
				q := int8(r.IntN(255) - 127)
				m.Data = append(m.Data, byte(q))
				values = append(values, scale*float64(q))
			}
		}
	}
	return m, values
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func names(t Type) string { return [...]string{"F32", "F16", "Q8"}[t] }

// TestMul holds products against sums in float64, and asks for the same bits from
// the plain code, from every split over rows and from every number of tokens.
func TestMul(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, typ := range []Type{F32, F16, Q8} {
		for _, shape := range [][3]int{{1, 32, 1}, {3, 64, 5}, {4, 96, 4}, {7, 192, 9}, {13, 448, 2}, {6, 8, 4}, {5, 20, 6}, {9, 7, 3}} {
			rows, cols, tokens := shape[0], shape[1], shape[2]
			if typ == Q8 && cols%Block != 0 {
				continue
			}
			t.Run(fmt.Sprint(names(typ), shape), func(t *testing.T) {
				m, w := store(r, typ, rows, cols)
				x := random(r, tokens*cols)
				got := make([]float32, tokens*rows)
				m.Mul(got, x, tokens, 0, rows)
				for tok := range tokens {
					for row := range rows {
						want, size := 0.0, 0.0
						for c := range cols {
							p := w[row*cols+c] * float64(x[tok*cols+c])
							want += p
							size += math.Abs(p)
						}
						// Each of some cols/8+3 additions rounds by at most 2^-24 of the sum of sizes.
						if d := math.Abs(float64(got[tok*rows+row]) - want); d > size*float64(cols/8+12)*0x1p-24 {
							t.Fatalf("row %d, token %d: %g, expected %g", row, tok, got[tok*rows+row], want)
						}
					}
				}
				same := func(what string, other []float32) {
					t.Helper()
					for i := range got {
						if math.Float32bits(got[i]) != math.Float32bits(other[i]) {
							t.Fatalf("%s: element %d is %x, expected %x", what, i, other[i], got[i])
						}
					}
				}
				plain := make([]float32, len(got))
				m.mulPlain(plain, x, m.Data, tokens, 0, rows)
				same("plain", plain)
				split := make([]float32, len(got))
				for row := 0; row < rows; row += 3 {
					m.Mul(split, x, tokens, row, min(row+3, rows))
				}
				same("three rows at a time", split)
				single := make([]float32, len(got))
				for tok := range tokens {
					m.Mul(single[tok*rows:], x[tok*cols:], 1, 0, rows)
				}
				same("token by token", single)
				values := make([]float32, cols)
				for row := range rows {
					m.Row(values, row)
					for c, v := range values {
						if math.Abs(float64(v)-w[row*cols+c]) > math.Abs(w[row*cols+c])*0x1p-24 {
							t.Fatalf("row %d, column %d: %g, expected %g", row, c, v, w[row*cols+c])
						}
					}
				}
			})
		}
	}
}

// TestAttentionProducts compares Dot and AddRows with the plain code, bit by bit.
func TestAttentionProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 3, 4, 5, 31, 64} {
		for _, width := range []int{8, 32, 64, 100, 256} {
			rows, x, p := random(r, n*width), random(r, width), random(r, n)
			got, sum := make([]float32, n), make([]float32, width)
			Dot(got, rows, x, n)
			AddRows(sum, rows, p, n)
			want := make([]float32, width)
			for i := range n {
				if v := dotPlain(rows[i*width:(i+1)*width], x); v != got[i] {
					t.Fatalf("%d rows of %d: product %d is %g, expected %g", n, width, i, got[i], v)
				}
				for c := range want {
					want[c] += float32(p[i] * rows[i*width+c])
				}
			}
			for c := range want {
				if want[c] != sum[c] {
					t.Fatalf("%d rows of %d: column %d is %g, expected %g", n, width, c, sum[c], want[c])
				}
			}
		}
	}
}

// TestHalf holds all numbers of binary16 against their definition.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		e, f := h>>10&31, float64(h&1023)
		want := math.Ldexp(1024+f, e-25)
		if e == 0 {
			want = math.Ldexp(f, -24)
		} else if e == 31 {
			want = math.Inf(1)
			if f != 0 {
				want = math.NaN()
			}
		}
		want = math.Copysign(want, float64(1-h>>15*2))
		got := float64(Half(uint16(h)))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != math.Signbit(want) && !math.IsNaN(want) {
			t.Fatalf("%04x: %g, expected %g", h, got, want)
		}
	}
}

func TestExp(t *testing.T) {
	var x []float32
	for v := float32(-90); v < 90; v += 0.0137 {
		x = append(x, v)
	}
	x = append(x, 0, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 1e-30, -1e-30)
	got := append([]float32(nil), x...)
	Exp(got)
	for i, v := range x {
		if p := expPlain(v); math.Float32bits(p) != math.Float32bits(got[i]) {
			t.Fatalf("exp %g: %x with assembly, %x without", v, got[i], p)
		}
		if v != v {
			continue
		}
		want := math.Exp(math.Max(-87, math.Min(88, float64(v))))
		// Cephes states 2e-7; the reduction of large arguments adds a little.
		if d := math.Abs(float64(got[i])/want - 1); d > 3e-7 {
			t.Fatalf("exp %g is %g, expected %g: off by %g", v, got[i], want, d)
		}
	}
}

func TestSoftCapAndGelu(t *testing.T) {
	var x, up []float32
	for v := float32(-200); v < 200; v += 0.31 {
		x, up = append(x, v), append(up, v/7)
	}
	capped, gelu, scratch := append([]float32(nil), x...), make([]float32, len(x)), make([]float32, len(x))
	SoftCap(capped, 30)
	for i := range x {
		gelu[i] = x[i] / 20
	}
	GatedGelu(gelu, up, scratch)
	for i, v := range x {
		// tanh loses what exp rounds: 30 times some 1e-7.
		if want := 30 * math.Tanh(float64(v)/30); math.Abs(float64(capped[i])-want) > 1e-5 {
			t.Fatalf("soft cap of %g: %g, expected %g", v, capped[i], want)
		}
		g := float64(v / 20)
		want := 0.5 * g * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(g+0.044715*g*g*g))) * float64(up[i])
		if math.Abs(float64(gelu[i])-want) > 1e-5*(1+math.Abs(want)) {
			t.Fatalf("gelu(%g) times %g: %g, expected %g", g, up[i], gelu[i], want)
		}
	}
}

func BenchmarkMul(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, typ := range []Type{F32, F16, Q8} {
		for _, tokens := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/tokens=%d", names(typ), tokens), func(b *testing.B) {
				const rows, cols = 448, 192
				m, _ := store(r, typ, rows, cols)
				x, dst := random(r, tokens*cols), make([]float32, tokens*rows)
				for b.Loop() {
					m.Mul(dst, x, tokens, 0, rows)
				}
				b.ReportMetric(float64(rows*cols*tokens)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gmac/s")
			})
		}
	}
}
