// Package spelling finds the names that were perhaps meant.
//
// Start with [Nearest].
package spelling

import (
	"slices"
	"strings"
)

// Nearest lists the names that are closest to a name in spelling, the closest first
// and in their order among equals, at most n. A name is close if less than half of it
// would have to change; case does not count.
func Nearest(name string, names []string, n int) []string {
	type candidate struct {
		name string
		d    int
	}
	name = strings.ToLower(name)
	var close []candidate
	for _, other := range names {
		if d := Distance(name, strings.ToLower(other)); d <= len(name)/2 {
			close = append(close, candidate{other, d})
		}
	}
	slices.SortStableFunc(close, func(a, b candidate) int { return a.d - b.d })
	out := make([]string, 0, n)
	for _, c := range close[:min(n, len(close))] {
		out = append(out, c.name)
	}
	return out
}

// Distance is Levenshtein's: the fewest insertions, deletions and replacements of
// bytes that make one text of the other.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left, corner := i+1, i
		for j := range len(b) {
			d := corner
			if a[i] != b[j] {
				d = 1 + min(corner, row[j+1], left)
			}
			corner, row[j], left = row[j+1], left, d
		}
		row[len(b)] = left
	}
	return row[len(b)]
}
