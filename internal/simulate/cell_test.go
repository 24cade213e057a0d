package simulate

import (
	"context"
	"math"
	"slices"
	"testing"
)

// draw takes n cells of one specification, dense sums included.
func draw(t testing.TB, w *World, n int, spec CellSpec) (*Batch, []float64) {
	t.Helper()
	b, err := w.Matrix(context.Background(), n, Options{Spec: func(int) CellSpec { return spec }})
	if err != nil {
		t.Fatal(err)
	}
	sums := make([]float64, len(w.Genes))
	for i, g := range b.Indices {
		sums[g] += float64(b.Counts[i])
	}
	return b, sums
}

// The sum of each gene over 3,000 cells of one kind lies within 5.5 standard errors
// of what libraries and proportions foretell (of 600 genes one lies beyond once in
// 40,000 runs), and the squares of the distances average one, within 0.2.
func TestCountsFollowTheTruth(t *testing.T) {
	for _, ambient := range []float64{0, 0.1} {
		w := mustNew(t, Config{NGenes: 600, Seed: 11, AmbientShare: ambient})
		spec := CellSpec{CellType: 4, Donor: 2, Context: 1, Perturbation: 5}
		b, sums := draw(t, w, 3000, spec)
		p, err := w.Proportions(spec)
		if err != nil {
			t.Fatal(err)
		}
		library, squares := 0.0, 0.0
		for _, c := range b.Truth {
			library += c.Library
			squares += c.Library * c.Library
		}
		chi := 0.0
		for g, want := range p {
			mean := library * want
			z := (sums[g] - mean) / math.Sqrt(mean+w.Genes[g].Dispersion*squares*want*want)
			chi += z * z / float64(len(p))
			if math.Abs(z) > 5.5 {
				t.Errorf("ambient %g: %s has %g counts, expected %.1f: %.1f standard errors", ambient, w.Genes[g].Symbol, sums[g], mean, z)
			}
		}
		if math.Abs(chi-1) > 0.2 {
			t.Errorf("ambient %g: the mean squared distance is %g standard errors", ambient, chi)
		}
	}
}

// Normalised sums of treated and control cells recover the true log fold changes of
// the perturbed genes, in both contexts. The tolerance is five standard errors by the
// delta method, plus 0.01.
func TestPerturbationsAreRecovered(t *testing.T) {
	w := mustNew(t, Config{NGenes: 600, Seed: 4, Perturbations: []Perturbation{{
		Name: "p", Effects: []Effect{{ProgramPresentation, 0.5, ""}, {ProgramPresentation, 0.5, ContextPositive}},
	}}})
	const n = 2000
	for c := range w.Contexts {
		spec := CellSpec{CellType: 7, Context: c}
		_, control := draw(t, w, n, spec)
		spec.Perturbation = 1
		_, treated := draw(t, w, n, spec)
		want, err := w.RelativeLogFC(spec)
		if err != nil {
			t.Fatal(err)
		}
		a, b := sum(control), sum(treated)
		for _, s := range Programs()[1].Genes {
			g := w.Column(s)
			got := math.Log(treated[g] / b * a / control[g])
			se := math.Sqrt(1/treated[g] + 1/control[g] + 2*w.Genes[g].Dispersion*1.2/n)
			if math.Abs(got-want[g]) > 5*se+0.01 {
				t.Errorf("%s, %s: log fold change %.3f, true %.3f (standard error %.3f)", w.Contexts[c].Name, s, got, want[g], se)
			}
		}
	}
}

// In its type a marker takes a larger part of the counts than in any other type that
// does not list it.
func TestMarkersAreUp(t *testing.T) {
	w := mustNew(t, Config{NGenes: 600, Seed: 1})
	share := make([][]float64, len(w.CellTypes))
	for i := range w.CellTypes {
		_, sums := draw(t, w, 600, CellSpec{CellType: i})
		total := sum(sums)
		for g := range sums {
			sums[g] /= total
		}
		share[i] = sums
	}
	for i, ct := range w.CellTypes {
		for _, m := range ct.Markers[:8] {
			g := w.Column(m)
			if g < 0 {
				continue
			}
			for j, other := range w.CellTypes {
				if !slices.Contains(other.Markers, m) && share[i][g] < 3*share[j][g] {
					t.Errorf("%s: %.2g of the counts in %s, %.2g in %s", m, share[i][g], ct.Name, share[j][g], other.Name)
				}
			}
		}
	}
}

