// Package moderated tests effects that many compounds have on few donors in two
// contexts: the moderated t-statistic of limma (G. K. Smyth, "Linear models and
// empirical Bayes methods for assessing differential expression", Stat. Appl. Genet.
// Mol. Biol. 3:3, 2004), with its correlation of observations from the same donor.
//
// Start with [Learn], which takes the donor means of all compounds and gives a
// [Model]; then [Model.Fit] one compound and [Model.Estimate] a [Contrast] of it.
//
// # The model
//
// A compound's effects on a donor, one in each context, scatter around the two means
// of the compound with the covariance σ²Σ. The factor σ² is the compound's own: one
// residual variance a compound. The [Shape] Σ, that is how variances compare between
// the contexts and how effects on the same donor correlate, is common to all compounds
// and known well, since thousands of them tell it. Means are by generalised least
// squares, so that one rule serves donors that are in both contexts (then the test of
// the split is the paired one), donors that are in one (then it is the two-sample test
// at a known ratio of variances), and mixtures. The variances σ² share a prior, an
// inverse χ², which lends few donors the degrees of freedom that they lack.
//
// What the model takes on trust is the common shape: a compound whose effects scatter
// far more in one context than the shape says is tested too kindly there.
package moderated
