package main

import (
	"strings"
	"testing"

	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
)

// TestScreenTable: columns that are named by a program stay columns.
func TestScreenTable(t *testing.T) {
	r := &analysis.Result{Hits: []*analysis.Compound{{
		Name: "a\tb", Call: analysis.ContextSelective, Side: map[string]record.Pair{"=x\ty\nz": {1, 2}},
	}}}
	var b strings.Builder
	if err := writeScreenTable(&b, r.ValidationTable()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 2 || strings.Count(lines[0], "\t") != strings.Count(lines[1], "\t") || strings.Contains(lines[0], "\t=") {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
}
