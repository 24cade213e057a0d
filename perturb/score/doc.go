// Package score judges predicted perturbations against real ones, so that nobody
// can fool the score.
//
// Start with [Evaluate]: it takes real and predicted cells with their labels, as
// batches of rows, and a [Preset] that names the metrics. The result holds each
// metric with its values by perturbation, and between its anchors: what control
// cells would score, what the mean response of the other perturbations would, and
// what one half of the real cells scores against the other. [Anchored].Normalised
// is 0 at the better of the first two and 1 at the last. Flags name signs of known
// ways to raise a score, and with [Config].Tricks the result tells what each such
// way would have done to every metric. [Load] and [DE] are differential expression
// alone.
//
// The presets follow their sources in every rule, ties and edges included: Arc's
// cell-eval 0.8 ([CellEval], without clustering_agreement; its genes of equal fold
// change, which it orders at random, stay in the order of the file here),
// the six members of the 2026 challenge in cell-eval2 ([VCC2026]), Systema
// (mlbio-epfl), PerturBench (altoslabs), and distances between distributions as
// pertpy, CellOT and CPA define them. Differential expression is the Mann–Whitney
// test with tie and continuity correction and the Benjamini–Hochberg adjustment, as
// in SciPy and pdex.
//
// Values that do not exist are NaN, are counted and are never 0, except where a
// source makes 0 the rule. The mean response takes its effects from the same control
// cells as reality does, and shares their noise; metrics of single genes with few
// cells can therefore place it above the ceiling, in which case no normalised score
// is given. Everything is computed in float64 and depends on the input and the seed
// only, not on the number of workers.
package score
