package blas

// pack copies rows [i0, i1) of v, columns [k0, k0+depth), to dst, times alpha: one
// panel after another of width rows each, a panel as depth groups of width numbers.
// Rows that do not exist are zero.
func pack(dst []float64, v View, i0, i1, k0, depth, width int, alpha float64) {
	if whole := i0 + (i1-i0)/width*width; whole < i1 {
		last := dst[(whole-i0)*depth:][:width*depth]
		clear(last)
		for r := range i1 - whole {
			for p := range depth {
				last[p*width+r] = alpha * v.Data[(whole+r)*v.Row+(k0+p)*v.Col]
			}
		}
		i1 = whole
	}
	switch {
	case v.Row == 1:
		packAcross(dst, v.Data[min(i0+k0*v.Col, len(v.Data)):], v.Col, i1-i0, depth, width, alpha)
	case v.Col == 1:
		for i := i0; i < i1; i += 4 {
			at := i*v.Row + k0
			packAlong(dst[(i-i0)/width*width*depth+(i-i0)%width:], v.Data[at:], v.Row, depth, width, alpha)
		}
	default:
		for i := i0; i < i1; i++ {
			out := dst[(i-i0)/width*width*depth+(i-i0)%width:]
			for p := range depth {
				out[p*width] = alpha * v.Data[i*v.Row+(k0+p)*v.Col]
			}
		}
	}
}

// packAcross packs n rows, a multiple of width, that lie one beside another in src:
// groups are runs of it, stride apart. A few columns of all panels are taken at a
// time, so that memory is read along.
func packAcross(dst, src []float64, stride, n, depth, width int, alpha float64) {
	const few = 8
	for p0 := 0; p0 < depth; p0 += few {
		p1 := min(depth, p0+few)
		for i := 0; i < n; i += width {
			panel := dst[i*depth:][:width*depth]
			for p := p0; p < p1; p++ {
				out, in := panel[p*width:][:width], src[p*stride+i:][:width]
				for r := 0; r+4 <= len(in) && r+4 <= len(out); r += 4 {
					x, y := (*[4]float64)(in[r:]), (*[4]float64)(out[r:])
					y[0], y[1], y[2], y[3] = alpha*x[0], alpha*x[1], alpha*x[2], alpha*x[3]
				}
			}
		}
	}
}

// packAlong packs four rows of depth numbers each, stride apart in src, to four
// neighbours of each group.
func packAlong(dst, src []float64, stride, depth, width int, alpha float64) {
	a, b := src[:depth], src[stride:][:depth]
	c, d := src[2*stride:][:depth], src[3*stride:][:depth]
	for p := range depth {
		out := (*[4]float64)(dst[p*width:])
		out[0], out[1], out[2], out[3] = alpha*a[p], alpha*b[p], alpha*c[p], alpha*d[p]
	}
}
