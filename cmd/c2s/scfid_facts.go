package main

import (
	"fmt"

	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/scfid"
)

// scoreFacts is the scores of all cells, line by line.
func scoreFacts(s *scfid.Scores) []report.Fact {
	facts := []report.Fact{
		{Name: "cells", Value: fmt.Sprintf("%s real, %s generated, %d dimensions", cellsOf(s.NReal), cellsOf(s.NGen), s.Dim)},
		{Name: "FD", Value: fmt.Sprintf("%s: means %s, covariances %s (%s)", figures(s.FD), figures(s.MeanTerm), figures(s.CovTerm), s.Method)},
	}
	if s.BiasFloor.Missing() {
		return facts
	}
	facts = append(facts,
		report.Fact{Name: "without bias, 95 %", Value: span(s.CI)},
		report.Fact{Name: "bias floor", Value: fmt.Sprintf("%s (%d splits into %d and %d real cells: %s)", figures(s.BiasFloor), s.Floor.Splits, s.Floor.N[0], s.Floor.N[1], give(s.Floor.Measured, s.Floor.SD))},
	)
	if !s.DonorFloor.Missing() {
		facts = append(facts, report.Fact{Name: "donor floor", Value: fmt.Sprintf("%s (%d splits by donor: %s)", figures(s.DonorFloor), s.Donors.Splits, give(s.Donors.Measured, s.Donors.SD))})
	}
	return append(facts,
		report.Fact{Name: "FD∞", Value: give(s.FDInfinity, s.FDInfinitySE)},
		report.Fact{Name: "KID", Value: give(s.KID.Mean, s.KID.Std)},
		report.Fact{Name: "MMD", Value: fmt.Sprintf("%s, permutation test p = %s (%d cells a side)", figures(s.MMD.Value), figures(s.PermutationP), s.MMD.N)},
		report.Fact{Name: "precision, recall", Value: figures(s.Precision) + ", " + figures(s.Recall)},
		report.Fact{Name: "density, coverage", Value: figures(s.Density) + ", " + figures(s.Coverage)},
	)
}

// cellsOf is a number of cells, which statistics may not tell.
func cellsOf(n int) string {
	if n == 0 {
		return "an unknown number of"
	}
	return fmt.Sprint(n)
}
