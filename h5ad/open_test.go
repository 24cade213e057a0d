package h5ad_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// sharedDir is the folder of real files, or the test skips.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatalf("the real files are absent (C2S_SHARED): %v", err)
		}
		t.Skipf("the real files are absent (C2S_SHARED): %v", err)
	}
	return dir
}

// TestEveryRealFileOpens opens, summarises and streams each real file.
func TestEveryRealFileOpens(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(sharedDir(t), "data", "h5ad", "*.h5*"))
	if len(files) < 28 {
		t.Fatalf("%d files, expected at least 28", len(files))
	}
	ctx := context.Background()
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := h5ad.Open(ctx, path, h5ad.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s, err := f.Summarise(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range s.Warnings {
				t.Log("warning:", w)
			}
			t.Log("\n" + s.Text())
			if s.X == nil {
				return
			}
			x, err := f.X()
			if err != nil {
				t.Fatal(err)
			}
			cells := 0
			for b, err := range x.All(ctx, h5ad.RowOptions{MaxRows: 7}) {
				if err != nil {
					t.Fatal(err)
				}
				cells += b.NObs()
			}
			if cells != f.NObs() {
				t.Errorf("%d cells, expected %d", cells, f.NObs())
			}
		})
	}
}
