package scfid

import (
	"context"
	"math"
	"slices"
)

// Floor is what the distance would be if the generated cells came from the
// distribution of the real ones: it is not 0, because covariances of few cells
// differ by chance, and grows roughly as 1/n_real + 1/n_gen.
type Floor struct {
	Value    Value  `json:"value"`    // at the numbers of cells of the comparison
	Measured Value  `json:"measured"` // mean distance of the splits
	SD       Value  `json:"sd"`       // standard deviation over the splits
	N        [2]int `json:"n"`        // cells of the two parts of a split
	Splits   int    `json:"splits"`
}

// biasFloor splits the real cells at random into disjoint parts and takes their
// distance. A part has as many cells as were generated if that leaves at least as
// many; then little is left to the law a(1/n₁ + 1/n₂) that leads from the parts to
// the whole.
func (e *evaluation) biasFloor(ctx context.Context, real *pool, nGen int) (Floor, error) {
	n := real.rows.Len()
	small := min(nGen, n/2)
	if small < 2 {
		return noFloor(), nil
	}
	out := Floor{Splits: e.cfg.Splits}
	values := make([]float64, e.cfg.Splits)
	for k := range values {
		a, b, err := real.split(ctx, newDraws(e.cfg.Seed, forFloor, k), n-small, small)
		if err != nil {
			return Floor{}, err
		}
		f, err := Distance(ctx, a, b)
		if err != nil {
			return Floor{}, err
		}
		values[k], out.N = f.Value, [2]int{a.n, b.n}
	}
	mean, sd := meanSD(values)
	ratio := inverseSum(n, nGen) / inverseSum(out.N[0], out.N[1])
	out.Value, out.Measured, out.SD = Value(mean*ratio), Value(mean), Value(sd)
	return out, nil
}

func noFloor() Floor { return Floor{Value: missing, Measured: missing, SD: missing} }

// inverseSum is what the bias of a distance grows with.
func inverseSum(n, m int) float64 { return 1/float64(n) + 1/float64(m) }

// donorFloor is the distance between cells of disjoint halves of the donors of the
// real cells, which holds what differs between donors and the floor besides; the
// difference of the bias between the halves and the numbers of the comparison is
// made up for with the law of biasFloor. nil donors, or fewer than two, have none.
func (e *evaluation) donorFloor(ctx context.Context, real Rows, donors []string, nGen int, bias Floor) (Floor, error) {
	names := slices.Compact(slices.Sorted(slices.Values(donors)))
	if len(names) < 2 {
		return noFloor(), nil
	}
	var values, sums []float64
	var sizes [2]int
	seen := map[string]bool{}
	for k := 0; k < 4*e.cfg.Splits && len(values) < e.cfg.Splits; k++ {
		in := make(map[string]bool, len(names))
		order := newDraws(e.cfg.Seed, forDonors, k).Order(len(names))
		for _, i := range order[:len(names)/2] {
			in[names[i]] = true
		}
		var parts [2][]int
		key := make([]byte, len(names))
		for i, name := range names { // a half and its complement are one split
			if in[name] != in[names[0]] {
				key[i] = 1
			}
		}
		if seen[string(key)] {
			continue
		}
		seen[string(key)] = true
		for row, d := range donors {
			side := 0
			if in[d] {
				side = 1
			}
			parts[side] = append(parts[side], row)
		}
		if min(len(parts[0]), len(parts[1])) < 2 {
			continue
		}
		f, err := e.distance(ctx, pick(real, parts[0]), pick(real, parts[1]))
		if err != nil {
			return Floor{}, err
		}
		values = append(values, f.Value)
		sums = append(sums, inverseSum(len(parts[0]), len(parts[1])))
		sizes = [2]int{len(parts[0]), len(parts[1])}
	}
	if len(values) == 0 {
		return noFloor(), nil
	}
	mean, sd := meanSD(values)
	excess := 0.0
	if s := inverseSum(bias.N[0], bias.N[1]); bias.Splits > 0 {
		perSum := float64(bias.Measured) / s
		meanSum, _ := meanSD(sums)
		excess = perSum * (meanSum - inverseSum(real.Len(), nGen))
	}
	return Floor{Value(max(0, mean-excess)), Value(mean), Value(sd), sizes, len(values)}, nil
}

// meanSD is the mean and the standard deviation with n − 1 in the denominator, NaN
// for a single value.
func meanSD(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		sd += float64((v - mean) * (v - mean))
	}
	return mean, math.Sqrt(sd / float64(len(x)-1))
}
