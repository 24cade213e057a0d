// Package stats holds the rank statistics that scores of perturbations rest on:
// the Mann–Whitney test ([Pool]), the Benjamini–Hochberg adjustment, correlations
// and ranks.
//
// Start with [Pool.Reset] where many samples meet one reference sample, as the cells
// of every perturbation meet the control: the reference is sorted once. Numbers
// agree with SciPy's mannwhitneyu(method="asymptotic"), false_discovery_control,
// pearsonr, spearmanr and rankdata.
package stats
