package h5ad_test

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// concatTo joins files.
func concatTo(t testing.TB, to string, paths []string, opts h5ad.ConcatOptions, wopts h5ad.WriteOptions) (*h5ad.CopyReport, error) {
	t.Helper()
	w, err := h5ad.Create(to, wopts)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	report, err := h5ad.Concat(context.Background(), w, paths, opts)
	if err != nil {
		return nil, err
	}
	return report, w.Close()
}

// concatCase is a case of reference.py's concat.
type concatCase struct {
	Name    string         `json:"name"`
	Files   []string       `json:"files"`
	Out     string         `json:"out"`
	Options map[string]any `json:"options"`
}

// concatOptions translates the options of ad.concat.
func concatOptions(o map[string]any) (opts h5ad.ConcatOptions) {
	text := func(key string) string { s, _ := o[key].(string); return s }
	opts = h5ad.ConcatOptions{Join: text("join"), Label: text("label"), IndexUnique: text("index_unique"), Merge: text("merge")}
	opts.Keys, _ = o["keys"].([]string)
	return opts
}

// compareConcat joins the files of each case and holds the result against that of
// ad.concat.
func compareConcat(t *testing.T, python string, cases []concatCase) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"concat"}
	for i := range cases {
		c := &cases[i]
		c.Out = filepath.Join(dir, strings.ReplaceAll(c.Name, "/", "_")+".h5ad")
		// Passes of CSC matrices are small.
		if _, err := concatTo(t, c.Out, c.Files, concatOptions(c.Options), h5ad.WriteOptions{Memory: 4000}); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, string(b))
	}
	read := printed(t, python, args...)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			got, want := read["got "+c.Name], read["want "+c.Name]
			for _, r := range []map[string]record{got, want} {
				if e, failed := r[""]; failed {
					t.Fatal(e.Head)
				}
			}
			for _, r := range []map[string]record{got, want} {
				maps.DeleteFunc(r, func(k string, _ record) bool { return k == "" })
			}
			compareRecords(t, got, want)
		})
	}
}

// joins is both joins of a set of files, with each way of merging and the options
// that go with it here.
func joins(name string, files []string, merges ...string) (cases []concatCase) {
	for _, join := range []string{"inner", "outer"} {
		for _, merge := range merges {
			o := map[string]any{"join": join}
			if merge != "" {
				o["merge"] = merge
			}
			switch merge {
			case "same":
				o["label"] = "batch"
			case "unique":
				keys := []string{}
				for i := range files {
					keys = append(keys, string(rune('z'-i)))
				}
				o["label"], o["index_unique"], o["keys"] = "label", "-", keys
			}
			cases = append(cases, concatCase{Name: name + " " + join + " " + merge, Files: slices.Clone(files), Options: o})
		}
	}
	return cases
}

// TestConcatEqualsAnndata joins files of every kind of matrix and column.
func TestConcatEqualsAnndata(t *testing.T) {
	for _, python := range interpreters(t) {
		t.Run(label(t, python), func(t *testing.T) {
			dir := t.TempDir()
			if _, err := run(t, python, "makeparts", dir); err != nil {
				t.Fatal(err)
			}
			at := func(names ...string) (paths []string) {
				for _, n := range names {
					paths = append(paths, filepath.Join(dir, n+".h5ad"))
				}
				return paths
			}
			var cases []concatCase
			merges := []string{"", "same", "unique", "first", "only"}
			for i, set := range [][]string{
				{"csr_a"},
				{"csr_a", "csr_b"},
				{"csr_a", "csr_a2"},
				{"csr_a", "csr_a"},
				{"csr_a", "csr_b", "csr_c"},
				{"csc_b", "csr_a"},
				{"csc_b", "csc_b"},
				{"dense_a", "dense_b"},
				{"dense_a", "dense_a2"},
				{"dense_b", "csr_c", "dense_a"},
				{"csr_c", "csr_a", "csr_a2", "csr_b"},
			} {
				some := merges[i%5 : i%5+1]
				if strings.Join(set, "") == "csr_acsr_bcsr_c" {
					some = merges
				}
				cases = append(cases, joins(strings.Join(set, "+"), at(set...), some...)...)
			}
			compareConcat(t, python, cases)
		})
	}
}

// TestConcatOfRealFiles joins files of the wild, with each other and with parts of
// themselves, whose genes are others.
func TestConcatOfRealFiles(t *testing.T) {
	dir := filepath.Join(sharedDir(t), "data", "h5ad")
	at := func(names ...string) (paths []string) {
		for _, n := range names {
			paths = append(paths, filepath.Join(dir, n+".h5ad"))
		}
		return paths
	}
	pairs := [][]string{
		{"soma_pbmc-small-x-csr", "soma_pbmc-small-x-csc", "soma_pbmc-small-x-dense"},
		{"BPCells_mini_mat.9dab", "BPCells_mini_mat.anndata-v0.6.22.afdb", "BPCells_mini_mat.anndata-v0.7.d2c0", "BPCells_mini_mat_uint_16.anndata-v0.10.9.89bb"},
		{"scanpy_pbmc68k_reduced", "scanpy_pbmc68k_reduced_counts"},
		{"scanpy_pbmc68k_reduced", "anndata_v0.5.0_pbmc68k_reduced"},
		{"scimilarity_test_1000x1000", "kang_ifnb_muscat"},
		{"lemur_glioblastoma_panobinostat", "cxg_example_valid"},
		{"anndata_v0.11.4", "anndata_v0.11.4"},
	}
	alone := []string{"anndata_v0.7.8_lzf", "anndataR_example", "cxg_small_perturbations", "zellkonverter_krumsiek11_augmented", "scp_dense_counts"}
	for k, python := range interpreters(t) {
		t.Run(label(t, python), func(t *testing.T) {
			parts := t.TempDir()
			if _, err := run(t, python, append([]string{"part", parts}, at(alone...)...)...); err != nil {
				t.Fatal(err)
			}
			var cases []concatCase
			merges := []string{"first", "unique", "same", "", "only"}
			for i, names := range pairs {
				cases = append(cases, joins(strings.Join(names, "+"), at(names...), merges[(i+k)%5])...)
			}
			for i, name := range alone {
				files := []string{filepath.Join(dir, name+".h5ad"), filepath.Join(parts, name+".h5ad")}
				cases = append(cases, joins(name, files, merges[(i+k)%5])...)
			}
			compareConcat(t, python, cases)
		})
	}
}
