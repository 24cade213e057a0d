// Package simulate draws single cells whose truth is known: cell types with their
// marker genes, donors, contexts, library sizes, doublets and ambient RNA, and
// perturbations that shift gene programs, alike in every context or in one only.
// It serves demonstrations, tests, benchmarks and power analyses.
//
// Start with [New], which builds a [World] from a [Config] (the zero value is
// useful), and take cells from [World.Rows] in row batches or one by one from
// [World.Cell]. [World.LogFC], [World.RelativeLogFC] and [World.Proportions] tell
// the truth behind the counts. [Compounds] makes a screen with a known number of
// hits.
//
// # Model
//
// The log of a gene's weight in a cell is a sum,
//
//	baseline + cell type + context + perturbation (+ its interaction with the context) + donor
//
// with all logarithms natural. Weights are scaled to a sum of one, mixed with the
// ambient profile, and multiplied by the cell's library size, which is log-normal.
// The count is negative binomial, that is a Poisson count whose mean is gamma
// distributed: mean μ, variance μ + φμ², with a dispersion φ for each gene. It is
// the model of splatter (Zappia, Phipson and Oshlack, Genome Biology 18:174, 2017)
// without dropout, which counts of unique molecules do not show (Svensson, Nature
// Biotechnology 38:147, 2020). Baselines are log-normal, so that a few genes take
// much of the library and most genes are seen in few cells.
//
// # Randomness
//
// Every random number is a function of (seed, what, row, gene), never of the order
// in which numbers are asked for: cell 7 is the same alone, in a batch of any size
// and beside any number of workers. It also makes counterfactuals: [World.Cell]
// of one row under two specifications gives the same cell, with the same luck,
// twice. What is drawn for a gene depends on its symbol and the seed alone, so that
// effects and markers are the same in a larger world; only the gene's part of the
// library is not.
//
// Counts are the same on every processor. Only operations that IEEE 754 rounds
// exactly are used (+, −, ×, ÷, square root); products that are added to something
// are converted to float64 explicitly, which forbids fusing the two roundings into
// one; and the exponential and the logarithm are this package's own, because those
// of package math have assembly on some processors and differ there in the last
// bit.
//
// # Genes
//
// The first 999 genes carry symbols approved by the HUGO Gene Nomenclature
// Committee. Larger worlds go on with synthetic ones, named SIM00001 and so forth,
// which exist in no genome. Expression levels and effects are invented throughout.
package simulate