// Cells look like droplets: a tenth to a fifth of the genes are seen, mostly once or
// twice, and ribosomal and mitochondrial genes take a fifth of the counts.
func TestSparsity(t *testing.T) {
	for _, n := range []int{2000, 5000, 20000} {
		w := mustNew(t, Config{NGenes: n, Seed: 42})
		b, err := w.Matrix(context.Background(), 200, Options{})
		if err != nil {
			t.Fatal(err)
		}
		seen := float64(len(b.Counts)) / float64(200*n)
		if seen < 0.1 || seen > 0.21 {
			t.Errorf("%d genes: %.3f of them are seen in a cell", n, seen)
		}
		few, total, special := 0.0, 0.0, 0.0
		for i, c := range b.Counts {
			if c <= 2 {
				few++
			}
			total += float64(c)
			if r := w.Genes[b.Indices[i]].Role; r == roleRibosomal || r == roleMitochondrial {
				special += float64(c)
			}
		}
		if f := few / float64(len(b.Counts)); f < 0.6 {
			t.Errorf("%d genes: only %.2f of the stored counts are 1 or 2", n, f)
		}
		if f := special / total; f < 0.15 || f > 0.3 {
			t.Errorf("%d genes: ribosomal and mitochondrial counts are %.2f of all", n, f)
		}
	}
}

// The same row under two specifications is the same cell: genes that are not moved
// keep their counts, except where the scaling of the profile carries one over an
// edge.
func TestCounterfactual(t *testing.T) {
	w := mustNew(t, Config{NGenes: 1000, Perturbations: []Perturbation{{Name: "p", Genes: []GeneEffect{{"B2M", 1, ""}}}}})
	g := int32(w.Column("B2M"))
	var a, b Cell
	same, all, up := 0, 0, 0.0
	for row := range 200 {
		for _, s := range []struct {
			c *Cell
			p int
		}{{&a, 0}, {&b, 1}} {
			if err := w.Cell(row, CellSpec{Perturbation: s.p}, s.c); err != nil {
				t.Fatal(err)
			}
		}
		before := map[int32]int32{}
		for i, c := range a.Indices {
			before[c] = a.Counts[i]
		}
		for i, c := range b.Indices {
			if c == g {
				up += float64(b.Counts[i] - before[c])
				continue
			}
			all++
			if before[c] == b.Counts[i] {
				same++
			}
		}
	}
	if f := float64(same) / float64(all); f < 0.95 {
		t.Errorf("only %.3f of the other counts are the same", f)
	}
	if up <= 0 {
		t.Error("B2M did not rise")
	}
}

func TestSpecShares(t *testing.T) {
	w := mustNew(t, Config{NGenes: 50, Doses: []float64{1, 2}})
	const n = 40_000
	types, controls, contexts, donors, doses := make([]float64, 8), 0.0, 0.0, 0.0, 0.0
	for row := range n {
		s := w.Spec(row)
		types[s.CellType]++
		contexts += float64(s.Context)
		if s.Donor == 3 {
			donors++
		}
		if s.Control() {
			controls++
		} else {
			doses += float64(s.Dose)
		}
	}
	// Six standard errors of a share.
	near := func(what string, got, want, n float64) {
		if math.Abs(got/n-want) > 6*math.Sqrt(want*(1-want)/n) {
			t.Errorf("%s: %.4f, want %.4f", what, got/n, want)
		}
	}
	for i, ct := range w.CellTypes {
		near(ct.Name, types[i], ct.Share/100, n)
	}
	near("controls", controls, 0.25, n)
	near("second context", contexts, 0.5, n)
	near("fourth donor", donors, 0.25, n)
	near("second dose", doses, 0.5, n-controls)
}

func TestDoublets(t *testing.T) {
	w := mustNew(t, Config{NGenes: 300, DoubletShare: 0.1, Seed: 2})
	b, err := w.Matrix(context.Background(), 5000, Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0.0
	one, two := 0.0, 0.0
	for _, c := range b.Truth {
		if c.Partner >= 0 {
			n++
			two += c.Library
		} else {
			one += c.Library
		}
	}
	if n < 400 || n > 600 { // five standard errors: 106
		t.Errorf("%g doublets of 5000, want about 500", n)
	}
	if ratio := two / n / (one / (5000 - n)); ratio < 1.8 || ratio > 2.2 {
		t.Errorf("doublets hold %.2f times the RNA", ratio)
	}
}

func TestDonorsRespondDifferently(t *testing.T) {
	w := mustNew(t, Config{NGenes: 300, ResponseSD: 0.3, Donors: 200})
	s, squares := 0.0, 0.0
	for d := range w.Donors {
		r := w.response(2, d)
		s += r / 200
		squares += r * r / 200
	}
	if sd := math.Sqrt(squares - s*s); math.Abs(s-1) > 0.1 || math.Abs(sd-0.3) > 0.06 {
		t.Errorf("the response has mean %.2f and standard deviation %.2f", s, sd)
	}
}

func TestBarcodes(t *testing.T) {
	w := mustNew(t, Config{NGenes: 50})
	seen := map[string]bool{}
	for row := range 100_000 {
		b := w.Barcode(row)
		if len(b) != 18 || seen[b] {
			t.Fatalf("row %d: barcode %q", row, b)
		}
		seen[b] = true
	}
	if math.MaxInt == math.MaxInt32 {
		return
	}
	past := 1
	past <<= 32
	if b := w.Barcode(past); b[:16] != w.Barcode(0)[:16] || b[16:] != "-2" {
		t.Errorf("row 2^32: barcode %q, row 0 %q", b, w.Barcode(0))
	}
}
