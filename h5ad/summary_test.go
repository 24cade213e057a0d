package h5ad_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

func openReal(t *testing.T, name string, opts h5ad.Options) *h5ad.File {
	t.Helper()
	f, err := h5ad.Open(context.Background(), filepath.Join(sharedDir(t), "data", "h5ad", name), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestSummaryFromHeaders holds what headers tell of columns and members against
// what reading them gives.
func TestSummaryFromHeaders(t *testing.T) {
	ctx := context.Background()
	files, _ := filepath.Glob(filepath.Join(sharedDir(t), "data", "h5ad", "*.h5*"))
	for _, path := range files {
		f := openReal(t, filepath.Base(path), h5ad.Options{})
		s, err := f.Summarise(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []struct {
			df      *h5ad.DataFrame
			columns []h5ad.ColumnSummary
		}{{f.Obs(), s.Obs}, {f.Var(), s.Var}} {
			for _, got := range part.columns {
				c, err := part.df.Column(ctx, got.Name)
				if err != nil {
					t.Error(err)
					continue
				}
				want := h5ad.ColumnSummary{Name: got.Name, Kind: c.Kind()}
				if c.Categorical != nil {
					want.DType, want.NCategories = c.Categories.DType, c.Categories.Len()
				} else {
					want.DType = c.DType
				}
				if got != want {
					t.Errorf("%s: %+v, reading gives %+v", path, got, want)
				}
			}
		}
		for name, shapes := range map[string]map[string][]int{"obsm": s.Obsm, "varm": s.Varm, "obsp": s.Obsp, "varp": s.Varp} {
			e, err := f.Aligned(ctx, name)
			if err != nil {
				t.Error(err)
				continue
			}
			m, ok := e.(*h5ad.Mapping)
			if !ok {
				continue
			}
			for _, key := range m.Keys {
				v, err := m.Get(ctx, key)
				if err != nil || !slices.Equal(h5ad.Shape(v), shapes[key]) {
					t.Errorf("%s: %s/%s has shape %v, reading gives %v (%v)", path, name, key, shapes[key], h5ad.Shape(v), err)
				}
			}
		}
	}
}

// TestKind names what is in files whose content is known: their README says how
// they were made.
func TestKind(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		file string
		x    h5ad.ValueKind
		raw  h5ad.ValueKind
	}{
		{"scanpy_pbmc68k_reduced.h5ad", h5ad.Scaled, h5ad.LogNorm},
		{"kang_ifnb_muscat.h5ad", h5ad.Counts, ""},
		{"tenx_v3_filtered_feature_bc_matrix.h5", h5ad.Counts, ""},
		{"soma_pbmc-small-x-csc.h5ad", h5ad.Scaled, ""},
	} {
		f := openReal(t, c.file, h5ad.Options{})
		s, err := f.Summarise(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s.X.Kind != c.x || s.X.Sampled == 0 {
			t.Errorf("%s: X is %s of %d values, expected %s", c.file, s.X.Kind, s.X.Sampled, c.x)
		}
		if c.raw != "" && (s.Raw == nil || s.Raw.Kind != c.raw) {
			t.Errorf("%s: raw is %+v, expected %s", c.file, s.Raw, c.raw)
		}
	}
}

// TestSummaryKeys holds the JSON keys that scripts rely on.
func TestSummaryKeys(t *testing.T) {
	s, err := openReal(t, "scanpy_pbmc68k_reduced.h5ad", h5ad.Options{}).Summarise(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := strings.FieldsSeq("path format n_obs n_vars x layers raw obs var obsm varm obsp varp uns warnings")
	for key := range want {
		if _, ok := got[key]; !ok {
			t.Errorf("no key %q", key)
		}
	}
	x := slices.Collect(maps.Keys(got["x"].(map[string]any)))
	for key := range strings.FieldsSeq("encoding dtype kind nnz compression chunks") {
		if !slices.Contains(x, key) {
			t.Errorf("no key %q in x", key)
		}
	}
	column := got["obs"].([]any)[0].(map[string]any)
	for key := range strings.FieldsSeq("name kind dtype n_categories") {
		if _, ok := column[key]; !ok {
			t.Errorf("no key %q in a column", key)
		}
	}
}

// TestMissing asks for what is not there: the error says what is.
func TestMissing(t *testing.T) {
	ctx := context.Background()
	f := openReal(t, "kang_ifnb_muscat.h5ad", h5ad.Options{})
	_, noLayer := f.Layer(ctx, "absent")
	_, noColumn := f.Obs().Column(ctx, "absent")
	_, _, noRaw := f.Raw(ctx)
	_, noX := openReal(t, "anndata_v0.11.4.h5ad", h5ad.Options{}).X()
	_, noModality := h5ad.Open(ctx, filepath.Join(sharedDir(t), "data", "h5ad", "mudata_v0.4.1_axis1.h5mu"), h5ad.Options{Modality: "absent"})
	for what, err := range map[string]error{"layer": noLayer, "column": noColumn, "raw": noRaw, "X": noX, "modality": noModality} {
		var e *h5ad.Error
		if !errors.Is(err, h5ad.ErrNotFound) || !errors.As(err, &e) || e.Hint() == "" {
			t.Errorf("%s: error %v is not ErrNotFound with a hint", what, err)
		}
	}
}
