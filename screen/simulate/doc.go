// Package simulate makes the rows of screens whose truth is known, and measures what
// an analysis makes of them: how many planted compounds it finds, and how many of its
// calls are wrong.
//
// Start with [Typical], which fills a [Config], then [Table] and [analysis.Analyse],
// or [Evaluate], which does both for several screens.
//
// # The model
//
// A compound's effect on a donor is its mean in the context plus an error whose
// variance is the compound's own: s² for the mean compound, times an inverse χ² of D0
// degrees of freedom, scaled to mean 1. Half of the variance (CellShare), where a donor
// has as many cells as [ReferenceCells], comes from cells and shrinks with their number;
// the rest is between donors and does not. Effects and the margin are in units of s.
// Vehicle draws scatter as cells of the mean compound do.
package simulate
