package screen

import (
	"strings"
	"testing"
)

// TestDoses: a series of doses is that of leading.doses, whatever else the list of
// compounds gives, and a control without a dose in the list is asked about without one.
func TestDoses(t *testing.T) {
	list := "name\tdose\nsplit\t\nboth\t0.5 uM\nnothing\t1 uM\ncontrol b\t5 ng/ml\n"
	p := mustPlan(t, folder(t, list, "cells: 6", "cells: 6\nleading: {doses: [0.1 uM, 1 uM, 10 uM], names: [split]}\nmargin: {share: 0.4}"))
	main := map[string]string{}
	for _, item := range p.Items {
		main[item.Name] = p.Doses[item.MainDose]
	}
	for name, want := range map[string]string{"split": "", "both": "0.5 uM", "nothing": "1 uM", "control a": "", "control b": "5 ng/ml"} {
		if main[name] != want {
			t.Errorf("%s is given at %q, want %q", name, main[name], want)
		}
	}
	f := newFake(p)
	got := runOf(t, p, RunConfig{Predictor: f})
	for _, asked := range f.order {
		if strings.Contains(asked, "control a") && strings.Contains(asked, "uM") {
			t.Fatalf("a control of no dose was asked about as %q", asked)
		}
	}
	h := got.Header
	if h.Rising != 3 || strings.Join(h.Doses[:h.Rising], ",") != "0.1 uM,1 uM,10 uM" {
		t.Errorf("%d of the doses %q rise", h.Rising, h.Doses)
	}
	if h.Margin != 0 || h.MarginShare != 0.4 {
		t.Errorf("margin %g, share %g", h.Margin, h.MarginShare)
	}
}

func TestDosesThatDoNotRise(t *testing.T) {
	for doses, want := range map[string]string{
		"[10 uM, 1 uM, 0.1 uM]":   "must rise",
		"[1 uM, 10 uM, 1 uM]":     "twice",
		"[1 uM, 1 uM, 10 uM]":     "twice",
		"[100 nM, 1 uM, 10 uM]":   "",
		"[low, medium, high]":     "",
		"[0.1 uM, 1.0 uM, 10 uM]": "",
	} {
		_, err := parseConfig([]byte(demoScreen + "leading: {doses: " + doses + "}\n"))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", doses, err, want)
		}
	}
}
