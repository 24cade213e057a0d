package cellsentence

import (
	"cmp"
	"math/bits"
	"slices"
)

// rankByRadix orders the genes by sorting their keys.
func (r *ranker) rankByRadix(limit int) []uint64 {
	items, exact := r.packKeys()
	items = topItems(items, r.spare[:r.n], limit)
	other := r.spare
	if &items[0] == &r.spare[0] {
		other = r.items
	}
	items, other = radixSort(items, other[:len(items)])
	for a := 0; a < limit; {
		b := a + 1
		for b < len(items) && items[b]>>32 == items[a]>>32 {
			b++
		}
		r.settle(items[a:b], other[a:b], exact)
		a = b
	}
	return items[:limit]
}

// packKeys returns one item a gene: in the upper half 32 bits that rise as the
// key falls, below them the gene's place in collected order. It is exact if the
// 32 bits tell all different keys of the cell apart, as they do for float32.
func (r *ranker) packKeys() (items []uint64, exact bool) {
	keys := r.keys[:r.n]
	lo, hi, differ := keys[0], keys[0], uint64(0)
	for _, k := range keys {
		lo, hi = min(lo, k), max(hi, k)
		differ |= k ^ keys[0]
	}
	// The bits below the lowest that differs are the same in all keys, so that
	// they vanish from the differences.
	shift := bits.TrailingZeros64(differ)
	if excess := bits.Len64((hi-lo)>>shift) - 32; excess > 0 {
		shift += excess
	} else {
		exact = true
	}
	items = r.items[:r.n]
	if r.ties == TiesPython {
		for at, i := range r.perm {
			items[at] = (hi-keys[i])>>shift<<32 | uint64(i)
		}
		return items, exact
	}
	for i, k := range keys {
		items[i] = (hi-k)>>shift<<32 | uint64(i)
	}
	return items, exact
}

// topItems returns items without most of those that cannot be among the first
// limit. It may use out, which must be as long, for the result.
func topItems(items, out []uint64, limit int) []uint64 {
	if 2*limit > len(items) {
		return items // nearly all must be sorted anyway
	}
	const binBits = 10
	most := uint64(0)
	for _, it := range items {
		most |= it >> 32
	}
	shift := 32 + max(0, bits.Len64(most)-binBits)
	var bins [1 << binBits]uint32
	for _, it := range items {
		bins[it>>shift]++
	}
	cut, sum := uint64(0), 0
	for i, n := range bins {
		if sum += int(n); sum >= limit {
			cut = uint64(i)
			break
		}
	}
	w := 0
	for _, it := range items {
		out[w] = it
		w += int((it>>shift - cut - 1) >> 63)
	}
	return out[:w]
}

// radixSort sorts items by their upper halves, stably, from the lowest digit to
// the highest. It returns the sorted items and the other of the two slices.
func radixSort(items, other []uint64) (sorted, rest []uint64) {
	if len(items) < 64 {
		for i, x := range items {
			j := i
			for ; j > 0 && items[j-1]>>32 > x>>32; j-- {
				items[j] = items[j-1]
			}
			items[j] = x
		}
		return items, other
	}
	all := uint64(0)
	for _, it := range items {
		all |= it >> 32
	}
	const maxDigit = 9
	width := bits.Len64(all)
	passes := (width + maxDigit - 1) / maxDigit
	digit := 0
	if passes > 0 {
		digit = (width + passes - 1) / passes
	}
	var count [1 << maxDigit]uint32
	mask := uint64(1)<<digit - 1
	for p := range passes {
		shift := 32 + p*digit
		bins := count[:1<<digit]
		clear(bins)
		for _, it := range items {
			bins[it>>shift&mask]++
		}
		sum := uint32(0)
		for i, n := range bins {
			bins[i] = sum
			sum += n
		}
		other = other[:len(items)]
		for _, it := range items {
			f := &bins[it>>shift&mask]
			other[*f] = it
			*f++
		}
		items, other = other, items
	}
	return items, other
}

// settle finishes a run of items whose upper halves are equal and replaces them
// by their columns.
func (r *ranker) settle(run, spare []uint64, exact bool) {
	if len(run) > 1 && !exact {
		slices.SortStableFunc(run, func(a, b uint64) int {
			return cmp.Compare(r.keys[uint32(b)], r.keys[uint32(a)])
		})
		for a := 0; a < len(run); {
			b := a + 1
			for b < len(run) && r.keys[uint32(run[b])] == r.keys[uint32(run[a])] {
				b++
			}
			r.settle(run[a:b], spare[a:b], true)
			a = b
		}
		return
	}
	random := r.ties == TiesRandom && len(run) > 1
	for i, it := range run {
		c := r.cols[uint32(it)]
		run[i] = uint64(c)
		if random {
			run[i] |= uint64(tieKey(r.stream, c)) << 32
		}
	}
	if random {
		spread(run, spare, r.fill)
		return
	}
	if r.ties == TiesIndex && !r.rising {
		slices.Sort(run)
	}
}

// spread sorts items whose upper halves are uniform: it guesses the place of
// each, as scatterRandom does, and mends.
func spread(items, spare []uint64, fill []uint32) {
	if n := uint64(len(items)); n > 16 {
		fill = fill[:n+1]
		clear(fill)
		for _, it := range items {
			fill[it>>32*n>>32]++
		}
		sum := uint32(0)
		for i, f := range fill {
			fill[i] = sum
			sum += f
		}
		copy(spare, items)
		for _, it := range spare {
			f := &fill[it>>32*n>>32]
			items[*f] = it
			*f++
		}
	}
	insertionSort(items)
}
