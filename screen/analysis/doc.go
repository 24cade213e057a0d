// Package analysis finds the compounds of a dual-context screen: those that raise a
// gene program in the positive context and leave it where it is in the neutral one.
//
// Start with [Analyse], which takes the rows of a screen (package screen/record) and
// gives a [Result]. Package screen/simulate makes rows whose truth is known.
//
// # What is tested
//
// The effect on a cell is its score under the compound less the mean of its vehicle
// draws. Effects are averaged over the cells of a type, then over types with weights
// that are the same everywhere, so that the composition of samples makes no
// difference. What remains, one number a donor and context, goes into moderated
// t-statistics (package screen/moderated). A call that says several things at once
// needs all of them: its p-value is the largest of theirs (the intersection-union test
// of R. L. Berger, Technometrics 24, 1982), and is adjusted after Benjamini and
// Hochberg over the compounds, for each call. "Unmoved" is two one-sided tests against
// a margin (D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987), never a large p;
// "up" and "down" are one-sided tests against no change, and an estimate beyond the
// same margin.
package analysis
