// Package pairs turns datasets of cell sentences into prompts with their responses,
// on which language models are trained.
//
// Start with [Open], which opens a dataset or a file of gene sets, and give it to
// [Build] with the templates of a task (package prompt). Rows are read one after
// the other and left out only where the [Report] counts it.
//
// # One cell a prompt
//
// A field of a template has the value of the column of its name, of the column that
// [Config.Fields] names instead, or of [Config.Constants]. Columns that are not
// sentences go along into the dataset of pairs.
//
// # Several cells a prompt
//
// Where a task shows the fields multi_cell_sentences or cell_types, or asks for a
// pseudobulk_sentence or neighbour_cell_sentence that is no column of the dataset,
// the cells of a prompt are gathered in the order in which they come, from groups:
// rows with the same values in the columns of [Config.GroupBy] and in those of the
// other fields. That is how Cell2Sentence makes its tasks of several cells (Levine et
// al., ICML 2024; Rizvi et al., bioRxiv 2025.04.14.648850: 5 to 20 cells of a tissue
// and donor). Only the cells of groups that are not full yet are kept in memory. A
// column goes along where all cells of a prompt have the same value of it; cell_name
// lists the cells.
//
// # Gene sets
//
// A .gmt file, in the format of MSigDB, is a dataset with the columns gene_set_name,
// description and genes.
package pairs
