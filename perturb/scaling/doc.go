// Package scaling fits the curve of ScaleRL to a run of reinforcement learning: reward
// over compute as a sigmoid that saturates, so that its ceiling can be forecast from
// the first half of the budget.
//
// Start with [Run]: it fits points of compute and reward and gives intervals; [Compare]
// sets two recipes against each other. A [Curve] is
//
//	R(C) = R0 + (A − R0) / (1 + (Mid/C)^B)
//
// with the ceiling A ≤ 1, the exponent B > 0 and the compute Mid at which half of the
// gain is reached; R0 is the reward of the initial policy. Compute has any unit, the
// paper's is GPU-hours. It follows Khatri et al. 2025, "The Art of Scaling RL Compute
// for LLMs", arXiv 2510.13786.
package scaling
