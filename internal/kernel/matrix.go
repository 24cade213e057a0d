package kernel

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// Type says how the numbers of a matrix are stored.
type Type uint8

// The types, all little-endian.
const (
	F32 Type = iota
	F16      // IEEE 754 binary16
	Q8       // blocks of 32 values: a scale in F16, then 32 signed bytes
)

const (
	// Block is the number of values in a block of Q8.
	Block      = 32
	blockBytes = Block + 2
)

// RowBytes is the length of a row of n values; n is a multiple of [Block] for Q8.
func (t Type) RowBytes(n int) int {
	switch t {
	case F16:
		return 2 * n
	case Q8:
		return n / Block * blockBytes
	}
	return 4 * n
}

// Matrix is Rows rows of Cols numbers. Data holds Type.RowBytes(Cols) bytes for
// each row.
type Matrix struct {
	Type       Type
	Rows, Cols int
	Data       []byte
}

// Mul multiplies rows from to to−1 by a number of vectors, or tokens, that lie
// one behind the other in x: dst[t*Rows+r] is the product of row r and vector t.
func (m *Matrix) Mul(dst, x []float32, tokens, from, to int) {
	if from >= to || tokens <= 0 {
		return
	}
	// The slices are cut once to what the loops below touch.
	data := m.Data[:m.Type.RowBytes(m.Cols)*m.Rows]
	x = x[:tokens*m.Cols]
	dst = dst[:tokens*m.Rows]
	if from < 0 || to > m.Rows {
		panic("kernel: rows out of range")
	}
	if simd {
		m.mulVector(dst, x, data, tokens, from, to)
		return
	}
	m.mulPlain(dst, x, data, tokens, from, to)
}

// mulPlain is Mul without assembly.
func (m *Matrix) mulPlain(dst, x []float32, data []byte, tokens, from, to int) {
	stride := m.Type.RowBytes(m.Cols)
	row := make([]float32, m.Cols)
	for r := from; r < to; r++ {
		unpack(row, data[r*stride:(r+1)*stride], m.Type)
		for t := range tokens {
			dst[t*m.Rows+r] = dotPlain(row, x[t*m.Cols:(t+1)*m.Cols])
		}
	}
}

// Row unpacks row r into dst, which has room for Cols values.
func (m *Matrix) Row(dst []float32, r int) {
	stride := m.Type.RowBytes(m.Cols)
	unpack(dst[:m.Cols], m.Data[r*stride:(r+1)*stride], m.Type)
}

// unpack turns stored values into float32, without loss of F16, and for Q8 with
// the one rounding of scale times byte.
func unpack(dst []float32, data []byte, t Type) {
	switch t {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = Half(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case Q8:
		for b := 0; b < len(dst); b += Block {
			block := data[b/Block*blockBytes:][:blockBytes]
			scale := Half(binary.LittleEndian.Uint16(block))
			for i, q := range block[2:] {
				dst[b+i] = scale * float32(int8(q))
			}
		}
	}
}

// Half is the value of an IEEE 754 binary16 number.
func Half(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent := uint32(h >> 10 & 31)
	fraction := uint32(h & 0x3ff)
	switch exponent {
	case 0: // zero and subnormal numbers: fraction times 2^-24
		f := float32(fraction) * 0x1p-24
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// Dot puts the products of x with each of n rows into dst. The rows lie one behind
// the other and are as long as x.
func Dot(dst, rows, x []float32, n int) {
	if n <= 0 || len(x) == 0 {
		return
	}
	rows = rows[:n*len(x)]
	dst = dst[:n]
	if simd {
		m := Matrix{Type: F32, Rows: n, Cols: len(x)}
		m.mulVector(dst, x, bytesOf(rows), 1, 0, n)
		return
	}
	for i := range dst {
		dst[i] = dotPlain(rows[i*len(x):(i+1)*len(x)], x)
	}
}

// bytesOf is the memory of v.
func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// AddRows sets dst to the sum of n rows times their weights. The rows lie one
// behind the other and are as long as dst; they are added in order.
func AddRows(dst, rows, weights []float32, n int) {
	clear(dst)
	if n <= 0 || len(dst) == 0 {
		return
	}
	rows = rows[:n*len(dst)]
	weights = weights[:n]
	done := 0
	if simd {
		done = addRowsVector(dst, rows, weights)
	}
	for i, w := range weights {
		row := rows[i*len(dst)+done : (i+1)*len(dst)]
		for j, v := range row {
			dst[done+j] += float32(w * v)
		}
	}
}

// dotPlain is the product of two vectors, in the order that the package promises.
func dotPlain(a, b []float32) float32 {
	var s [8]float32
	whole := len(a) &^ 7
	for i := 0; i < whole; i += 8 {
		x, y := a[i:i+8:i+8], b[i:i+8:i+8]
		s[0] += float32(x[0] * y[0])
		s[1] += float32(x[1] * y[1])
		s[2] += float32(x[2] * y[2])
		s[3] += float32(x[3] * y[3])
		s[4] += float32(x[4] * y[4])
		s[5] += float32(x[5] * y[5])
		s[6] += float32(x[6] * y[6])
		s[7] += float32(x[7] * y[7])
	}
	sum := ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
	return addTail(sum, a[whole:], b[whole:])
}

func addTail(sum float32, a, b []float32) float32 {
	for i := range a {
		sum += float32(a[i] * b[i])
	}
	return sum
}
