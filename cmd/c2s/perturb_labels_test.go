package main

import (
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/predictor"
)

// TestGuides: guides are told from names that end in a number by the genes of the file,
// and are one perturbation when they are said to be guides.
func TestGuides(t *testing.T) {
	genes := []string{"ABCA1", "KLF1", "NKX2-1", "IL6"}
	perts := []string{"ctrl", "ABCA1-1", "ABCA1-2", "KLF1-1+ABCA1-2", "ctrl", ""}
	l := &pertLabels{flags: &pertFlags{control: "ctrl", separator: "+"}, perts: perts}
	if w := l.guideWarning(genes); !strings.Contains(w, "4 of 4 perturbations look like guides, such as ABCA1-1") {
		t.Errorf("%q", w)
	}
	for _, names := range [][]string{{"IL-6", "IL-2", "IFN-1"}, {"NKX2-1", "KLF1"}, {"A", "B-1"}} {
		if w := (&pertLabels{flags: l.flags, perts: names}).guideWarning(genes); w != "" {
			t.Errorf("%v: %q", names, w)
		}
	}
	var c predictor.Cells
	l.into(&c, nil)
	if len(c.Perturbations) != 4 || c.Of[1] == c.Of[2] || c.Of[5] != -1 || c.Of[0] != c.Of[4] {
		t.Errorf("%+v", c)
	}
	l.flags.guides = true
	c = predictor.Cells{}
	l.into(&c, nil)
	if len(c.Perturbations) != 3 || c.Of[1] != c.Of[2] || predictor.Label(c.Perturbations[c.Of[3]]) != "KLF1+ABCA1" || l.guideWarning(genes) != "" {
		t.Errorf("%+v", c)
	}
}
