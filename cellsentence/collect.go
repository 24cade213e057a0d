package cellsentence

import (
	"math"

	"github.com/cellsentence/c2s/h5ad"
)

// collect adds the expressed genes of one cell to r, with keys that rise with
// their values. It stops at the first stored value that cannot be right and
// returns its place, or -1.
func collect[T h5ad.Number](r *ranker, w *words, cols []int32, vals []T) int {
	keys, into := r.keys, r.cols
	cols = cols[:len(vals)]
	role, genes := w.role, uint32(len(w.list))
	// Half of one tells floats from integers when this is compiled for T.
	isFloat := T(1)/T(2) != 0
	m, total, last := 0, 0.0, uint32(0)
	for i, v := range vals {
		c := uint32(cols[i])
		if c >= genes {
			return i
		}
		if role != nil && role[c] == excluded {
			continue
		}
		f := float64(v)
		if !(v > 0) || f > math.MaxFloat64 {
			if v == 0 {
				r.zeros++
				r.holes = append(r.holes, uint32(m))
				continue
			}
			return i
		}
		total += f
		if role != nil && role[c] == shadowed {
			r.dropped = append(r.dropped, int(c))
			r.holes = append(r.holes, uint32(m))
			continue
		}
		if c < last {
			r.rising = false
		}
		last = c
		// The bits of positive floats rise with them. Integers are their own keys:
		// beyond 2^53 a float64 does not tell them apart.
		key := math.Float64bits(f)
		if !isFloat {
			key = uint64(v)
		}
		keys[m], into[m] = key, c
		m++
	}
	r.n, r.total = m, total
	return -1
}
