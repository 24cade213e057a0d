// Package cellsentence turns cells into cell sentences: the names of a cell's
// expressed genes, most expressed first, joined by blanks.
//
// Start with [NewEncoder] and [Encoder.Encode], which reads batches of cells from
// a [Source] (a reader of package h5ad, or [NewSliceSource] for a matrix in
// memory) and yields [Sentences]. [CountVocabulary] counts in how many cells each
// gene is expressed. [ClassifyGenes] tells symbols from Ensembl and Entrez
// identifiers before a cell is read.
//
// The way back is lossy. [MeasureFidelity] fits a [RankModel], which gives
// expression for a rank, and says how much it loses; [FitParity] does both as the
// reference package does. [NewDecoder] turns sentences into expression by such a
// model. [ReadGeneMap] reads tables that give genes other names.
//
// The transformation is that of Cell2Sentence (Levine et al., "Cell2Sentence:
// Teaching Large Language Models the Language of Biology", ICML 2024; Rizvi et
// al., "Scaling Large Language Models for Next-Generation Single-Cell Analysis",
// bioRxiv 2025.04.14.648850). Only the order of the values within a cell counts,
// and neither scaling a cell by its total nor taking logarithms changes it, so
// that raw counts and log-normalised values give the same sentences.
//
// # Ties
//
// Most expressed genes of a cell share the counts 1 and 2, so the rule for ties
// decides most of a sentence; see [Ties]. [TiesRandom] depends on nothing but
// the seed and the cell's row. [TiesPython] repeats the Python package
// cell2sentence 1.2.0 byte for byte on clean input. Where that package goes wrong
// this one follows its own rule in every mode, and [Encoder.Warnings] says so:
//
//   - a gene is found by its column. (There, names that become equal once
//     upper-cased shift the names of all later genes.) See [Collisions].
//   - values stored as zero are not expressed. (There, they are listed.) Under
//     TiesPython they still take part in the draws, so that the order of all
//     other genes and cells agrees.
//   - negative values, NaN and infinities are errors: [ScaledError],
//     [NonFiniteError]. (There, they are listed last.)
//   - names that are empty or hold white space are errors: [NameError]. (There,
//     they become no word or two words.)
package cellsentence
