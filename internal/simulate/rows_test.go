package simulate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden file")

func matrix(t testing.TB, w *World, n int, opt Options) *Batch {
	t.Helper()
	b, err := w.Matrix(context.Background(), n, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSameCellsInAnyBatches(t *testing.T) {
	w := mustNew(t, Config{NGenes: 500, Seed: 8, DoubletShare: 0.1, AmbientShare: 0.05, ResponseSD: 0.1})
	want := matrix(t, w, 300, Options{Workers: 1, Batch: 300})
	for _, opt := range []Options{{}, {Workers: 1, Batch: 1}, {Workers: 7, Batch: 13}, {Workers: 3, Batch: 299}, {Batch: 1000}} {
		if got := matrix(t, w, 300, opt); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: other cells", opt)
		}
	}
	// A part from the middle, and cells alone and out of order.
	part := matrix(t, w, 50, Options{Start: 120, Batch: 7})
	lo, hi := want.Indptr[120], want.Indptr[170]
	if !reflect.DeepEqual(part.Counts, want.Counts[lo:hi]) || !reflect.DeepEqual(part.Indices, want.Indices[lo:hi]) ||
		!reflect.DeepEqual(part.Truth, want.Truth[120:170]) {
		t.Error("rows 120 to 169 are other cells when drawn alone")
	}
	var c Cell
	for row := 299; row >= 0; row -= 37 {
		if err := w.Cell(row, w.Spec(row), &c); err != nil {
			t.Fatal(err)
		}
		if lo, hi := want.Indptr[row], want.Indptr[row+1]; !reflect.DeepEqual(c.Counts, want.Counts[lo:hi]) || c.Truth != want.Truth[row] {
			t.Errorf("row %d is another cell when drawn alone", row)
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	a := matrix(t, mustNew(t, Config{NGenes: 200, Seed: 1}), 50, Options{})
	b := matrix(t, mustNew(t, Config{NGenes: 200, Seed: 2}), 50, Options{})
	if reflect.DeepEqual(a.Counts, b.Counts) || reflect.DeepEqual(a.Truth, b.Truth) {
		t.Error("two seeds gave the same cells")
	}
}

func TestRowsStops(t *testing.T) {
	w := mustNew(t, Config{NGenes: 100})
	// The reader leaves early.
	for b, err := range w.Rows(context.Background(), math.MaxInt32, Options{Batch: 10}) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Start >= 50 {
			break
		}
	}
	// The context ends.
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var last error
	for b, err := range w.Rows(ctx, math.MaxInt32, Options{Batch: 10}) {
		if last = err; err == nil && b.Start >= 50 {
			cancel(cause)
		}
	}
	if !errors.Is(last, cause) {
		t.Errorf("error %v, want the cause", last)
	}
	// A specification points nowhere.
	_, err := w.Matrix(context.Background(), 20, Options{Batch: 3, Spec: func(row int) CellSpec { return CellSpec{Donor: row} }})
	if !errors.Is(err, ErrSpec) || !strings.HasPrefix(err.Error(), "row 4:") {
		t.Errorf("error %v", err)
	}
	for _, n := range []int{-1, math.MaxInt} {
		if _, err := w.Matrix(context.Background(), n, Options{Start: 1}); !errors.Is(err, ErrSpec) {
			t.Errorf("%d rows: error %v", n, err)
		}
	}
	if b := matrix(t, w, 0, Options{}); b.NObs() != 0 || len(b.Indptr) != 1 {
		t.Errorf("no rows: %+v", b)
	}
}

// The golden file holds the hash of small matrices and their first cells, as this
// package made them on amd64. It is the same on every processor; run with -update
// after a deliberate change of the model.
func TestGolden(t *testing.T) {
	var out strings.Builder
	for _, cfg := range []Config{
		{NGenes: 60, Seed: 42},
		{NGenes: 1500, Seed: 7, Donors: 3, DoubletShare: 0.1, AmbientShare: 0.1, ResponseSD: 0.2, Doses: []float64{0.3, 3}},
		{NGenes: 200, Seed: 1, Dispersion: Off, Depth: 2e4}, // Poisson counts beyond the limit of inversion
		{NGenes: 200, Seed: 1, Dispersion: 3, Depth: 2e4},   // gamma shapes below one
	} {
		w := mustNew(t, cfg)
		b := matrix(t, w, 200, Options{})
		fmt.Fprintf(&out, "genes %d seed %d: %s\n", cfg.NGenes, cfg.Seed, digest(b))
		for row := range 3 {
			s := b.Truth[row].Spec
			fmt.Fprintf(&out, "  %s %s %s %s %s:", w.Barcode(row), w.CellTypes[s.CellType].Name, w.Donors[s.Donor],
				w.Contexts[s.Context].Name, w.Perturbations[s.Perturbation].Name)
			for i := b.Indptr[row]; i < min(b.Indptr[row]+8, b.Indptr[row+1]); i++ {
				fmt.Fprintf(&out, " %s=%d", w.Genes[b.Indices[i]].Symbol, b.Counts[i])
			}
			out.WriteString("\n")
		}
	}
	path := filepath.Join("testdata", "cells.golden")
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func digest(b *Batch) string {
	h := sha256.New()
	for _, part := range []any{b.Indptr, b.Indices, b.Counts} {
		if err := binary.Write(h, binary.LittleEndian, part); err != nil {
			panic(err)
		}
	}
	for _, c := range b.Truth {
		fmt.Fprintf(h, "%d %v %x %d\n", c.Row, c.Spec, c.Library, c.Partner)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

func BenchmarkRows(b *testing.B) {
	for _, n := range []int{2000, 20000} {
		b.Run(fmt.Sprintf("genes=%d", n), func(b *testing.B) {
			w := mustNew(b, Config{NGenes: n})
			var c Cell
			for i := range b.N {
				if err := w.Cell(i, w.Spec(i), &c); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cells/s")
		})
	}
}
