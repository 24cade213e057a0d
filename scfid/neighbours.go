package scfid

import (
	"context"
	"math"
	"slices"

	kernel "github.com/cellsentence/c2s/internal/blas"
)

// Neighbours is how two sets cover each other, from the distances r_k to the k-th
// neighbour within a set (T. Kynkäänniemi et al., "Improved Precision and Recall",
// 2019; M. Naeem et al., "Reliable Fidelity and Diversity Metrics", ICML 2020, whose
// prdc gives the same numbers).
type Neighbours struct {
	// Precision is the share of generated cells within r_k of a real cell.
	Precision Value `json:"precision"`
	// Recall is the share of real cells within r_k of a generated cell.
	Recall Value `json:"recall"`
	// Density is the number of real balls that hold a generated cell, over k; it
	// may exceed 1.
	Density Value `json:"density"`
	// Coverage is the share of real cells with a generated cell within their r_k.
	Coverage Value `json:"coverage"`
}

// stripRows is how many rows are held against all others at a time.
const stripRows = 512

// neighbours computes the four shares on at most Config.MaxNeighbours cells a side.
func (e *evaluation) neighbours(ctx context.Context, real, gen Rows) (Neighbours, error) {
	none := Neighbours{missing, missing, missing, missing}
	k, d := e.cfg.Neighbours, real.Dim()
	n, m := min(real.Len(), e.cfg.MaxNeighbours), min(gen.Len(), e.cfg.MaxNeighbours)
	if min(n, m) <= k {
		return none, nil
	}
	x, err := load(ctx, pick(real, newDraws(e.cfg.Seed, forNeighbours, 0).Sample(real.Len(), n)))
	if err != nil {
		return none, err
	}
	y, err := load(ctx, pick(gen, newDraws(e.cfg.Seed, forNeighbours, 1).Sample(gen.Len(), m)))
	if err != nil {
		return none, err
	}
	// One shift for both, so that norms are small beside distances.
	mean, _ := centre(x, d, e.cfg.Workers)
	for i := range y {
		y[i] -= mean[i%d]
	}
	radiusX, err := e.radii(ctx, x, d, k)
	if err != nil {
		return none, err
	}
	radiusY, err := e.radii(ctx, y, d, k)
	if err != nil {
		return none, err
	}
	inside := make([]bool, m) // generated cells in some real ball
	var balls, recalled, covered int
	err = e.strips(ctx, x, y, d, func(i int, row []float64) {
		nearest, recall := math.Inf(1), false
		for j, v := range row {
			if v < radiusX[i] {
				inside[j] = true
				balls++
			}
			recall = recall || v < radiusY[j]
			nearest = min(nearest, v)
		}
		if recall {
			recalled++
		}
		if nearest < radiusX[i] {
			covered++
		}
	})
	precise := 0
	for _, in := range inside {
		if in {
			precise++
		}
	}
	return Neighbours{
		Precision: Value(precise) / Value(m),
		Recall:    Value(recalled) / Value(n),
		Density:   Value(balls) / Value(k*m),
		Coverage:  Value(covered) / Value(n),
	}, err
}

// radii is the squared distance of each row to its k-th neighbour in the same set.
func (e *evaluation) radii(ctx context.Context, x []float64, d, k int) ([]float64, error) {
	out := make([]float64, len(x)/d)
	near := make([]float64, 0, k+1)
	err := e.strips(ctx, x, x, d, func(i int, row []float64) {
		near = near[:0]
		row[i] = math.Inf(1) // itself
		for _, v := range row {
			if len(near) == k && v >= near[k-1] {
				continue
			}
			at, _ := slices.BinarySearch(near, v)
			near = slices.Insert(near, at, v)
			near = near[:min(k, len(near))]
		}
		out[i] = near[k-1]
	})
	return out, err
}

// strips calls do with the squared distances of each row of x to all rows of y.
func (e *evaluation) strips(ctx context.Context, x, y []float64, d int, do func(i int, row []float64)) error {
	n, m := len(x)/d, len(y)/d
	normX, normY := squaredNorms(x, d), squaredNorms(y, d)
	strip := make([]float64, min(stripRows, n)*m)
	for start := 0; start < n; start += stripRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows := min(stripRows, n-start)
		clear(strip[:rows*m])
		kernel.Multiply(e.cfg.Workers, rows, m, d, -2, kernel.Rows(x[start*d:], d), kernel.Rows(y, d).T(), strip, m, kernel.All)
		for i := range rows {
			row := strip[i*m:][:m]
			for j := range row {
				row[j] = max(0, normX[start+i]+normY[j]+row[j])
			}
			do(start+i, row)
		}
	}
	return nil
}
