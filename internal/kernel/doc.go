// Package kernel multiplies vectors by matrices that are stored as language
// models store them: F32, F16, or Q8_0, blocks of 32 signed bytes and a scale.
//
// Start with [Matrix.Mul]. [Dot] and [AddRows] are the two products of
// attention, [Exp] the exponential of a vector.
//
// Every sum has a fixed order: eight partial sums, of every eighth product each,
// are added up in pairs, and what is left over from a multiple of eight is added
// one by one. Each product and each sum is rounded to float32. The assembly for
// AVX2 and the plain Go beside it give the same bits, as does every split of the
// work over rows, tokens and threads. That forbids fused multiply-add, which
// costs nothing here: the loads are the limit.
package kernel
