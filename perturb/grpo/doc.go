// Package grpo is the arithmetic of group-relative policy optimisation as a
// reference that can be checked by hand: what a trainer logs as advantage, clip
// fraction, KL and loss can be held against it.
//
// Start with [TrainerRule] and [Rule.Advantages], which turn rewards into
// advantages as TRL, verl, OpenRLHF or ScaleRL do; [Loss.Of] turns advantages and
// log-probabilities into the loss. It computes in float64 and takes no gradient.
//
// It follows GRPO (Shao et al. 2024, arXiv 2402.03300), DAPO (Yu et al. 2025, arXiv
// 2503.14476), Dr. GRPO (Liu et al. 2025, arXiv 2503.20783), GSPO (Zheng et al. 2025,
// arXiv 2507.18071), CISPO (MiniMax 2025, arXiv 2506.13585) and ScaleRL (Khatri et al.
// 2025, arXiv 2510.13786); the trainers' constants are those of TRL 1.16.0, verl 0.6.0
// and OpenRLHF of August 2026. KL is the estimator k3 of J. Schulman,
// "Approximating KL divergence" (2020).
package grpo
