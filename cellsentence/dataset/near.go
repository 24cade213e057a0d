package dataset

import (
	"cmp"
	"math"
	"slices"
)

// Signatures of sentences by one-permutation MinHash (Li, Owen and Zhang, NIPS 2012)
// with optimal densification (Shrivastava, ICML 2017). A pair of similarity J shares
// a band with the probability 1−(1−J^12)^16: 0.995 at 0.9, 0.68 at 0.8, 0.03 at 0.6.
// The similarity of pairs that do is then estimated from all slots, with a standard
// error of 0.02 at 0.9.
const (
	nearBands = 16
	nearRows  = 12
	nearSlots = nearBands * nearRows
	// nearWords is how many words a sentence must have: shorter ones are alike by
	// chance.
	nearWords = 50
	// nearPeers bounds with how many earlier members of a band a row is compared.
	nearPeers = 64
	// sameWords is how many words a sentence must have to be a duplicate.
	sameWords = 10
)

// nearIndex keeps the signatures of all rows.
type nearIndex struct {
	bands []uint64 // nearBands a row
	slots []uint8  // nearSlots a row: the low bits of each minimum
	least [nearSlots]uint64
}

// add computes the signature of a row from the hashes of its words.
func (n *nearIndex) add(words []uint64) {
	for i := range n.least {
		n.least[i] = math.MaxUint64
	}
	for _, h := range words {
		slot := (h >> 32 * nearSlots) >> 32
		n.least[slot] = min(n.least[slot], mix(h))
	}
	full := n.least
	for i := range n.least {
		// An empty slot takes the value of another that its number decides.
		for try := uint64(1); n.least[i] == math.MaxUint64 && len(words) > 0; try++ {
			n.least[i] = full[mix(uint64(i)<<32|try)%nearSlots]
		}
		n.slots = append(n.slots, uint8(n.least[i]))
	}
	for b := range nearBands {
		h := uint64(b)
		for _, v := range n.least[b*nearRows : (b+1)*nearRows] {
			h = mix(h ^ v)
		}
		n.bands = append(n.bands, h)
	}
}

// similarity estimates the Jaccard similarity of two rows: of slots that differ one
// in 256 looks equal.
func (n *nearIndex) similarity(i, j int) float64 {
	a, b := n.slots[i*nearSlots:(i+1)*nearSlots], n.slots[j*nearSlots:(j+1)*nearSlots]
	equal := 0
	for k := range a {
		if a[k] == b[k] {
			equal++
		}
	}
	return (float64(equal)/nearSlots - 1.0/256) / (1 - 1.0/256)
}

// duplicates flags rows whose sentence, or nearly its words, stands in an earlier row.
func (a *auditor) duplicates() {
	order := make([]int32, 0, len(a.rows))
	for i := range a.rows {
		if a.rows[i].words >= sameWords {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(a.rows[i].text, a.rows[j].text), cmp.Compare(i, j))
	})
	var firsts []int32 // of equal sentences
	for k, i := range order {
		if k == 0 || a.rows[order[k-1]].text != a.rows[i].text {
			firsts = append(firsts, i)
			continue
		}
		// The rows are in order, so that those of the same text before are of the same
		// or an earlier input.
		own := a.rows[order[k-1]].input == a.rows[i].input
		if own {
			a.rows[i].flags |= FlagDuplicate
			a.report.Duplicates.Exact++
		}
		if first := firsts[len(firsts)-1]; a.rows[first].input != a.rows[i].input {
			a.leak(int(first), int(i), true)
		}
	}
	a.nearDuplicates(firsts)
}

// leak flags row j, which row i of an earlier input equals.
func (a *auditor) leak(i, j int, exact bool) {
	if a.rows[j].flags&FlagLeak == 0 {
		a.rows[j].flags |= FlagLeak
		a.report.leak(int(a.rows[i].input), int(a.rows[j].input), exact)
	}
}

func (a *auditor) nearDuplicates(rows []int32) {
	rows = slices.DeleteFunc(rows, func(i int32) bool { return a.rows[i].words < nearWords })
	for b := range nearBands {
		band := func(i int32) uint64 { return a.near.bands[int(i)*nearBands+b] }
		slices.SortFunc(rows, func(i, j int32) int { return cmp.Or(cmp.Compare(band(i), band(j)), cmp.Compare(i, j)) })
		start := 0
		for k, j := range rows {
			if band(rows[start]) != band(j) {
				start = k
			}
			for _, i := range rows[max(start, k-nearPeers):k] {
				a.nearPair(int(i), int(j))
			}
		}
	}
}

// nearPair flags row j if row i before it is nearly equal.
func (a *auditor) nearPair(i, j int) {
	flag := FlagLeak
	if a.rows[i].input == a.rows[j].input {
		flag = FlagNearDuplicate
	}
	if a.rows[j].flags&flag != 0 || a.near.similarity(i, j) < a.cfg.Near {
		return
	}
	if flag == FlagLeak {
		a.leak(i, j, false)
		return
	}
	a.rows[j].flags |= FlagNearDuplicate
	a.report.Duplicates.Near++
}

// conflicts flags rows of one cell that have different labels: of one sentence, or
// of one name and nearly the same words. A name alone tells nothing: files that were
// joined share barcodes.
func (a *auditor) conflicts() {
	order := make([]int32, 0, len(a.rows))
	for i := range a.rows {
		if a.rows[i].label >= 0 && a.rows[i].words >= sameWords {
			order = append(order, int32(i))
		}
	}
	a.conflictsBy(order, func(r *auditRow) uint64 { return r.text }, func(int, int) bool { return true })
	if a.cfg.Name != "" {
		order = slices.DeleteFunc(order, func(i int32) bool { return a.rows[i].name == 0 })
		a.conflictsBy(order, func(r *auditRow) uint64 { return r.name },
			func(i, j int) bool { return a.near.similarity(i, j) >= a.cfg.Near })
	}
	a.near = nearIndex{} // it is large and has served
}

// conflictsBy compares neighbours in the order of a key.
func (a *auditor) conflictsBy(order []int32, key func(r *auditRow) uint64, same func(i, j int) bool) {
	slices.SortFunc(order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(key(&a.rows[i]), key(&a.rows[j])), cmp.Compare(i, j))
	})
	start := 0
	for k, j := range order {
		if key(&a.rows[order[start]]) != key(&a.rows[j]) {
			start = k
		}
		for _, i := range order[max(start, k-nearPeers):k] {
			if a.rows[i].label != a.rows[j].label && same(int(i), int(j)) {
				a.rows[i].flags |= FlagConflict
				a.rows[j].flags |= FlagConflict
			}
		}
	}
}
