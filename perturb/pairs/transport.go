package pairs

import (
	"context"
	"math"
	"slices"
)

const (
	// entropy is ε of the regularised problem, in units of the median cost: small enough
	// that a plan prefers near cells clearly, large enough to converge.
	entropy = 0.05
	// maxRounds bounds the iteration; it ends before when both sums are right. Costs over
	// many orders need more; then the sums of the columns are off by thousandths.
	maxRounds = 2000
	// tolerance is the largest relative error of a sum.
	tolerance = 1e-6
	// leastKernel keeps products of numbers of the iteration within the range of float64;
	// what costs more than 230 ε beyond the cheapest way is not moved anyway.
	leastKernel = 1e-100
)

// Transport is the entropic optimal transport between as many sources as cost has rows
// and as many targets as it has columns, all of the same weight on their side: how much
// goes from each row to each column, 1 in all. It minimises Σ plan·cost + ε Σ plan (log
// plan − 1), with ε a twentieth of the median cost, by Sinkhorn's iteration (Cuturi,
// NeurIPS 2013).
func Transport(ctx context.Context, cost [][]float64) ([][]float64, error) {
	n, k := len(cost), len(cost[0])
	all := make([]float64, 0, n*k)
	for _, row := range cost {
		all = append(all, row...)
	}
	slices.Sort(all)
	median := all[len(all)/2]
	if median == 0 {
		median = 1 // most cells lie in one place
	}
	plan := kernel(cost, median*entropy)
	u, v := make([]float64, n), make([]float64, k)
	for i := range u {
		u[i] = 1
	}
	for range maxRounds {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		clear(v)
		for i, row := range plan {
			for j, x := range row {
				v[j] += x * u[i]
			}
		}
		for j := range v {
			v[j] = 1 / (float64(k) * v[j])
		}
		worst := 0.0
		for i, row := range plan {
			sum := 0.0
			for j, x := range row {
				sum += x * v[j]
			}
			worst = max(worst, math.Abs(u[i]*sum*float64(n)-1))
			u[i] = 1 / (float64(n) * sum)
		}
		if worst < tolerance {
			break
		}
	}
	for i, row := range plan {
		for j := range row {
			row[j] *= u[i] * v[j]
		}
	}
	return plan, nil
}

// kernel is exp(−cost/ε), each row and then each column relative to its cheapest way,
// which changes u and v but no plan.
func kernel(cost [][]float64, epsilon float64) [][]float64 {
	out := make([][]float64, len(cost))
	for i, row := range cost {
		least := slices.Min(row)
		out[i] = make([]float64, len(row))
		for j, c := range row {
			out[i][j] = (c - least) / epsilon
		}
	}
	for j := range cost[0] {
		least := math.Inf(1)
		for i := range out {
			least = min(least, out[i][j])
		}
		for i := range out {
			out[i][j] = max(leastKernel, math.Exp(least-out[i][j]))
		}
	}
	return out
}
