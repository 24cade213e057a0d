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

// kindRuns is how many places the sample comes from.
const kindRuns = 16

// Kind looks at up to four million stored values, taken from places spread
// evenly over the matrix, and says what they look like and how many there were.
// The same file gives the same answer.
func (m *Matrix) Kind(ctx context.Context) (ValueKind, int, error) {
	var k kindScan
	var err error
	if m.Encoding == Dense || m.keep != nil {
		err = m.sampleRows(ctx, &k)
	} else {
		err = m.sampleValues(ctx, &k)
	}
	if err != nil {
		return "", 0, err
	}
	return k.kind(), k.n, nil
}

// sampleValues looks at the values alone: what they look like does not depend on
// their places, and CSC has no cheap rows.
func (m *Matrix) sampleValues(ctx context.Context, k *kindScan) error {
	step := max(1, (m.NNZ+kindRuns-1)/kindRuns)
	var values any
	for lo := int64(0); lo < m.NNZ; lo += step {
		hi := min(lo+step, lo+kindSample/kindRuns, m.NNZ)
		var err error
		if values, err = m.readValues(ctx, lo, hi, values); err != nil {
			return err
		}
		k.batch(values)
	}
	return nil
}

// sampleRows looks at a batch of rows from each place.
func (m *Matrix) sampleRows(ctx context.Context, k *kindScan) error {
	step := max(1, (m.NObs+kindRuns-1)/kindRuns)
	whole := m.NNZ <= kindSample
	for start := 0; start < m.NObs; start += step {
		r, err := m.Rows(ctx, RowOptions{Start: start, End: min(start+step, m.NObs), MaxValues: kindSample / kindRuns})
		if err != nil {
			return err
		}
		var b Batch
		for {
			err := r.Next(ctx, &b)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			k.batch(b.Values)
			if !whole {
				break
			}
		}
	}
	return nil
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
