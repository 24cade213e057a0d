package kernel

import "unsafe"

// simd says that the processor and the operating system have AVX2 and F16C.
var simd = hasAVX2()

// Features names the instructions in use, "" for none beyond the compiler's.
func Features() string {
	if simd {
		return "avx2 f16c"
	}
	return ""
}

func hasAVX2() bool {
	const (
		osxsave, avx, f16c = 1 << 27, 1 << 28, 1 << 29 // leaf 1, ecx
		avx2               = 1 << 5                    // leaf 7, ebx
		states             = 0b110                     // xmm and ymm are saved
	)
	top, _, _, _ := cpuid(0, 0)
	if top < 7 {
		return false
	}
	_, _, c, _ := cpuid(1, 0)
	if c&(osxsave|avx|f16c) != osxsave|avx|f16c || xgetbv()&states != states {
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&avx2 != 0
}

//go:noescape
func cpuid(leaf, sub uint32) (a, b, c, d uint32)

//go:noescape
func xgetbv() uint32

// The mul4 functions multiply rows, stride bytes apart, by one vector; rows is a
// multiple of four. The mul8 functions multiply rows by four vectors, step bytes
// apart, whose products lie apart bytes apart in dst; rows is a multiple of two.
// Neither number is 0. n is a multiple of eight, for Q8 of 32.

//go:noescape
func mul4F32(dst *float32, w unsafe.Pointer, stride int, x *float32, n, rows int)

//go:noescape
func mul4F16(dst *float32, w unsafe.Pointer, stride int, x *float32, n, rows int)

//go:noescape
func mul4Q8(dst *float32, w unsafe.Pointer, stride int, x *float32, n, rows int)

//go:noescape
func mul8F32(dst *float32, apart int, w unsafe.Pointer, stride int, x *float32, step, n, rows int)

//go:noescape
func mul8F16(dst *float32, apart int, w unsafe.Pointer, stride int, x *float32, step, n, rows int)

//go:noescape
func mul8Q8(dst *float32, apart int, w unsafe.Pointer, stride int, x *float32, step, n, rows int)

// addRows32 adds the first 32 columns of n rows, stride bytes apart, times their
// weights to dst.
//
//go:noescape
func addRows32(dst, rows *float32, stride int, weights *float32, n int)

// expVector is Exp for n values, a multiple of eight.
//
//go:noescape
func expVector(x *float32, n int)

// mulVector is Mul. The caller has checked all bounds.
func (m *Matrix) mulVector(dst, x []float32, data []byte, tokens, from, to int) {
	t := 0
	for ; t+4 <= tokens; t += 4 {
		m.four(dst, x, data, t, from, to)
	}
	for ; t < tokens; t++ {
		m.one(dst, x, data, t, from, to)
	}
	if n := m.Cols &^ 7; n != m.Cols {
		m.addTails(dst, x, data, tokens, from, to)
	}
}

// one multiplies rows by vector t.
func (m *Matrix) one(dst, x []float32, data []byte, t, from, to int) {
	v, dst := &x[t*m.Cols], dst[t*m.Rows:]
	stride := m.Type.RowBytes(m.Cols)
	run := func(dst *float32, row, stride, rows int) {
		w := unsafe.Pointer(unsafe.SliceData(data[row*m.Type.RowBytes(m.Cols):]))
		switch m.Type {
		case F32:
			mul4F32(dst, w, stride, v, m.Cols&^7, rows)
		case F16:
			mul4F16(dst, w, stride, v, m.Cols&^7, rows)
		case Q8:
			mul4Q8(dst, w, stride, v, m.Cols&^7, rows)
		}
	}
	whole := (to - from) &^ 3
	if whole > 0 {
		run(&dst[from], from, stride, whole)
		if from+whole < to { // the last four rows again, or in part again
			run(&dst[to-4], to-4, stride, 4)
		}
		return
	}
	for r := from; r < to; r++ {
		var out [4]float32 // one row four times
		run(&out[0], r, 0, 4)
		dst[r] = out[0]
	}
}

// four multiplies rows by the vectors from t on.
func (m *Matrix) four(dst, x []float32, data []byte, t, from, to int) {
	v, stride := &x[t*m.Cols], m.Type.RowBytes(m.Cols)
	run := func(dst *float32, apart, row, stride, rows int) {
		w := unsafe.Pointer(unsafe.SliceData(data[row*m.Type.RowBytes(m.Cols):]))
		switch m.Type {
		case F32:
			mul8F32(dst, apart, w, stride, v, 4*m.Cols, m.Cols&^7, rows)
		case F16:
			mul8F16(dst, apart, w, stride, v, 4*m.Cols, m.Cols&^7, rows)
		case Q8:
			mul8Q8(dst, apart, w, stride, v, 4*m.Cols, m.Cols&^7, rows)
		}
	}
	whole := (to - from) &^ 1
	if whole > 0 {
		run(&dst[t*m.Rows+from], 4*m.Rows, from, stride, whole)
	}
	if from+whole < to {
		var out [8]float32 // the last row twice
		run(&out[0], 8, to-1, 0, 2)
		for i := range 4 {
			dst[(t+i)*m.Rows+to-1] = out[2*i]
		}
	}
}

// addTails adds the products beyond a multiple of eight.
func (m *Matrix) addTails(dst, x []float32, data []byte, tokens, from, to int) {
	n, stride := m.Cols&^7, m.Type.RowBytes(m.Cols)
	var rest [8]float32
	tail := rest[:m.Cols-n]
	for r := from; r < to; r++ {
		unpack(tail, data[r*stride+m.Type.RowBytes(n):(r+1)*stride], m.Type)
		for t := range tokens {
			dst[t*m.Rows+r] = addTail(dst[t*m.Rows+r], tail, x[t*m.Cols+n:(t+1)*m.Cols])
		}
	}
}

// addRowsVector adds whole groups of 32 columns and says how many columns that
// were.
func addRowsVector(dst, rows, weights []float32) int {
	done := 0
	for ; done+32 <= len(dst); done += 32 {
		addRows32(&dst[done], &rows[done], 4*len(dst), &weights[0], len(weights))
	}
	return done
}
