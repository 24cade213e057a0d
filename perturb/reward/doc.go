// Package reward scores generated cell sentences against real cells, for trainers that
// learn from rewards (GRPO and its kin).
//
// Start with [NewScorer]: it scores a batch of answers by one of the rewards of
// [Kinds]. The parts are there by themselves: [TauB] and [Corrected], [Pair] and
// [NegativeMSE], [Panel.Overlap], [Panel.AUC], [Validity.Check] and the hybrid [Hero].
//
// Kendall's tau-b on a gene subset and −MSE between randomly paired cells are those of
// C2S-Scale (Rizvi et al. 2025, doi 10.1101/2025.04.14.648850). The corrected tau is the
// default, since a copy of the control cell already has most of the tau that a replicate
// of the perturbed cell has. The hybrid is HERO (Tao et al. 2025, arXiv 2510.07242).
package reward
