package screen

import (
	"slices"
	"testing"
)

func TestRising(t *testing.T) {
	for _, c := range []struct{ doses, want []string }{
		{[]string{"1 uM", "10 nM", "", "0.1 µM", "10 nM", "2mM"}, []string{"", "10 nM", "0.1 µM", "1 uM", "2mM"}},
		{[]string{"10 ng/ml", "0.001 ug/mL", "1 mg/L"}, []string{"0.001 ug/mL", "10 ng/ml", "1 mg/L"}},
		{[]string{"high", "10", "low", "2"}, []string{"2", "10", "high", "low"}},
	} {
		if got := rising(c.doses); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q", c.doses, got)
		}
	}
}

// TestDoses: a compound without a dose has the middle one, a control none.
func TestDoses(t *testing.T) {
	p := mustPlan(t, folder(t, "name\tdose\nsplit\t\nboth\t3 uM\n", "cells: 6", "cells: 6\nleading: {doses: [0.1 uM, 1 uM, 10 uM]}"))
	if want := []string{"", "0.1 uM", "1 uM", "3 uM", "10 uM"}; !slices.Equal(p.Doses, want) {
		t.Errorf("%q", p.Doses)
	}
	for i, want := range []string{"1 uM", "3 uM", "", ""} {
		if got := p.Doses[p.Items[i].MainDose]; got != want {
			t.Errorf("%s at %q, expected %q", p.Items[i].Name, got, want)
		}
	}
}
