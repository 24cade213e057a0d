package dataset_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/shard"
)

// encode writes the cells of some ranges, as a job does, in batches of any size,
// and leaves out a third of the cells, and all cells of one block.
func encode(t *testing.T, path string, sizes []int, ranges []shard.Range, batch int) {
	t.Helper()
	field := dataset.Field{Name: "cell_type", Kind: dataset.Category}
	schema, err := dataset.CellSchema([]dataset.Field{field})
	if err != nil {
		t.Fatal(err)
	}
	w, err := dataset.Create(path, schema, dataset.Options{Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, r := range ranges {
		names := make([]string, sizes[r.File])
		codes := make([]int64, sizes[r.File])
		for i := range names {
			names[i] = fmt.Sprintf("%d-%d", r.File, i)
			codes[i] = int64(i % 3)
		}
		label := dataset.NewLabel(field, &h5ad.Column{Categorical: &h5ad.Categorical{
			Codes: codes, Categories: &h5ad.Array{Dims: []int{3}, Values: []string{"B", "T", "NK"}},
		}})
		if err := w.Cut(); err != nil {
			t.Fatal(err)
		}
		for start := r.From; start < r.To; start += batch {
			s := &cellsentence.Sentences{Start: start}
			for i := start; i < min(start+batch, r.To); i++ {
				s.Text = fmt.Appendf(s.Text, "MS4A1 G%d CD3D", i)
				s.Ends = append(s.Ends, len(s.Text))
				s.NGenes, s.Total = append(s.NGenes, 3), append(s.Total, float64(i)+0.5)
			}
			keep := func(i int) bool { return (start+i)%3 != 0 && (start+i)/dataset.BlockRows != 1 }
			if err := w.AppendSentences(s, names, []dataset.Label{label}, keep); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestMerge joins sharded runs to the bytes of the whole, in every format, for
// shards of several blocks, of one, and of none.
func TestMerge(t *testing.T) {
	sizes := []int{20_000, 5, 9000}
	for _, format := range formats {
		dir := t.TempDir()
		out := filepath.Join(dir, "out."+format)
		encode(t, out, sizes, shard.Shard{}.Ranges(sizes), 1700)
		want := files(t, out)
		for _, n := range []int{1, 3, 13} {
			var parts []string
			for i := range n {
				s := shard.Shard{Index: i, Count: n}
				parts = append(parts, s.PartPath(out))
				encode(t, parts[i], sizes, s.Ranges(sizes), 900+100*i)
			}
			merged := filepath.Join(dir, "merged."+format)
			if _, err := dataset.Merge(t.Context(), parts, merged, dataset.Options{Force: true}); err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(files(t, merged), want) {
				t.Errorf("%s: %d parts are joined to other bytes", format, n)
			}
		}
	}
}

// TestMergeEmpty joins parts without rows.
func TestMergeEmpty(t *testing.T) {
	for _, format := range formats {
		dir := t.TempDir()
		one, two, out := filepath.Join(dir, "1."+format), filepath.Join(dir, "2."+format), filepath.Join(dir, "3."+format)
		write(t, one, 0, dataset.Options{})
		write(t, two, 0, dataset.Options{})
		if _, err := dataset.Merge(t.Context(), []string{one, two}, out, dataset.Options{}); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(files(t, out), files(t, one)) {
			t.Errorf("%s: other bytes", format)
		}
	}
}

// TestMergeConverts joins parts of one format into another.
func TestMergeConverts(t *testing.T) {
	dir := t.TempDir()
	one, out := filepath.Join(dir, "1.jsonl.gz"), filepath.Join(dir, "2.parquet")
	write(t, one, 5000, dataset.Options{})
	n, err := dataset.Merge(t.Context(), []string{one, one}, out, dataset.Options{})
	if err != nil || n != 10_000 {
		t.Fatalf("%d rows, %v", n, err)
	}
	_, got := read(t, out, dataset.ReadOptions{})
	want := printed(rows(0, 5000))
	equalRows(t, got, append(want, want...))
}

func TestMergeRefuses(t *testing.T) {
	dir := t.TempDir()
	cut := place(t, "cut.txt", []byte("A B\nC"))
	var bad *dataset.Error
	if _, err := dataset.Merge(t.Context(), []string{cut}, filepath.Join(dir, "x.txt"), dataset.Options{}); !errors.As(err, &bad) {
		t.Errorf("%v, expected that the part is cut short", err)
	}
	one, two := filepath.Join(dir, "1.parquet"), filepath.Join(dir, "2.parquet")
	write(t, one, 3, dataset.Options{})
	w, err := dataset.Create(two, dataset.Schema{{Name: "cell_name", Kind: dataset.Text}}, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := dataset.Merge(t.Context(), []string{two, one}, filepath.Join(dir, "x.parquet"), dataset.Options{}); err == nil || !strings.Contains(err.Error(), "columns") {
		t.Errorf("%v, expected that the columns differ", err)
	}
}
