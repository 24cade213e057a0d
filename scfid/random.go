package scfid

import "github.com/cellsentence/c2s/internal/draws"

// What random numbers are for, so that no two uses share theirs.
type purpose uint64

const (
	forFloor purpose = iota + 1
	forDonors
	forHalves
	forSizes
	forKernel
	forMMD
	forPermutation
	forNeighbours
	forProjection
	forEqualN
	forRealPool
	forGenPool
)

// newDraws is the source of the n-th use for one purpose.
func newDraws(seed uint64, what purpose, n int) draws.Draws {
	return draws.New(seed, uint64(what), n)
}
