package hdf5_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// TestVisitMapped holds mapped reads against pread on real contiguous data.
func TestVisitMapped(t *testing.T) {
	shared := sharedDir(t)
	path := filepath.Join(shared, "data", "h5ad", "scp_dense_counts.h5ad")
	var got [2][]float32
	for i, noMap := range []bool{false, true} {
		f, err := hdf5.Open(path, hdf5.Options{NoMap: noMap})
		if err != nil {
			t.Fatal(err)
		}
		o, err := f.Lookup("/X")
		if err != nil {
			t.Fatal(err)
		}
		d := o.(*hdf5.Dataset)
		if d.Layout != hdf5.Contiguous {
			t.Fatalf("layout %v, expected contiguous", d.Layout)
		}
		var buf []float32
		err = hdf5.Visit(context.Background(), d, 3, 200, &buf, func(v []float32) error {
			got[i] = append(got[i], v...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if len(got[0]) != 197*187 {
		t.Fatalf("%d values", len(got[0]))
	}
	for i := range got[0] {
		if got[0][i] != got[1][i] {
			t.Fatalf("value %d: %v mapped, %v read", i, got[0][i], got[1][i])
		}
	}
}

// TestShrunkFile cuts a file while it is open: an error, not a crash.
func TestShrunkFile(t *testing.T) {
	shared := sharedDir(t)
	b, err := os.ReadFile(filepath.Join(shared, "data", "h5ad", "scp_dense_counts.h5ad"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "shrinking.h5ad")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := hdf5.Open(path, hdf5.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o, err := f.Lookup("/X")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	var buf []float32
	sum := float32(0)
	err = hdf5.Visit(context.Background(), o.(*hdf5.Dataset), 0, 238, &buf, func(v []float32) error {
		for _, x := range v {
			sum += x
		}
		return nil
	})
	if err == nil {
		t.Fatal("a file that shrank was read without an error")
	}
}
