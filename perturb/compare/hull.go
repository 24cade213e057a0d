package compare

import (
	"cmp"
	"slices"
)

// Hull gives the places of the points that lie on the frontier: the upper convex hull of
// cost and score together with the origin, since one may use none of the runs, and a
// random mix of two reaches every score between them. It rises from the origin to the
// best score; of points with equal cost and score all are on it. A point that is no
// better than none at all is not.
func Hull(cost, score []float64) []int {
	order := make([]int, len(cost))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(cost[a], cost[b]), cmp.Compare(score[b], score[a]))
	})
	type vertex struct {
		x, y float64
		at   int // −1: the origin
	}
	hull := []vertex{{0, 0, -1}}
	for _, i := range order {
		v := vertex{cost[i], score[i], i}
		if v.y <= hull[len(hull)-1].y { // no better than what costs less
			continue
		}
		for len(hull) > 1 {
			a, b := hull[len(hull)-2], hull[len(hull)-1]
			if (b.y-a.y)*(v.x-a.x) > (v.y-a.y)*(b.x-a.x) {
				break
			}
			hull = hull[:len(hull)-1] // b lies under the line from a to v
		}
		hull = append(hull, v)
	}
	var out []int
	for _, v := range hull[1:] {
		for _, i := range order {
			if cost[i] == v.x && score[i] == v.y {
				out = append(out, i)
			}
		}
	}
	return out
}
