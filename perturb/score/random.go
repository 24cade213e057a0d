package score

import "github.com/cellsentence/c2s/internal/draws"

// purpose is what random numbers are for, so that no two uses share theirs.
type purpose uint64

const (
	forControl purpose = iota + 1
	forMeanResponse
	forHalves
	forBootstrap
	forDonors
	forMatch
)

// newDraws is the source of the n-th use for one purpose.
func newDraws(seed uint64, what purpose, n int) draws.Draws {
	return draws.New(seed, uint64(what), n)
}
