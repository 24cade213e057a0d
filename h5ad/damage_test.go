package h5ad_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// readEverything opens a file and reads its tables and X.
func readEverything(path string) error {
	ctx := context.Background()
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		return err
	}
	defer f.Close()
	for _, df := range []*h5ad.DataFrame{f.Obs(), f.Var()} {
		if _, err := df.Index(ctx); err != nil {
			return err
		}
		for _, name := range df.Names {
			if _, err := df.Column(ctx, name); err != nil {
				return err
			}
		}
	}
	x, err := f.X()
	if err != nil {
		return err
	}
	for _, err := range x.All(ctx, h5ad.RowOptions{}) {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestDamage plants one flaw a file: each is an error that names file and place
// and counts as bad input.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command(interpreters(t)[0], filepath.Join("testdata", "damage.py"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := map[string]string{
		"good":           "",
		"index_beyond":   "/X: row 0 has the column index 4, but there are 4 columns",
		"index_negative": "/X: row 0 has the column index -1",
		"index_huge":     "/X/indices: wrong type: element 1 is 1099511627776",
		"index_twice":    "/X: row 0 has the column 3 twice",
		"index_float":    "/X/indices: wrong type: expected integers",
		"indptr_falls":   "/X/indptr: falls from 4 to 2 at entry 2",
		"indptr_start":   "/X/indptr: begins with 1",
		"indptr_beyond":  "/X/indptr: ends with 9, but 5 values are stored",
		"indptr_short":   "/X/indptr: 3 entries, expected 4",
		"data_short":     "/X: 3 values but 5 indices",
		"data_text":      "/X/data: ",
		"shape_rows":     "/X/indptr: 4 entries, expected 5",
		"shape_columns":  "/X: shape 3 × 9, but obs has 3 rows and var 4",
		"shape_missing":  `/X: attribute "shape": not found`,
		"shape_negative": "/X: shape [-3 4]",
		"no_data":        "/X/data: not found",
		"no_obs_index":   "/obs/_index: not found",
		"no_index_attr":  "/obs: the attribute _index",
		"codes_beyond":   "/obs/kind/codes: row 1 has code 1, but there are 1 categories",
		"codes_below":    "/obs/kind/codes: row 1 has code -2",
		"codes_short":    "/obs/kind: 2 values for 3 rows",
		"column_missing": "/obs/kind: not found",
		"no_var":         "/var: not found",
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.h5ad"))
	if len(files) != len(want) {
		t.Fatalf("%d files, %d expectations", len(files), len(want))
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".h5ad")
		err := readEverything(path)
		if want[name] == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), path+": "+want[name]) {
			t.Errorf("%s: %v, expected %q", name, err, want[name])
			continue
		}
		var bad interface{ BadInput() bool }
		if !errors.As(err, &bad) || !bad.BadInput() {
			t.Errorf("%s: %v does not count as bad input", name, err)
		}
	}
}
