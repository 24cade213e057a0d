// Package figure draws the results of package scfid: [Groups], [Extrapolation],
// [Projection], [Ranking] and [Bias]. [PNG] and [SVG] write a figure.
//
// Colours are those of P. Tol's "bright" scheme, which people who do not see red or
// green tell apart. Clouds of more than [MaxVectorPoints] points are drawn as a
// picture, so that files stay small.
package figure
