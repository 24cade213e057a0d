package main

import (
	"math"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// TestMeasure is calculated by hand: truths a a b b c, answers a b b none c.
func TestMeasure(t *testing.T) {
	counts := newTally(&h5ad.Column{Array: &h5ad.Array{Dims: []int{5}, Values: []string{"a", "a", "b", "b", "c"}}})
	for i, l := range []string{"a", "b", "b", "", "c"} {
		counts.add(i, l, 0.85)
	}
	got := counts.truth()
	// F1: a 2·1/(2+1), b 2·1/(2+2), c 2·1/(1+1).
	if want := (2.0/3 + 1.0/2 + 1) / 3; got.Cells != 5 || got.Accuracy != 0.6 || math.Abs(got.MacroF1-want) > 1e-12 {
		t.Errorf("%+v, expected accuracy 0.6 and macro-F1 %g", got, want)
	}
	// Four labels with confidence 0.85, three of them right.
	if got.Calibration == nil || math.Abs(*got.Calibration-0.1) > 1e-12 {
		t.Errorf("calibration %v, expected |0.85 − 0.75|", got.Calibration)
	}
	// Wilson's interval of 3 of 5: 0.2307, 0.8824 (Agresti and Coull, 1998, by formula).
	if math.Abs(got.Interval[0]-0.2307) > 5e-4 || math.Abs(got.Interval[1]-0.8824) > 5e-4 {
		t.Errorf("interval %v", got.Interval)
	}
	if c := got.Confusion; c[0][0] != 1 || c[0][1] != 1 || c[1][1] != 1 || c[1][3] != 1 || c[2][2] != 1 {
		t.Errorf("confusion %v", c)
	}
}
