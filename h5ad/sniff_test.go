package h5ad_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// TestForeignFiles opens what people mistake for an AnnData file: each is named
// and comes with advice.
func TestForeignFiles(t *testing.T) {
	zipped := func(member string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create(member)
		if err == nil {
			_, err = w.Write([]byte("{}"))
		}
		if err = errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	junk := strings.Repeat("\x89\xfe\x00\x01", 400)
	for _, c := range []struct{ name, content, says string }{
		{"empty.h5ad", "", "empty"},
		{"pointer.h5ad", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS pointer"},
		{"page.h5ad", "<!DOCTYPE html>\n<html><body>404</body></html>", "web page"},
		{"object.rds", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "R object"},
		{"cells.h5ad.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "compressed"},
		{"table.csv", "cell,gene\na,1\n", "text file"},
		{"matrix.mtx", "%%MatrixMarket matrix coordinate\n", "Matrix Market"},
		{"store.zarr.zip", zipped("root/.zgroup"), "zipped Zarr"},
		{"cells.zip", zipped("cells.h5ad"), "zip file"},
		{"junk.h5ad", junk, "not an HDF5 file"},
		{"store.zarr/.zgroup", "{}", "Zarr store"},
		{"tenx/matrix.mtx.gz", "\x1f\x8b", "no barcodes.tsv"},
		{"folder/notes", "x", "folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.name)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.content), 0o666); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(c.name, "/") {
				path = filepath.Dir(path)
			}
			_, err := h5ad.Open(context.Background(), path, h5ad.Options{})
			var bad interface {
				BadInput() bool
				Hint() string
			}
			if !errors.As(err, &bad) || !bad.BadInput() || bad.Hint() == "" {
				t.Fatalf("error %v has no hint or does not blame the file", err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q does not say %q", err, c.says)
			}
		})
	}
	if _, err := h5ad.Open(context.Background(), "absent.h5ad", h5ad.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file gives %v", err)
	}
}

// TestForeignHDF5 opens HDF5 files of other programs, whose layout is all that
// tells them apart.
func TestForeignHDF5(t *testing.T) {
	dir := t.TempDir()
	if _, err := run(t, interpreters(t)[0], "foreign", dir); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"cells.loom": "Loom", "cells.h5seurat": "h5Seurat", "molecule_info.h5": "molecule_info", "other.h5": "neither an AnnData nor a 10x",
	} {
		_, err := h5ad.Open(context.Background(), filepath.Join(dir, name), h5ad.Options{})
		var bad interface{ Hint() string }
		if !errors.As(err, &bad) || bad.Hint() == "" || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v does not say %q with a hint", name, err, says)
		}
	}
}
