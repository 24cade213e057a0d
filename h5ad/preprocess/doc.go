// Package preprocess filters cells and genes of a count matrix and normalises
// it, cell batch by cell batch, as scanpy defines these steps.
//
// Start with [New], which reads the matrix once or twice and gives a [Plan]:
// which cells and genes stay, and to which total cells are scaled.
// [Plan.Source] then applies the plan to a reader of the same matrix.
//
// The order of the steps is that of scanpy's tutorial "Preprocessing and
// clustering 3k PBMCs" (Wolf, Angerer and Theis, Genome Biology 19:15, 2018):
//
//  1. Cells with fewer than MinGenes expressed genes are dropped
//     (scanpy.pp.filter_cells(min_genes)).
//  2. Genes expressed in fewer than MinCells of the cells that are left are
//     dropped (scanpy.pp.filter_genes(min_cells)).
//  3. Cells of whose total, over the genes that are left, more than MaxMito is
//     mitochondrial are dropped. Genes are not looked at again.
//  4. Each cell is scaled to the target, or to the median of the totals above
//     zero of the cells that are left (scanpy.pp.normalize_total).
//  5. Values become log(1 + x) to a base (scanpy.pp.log1p(base)).
//
// A gene is expressed in a cell if its value is above zero. All limits are
// inclusive: a cell with exactly MinGenes genes, or exactly MaxMito, stays.
package preprocess
