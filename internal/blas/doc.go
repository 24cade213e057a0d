// Package blas multiplies float64 matrices fast enough that a Fréchet distance in
// thousands of dimensions takes seconds: a 4 × 12 AVX2 kernel under a blocked,
// packed and parallel loop, and a kernel for products with a symmetric matrix.
//
// Start with [Multiply]; with a [Part] it is also the rank-k update of one
// triangle. [Implementation] puts the kernels under gonum: after
// blas64.Use(blas.Implementation{}), which only a command should call, gonum's
// LAPACK runs on them.
//
// The kernels are chosen by what the processor has when the program starts. Each
// has a twin in Go that fuses the same products in the same order, so that
// results are equal in every bit on any processor and for any number of workers.
//
// The loops follow K. Goto and R. van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication", ACM TOMS 34(3), 2008.
package blas
