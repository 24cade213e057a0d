package analysis

import (
	"math"
	"math/bits"
	"slices"
)

// synergy describes, in bits, what the compound and the context tell about the class
// of a cell's score together that neither tells alone. Scores are centred on the
// vehicle within donor and context and cut at the vehicle's terciles; donors, contexts
// and arms count alike. It is the estimate less its mean under permutation of the
// contexts over whole donors: raw estimates are never zero.
type synergy struct {
	s *screen
	// vehicle are the shares of classes by unit; nil where it has no cells.
	vehicle [][Bins]float64
	// nulls are the contexts of all units under permutations, the true ones first.
	nulls [][]uint8
	table [][][]float64
}

// cut finds the classes of scores: terciles of the vehicle's.
func (s *screen) cut() {
	var all []float64
	for u, list := range s.vehicle.units {
		for _, v := range list {
			all = append(all, v-s.vehicle.mean[u])
		}
	}
	slices.Sort(all)
	for i := range s.cuts {
		s.cuts[i] = all[(i+1)*len(all)/Bins]
	}
}

// class is that of a centred score. A score at a cut is between them: where the vehicle
// never varies, classes are less, equal and more.
func (s *screen) class(v float64) int {
	switch {
	case v < s.cuts[0]:
		return 0
	case v > s.cuts[1]:
		return 2
	}
	return 1
}

func newSynergy(s *screen) *synergy {
	y := &synergy{s: s, vehicle: make([][Bins]float64, len(s.vehicle.units))}
	for u, list := range s.vehicle.units {
		for _, v := range list {
			y.vehicle[u][s.class(v-s.vehicle.mean[u])]++
		}
		share(&y.vehicle[u])
	}
	y.nulls = s.permutations()
	y.table = [][][]float64{{make([]float64, Bins), make([]float64, Bins)}, {make([]float64, Bins), make([]float64, Bins)}}
	return y
}

// share divides counts by their sum, and reports whether there is any.
func share(c *[Bins]float64) bool {
	total := 0.0
	for _, v := range c {
		total += v
	}
	if total == 0 {
		return false
	}
	for k := range c {
		c[k] /= total
	}
	return true
}

// of is the synergy of a compound and its p-value: missing with less than two donors
// a context.
func (y *synergy) of(r *response) (value, p Number) {
	if r == nil || r.donors[0] < 2 || r.donors[1] < 2 || len(y.nulls) < 2 {
		return missing(), missing()
	}
	compound := slices.Clone(r.classes)
	has := make([]bool, len(compound))
	for u := range compound {
		has[u] = share(&compound[u]) && len(y.s.vehicle.units[u]) > 0
	}
	at := func(contexts []uint8) float64 {
		var units [2]float64
		for i := range y.table {
			for j := range y.table[i] {
				clear(y.table[i][j])
			}
		}
		for u, ok := range has {
			if !ok {
				continue
			}
			c := contexts[u]
			units[c]++
			for k := range Bins {
				y.table[0][c][k] += y.vehicle[u][k]
				y.table[1][c][k] += compound[u][k]
			}
		}
		if units[0] == 0 || units[1] == 0 {
			return math.NaN() // donors without answers leave a context empty
		}
		for i := range y.table {
			for j := range y.table[i] {
				for k := range Bins {
					y.table[i][j][k] /= 4 * units[j]
				}
			}
		}
		return decompose(y.table).synergy
	}
	seen := at(y.nulls[0])
	n, more, sum := 0, 0, 0.0
	for _, contexts := range y.nulls[1:] {
		v := at(contexts)
		if math.IsNaN(v) {
			continue
		}
		n++
		sum += v
		// What is equal but for rounding counts as reached.
		more += count(v >= seen-1e-12)
	}
	if n == 0 || math.IsNaN(seen) {
		return missing(), missing()
	}
	return Number(seen - sum/float64(n)), Number(float64(1+more) / float64(1+n))
}

// permutations gives the contexts of all units, first as they are, then permuted over
// whole donors: the contexts of a donor in both are swapped or not, donors in one
// context are dealt anew. If all are in both and few, every assignment comes once,
// which is half of all, as swapping everyone changes nothing.
func (s *screen) permutations() [][]uint8 {
	clusters := len(s.t.Header.Clusters)
	has := func(context, cluster int) bool { return len(s.vehicle.units[context*clusters+cluster]) > 0 }
	truth := make([]uint8, 2*clusters)
	var pairs, singles []int // clusters; units
	for cluster := range clusters {
		truth[clusters+cluster] = 1
		switch {
		case has(0, cluster) && has(1, cluster):
			pairs = append(pairs, cluster)
		case has(0, cluster):
			singles = append(singles, cluster)
		case has(1, cluster):
			singles = append(singles, clusters+cluster)
		}
	}
	out := [][]uint8{truth}
	swap := func(to []uint8, cluster int) {
		to[cluster], to[clusters+cluster] = to[clusters+cluster], to[cluster]
	}
	if len(singles) == 0 && len(pairs) > 0 && len(pairs) <= bits.Len(uint(s.cfg.Permutations)) {
		for mask := 1; mask < 1<<(len(pairs)-1); mask++ {
			next := slices.Clone(truth)
			for i, cluster := range pairs[1:] {
				if mask>>i&1 == 1 {
					swap(next, cluster)
				}
			}
			out = append(out, next)
		}
		return out
	}
	random := newDraws(s.cfg.Seed)
	for range s.cfg.Permutations {
		next := slices.Clone(truth)
		for _, cluster := range pairs {
			if random.below(2) == 1 {
				swap(next, cluster)
			}
		}
		for i := len(singles) - 1; i > 0; i-- {
			a, b := singles[i], singles[random.below(i+1)]
			next[a], next[b] = next[b], next[a]
		}
		out = append(out, next)
	}
	return out
}

// draws is SplitMix64 (G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom
// Number Generators", OOPSLA 2014).
type draws struct{ state uint64 }

func newDraws(seed uint64) *draws { return &draws{seed ^ 0x73796e657267795f} }

// below is a number in [0, n), with a bias below n / 2^64.
func (d *draws) below(n int) int {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	hi, _ := bits.Mul64(z^z>>31, uint64(n))
	return int(hi)
}
