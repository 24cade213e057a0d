package h5ad_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// TestDamageFromAnndata damages files that anndata wrote, among them some that
// claim more than memory holds: each error names place and reason.
func TestDamageFromAnndata(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	python := interpreters(t)[0]
	if _, err := run(t, python, "break", dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, place, reason string }{
		{"sound", "", ""},
		{"indptr_huge", "/X/indptr", "5 values are stored"},
		{"csc_row_too_large", "/X/indices", "row index 4, but there are 4 rows"},
		{"csc_row_twice", "/X", "row 0 has the column 0 twice"},
		{"column_short", "/obs/n", "3 values for 4 rows"},
		{"column_not_there", "/obs/gone", "not found"},
		{"encoding_unknown", "/obs/n", "future-thing"},
		{"vast", "/X/indptr", "row 0 has 1099511627776 values for 3 columns"},
		{"vast_frame", "/obs", "1099511627776 rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := readEverything(filepath.Join(dir, c.name+".h5ad"))
			if c.name == "sound" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range []string{c.name + ".h5ad", c.place, c.reason} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			var bad interface{ BadInput() bool }
			if !errors.As(err, &bad) || !bad.BadInput() {
				t.Errorf("error %q does not blame the file", err)
			}
			if errors.Is(err, io.EOF) {
				t.Error("the error looks like the end of the rows")
			}
		})
	}
	t.Run("unknown encoding is listed", func(t *testing.T) {
		f, err := h5ad.Open(ctx, filepath.Join(dir, "encoding_unknown.h5ad"), h5ad.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		uns, err := f.Aligned(ctx, "uns")
		if err != nil {
			t.Fatal(err)
		}
		e, err := uns.(*h5ad.Mapping).Get(ctx, "odd")
		if u, ok := e.(*h5ad.Unknown); !ok || u.Encoding != "future-thing" || u.Version != "9.0" {
			t.Errorf("uns/odd is %+v (%v), expected an Unknown", e, err)
		}
		s, err := f.Summarise(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if c := s.Obs[1]; c.Name != "n" || c.Kind != "unreadable" {
			t.Errorf("obs/n is listed as %+v", c)
		}
	})
}
