// Package h5ad reads AnnData files of every age, and writes and edits them: the
// encodings that anndata 0.8 to 0.13 writes, the layouts of 0.7, 0.6 and 0.5, 10x
// Genomics .h5 files and folders and the modalities of .h5mu, all through one door.
//
// Start with [Open]. [File.X], [File.Layer] and [File.Raw] give a [Matrix],
// which streams its cells as row batches in bounded memory ([Matrix.Rows]);
// [File.Obs] and [File.Var] give the annotations. Shapes are cells × genes
// (n_obs × n_vars), as in anndata.
//
// [Create] starts a new file, to which elements ([Writer.Set]) and matrices batch by
// batch ([Writer.Matrix]) are written, or another file is copied, whole or cut to
// some cells and genes ([Writer.CopyFrom]). [Edit] changes elements of a file and
// carries the rest over as it is. [Validate] looks for flaws.
//
// It follows the on-disk format specification of AnnData
// (https://anndata.readthedocs.io/en/latest/fileformat-prose.html; Virshup et
// al., anndata: Access and store annotated data matrices, JOSS 2024).
package h5ad
