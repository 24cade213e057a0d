// Command maketestdata writes the files of testdata: simulated cells in the layouts
// that tests, examples and the demo need. The same bytes everywhere.
//
//	go run ./internal/simulate/maketestdata DIR
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/hdf5"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: maketestdata DIR")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := makeAll(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "maketestdata:", err)
		stop()
		os.Exit(1)
	}
}

// files are what is written, by name. Each function adds its content to a new file.
var files = []struct {
	name string
	make func(*store, *hdf5.GroupWriter)
}{
	{"demo.h5ad", demo},
	{"lognorm.h5ad", logNorm},
	{"perturb.h5ad", perturb},
	{"drugs.h5ad", drugs},
	{"dense.h5ad", denseFile},
	{"csc.h5ad", cscFile},
	{"scaled.h5ad", scaled},
	{"collide.h5ad", collide},
	{"empty_cells.h5ad", emptyCells},
	{"ensembl.h5ad", ensembl},
	{"tiny.h5ad", tiny},
	{"tenx_v3.h5", tenX},
}

func makeAll(ctx context.Context, dir string) error {
	for _, f := range files {
		if err := makeFile(ctx, filepath.Join(dir, f.name), f.make); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func makeFile(ctx context.Context, path string, fill func(*store, *hdf5.GroupWriter)) error {
	out, err := atomicfile.Create(path, atomicfile.Options{Force: true})
	if err != nil {
		return err
	}
	defer func() { _ = out.Abort() }()
	w, err := hdf5.NewWriter(out, hdf5.WriteOptions{Name: path})
	if err != nil {
		return err
	}
	defer w.Abort()
	s := &store{ctx: ctx}
	fill(s, w.Root())
	if s.err != nil {
		return s.err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Commit()
}
