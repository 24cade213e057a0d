// Package pca is the baseline embedding: principal components of log-normalised
// counts, fitted on real cells and applied to real and generated ones alike, so
// that a distance between the two can be had without a model.
//
// Start with [Fit]; [Model.Projector] applies what was fitted to cells of any
// file, whose genes are matched by name. [Model.Save] and [Load] keep it.
//
// A cell's counts are scaled to a common total and taken to log(1 + x), as scanpy
// does by default. The components come from subspace iteration from a random
// start, which reads the cells a few times and holds a matrix of genes ×
// (components + 10) only (N. Halko, P.-G. Martinsson and J. Tropp, "Finding
// Structure with Randomness", SIAM Review 53, 2011). The same cells and seed give
// the same bytes for any number of workers.
package pca
