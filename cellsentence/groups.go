package cellsentence

import "slices"

const (
	tableBits = 12
	tableSize = 1 << tableBits
	// maxGroups keeps the table at most a quarter full.
	maxGroups = tableSize / 4
	// maxProbes bounds the search for a key, so that no choice of values makes it
	// slow. With a quarter of the slots taken, chance does not reach it.
	maxProbes = 64
)

// group is the genes of a cell that have one value.
type group struct {
	key   uint64 // 0: no group
	n     uint32 // how many genes
	start uint32 // place of the first in the sentence
}

// groupTable finds the groups of a cell: a hash table with linear probing.
type groupTable struct {
	slots  [tableSize]group
	used   []uint16 // the slots taken
	sorted []uint64
}

// assign sets ids[i] to the slot of keys[i] and counts the groups. No key may be
// 0. It returns false, and leaves the table empty, if there are too many groups
// for this to be worth while.
func (t *groupTable) assign(keys []uint64, ids []uint16) bool {
	most := min(maxGroups, 64+len(keys)/8)
	ids = ids[:len(keys)]
	for i, key := range keys {
		h := key * golden >> (64 - tableBits)
		if t.slots[h].key != key {
			var ok bool
			if h, ok = t.find(key, h, most); !ok {
				t.clear()
				return false
			}
		}
		t.slots[h].n++
		ids[i] = uint16(h)
	}
	return true
}

// find returns the slot of key, searching from h, and takes a free one if key
// has none.
func (t *groupTable) find(key, h uint64, most int) (slot uint64, ok bool) {
	for range maxProbes {
		g := &t.slots[h]
		if g.key == key {
			return h, true
		}
		if g.key == 0 {
			if len(t.used) == most {
				return 0, false
			}
			g.key = key
			t.used = append(t.used, uint16(h))
			return h, true
		}
		h = (h + 1) % tableSize
	}
	return 0, false
}

// place gives each group its start, the highest key first.
func (t *groupTable) place() {
	t.sorted = t.sorted[:0]
	for _, h := range t.used {
		t.sorted = append(t.sorted, t.slots[h].key)
	}
	slices.Sort(t.sorted)
	sum := uint32(0)
	for _, key := range slices.Backward(t.sorted) {
		h := key * golden >> (64 - tableBits)
		for t.slots[h].key != key {
			h = (h + 1) % tableSize
		}
		t.slots[h].start = sum
		sum += t.slots[h].n
	}
}

func (t *groupTable) clear() {
	for _, h := range t.used {
		t.slots[h] = group{}
	}
	t.used = t.used[:0]
}
