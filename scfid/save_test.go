package scfid_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/scfid"
)

func savedOf(t testing.TB, a *scfid.Accumulator) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := a.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readBack(data []byte) (*scfid.Accumulator, error) {
	return scfid.ReadAccumulator(context.Background(), bytes.NewReader(data), int64(len(data)), 1)
}

// Parts that were saved, read and merged in order have the moments of a run over the
// whole to the same bytes, and so has their saved form.
func TestSavedParts(t *testing.T) {
	const n, d = 6*scfid.BlockRows + 1234, 7
	x := rows(t, normal(source(3), n, powerLaw(d), func(j int) float64 { return float64(j) }), d)
	want, err := scfid.Summarise(context.Background(), x, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := scfid.Accumulate(context.Background(), x, 0, n, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := savedOf(t, whole)
	for _, cuts := range [][]int{{0, n}, {0, 4096, n}, {0, 0, 3 * 4096, 3 * 4096, 6 * 4096, n}, {0, 6 * 4096, n, n}} {
		var all *scfid.Accumulator
		for i := range cuts[1:] {
			from, to := cuts[i], cuts[i+1]
			if from == to { // a shard without rows does not know where it would stand
				from, to = 0, 0
			}
			part, err := scfid.Accumulate(context.Background(), x, from, to, 1)
			if err != nil {
				t.Fatal(err)
			}
			read, err := readBack(savedOf(t, part))
			if err != nil {
				t.Fatalf("%v: %v", cuts, err)
			}
			if all == nil {
				all = read
			} else if err := all.Merge(read); err != nil {
				t.Fatalf("%v: %v", cuts, err)
			}
		}
		if !bytes.Equal(savedOf(t, all), text) {
			t.Errorf("%v: the merged parts are saved as other bytes", cuts)
		}
		m, err := all.Moments()
		if err != nil || m.N != n || !slices.Equal(m.Mean, want.Mean) || !slices.Equal(m.Cov.RawSymmetric().Data, want.Cov.RawSymmetric().Data) {
			t.Errorf("%v: other moments, %v", cuts, err)
		}
	}
}

func TestAccumulateRefuses(t *testing.T) {
	x := rows(t, []float64{1, 2, math.NaN(), 3, 4, math.Inf(1)}, 2)
	_, err := scfid.Accumulate(context.Background(), x, 0, 3, 1)
	if bad, ok := errors.AsType[*scfid.NonFiniteError](err); !ok || !slices.Equal(bad.Rows, []int{1, 2}) {
		t.Errorf("%v", err)
	}
	for _, r := range [][2]int{{1, 3}, {0, 4}, {-4096, 1}} {
		if _, err := scfid.Accumulate(context.Background(), x, r[0], r[1], 1); err == nil {
			t.Errorf("rows %v were taken", r)
		}
	}
}

// damaged is a saved form of three blocks and some rows, in a tree of two nodes, changed
// at one of its numbers.
func damaged(t testing.TB, at int, v uint64) []byte {
	x := rows(t, normal(source(3), 3*scfid.BlockRows+5, powerLaw(2), nil), 2)
	a, err := scfid.Accumulate(context.Background(), x, 0, x.Len(), 1)
	if err != nil {
		t.Fatal(err)
	}
	data := savedOf(t, a)
	if at >= 0 {
		binary.LittleEndian.PutUint64(data[len("c2s moments 1\n")+8*at:], v)
	}
	return data
}

func TestReadAccumulatorRefuses(t *testing.T) {
	if _, err := readBack(damaged(t, -1, 0)); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty":          {},
		"another file":   bytes.Repeat([]byte("x"), 200),
		"cut":            damaged(t, -1, 0)[:100],
		"longer":         append(damaged(t, -1, 0), 0),
		"no dimension":   damaged(t, 0, 0),
		"dimensions":     damaged(t, 0, 1<<40),
		"other size":     damaged(t, 0, 3),
		"first block":    damaged(t, 1, 1),
		"last block":     damaged(t, 2, 5),
		"many blocks":    damaged(t, 2, 1<<60),
		"not short":      damaged(t, 3, 0),
		"neither":        damaged(t, 3, 2),
		"nodes":          damaged(t, 4, 1<<50),
		"level":          damaged(t, 5, 3),
		"level too high": damaged(t, 5, 60),
		"index":          damaged(t, 6, 1),
		"rows":           damaged(t, 7, 4096),
		"no rows":        damaged(t, 7, 0),
		"NaN":            damaged(t, 8, math.Float64bits(math.NaN())),
	} {
		if _, err := readBack(data); err == nil || !badInput(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is read is refused or gives moments; what is taken is saved as it was.
func FuzzReadAccumulator(f *testing.F) {
	f.Add(damaged(f, -1, 0))
	f.Add(damaged(f, 7, 4097))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readBack(data)
		if err != nil {
			return
		}
		if again := savedOf(t, a); !bytes.Equal(again, data) {
			t.Errorf("%d bytes were saved as %d others", len(data), len(again))
		}
		if _, err := a.Moments(); err != nil && !badInput(err) {
			t.Error(err)
		}
	})
}
