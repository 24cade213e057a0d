package h5ad_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// TestDamagedFilesAreCopiedOrRefused changes bytes of files and copies them in
// every way: each copy fails with an error or gives a file that can be read.
// C2S_ROUNDS asks for more rounds (bench/survival.sh), which take in real files.
func TestDamagedFilesAreCopiedOrRefused(t *testing.T) {
	ctx := context.Background()
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "*.h5*"))
	if len(files) < 10 {
		t.Fatalf("%d files", len(files))
	}
	rounds := 300
	if n, err := strconv.Atoi(os.Getenv("C2S_ROUNDS")); err == nil {
		rounds = n
		real, _ := filepath.Glob(filepath.Join(sharedDir(t), "data", "h5ad", "*.h5*"))
		for _, path := range real {
			if st, err := os.Stat(path); err == nil && st.Size() < 1<<20 {
				files = append(files, path)
			}
		}
		t.Logf("%d files", len(files))
	}
	r := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	whole, refused := 0, 0
	for round := range rounds {
		path := files[round%len(files)]
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + r.IntN(8) {
			// Half of the changes go to the structures at the front.
			at := r.IntN(len(data))
			if r.IntN(2) == 0 {
				at = r.IntN(min(len(data), 8192))
			}
			data[at] = byte(r.Uint32())
		}
		if r.IntN(10) == 0 {
			data = data[:r.IntN(len(data))]
		}
		broken := filepath.Join(dir, fmt.Sprintf("%d.h5", round))
		if err := os.WriteFile(broken, data, 0o600); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, fmt.Sprintf("%d.out.h5ad", round))
		err = copyPart(ctx, broken, to, round)
		_, missing := os.Stat(to)
		switch {
		case err != nil && missing == nil:
			t.Errorf("%s, round %d: an output after %v", path, round, err)
		case err == nil && missing != nil:
			t.Errorf("%s, round %d: no output and no error", path, round)
		case err == nil:
			whole++
			f, err := h5ad.Open(ctx, to, h5ad.Options{})
			if err != nil {
				t.Errorf("%s, round %d: the copy does not open: %v", path, round, err)
				continue
			}
			f.Close()
		default:
			refused++
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*c2s*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	t.Logf("%d copied, %d refused", whole, refused)
	if whole == 0 || refused == 0 {
		t.Errorf("%d copied, %d refused: expected both", whole, refused)
	}
}

// copyPart copies a file, or some cells and genes of it, in one of the encodings.
func copyPart(ctx context.Context, from, to string, round int) error {
	f, err := h5ad.Open(ctx, from, h5ad.Options{})
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := h5ad.Create(to, h5ad.WriteOptions{Memory: 100_000})
	if err != nil {
		return err
	}
	defer w.Abort()
	opts := h5ad.CopyOptions{Encoding: []string{"", h5ad.CSR, h5ad.CSC, h5ad.Dense}[round/10%4]}
	if round%2 == 1 {
		for i := round % 3; i < f.NObs(); i += 3 {
			opts.Cells = append(opts.Cells, i)
		}
		for i := round % 2; i < f.NVars(); i += 2 {
			opts.Genes = append(opts.Genes, i)
		}
	}
	if _, err := w.CopyFrom(ctx, f, opts); err != nil {
		return err
	}
	return w.Close()
}
