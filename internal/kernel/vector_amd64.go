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

// The dot4 functions multiply four rows, stride bytes apart, by one vector; the
// dot8 functions two rows by four vectors, step bytes apart, row after row. n is
// a multiple of eight, for Q8 of 32.

//go:noescape
func dot4F32(out *[4]float32, w unsafe.Pointer, stride int, x *float32, n int)

//go:noescape
func dot4F16(out *[4]float32, w unsafe.Pointer, stride int, x *float32, n int)

//go:noescape
func dot4Q8(out *[4]float32, w unsafe.Pointer, stride int, x *float32, n int)

//go:noescape
func dot8F32(out *[8]float32, w unsafe.Pointer, stride int, x *float32, step, n int)

//go:noescape
func dot8F16(out *[8]float32, w unsafe.Pointer, stride int, x *float32, step, n int)

//go:noescape
func dot8Q8(out *[8]float32, w unsafe.Pointer, stride int, x *float32, step, n int)

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
	stride := m.Type.RowBytes(m.Cols)
	n := m.Cols &^ 7
	row := func(r int) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(data[r*stride:])) }
	t := 0
	for ; t+4 <= tokens; t += 4 {
		var out [8]float32
		for r := from; r < to; r += 2 {
			// The last of an odd number of rows is done twice.
			second := stride
			if r+1 == to {
				second = 0
			}
			v := &x[t*m.Cols]
			switch m.Type {
			case F32:
				dot8F32(&out, row(r), second, v, 4*m.Cols, n)
			case F16:
				dot8F16(&out, row(r), second, v, 4*m.Cols, n)
			case Q8:
				dot8Q8(&out, row(r), second, v, 4*m.Cols, n)
			}
			for i := range 4 {
				dst[(t+i)*m.Rows+r] = m.tail(out[i], data, x, r, t+i)
				if second != 0 {
					dst[(t+i)*m.Rows+r+1] = m.tail(out[4+i], data, x, r+1, t+i)
				}
			}
		}
	}
	for ; t < tokens; t++ {
		var out [4]float32
		v := &x[t*m.Cols]
		for r := from; r < to; {
			// Fewer than four rows are left at the end: the last four are done again,
			// or, where there are no four, one row four times.
			at, step, fresh := r, stride, 4
			if to-r < 4 {
				if to-from >= 4 {
					at = to - 4
				} else {
					step, fresh = 0, 1
				}
			}
			switch m.Type {
			case F32:
				dot4F32(&out, row(at), step, v, n)
			case F16:
				dot4F16(&out, row(at), step, v, n)
			case Q8:
				dot4Q8(&out, row(at), step, v, n)
			}
			if n == m.Cols {
				copy(dst[t*m.Rows+at:][:fresh], out[:])
			} else {
				for i := range fresh {
					dst[t*m.Rows+at+i] = m.tail(out[i], data, x, at+i, t)
				}
			}
			r = at + fresh
		}
	}
}

// tail adds the products beyond a multiple of eight.
func (m *Matrix) tail(sum float32, data []byte, x []float32, r, t int) float32 {
	n := m.Cols &^ 7
	if n == m.Cols {
		return sum
	}
	stride := m.Type.RowBytes(m.Cols)
	var rest [8]float32
	unpack(rest[:m.Cols-n], data[r*stride+m.Type.RowBytes(n):(r+1)*stride], m.Type)
	return addTail(sum, rest[:m.Cols-n], x[t*m.Cols+n:(t+1)*m.Cols])
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
