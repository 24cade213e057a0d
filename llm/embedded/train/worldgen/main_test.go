package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/simulate"
	"github.com/cellsentence/c2s/llm/embedded/world"
)

// lines is the first n lines that a part prints.
func lines(t *testing.T, part, parts, n int) []string {
	t.Helper()
	r, w := io.Pipe()
	done := make(chan error)
	go func() { done <- write(context.Background(), w, part, parts) }()
	var out []string
	in := bufio.NewReader(r)
	for range n {
		s, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	_ = r.Close()
	if err := <-done; !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	return out
}

func TestGroups(t *testing.T) {
	got := lines(t, 0, 1, 1+3*chunk)
	var h header
	if err := json.Unmarshal([]byte(got[0]), &h); err != nil {
		t.Fatal(err)
	}
	if len(h.Genes) != 999 || len(h.Drugs) != 48 || len(h.CellTypes) != 8 || len(h.Contexts) != 2 || len(h.Prompts) != 3 {
		t.Errorf("%d genes, %d drugs, %d cell types, %d contexts, %d prompts", len(h.Genes), len(h.Drugs), len(h.CellTypes), len(h.Contexts), len(h.Prompts))
	}
	genes := map[string]bool{}
	for _, g := range h.Genes {
		genes[g] = true
	}
	contexts, drugs, decoys := map[string]int{}, 0, 0
	for _, line := range got[1:] {
		var g group
		if err := json.Unmarshal([]byte(line), &g); err != nil {
			t.Fatal(err)
		}
		contexts[g.Context]++
		for _, cell := range []string{g.Control, g.Typed.Cell, g.Generated.Cell} {
			for w := range strings.FieldsSeq(cell) {
				if !genes[w] {
					t.Fatalf("%q is no gene", w)
				}
			}
		}
		if n := len(strings.Fields(g.Typed.Cell)); n != g.Typed.NumGenes {
			t.Errorf("%d genes, announced as %d", n, g.Typed.NumGenes)
		}
		seen := map[string]bool{}
		for i, a := range g.Answers {
			if (i == 0) != (a.Perturbation == world.Vehicle) || len(strings.Fields(a.Cell)) != world.Genes {
				t.Errorf("answer %d is to %q, of %d genes", i, a.Perturbation, len(strings.Fields(a.Cell)))
			}
			if strings.HasPrefix(a.Perturbation, "DECOY-") {
				decoys++
			} else if seen[a.Perturbation] {
				t.Errorf("%q twice in a group", a.Perturbation)
			}
			seen[a.Perturbation] = true
			drugs++
		}
	}
	n := len(got) - 1
	if u := contexts[world.UnknownContext]; u < n/3 || u > 2*n/3 || len(contexts) != 3 {
		t.Errorf("contexts: %v", contexts)
	}
	if decoys < drugs/50 || decoys > drugs/10 {
		t.Errorf("%d decoys of %d", decoys, drugs)
	}
}

// TestParts: two parts print what one prints, a chunk each in turn.
func TestParts(t *testing.T) {
	one, first, second := lines(t, 0, 1, 200), lines(t, 0, 2, 100), lines(t, 1, 2, 100)
	if one[0] != first[0] || one[0] != second[0] {
		t.Error("other worlds")
	}
	at := map[string]int{}
	for i, l := range one[1:] {
		at[l] = i
	}
	for i, l := range second[1 : chunk/2] {
		if at[l] < chunk/2 {
			t.Fatalf("line %d of the second part is line %d of the whole", i, at[l])
		}
	}
	for i, l := range first[1 : chunk/2] {
		if one[1+i] != l {
			t.Fatalf("line %d of the first part is another", i)
		}
	}
}

// TestLeftOut: training never shows a drug with the cell type that is kept for
// measuring, and never a donor that is.
func TestLeftOut(t *testing.T) {
	w, err := simulate.New(world.Config())
	if err != nil {
		t.Fatal(err)
	}
	for number := range 5000 {
		p := newPlan(w, number)
		for _, s := range p.specs {
			if s.Donor >= world.TrainingDonors {
				t.Fatalf("group %d has a donor that is kept: %+v", number, s)
			}
			if !s.Control() && world.HeldOutType(s.Perturbation, len(w.CellTypes)) == s.CellType {
				t.Fatalf("group %d shows what is kept: %+v", number, s)
			}
		}
	}
}
