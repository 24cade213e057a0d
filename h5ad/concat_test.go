package h5ad_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// small is a file that a test makes: X counts from 1, row by row.
type small struct {
	cells, genes string // blank-separated names
	obs, vr      []*h5ad.Column
	dense        bool
	noX          bool
}

func (s small) write(t testing.TB, path string) string {
	t.Helper()
	ctx := context.Background()
	w, err := h5ad.Create(path, h5ad.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	cells, genes := strings.Fields(s.cells), strings.Fields(s.genes)
	obs, err := h5ad.NewDataFrame(cells, s.obs...)
	if err != nil {
		t.Fatal(err)
	}
	vr, err := h5ad.NewDataFrame(genes, s.vr...)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Set(ctx, "obs", obs), w.Set(ctx, "var", vr)); err != nil {
		t.Fatal(err)
	}
	if !s.noX {
		spec := h5ad.MatrixSpec{NObs: len(cells), NVars: len(genes)}
		if s.dense {
			spec.Encoding = h5ad.Dense
		}
		m, err := w.Matrix(ctx, "X", spec)
		if err != nil {
			t.Fatal(err)
		}
		b := h5ad.Batch{Indptr: []int64{0}}
		var values []float32
		for range cells {
			for g := range genes {
				b.Indices = append(b.Indices, int32(g))
				values = append(values, float32(len(values)+1))
			}
			b.Indptr = append(b.Indptr, int64(len(values)))
		}
		b.Values = values
		if err := errors.Join(m.Append(ctx, &b), m.Close(ctx)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeAll makes files 0.h5ad, 1.h5ad and so on.
func writeAll(t testing.TB, files ...small) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for i, s := range files {
		paths = append(paths, s.write(t, filepath.Join(dir, fmt.Sprintf("%d.h5ad", i))))
	}
	return paths
}

func textColumn(name string, values ...string) *h5ad.Column {
	return &h5ad.Column{Name: name, Array: &h5ad.Array{Dims: []int{len(values)}, Values: values}}
}

func floatColumn(name string, values ...float64) *h5ad.Column {
	return &h5ad.Column{Name: name, Array: &h5ad.Array{Dims: []int{len(values)}, Values: values}}
}

// show prints a column and its kind; missing values are dots.
func show(t testing.TB, path, name string) string {
	t.Helper()
	ctx := context.Background()
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := f.Obs().Column(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	out := c.Kind() + ":"
	for i := range c.Rows() {
		s, ok := c.Text(i)
		if !ok {
			s = "."
		}
		out += " " + s
	}
	return out
}

// TestConcatOfWhatNoFileHolds has the columns of which pandas makes objects of
// several types. The expected values are stated by ConcatOptions.
func TestConcatOfWhatNoFileHolds(t *testing.T) {
	codes := &h5ad.Column{Name: "c", Categorical: &h5ad.Categorical{Codes: []int64{1, -1}, Categories: &h5ad.Array{Dims: []int{2}, Values: []int8{3, 7}}}}
	flags := &h5ad.Column{Name: "c", Array: &h5ad.Array{Dims: []int{2}, Values: []bool{true, false}}}
	for _, tc := range []struct {
		a, b    *h5ad.Column
		want    string
		warning string
	}{
		{textColumn("c", "u", "v"), floatColumn("c", 1, 2.5), "string: u v 1 2.5", "/obs/c: number and string in the files: written as text"},
		{textColumn("c", "10", "9"), codes, "categorical: 10 9 7 .", "number and string"},
		{flags, floatColumn("c", 1, 2.5), "float: 1 0 1 2.5", ""},
		{flags, textColumn("c", "u", "v"), "string: true false u v", "bool and string"},
		{codes, floatColumn("c", 1, 2), "float: 7 . 1 2", ""},
	} {
		paths := writeAll(t, small{cells: "x y", genes: "g", obs: []*h5ad.Column{tc.a}}, small{cells: "v w", genes: "g", obs: []*h5ad.Column{tc.b}})
		to := filepath.Join(t.TempDir(), "out.h5ad")
		r, err := concatTo(t, to, paths, h5ad.ConcatOptions{}, h5ad.WriteOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := show(t, to, "c"); got != tc.want {
			t.Errorf("%s, expected %s", got, tc.want)
		}
		if got := strings.Join(r.Warnings, "; "); !strings.Contains(got, tc.warning) || (got == "") != (tc.warning == "") {
			t.Errorf("%s: warnings %q, expected %q", tc.want, got, tc.warning)
		}
	}
}

func TestConcatRefuses(t *testing.T) {
	a, other := small{cells: "x y", genes: "g h"}, small{cells: "v w", genes: "h i"}
	for _, tc := range []struct {
		files []small
		opts  h5ad.ConcatOptions
		want  string
		bad   bool // the files are at fault
	}{
		{nil, h5ad.ConcatOptions{}, "no file", false},
		{[]small{a, a}, h5ad.ConcatOptions{Join: "left"}, `unknown join "left"`, false},
		{[]small{a, a}, h5ad.ConcatOptions{Merge: "all"}, `unknown merge "all"`, false},
		{[]small{a, a}, h5ad.ConcatOptions{Keys: []string{"k"}}, "1 keys for 2 files", false},
		{[]small{a, a}, h5ad.ConcatOptions{Keys: []string{"k", "k"}}, `"k" occurs twice`, false},
		{[]small{a, a}, h5ad.ConcatOptions{Label: "a/b"}, `cannot be called "a/b"`, false},
		{[]small{a, {cells: "v", genes: "h h"}}, h5ad.ConcatOptions{}, `1.h5ad: /var: two genes are called "h"`, true},
		{[]small{a, {cells: "v", genes: "h h"}}, h5ad.ConcatOptions{Join: h5ad.JoinOuter}, `two genes are called "h"`, true},
		{[]small{a, other, {cells: "v", genes: "g h", noX: true}}, h5ad.ConcatOptions{}, "2.h5ad: the file has no X, but ", true},
	} {
		to := filepath.Join(t.TempDir(), "out.h5ad")
		_, err := concatTo(t, to, writeAll(t, tc.files...), tc.opts, h5ad.WriteOptions{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, expected %s", err, tc.want)
		}
		var bad interface{ BadInput() bool }
		if (errors.As(err, &bad) && bad.BadInput()) != tc.bad {
			t.Errorf("%v: bad input is not %v", err, tc.bad)
		}
		if entries, _ := os.ReadDir(filepath.Dir(to)); len(entries) > 0 {
			t.Errorf("%s: %s was left behind", tc.want, entries[0].Name())
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w, err := h5ad.Create(filepath.Join(t.TempDir(), "out.h5ad"), h5ad.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := h5ad.Concat(ctx, w, writeAll(t, a, a), h5ad.ConcatOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v after the context ended", err)
	}
}

// TestConcatReports has what is left out and what deserves a look.
func TestConcatReports(t *testing.T) {
	paths := writeAll(t,
		small{cells: "x y", genes: "g h i", obs: []*h5ad.Column{textColumn("once", "a", "b")}, vr: []*h5ad.Column{textColumn("v", "1", "2", "3")}},
		small{cells: "x z", genes: "h i j", vr: []*h5ad.Column{textColumn("v", "2", "4", "5")}},
		small{cells: "x w", genes: "ENSG1 i h", dense: true},
	)
	to := filepath.Join(t.TempDir(), "out.h5ad")
	for _, tc := range []struct {
		opts              h5ad.ConcatOptions
		dropped, warnings []string
		shape             string
	}{
		{
			h5ad.ConcatOptions{},
			[]string{"/obs/once: in 1 of 3 files; an outer join keeps it", "/var: 3 of 5 genes are not in every file", "/var/v: not merged (merge none)"},
			[]string{`2 names of cells are those of other cells, such as "x": give --index-unique to make them unique across files`},
			"6 × 2",
		},
		{
			h5ad.ConcatOptions{Join: h5ad.JoinOuter, IndexUnique: "-", Merge: h5ad.MergeUnique},
			[]string{"/var/v: " + paths[0] + " and " + paths[1] + " differ in it"},
			[]string{"/X: 3 of 3 files lack genes of the others, which are 0 in their cells"},
			"6 × 5",
		},
	} {
		r, err := concatTo(t, to, paths, tc.opts, h5ad.WriteOptions{Force: true})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.Dropped, tc.dropped) || !slices.Equal(r.Warnings, tc.warnings) || fmt.Sprintf("%d × %d", r.NObs, r.NVars) != tc.shape {
			t.Errorf("%+v\nexpected %+v", r, tc)
		}
	}
	r, err := concatTo(t, to, writeAll(t, small{cells: "x", genes: "TP53"}, small{cells: "y", genes: "ENSG00000141510"}), h5ad.ConcatOptions{}, h5ad.WriteOptions{Force: true})
	if err != nil || r.NVars != 0 || !strings.Contains(strings.Join(r.Warnings, ""), `0.h5ad has "TP53", `) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestConcatOfSameGenes joins files of the same genes, some of which have the same
// name, which anndata refuses.
func TestConcatOfSameGenes(t *testing.T) {
	paths := writeAll(t, small{cells: "x", genes: "g h g"}, small{cells: "y", genes: "g h g"})
	for _, join := range []string{h5ad.JoinInner, h5ad.JoinOuter} {
		to := filepath.Join(t.TempDir(), "out.h5ad")
		if _, err := concatTo(t, to, paths, h5ad.ConcatOptions{Join: join}, h5ad.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := string(denseRows(t, to, "/X")); got != "[1 2 3 1 2 3]" {
			t.Errorf("%s: %s", join, got)
		}
	}
}

// TestConcatOfManyFiles joins more files than are held open, twice, and compares
// the bytes.
func TestConcatOfManyFiles(t *testing.T) {
	var files []small
	n := h5ad.MostOpen + 9
	for i := range n {
		files = append(files, small{cells: fmt.Sprintf("c%d", i), genes: fmt.Sprintf("g h%d", i%3), obs: []*h5ad.Column{floatColumn("n", float64(i))}, dense: i%2 == 0})
	}
	paths := writeAll(t, files...)
	var out [2][]byte
	for k := range out {
		to := filepath.Join(t.TempDir(), "out.h5ad")
		opts := h5ad.ConcatOptions{Join: h5ad.JoinOuter, Label: "file", Merge: h5ad.MergeSame}
		wopts := h5ad.WriteOptions{Workers: 1 + 3*k, Compression: h5ad.Compression{Method: "gzip"}}
		r, err := concatTo(t, to, paths, opts, wopts)
		if err != nil {
			t.Fatal(err)
		}
		if r.NObs != n || r.NVars != 4 {
			t.Fatalf("%+v", r)
		}
		if got := show(t, to, "n"); !strings.HasSuffix(got, fmt.Sprintf(" %d", n-1)) || strings.Count(got, " ") != n {
			t.Errorf("n: %s", got)
		}
		if out[k], err = os.ReadFile(to); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out[0], out[1]) {
		t.Error("other bytes with more workers")
	}
}

// TestConcatOfOtherFormats joins a 10x file, a 10x folder made of it and a modality
// of an .h5mu.
func TestConcatOfOtherFormats(t *testing.T) {
	ctx := context.Background()
	shared := filepath.Join(sharedDir(t), "data", "h5ad")
	tenx := filepath.Join(shared, "tenx_v3_filtered_feature_bc_matrix.h5")
	f, err := h5ad.Open(ctx, tenx, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, err := f.X()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if _, _, _, err := h5ad.WriteMTX(ctx, folder, x, f.Obs(), f.Var(), h5ad.Selection{}, nil); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "out.h5ad")
	if _, err := concatTo(t, to, []string{tenx, folder}, h5ad.ConcatOptions{Merge: h5ad.MergeSame}, h5ad.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	one, both := denseRows(t, tenx, "/X"), denseRows(t, to, "/X")
	one = one[1 : len(one)-1]
	if want := fmt.Sprintf("[%s %s]", one, one); string(both) != want {
		t.Error("the rows of the 10x file and of the folder are not those of the output")
	}
	g, err := h5ad.Open(ctx, to, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if names := g.Var().Names; !slices.Contains(names, "gene_ids") || !slices.Contains(names, "feature_types") {
		t.Errorf("var has %v", names)
	}
	mu := filepath.Join(shared, "mudata_v0.4.1_axis1.h5mu")
	r, err := concatTo(t, filepath.Join(t.TempDir(), "mu.h5ad"), []string{mu, mu}, h5ad.ConcatOptions{Open: h5ad.Options{Modality: "mod2"}}, h5ad.WriteOptions{})
	if err != nil || r.NObs != 200 || r.NVars != 30 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestConcatOfDamagedFiles joins a sound file with damaged ones: an error, or the
// sound parts, but no panic and no memory for what a header claims.
func TestConcatOfDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := run(t, interpreters(t)[0], "break", dir); err != nil {
		t.Fatal(err)
	}
	sound := filepath.Join(dir, "sound.h5ad")
	wide := filepath.Join(dir, "wide.h5ad")
	var size int
	python(t, `
import h5py, json, shutil, sys
import numpy as np
sound, wide = json.load(sys.stdin)
shutil.copy(sound, wide)
with h5py.File(wide, "r+") as f:
    d = f["obsm"].create_dataset("vast", shape=(4, 2**40), dtype="f4", chunks=(1, 2**20))
    g = f["obsm"].create_group("wide")
    g.attrs["encoding-type"], g.attrs["encoding-version"], g.attrs["shape"] = "csr_matrix", "0.1.0", [4, 2**31 - 1]
    g["data"], g["indices"], g["indptr"] = np.ones(1, "f4"), np.zeros(1, "i4"), np.array([0, 1, 1, 1, 1])
print(4)
`, []string{sound, wide}, &size)
	damaged, _ := filepath.Glob(filepath.Join(dir, "*.h5ad"))
	failed := map[string]bool{}
	for _, path := range damaged {
		for _, join := range []string{h5ad.JoinInner, h5ad.JoinOuter} {
			_, err := concatTo(t, filepath.Join(t.TempDir(), "out.h5ad"), []string{sound, path}, h5ad.ConcatOptions{Join: join}, h5ad.WriteOptions{})
			failed[strings.TrimSuffix(filepath.Base(path), ".h5ad")+" "+join] = err != nil
		}
	}
	for name, want := range map[string]bool{
		"sound inner": false, "indptr_huge inner": true, "csc_row_too_large inner": true, "csc_row_twice inner": true, "column_short inner": true,
		"column_not_there outer": true, "vast inner": true, "vast_frame inner": true, "wide inner": false, "wide outer": true,
	} {
		if got, ok := failed[name]; !ok || got != want {
			t.Errorf("%s: failed is %v, expected %v", name, got, want)
		}
	}
}

// python runs a program with JSON in and out.
func python(t *testing.T, program string, in, out any) {
	t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(interpreters(t)[0], "-c", program)
	cmd.Stdin = bytes.NewReader(b)
	if b, err = cmd.Output(); err == nil {
		err = json.Unmarshal(b, out)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestResultTypeEqualsNumPy has every combination of up to three types.
func TestResultTypeEqualsNumPy(t *testing.T) {
	names := []string{"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "complex64", "complex128"}
	var cases [][]string
	for _, a := range names {
		for _, b := range names {
			for _, c := range names {
				cases = append(cases, []string{a, b, c})
			}
		}
	}
	var want []string
	python(t, "import json, sys, numpy; print(json.dumps([numpy.result_type(*map(numpy.dtype, c)).name for c in json.load(sys.stdin)]))", cases, &want)
	for i, c := range cases {
		if got := h5ad.ResultType(c); got != want[i] {
			t.Errorf("%v: %s, NumPy takes %s", c, got, want[i])
		}
	}
	if got := h5ad.ResultType([]string{"string", "int8"}); got != "" {
		t.Errorf("string and int8: %s", got)
	}
}

// TestNaturalOrderEqualsNatsort sorts random texts.
func TestNaturalOrderEqualsNatsort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var names []string
	for range 3000 {
		s := ""
		for range r.IntN(7) {
			s += string("aB-. 0127"[r.IntN(9)])
		}
		names = append(names, s)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var want []string
	python(t, "import json, sys, natsort; print(json.dumps(natsort.natsorted(json.load(sys.stdin))))", names, &want)
	slices.SortStableFunc(names, h5ad.Natural)
	for i := range names {
		if names[i] != want[i] {
			t.Fatalf("place %d: %q, natsort has %q", i, names[i], want[i])
		}
	}
}
