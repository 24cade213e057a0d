// Package stats holds the rank statistics that scores of perturbations rest on:
// the Mann–Whitney test ([Pool]), Wilcoxon's of paired values ([SignedRank]), the
// adjustments of Benjamini and Hochberg and of Holm, Hedges' g, correlations and ranks.
//
// Start with [Pool.Reset] where many samples meet one reference sample, as the cells
// of every perturbation meet the control: the reference is sorted once. Numbers
// agree with SciPy's mannwhitneyu(method="asymptotic"), false_discovery_control,
// wilcoxon, pearsonr, spearmanr and rankdata.
package stats
