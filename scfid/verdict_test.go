package scfid_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/scfid"
)

func TestVerdict(t *testing.T) {
	none := scfid.Value(math.NaN())
	for name, c := range map[string]struct {
		change func(r *scfid.Result)
		want   []string
	}{
		"apart":         {func(*scfid.Result) {}, []string{"differ from the real ones (permutation test, p = 0.001)", "is 5; equal", "reach 1,", "lies in [3, 4.5] (95 %)"}},
		"no interval":   {func(r *scfid.Result) { r.CI = nil }, []string{"extrapolated to infinitely many cells it is 4."}},
		"alike":         {func(r *scfid.Result) { r.PermutationP = 0.4 }, []string{"cannot tell the generated cells from the real ones (p = 0.4, 50 cells a side)", "5 may be bias"}},
		"on the floor":  {func(r *scfid.Result) { r.PermutationP, r.FD = 0.4, 0.9 }, []string{"0.9 is no more than"}},
		"few":           {func(r *scfid.Result) { r.Dim = 60 }, []string{"says little: 100 cells in 60 dimensions", "reach 1."}},
		"statistics":    {func(r *scfid.Result) { r.BiasFloor = none }, []string{"is 5, and nothing tells how much of it is bias."}},
		"within donors": {func(r *scfid.Result) { r.DonorFloor = 6 }, []string{"donors differ by 6, no less than that."}},
		"beyond donors": {func(r *scfid.Result) { r.DonorFloor = 2 }, []string{"donors differ by 2, less than that."}},
		"groups": {func(r *scfid.Result) {
			r.MeanOverGroups, r.Groups = 7, []scfid.Group{{}, {Scores: scfid.Scores{FD: none}}}
		}, []string{"mean over 1 groups (scFID) is 7."}},
	} {
		r := &scfid.Result{MeanOverGroups: none}
		r.FD, r.BiasFloor, r.DonorFloor, r.FDInfinity, r.PermutationP = 5, 1, none, 4, 0.001
		r.NReal, r.NGen, r.Dim, r.CI, r.MMD.N = 100, 200, 10, &[2]float64{3, 4.5}, 50
		c.change(r)
		for _, want := range c.want {
			if got := r.Verdict(); !strings.Contains(got, want) {
				t.Errorf("%s: %q lacks %q", name, got, want)
			}
		}
	}
	c := scfid.Comparison{
		N: 9, Ranking: []scfid.Ranked{{Name: "a", FD: 1}, {Name: "b", FD: 2}, {Name: "c", FD: 3}},
		Pairs: []scfid.Pair{{Nearer: "a", Farther: "b"}, {Nearer: "a", Farther: "c", Apart: true}, {Nearer: "b", Farther: "c", Apart: true}},
	}
	if got, want := c.Verdict(), "a is nearest to the real cells (FD 1 at 9 cells), but cannot be told apart from b; 2 of 3 pairs can be told apart."; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}

// A row without a group is in the whole and in no group.
func TestRowsWithoutAGroup(t *testing.T) {
	r := source(31)
	labels := make([]string, 60)
	for i := range labels {
		labels[i] = []string{"a", "b", ""}[i%3]
	}
	side := func() scfid.Side {
		return scfid.Side{Rows: rows(t, normal(r, 60, ones(2), nil), 2), Groups: labels}
	}
	got, err := scfid.Evaluate(context.Background(), side(), side(), quick)
	if err != nil {
		t.Fatal(err)
	}
	if got.NReal != 60 || len(got.Groups) != 2 || got.Groups[0].NReal != 20 || got.Groups[1].Key != "b" || len(got.OnlyReal) > 0 {
		t.Errorf("%d cells, groups %v", got.NReal, got.Groups)
	}
	if !slices.Contains(got.Warnings, "20 real and 20 generated cells have no group and are in none") {
		t.Errorf("%q", got.Warnings)
	}
}

// Rows that are not finite are no part of a projection.
func TestProjectLeavesOutNonFinite(t *testing.T) {
	r := source(32)
	x, y := normal(r, 50, ones(3), nil), normal(r, 50, ones(3), nil)
	want, err := scfid.Project(context.Background(), rows(t, x[6:], 3), rows(t, y[3:], 3), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	x[1], x[3], y[2] = math.NaN(), math.Inf(-1), math.Inf(1)
	got, err := scfid.Project(context.Background(), rows(t, x, 3), rows(t, y, 3), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Real) != 48 || len(got.Gen) != 49 || got.Real[0] != want.Real[0] || got.Explained != want.Explained {
		t.Errorf("%d and %d points, explained %v, expected %v", len(got.Real), len(got.Gen), got.Explained, want.Explained)
	}
}
