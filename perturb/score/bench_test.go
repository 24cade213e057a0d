package score_test

import (
	"os"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb/score"
)

// Differential expression from memory and, with reading and grouping the cells, from
// the file C2S_BENCH_FILE (labels in obs "target", values log(1 + x)); bench/perturb.sh
// sets it beside pdex and SciPy. Without a file the cells are simulated.
func BenchmarkDE(b *testing.B) {
	path := os.Getenv("C2S_BENCH_FILE")
	load := func(b *testing.B) *score.Cells {
		var in score.Input
		if path == "" {
			real, _ := simulated(b)
			in = real()
		} else {
			var f *h5ad.File
			f, in = openTarget(b, path)
			defer f.Close()
		}
		cells, err := score.Load(b.Context(), in, "control")
		if err != nil {
			b.Fatal(err)
		}
		return cells
	}
	run := func(b *testing.B, cells *score.Cells) {
		if _, err := score.DE(b.Context(), cells, score.DEOptions{Average: score.Geometric, Log: true}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("memory", func(b *testing.B) {
		cells := load(b)
		b.ReportAllocs()
		for b.Loop() {
			run(b, cells)
		}
	})
	b.Run("file", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			run(b, load(b))
		}
	})
}

func openTarget(b *testing.B, path string) (*h5ad.File, score.Input) {
	b.Helper()
	ctx := b.Context()
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		b.Fatal(err)
	}
	x, err := f.X()
	if err != nil {
		b.Fatal(err)
	}
	in := score.Input{Name: path, Labels: make([]string, f.NObs())}
	if in.Cells, err = x.Rows(ctx, h5ad.RowOptions{}); err != nil {
		b.Fatal(err)
	}
	if in.Genes, err = f.Var().Index(ctx); err != nil {
		b.Fatal(err)
	}
	labels, err := f.Obs().Column(ctx, "target")
	if err != nil {
		b.Fatal(err)
	}
	for i := range in.Labels {
		in.Labels[i], _ = labels.Text(i)
	}
	return f, in
}
