// Package scfidplot draws the results of package scfid: [Groups], [Extrapolation],
// [Projection], [Ranking] and [Bias], in the style of internal/figure, which writes
// them.
package scfidplot
