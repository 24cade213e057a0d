package deflate

import "slices"

// tree finds out how long the words of a prefix code are, with memory of its own.
type tree struct {
	leaves []uint32 // how often, and the symbol in the lowest 9 bits; in rising order
	weight [2 * litSymbols]uint32
	parent [2 * litSymbols]uint16
	depth  [2 * litSymbols]uint8
}

// lengths fills lens with the lengths of the words of a Huffman code, of at most
// limit bits, for symbols that occur so often; 0 for those that do not. Symbols
// occur less than 2^23 times. A code of no or one symbol has a word all the same.
func (t *tree) lengths(lens []uint8, count []uint32, limit int) {
	clear(lens)
	t.leaves = t.leaves[:0]
	for s, n := range count {
		if n > 0 {
			t.leaves = append(t.leaves, n<<9|uint32(s))
		}
	}
	n := len(t.leaves)
	if n < 2 {
		s := uint32(0)
		if n == 1 {
			s = t.leaves[0] & 511
		}
		lens[s] = 1
		return
	}
	slices.Sort(t.leaves)
	// The nodes are the leaves and behind them the inner ones, which come in rising
	// order too: each joins the two lightest that have no parent.
	for i, v := range t.leaves {
		t.weight[i] = v >> 9
	}
	leaf, inner := 0, n
	for k := n; k < 2*n-1; k++ {
		t.weight[k] = 0
		for range 2 {
			lightest := &inner
			if leaf < n && (inner == k || t.weight[leaf] <= t.weight[inner]) {
				lightest = &leaf
			}
			t.weight[k] += t.weight[*lightest]
			t.parent[*lightest] = uint16(k)
			*lightest++
		}
	}
	var have [maxBits + 1]int // words of each length
	sum := 0                  // of the parts of all words that begin with one, in 2^-limit
	t.depth[2*n-2] = 0
	for k := 2*n - 3; k >= 0; k-- {
		t.depth[k] = t.depth[t.parent[k]] + 1
		if k < n {
			d := min(int(t.depth[k]), limit)
			have[d]++
			sum += 1 << (limit - d)
		}
	}
	// Cutting words off has made too many. Each step puts one of the longest beside a
	// shorter one, which grows by a bit.
	for ; sum > 1<<limit; sum-- {
		d := limit - 1
		for have[d] == 0 {
			d--
		}
		have[d]--
		have[d+1] += 2
		have[limit]--
	}
	// The rarest get the longest.
	k := 0
	for d := limit; d > 0; d-- {
		for range have[d] {
			lens[t.leaves[k]&511] = uint8(d)
			k++
		}
	}
}
