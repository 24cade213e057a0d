package h5ad_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/h5ad"
)

// Two files become one; a column of obs says which file a cell is from.
func ExampleConcat() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "concat-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := h5ad.Create(filepath.Join(dir, "both.h5ad"), h5ad.WriteOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abort()
	report, err := h5ad.Concat(ctx, w, []string{"../testdata/demo.h5ad", "../testdata/tiny.h5ad"}, h5ad.ConcatOptions{
		Join: h5ad.JoinOuter, Label: "batch", Keys: []string{"demo", "tiny"}, Merge: h5ad.MergeUnique,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d cells × %d genes\n", report.NObs, report.NVars)
	for _, d := range report.Dropped {
		fmt.Println("dropped", d)
	}
	// Output:
	// 505 cells × 999 genes
	// dropped /uns/simulation: what describes a file as a whole is not merged
}
