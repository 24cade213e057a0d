// Package embedfile reads and writes embeddings in NumPy's formats: .npy matrices,
// one row a cell, and .npz archives of a mean (mu) and a covariance (sigma) as
// pytorch-fid keeps them.
//
// Start with [Open], whose [Array] streams rows of any dtype, byte order and memory
// order as float64; [NewWriter] writes a matrix row by row. [ReadStats] and
// [WriteStats] are for statistics. Headers come from strangers: every size is held
// against the size of the file before memory is taken, and pickled arrays are
// refused.
//
// It follows the format description of numpy.lib.format, versions 1.0 to 3.0
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
package embedfile
