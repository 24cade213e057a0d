package h5ad_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// copyLater copies a file of three cells and four genes with a column and an embedding
// that come after the rest, and lets the test write them.
func copyLater(t *testing.T, write func(context.Context, *h5ad.Writer) error, keys ...string) (string, error) {
	t.Helper()
	ctx := t.Context()
	from, to := filepath.Join(t.TempDir(), "from.h5ad"), filepath.Join(t.TempDir(), "to.h5ad")
	if err := writeCells(ctx, from); err != nil {
		t.Fatal(err)
	}
	_, err := h5ad.Edit(ctx, from, h5ad.WriteOptions{},
		h5ad.Change{Key: "obs/old", Element: &h5ad.Array{Dims: []int{3}, Values: []int64{1, 2, 3}}},
		h5ad.Change{Key: "obsm/X_old", Element: &h5ad.Array{Dims: []int{3, 1}, Values: []float32{1, 2, 3}}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := h5ad.Open(ctx, from, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := h5ad.Create(to, h5ad.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	var changes []h5ad.Change
	for _, k := range keys {
		changes = append(changes, h5ad.Change{Key: k, Element: h5ad.Later{}})
	}
	if _, err := w.CopyFrom(ctx, f, h5ad.CopyOptions{Changes: changes}); err != nil {
		t.Fatal(err)
	}
	if err := write(ctx, w); err != nil {
		return "", err
	}
	return to, w.Close()
}

// stream writes an embedding row by row.
func stream(ctx context.Context, w *h5ad.Writer, key string) error {
	m, err := w.Matrix(ctx, key, h5ad.MatrixSpec{Encoding: h5ad.Dense, NObs: 3, NVars: 2})
	if err != nil {
		return err
	}
	for i := range 3 {
		b := h5ad.Batch{Indptr: []int64{0, 2}, Indices: []int32{0, 1}, Values: []float32{float32(i), 7}}
		if err := m.Append(ctx, &b); err != nil {
			return err
		}
	}
	return m.Close(ctx)
}

func TestLater(t *testing.T) {
	to, err := copyLater(t, func(ctx context.Context, w *h5ad.Writer) error {
		if err := stream(ctx, w, "obsm/X_old"); err != nil {
			return err
		}
		if err := stream(ctx, w, "obsm/X_new"); err != nil {
			return err
		}
		if err := w.Set(ctx, "obs/new", &h5ad.Array{Dims: []int{3}, Values: []bool{true, false, true}}); err != nil {
			return err
		}
		return w.Set(ctx, "obs/old", &h5ad.Array{Dims: []int{3}, Values: []int64{4, 5, 6}})
	}, "obs/old", "obs/new", "obsm/X_old", "obsm/X_new")
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := h5ad.Validate(t.Context(), to, h5ad.ValidateOptions{}); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	f, err := h5ad.Open(t.Context(), to, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !slices.Equal(f.Obs().Names, []string{"old", "new"}) {
		t.Errorf("columns %v", f.Obs().Names)
	}
	c, err := f.Obs().Column(t.Context(), "old")
	if err != nil || !slices.Equal(c.Values.([]int64), []int64{4, 5, 6}) {
		t.Errorf("%v, %v", c, err)
	}
	obsm, err := f.Aligned(t.Context(), "obsm")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"X_old", "X_new"} {
		e, err := obsm.(*h5ad.Mapping).Get(t.Context(), k)
		if err != nil || !slices.Equal(h5ad.Shape(e), []int{3, 2}) {
			t.Errorf("%s: %v, %v", k, h5ad.Shape(e), err)
		}
	}
}

func TestLaterMustCome(t *testing.T) {
	for what, tc := range map[string]struct {
		write func(context.Context, *h5ad.Writer) error
		want  string
	}{
		"forgotten": {func(context.Context, *h5ad.Writer) error { return nil }, "/obs/new: was to be written"},
		"too short": {func(ctx context.Context, w *h5ad.Writer) error {
			return w.Set(ctx, "obs/new", &h5ad.Array{Dims: []int{2}, Values: []bool{true, false}})
		}, "/obs/new: 2 cells, but the file has 3"},
	} {
		if _, err := copyLater(t, tc.write, "obs/new"); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, expected %q", what, err, tc.want)
		}
	}
}

// TestTexts: a frame is written before its columns have come, texts one by one.
func TestTexts(t *testing.T) {
	const rows = 3 * 64 << 10 / 2 // more than a chunk
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "texts.h5ad")
	w, err := h5ad.Create(path, h5ad.WriteOptions{Compression: h5ad.Compression{Method: "gzip"}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	index := make([]string, rows)
	for i := range index {
		index[i] = fmt.Sprint("c", i)
	}
	obs, err := h5ad.NewDataFrame(index)
	if err != nil {
		t.Fatal(err)
	}
	if err := obs.Await("sentence", "n"); err != nil {
		t.Fatal(err)
	}
	if err := obs.Await("n"); err == nil {
		t.Error("a column twice")
	}
	if _, err := obs.Column(ctx, "n"); err == nil {
		t.Error("a column that has not come was read")
	}
	vr, err := h5ad.NewDataFrame([]string{"A"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Set(ctx, "obs", obs), w.Set(ctx, "var", vr)); err != nil {
		t.Fatal(err)
	}
	texts, err := w.Texts(ctx, "obs/sentence")
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		text := strings.Repeat("é", i%5)
		if i == 9 {
			text = strings.Repeat("long ", 20_000)
		}
		if err := texts.Append(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := texts.Append(ctx, "a\x00b"); err == nil {
		t.Error("a NUL was written")
	}
	if err := texts.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Set(ctx, "obs/n", &h5ad.Array{Dims: []int{rows}, Values: make([]int64, rows)}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if problems, err := h5ad.Validate(ctx, path, h5ad.ValidateOptions{}); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := f.Obs().Column(ctx, "sentence")
	if err != nil || c.Kind() != "string" {
		t.Fatalf("%v, %v", c, err)
	}
	for i, text := range c.Values.([]string) {
		if want := strings.Repeat("é", i%5); text != want && i != 9 || i == 9 && len(text) != 100_000 {
			t.Fatalf("row %d: %d bytes", i, len(text))
		}
	}
	if !slices.Equal(f.Obs().Names, []string{"sentence", "n"}) {
		t.Errorf("columns %v", f.Obs().Names)
	}
}
