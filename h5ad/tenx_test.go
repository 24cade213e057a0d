package h5ad_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// TestTenXVersion2 reads the older layout, a group a genome, against the values
// that testdata/reference.py puts there.
func TestTenXVersion2(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	if _, err := run(t, interpreters(t)[0], "foreign", dir); err != nil {
		t.Fatal(err)
	}
	for name, warning := range map[string]string{"one.h5": "", "two.h5": "2 genomes"} {
		f, err := h5ad.Open(ctx, filepath.Join(dir, name), h5ad.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Format() != h5ad.FormatTenX || f.NObs() != 2 || f.NVars() != 3 {
			t.Errorf("%s: %s of %d × %d", name, f.Format(), f.NObs(), f.NVars())
		}
		if w := strings.Join(f.Warnings(), "; "); !strings.Contains(w, warning) || (warning == "") != (w == "") {
			t.Errorf("%s: warnings %q, expected %q", name, w, warning)
		}
		cells, err := f.Obs().Index(ctx)
		if err != nil || fmt.Sprint(cells) != "[AAA-1 CCC-1]" {
			t.Errorf("%s: cells %v, %v", name, cells, err)
		}
		ids, err := f.Var().Column(ctx, "gene_ids")
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := ids.Text(2); s != "ENSG3" || !ok {
			t.Errorf("%s: gene id %q", name, s)
		}
		x, err := f.X()
		if err != nil {
			t.Fatal(err)
		}
		for b, err := range x.All(ctx, h5ad.RowOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(b.Indptr, b.Indices, b.Values); got != "[0 2 3] [2 0 1] [5 1 7]" {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
}
