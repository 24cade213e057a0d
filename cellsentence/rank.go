package cellsentence

import (
	"math/bits"
	"slices"
)

// A ranker orders the expressed genes of one cell at a time. It is the scratch
// memory of one worker: [ranker.begin], a collect function that adds the genes,
// then [ranker.rank].
//
// Values reach it as keys: unsigned numbers that rise with the value. Counts and
// their logarithms take few different values within a cell, so the usual way
// (groups.go) finds the groups of equal keys by hashing, sorts those few, and
// places every gene once. Where there are many different values, keys are sorted
// by radix (radix.go). Both give the same order.
type ranker struct {
	ties    Ties
	colBits int // how many bits a column takes

	stream uint64   // where the row's tie stream starts, under TiesRandom
	perm   []uint32 // the order of the collected genes before sorting, under TiesPython

	// The expressed genes in the order in which they were collected.
	keys   []uint64
	cols   []uint32
	n      int
	rising bool // cols rises strictly

	zeros   int // values stored as zero in this cell
	total   float64
	dropped []int    // columns of this cell's values that lost their word
	holes   []uint32 // for each of both, how many genes were collected before it

	groups groupTable
	ids    []uint16 // the slot of each gene's key in groups
	fill   []uint32
	items  []uint64
	spare  []uint64
}

func newRanker(ties Ties, genes int) *ranker {
	return &ranker{ties: ties, colBits: bits.Len(uint(max(genes, 1) - 1))}
}

// begin empties the ranker for a cell of n stored values.
func (r *ranker) begin(n int) {
	r.n, r.rising = 0, true
	r.zeros, r.total, r.dropped = 0, 0, r.dropped[:0]
	r.holes = r.holes[:0]
	if n > len(r.keys) {
		n += n / 4
		r.keys, r.cols, r.ids = make([]uint64, n), make([]uint32, n), make([]uint16, n)
		r.items, r.spare = make([]uint64, n), make([]uint64, n)
		r.fill = make([]uint32, 2*n+1)
	}
}

// colMask selects the column from an item that rank returns.
func (r *ranker) colMask() uint64 { return 1<<r.colBits - 1 }

// rank returns the columns of the limit highest genes (all where there are fewer)
// in order, in the low bits of the items. They are valid until the next call.
func (r *ranker) rank(limit int) []uint64 {
	limit = min(limit, r.n)
	if limit <= 0 {
		return nil
	}
	// A random order packs position, tie key and column into one item.
	packs := r.ties != TiesRandom || bits.Len(uint(r.n))+32+r.colBits <= 64
	if packs && r.groups.assign(r.keys[:r.n], r.ids[:r.n]) {
		defer r.groups.clear()
		r.groups.place()
		if r.ties == TiesRandom {
			return r.scatterRandom(limit)
		}
		return r.scatterStable(limit)
	}
	return r.rankByRadix(limit)
}

// scatterStable places every gene behind those of its group that were collected
// before it.
func (r *ranker) scatterStable(limit int) []uint64 {
	cols, ids, out := r.cols[:r.n], r.ids[:r.n], r.items[:r.n]
	if r.ties == TiesPython {
		for _, i := range r.perm {
			g := &r.groups.slots[ids[i]&(tableSize-1)]
			out[g.start] = uint64(cols[i])
			g.start++
		}
		return out[:limit]
	}
	for i, c := range cols {
		g := &r.groups.slots[ids[i]&(tableSize-1)]
		out[g.start] = uint64(c)
		g.start++
	}
	if !r.rising {
		for _, h := range r.groups.used {
			g := &r.groups.slots[h]
			slices.Sort(out[g.start-g.n : g.start])
		}
	}
	return out[:limit]
}

// scatterRandom orders the genes of each group by their tie keys. These are
// uniform, so a gene's place can be guessed: a key that is the fraction f of the
// way through the 32-bit numbers belongs near the fraction f of its group. An
// item is that guess as a fixed-point number, which rises with the group and
// within it with the tie key, and the column. One scatter by the whole part
// leaves the items a few exchanges away from sorted.
func (r *ranker) scatterRandom(limit int) []uint64 {
	n, shift := r.n, 31+r.colBits
	if limit < n {
		n = r.keepTop(limit)
	}
	cols, ids, items := r.cols[:n], r.ids[:n], r.spare[:n]
	fill := r.fill[:2*n+1]
	clear(fill)
	for i, c := range cols {
		g := &r.groups.slots[ids[i]&(tableSize-1)]
		place := uint64(g.start)<<32 + uint64(tieKey(r.stream, c))*uint64(g.n)
		items[i] = place<<r.colBits | uint64(c)
		fill[place>>31]++
	}
	sum := uint32(0)
	for i, f := range fill {
		fill[i] = sum
		sum += f
	}
	out := r.items[:n]
	for _, it := range items {
		f := &fill[it>>shift]
		out[*f] = it
		*f++
	}
	// The last place that is wanted may be anyone's of its bucket.
	end := int(fill[out[limit-1]>>shift])
	insertionSort(out[:end])
	return out[:limit]
}

// keepTop moves to the front the genes of groups that begin within the first
// limit places and returns how many they are.
func (r *ranker) keepTop(limit int) int {
	cols, ids := r.cols[:r.n], r.ids[:r.n]
	w := 0
	for i, c := range cols {
		id := ids[i]
		cols[w], ids[w] = c, id
		// Add 1 if start < limit, without a branch.
		w += int((uint64(r.groups.slots[id&(tableSize-1)].start) - uint64(limit)) >> 63)
	}
	return w
}

// insertionSort is for items that are nearly in order, or few.
func insertionSort(a []uint64) {
	for i := 1; i < len(a); i++ {
		x, j := a[i], i
		for ; j > 0 && a[j-1] > x; j-- {
			a[j] = a[j-1]
		}
		a[j] = x
	}
}
