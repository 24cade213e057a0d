// Package pairs makes training data of perturbed cells: each with a control cell that it
// may have been, split so that what is to be predicted was not seen, in the forms that
// trainers read.
//
// Start with [Hold], which says by the name of a design which cells are for testing,
// and [Match], which gives each perturbed cell its control. No control cell is on both
// sides. [Create] opens a folder of files for trainers, and [Writer.Add] fills it.
//
// The task, the pairing and the designs "cytokine" and "l1000" are those of C2S-Scale
// (Rizvi et al., bioRxiv 2025.04.14.648850). Optimal transport between control and
// perturbed cells is that of CellOT (Bunne et al., Nature Methods 2023) in its entropic
// form (Cuturi, NeurIPS 2013).
package pairs
