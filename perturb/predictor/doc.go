// Package predictor predicts perturbed cells: by a language model, by the mean shift
// that a perturbation had in other cells, and by the baselines that any prediction
// must beat.
//
// Start with [NewLLM], [NewAdditive], [NewMeanResponse], [NewNearest] or [NewControl];
// all of them are a perturb.Predictor. The middle three take their shifts from a
// [Reference], which [NewReference] learns from cells, or from [Signatures] such as
// the L1000 consensus.
//
// # Shifts
//
// Expression is ln(1 + counts per 10,000). The shift of a perturbation is the mean of
// its cells less the mean of control cells, and the predicted cell is
//
//	max(0, cell + shift)
//
// so that every cell of a group moves alike. A combination that the reference knows
// has its own shift, another one the sum of those of its parts. The shift is taken
// from the most specific cells that there are, see [Level].
//
// These are the baselines of the perturbation literature: copying the control, the
// mean response of other perturbations (Ahlmann-Eltze, Huber and Anders, Nature
// Methods 2025; Viñas Torné et al., "Systema", Nature Biotechnology 2025), and the
// additive model. A language model is asked as in C2S-Scale (Rizvi et al., bioRxiv
// 2025.04.14.648850).
package predictor
