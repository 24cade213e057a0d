// Package compare sets runs against each other: predictions of the same perturbed cells
// that c2s perturb score has scored alike.
//
// Start with [Compare]: it takes a [Run] for each, read by [ReadScores], [ReadRecord]
// and [ReadAnswers], and gives a ranking by normalised scores, each pair with a paired
// test over the perturbations, what the runs cost and which of them lie on the frontier
// of score and cost, how they behave, and how scores fall with the dose of junk that
// models were trained on. [PassAtK], [MajorityAtK] and [Hull] are there by themselves.
//
// A normalised score is 0 at the better of the control and the mean response and 1 at a
// replicate of the real cells (package score). Pairs are tested by Wilcoxon's signed
// ranks over perturbations, adjusted after Holm over the pairs of a metric; their size
// is Hedges' g. pass@k is the unbiased estimator of Chen et al. ("Evaluating Large
// Language Models Trained on Code", arXiv 2107.03374). The frontier is that of Kapoor et
// al. ("Holistic Agent Leaderboard", arXiv 2510.11977): the upper convex hull with the
// origin. Numbers that do not exist are NaN, null in JSON, and are never 0.
package compare
