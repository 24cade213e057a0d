// Package hdf5 reads and writes the part of HDF5 that AnnData files use, in
// pure Go, in parallel, and without trusting the file.
//
// To read, start with [Open], walk the tree from [File.Root], and read a [Dataset] whole,
// by rows or by hyperslab. To write, start with [NewWriter]; a [Copier] carries
// objects over from one file to another. The package follows the HDF5 File Format Specification,
// version 3 (The HDF Group), and knows nothing of AnnData.
package hdf5
