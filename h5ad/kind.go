package h5ad

import (
	"context"
	"errors"
	"io"
	"math"
)

// ValueKind says what the values of a matrix look like.
type ValueKind string

// The kinds of values.
const (
	Counts  ValueKind = "counts"  // whole numbers, none negative
	LogNorm ValueKind = "lognorm" // none negative, not whole, at most maxLogNorm
	Scaled  ValueKind = "scaled"  // some negative
	Other   ValueKind = "other"   // none of these, or not finite
	Empty   ValueKind = "empty"   // no value but zero was seen
)

// Logarithms of normalised counts stay below this: log2 of the largest library
// is about 24.
const maxLogNorm = 25

// kindSample is how many stored values are looked at.
const kindSample = 4 << 20

// Kind looks at up to four million stored values, from rows spread evenly over
// the matrix, and says what they look like and how many there were.
func (m *Matrix) Kind(ctx context.Context) (ValueKind, int, error) {
	// Sixteen runs of rows, unless the whole matrix is small.
	const runs = 16
	var k kindScan
	step := m.NObs
	whole := m.NNZ <= kindSample || m.Encoding == CSC
	if !whole {
		step = max(1, m.NObs/runs)
	}
	for start := 0; start < m.NObs; start += step {
		r, err := m.Rows(ctx, RowOptions{Start: start, End: min(start+step, m.NObs), MaxValues: kindSample / runs})
		if err != nil {
			return "", 0, err
		}
		var b Batch
		for {
			err := r.Next(ctx, &b)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return "", 0, err
			}
			k.batch(b.Values)
			if !whole || k.n >= kindSample {
				break
			}
		}
	}
	return k.kind(), k.n, nil
}

type kindScan struct {
	n                             int
	negative, fraction, bad, some bool
	most                          float64
}

func (k *kindScan) kind() ValueKind {
	switch {
	case k.bad:
		return Other
	case !k.some:
		return Empty
	case k.negative:
		return Scaled
	case !k.fraction:
		return Counts
	case k.most <= maxLogNorm:
		return LogNorm
	}
	return Other
}

func (k *kindScan) batch(values any) {
	switch v := values.(type) {
	case []float32:
		scanFloats(k, v)
	case []float64:
		scanFloats(k, v)
	case []int8:
		scanInts(k, v)
	case []int16:
		scanInts(k, v)
	case []int32:
		scanInts(k, v)
	case []int64:
		scanInts(k, v)
	case []uint8:
		scanInts(k, v)
	case []uint16:
		scanInts(k, v)
	case []uint32:
		scanInts(k, v)
	case []uint64:
		scanInts(k, v)
	}
}

func scanFloats[T float32 | float64](k *kindScan, v []T) {
	k.n += len(v)
	for _, x := range v {
		f := float64(x)
		switch {
		case f == 0:
			continue
		case math.IsNaN(f) || math.IsInf(f, 0):
			k.bad = true
		case f < 0:
			k.negative = true
		case f != math.Trunc(f):
			k.fraction = true
		}
		k.some = true
		k.most = max(k.most, f)
	}
}

func scanInts[T Number](k *kindScan, v []T) {
	k.n += len(v)
	for _, x := range v {
		k.some = k.some || x != 0
		k.negative = k.negative || x < 0
	}
}
