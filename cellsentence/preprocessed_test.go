package cellsentence_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
)

// preprocessed opens X of a file through a plan, as often as it is asked to.
func preprocessed(t *testing.T, path string, cfg preprocess.Config) (genes []string, plan *preprocess.Plan, open cellsentence.Opener) {
	t.Helper()
	ctx := context.Background()
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if genes, err = f.Var().Index(ctx); err != nil {
		t.Fatal(err)
	}
	x, err := f.X()
	if err != nil {
		t.Fatal(err)
	}
	if plan, err = preprocess.New(ctx, x, genes, cfg, h5ad.Selection{}); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for i, g := range genes {
		if plan.Genes.Has(i) {
			kept = append(kept, g)
		}
	}
	return kept, plan, func(ctx context.Context) (cellsentence.Source, error) {
		rows, err := x.Rows(ctx, h5ad.RowOptions{MaxRows: 100})
		if err != nil {
			return nil, err
		}
		return plan.Source(rows), nil
	}
}

// TestParityOfPreprocessed reaches the golden values from the counts, within
// what float32 steps elsewhere leave (see readGolden).
func TestParityOfPreprocessed(t *testing.T) {
	genes, plan, open := preprocessed(t, goldenFile(t, "h5ad", "scanpy_pbmc68k_reduced_counts.h5ad"),
		preprocess.Config{Target: 10_000, Log: preprocess.Log10})
	p, err := cellsentence.FitParity(context.Background(), genes, open, cellsentence.ParityConfig{Cells: plan.KeptCells})
	if err != nil {
		t.Fatal(err)
	}
	readGolden(t).compare(t, p, 1e-6)
}

// TestSentencesOfPreprocessed encodes counts and their normalised logarithms to
// the same sentences, and measures the same fidelity as from normalisation in
// float32.
func TestSentencesOfPreprocessed(t *testing.T) {
	ctx := context.Background()
	for _, file := range []string{"kang_ifnb_muscat.h5ad", "scvi_pbmc10k_protein_200cells_dense_lzf.h5ad", "cxg_small_perturbations.h5ad"} {
		path := goldenFile(t, "h5ad", file)
		genes, _, open := preprocessed(t, path, preprocess.Config{Target: preprocess.Median, Log: preprocess.Log10})
		for _, ties := range []cellsentence.Ties{cellsentence.TiesRandom, cellsentence.TiesPython} {
			cfg := cellsentence.Config{Ties: ties, Seed: 42, Collisions: cellsentence.CollisionsSuffix}
			want := encodeFile(t, path, cfg, h5ad.RowOptions{})
			enc, err := cellsentence.NewEncoder(genes, cfg)
			if err != nil {
				t.Fatal(err)
			}
			src, err := open(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for s, err := range enc.Encode(ctx, src) {
				if err != nil {
					t.Fatal(err)
				}
				for i := range s.Len() {
					got = append(got, string(s.At(i)))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, ties %v: counts and logarithms give different sentences", file, ties)
			}
		}
		_, b := counts(t, path, "")
		normalise(&b, 0)
		one, err := cellsentence.MeasureFidelity(ctx, genes, open, cellsentence.FidelityConfig{Seed: 42})
		if err != nil {
			t.Fatal(err)
		}
		two, err := cellsentence.MeasureFidelity(ctx, genes, opener(b, 0), cellsentence.FidelityConfig{Seed: 42})
		if err != nil {
			t.Fatal(err)
		}
		if d := math.Abs(float64(one.Report.Conditional.R2 - two.Report.Conditional.R2)); !(d < 1e-5) { // float32 steps
			t.Errorf("%s: R² differs by %g", file, d)
		}
	}
}
