package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

var committed = filepath.Join("..", "..", "..", "testdata")

// The files of testdata/ are what this program makes, byte for byte.
func TestFilesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	if err := makeAll(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, f := range files {
		got, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(committed, f.name))
		if err != nil {
			t.Fatal(err)
		}
		total += len(want)
		if !bytes.Equal(got, want) {
			t.Errorf("testdata/%s is not what is made now; run go generate ./testdata", f.name)
		}
	}
	if total > 3_000_000 {
		t.Errorf("the files take %d bytes, more than the 3 MB that the repository should carry", total)
	}
}

// The product reads each file as what it is meant to be.
func TestFilesAreReadable(t *testing.T) {
	for _, tc := range []struct {
		name  string
		cells int
		genes int
		kind  h5ad.ValueKind
		raw   bool
	}{
		{"demo.h5ad", 500, 999, h5ad.Counts, false},
		{"lognorm.h5ad", 60, 200, h5ad.LogNorm, true},
		{"perturb.h5ad", 300, 500, h5ad.Counts, false},
		{"drugs.h5ad", 224, 999, h5ad.Counts, false},
		{"dense.h5ad", 40, 60, h5ad.Counts, false},
		{"csc.h5ad", 40, 60, h5ad.Counts, false},
		{"scaled.h5ad", 40, 60, h5ad.Scaled, true},
		{"collide.h5ad", 6, 10, h5ad.Counts, false},
		{"empty_cells.h5ad", 12, 20, h5ad.Counts, false},
		{"ensembl.h5ad", 20, 30, h5ad.Counts, false},
		{"tiny.h5ad", 5, 8, h5ad.Counts, false},
		{"tenx_v3.h5", 50, 80, h5ad.Counts, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := h5ad.Open(context.Background(), filepath.Join(committed, tc.name), h5ad.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s, err := f.Summarise(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if s.NObs != tc.cells || s.NVars != tc.genes || s.X.Kind != tc.kind || (s.Raw != nil) != tc.raw {
				t.Errorf("%d × %d, %s, raw %v; want %+v", s.NObs, s.NVars, s.X.Kind, s.Raw != nil, tc)
			}
		})
	}
}
