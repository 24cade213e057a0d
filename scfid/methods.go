package scfid

import (
	"fmt"
	"strings"
)

// Methods is the sentence that the methods section of a paper needs: what was
// computed, from how many cells, how, and with which seed.
func (r *Result) Methods() string {
	var b strings.Builder
	fmt.Fprintf(&b, "The Fréchet distance between %d real and %d generated cells in an embedding of %d dimensions was computed in float64 as ‖μ₁−μ₂‖² + tr(S₁ + S₂ − 2(S₁S₂)^½), covariances with n − 1 in the denominator, the trace term by the %s",
		r.NReal, r.NGen, r.Dim, r.Method.describe())
	if r.Floor.Splits > 0 {
		fmt.Fprintf(&b, "; the bias floor is the mean distance over %d random splits of the real cells into %d and %d, scaled by 1/n_real + 1/n_gen",
			r.Floor.Splits, r.Floor.N[0], r.Floor.N[1])
	}
	if n := len(r.Extrapolation.Points); n > 0 {
		fmt.Fprintf(&b, "; FD∞ is the intercept of a least squares line through %d sizes from half to all cells", n)
	}
	if r.CI != nil {
		unit := "cells"
		if r.byDonor {
			unit = "donors"
		}
		fmt.Fprintf(&b, "; the 95 %% interval takes the influence function of the distance over %s, about 2·FD(n) − mean FD(n/2)", unit)
	}
	if !r.KID.Mean.Missing() {
		fmt.Fprintf(&b, "; KID is the unbiased MMD² of the kernel (x·y/d + 1)³ on %d subsets of at most %d cells; precision, recall, density and coverage take k = %d neighbours; the permutation test is that of a Gaussian MMD with %d permutations",
			r.cfg.Subsets, r.cfg.SubsetSize, r.cfg.Neighbours, r.cfg.Permutations)
	}
	if len(r.Groups) > 0 {
		fmt.Fprintf(&b, "; scFID is the unweighted mean over %d groups", counted(r.Groups))
	}
	fmt.Fprintf(&b, " (c2s scfid, seed %d).", r.Seed)
	return b.String()
}

// counted is the number of groups that have a distance.
func counted(groups []Group) int {
	n := 0
	for _, g := range groups {
		if !g.FD.Missing() {
			n++
		}
	}
	return n
}

// describe is the method in words.
func (m Method) describe() string {
	switch m {
	case LowRank:
		return "singular values of the cross matrix of the centred cells"
	case Cholesky:
		return "eigenvalues of L₁ᵀS₂L₁ with the Cholesky factor L₁ of S₁"
	case CholeskySVD:
		return "singular values of L₁ᵀL₂ with Cholesky factors"
	}
	return "singular values of F₁F₂ᵀ with factors from eigenvectors"
}
