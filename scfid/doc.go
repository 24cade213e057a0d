// Package scfid measures how far generated cells are from real ones in an
// embedding space: the Fréchet distance (FD, scFID) and its companions, each with
// what tells whether the number means anything.
//
// Start with [Evaluate]: it takes the embeddings of real and generated cells, as
// [Rows], and gives a [Result] with the distance, the floor that equal
// distributions would reach at the same numbers of cells, an extrapolation to
// infinitely many cells, an interval, kernel distances, precision, recall, density
// and coverage, a permutation test, the same for each group of cells, and
// warnings. [Compare] ranks several generated sets. [Prepare] and [Distance] are
// the bare distance.
//
// An embedding is a row of Dim numbers; any unit will do, the distance is in its
// square. Covariances have n − 1 in the denominator and everything is computed in
// float64, so that results agree with pytorch-fid where that is accurate. The
// package knows no file format: [NewMatrix] wraps numbers in memory, and whatever
// implements Rows is streamed in blocks of [BlockRows] rows. Results depend on the
// input, the seed and nothing else: not on the number of workers.
//
// The distance follows D. Dowson and B. Landau, "The Fréchet distance between
// multivariate normal distributions", J. Multivariate Anal. 12 (1982), and
// M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a
// Local Nash Equilibrium" (FID, 2017); its use on cells, by groups of labels
// averaged without weights, follows C2S-Scale (S. Rizvi et al., 2025).
package scfid
