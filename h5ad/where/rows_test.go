package where_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/where"
	"github.com/cellsentence/c2s/internal/hdf5"
)

// cells is a simulated obs, beside what is in the file.
type cells struct {
	kind    []string // "" is missing
	age     []int    // categorical of whole numbers; -1 is missing
	n       []int    // nullable; -1 is missing
	percent []float64
	ok      []bool
	big     []uint64
}

func simulate(n int) cells {
	r := rand.New(rand.NewPCG(5, 6))
	var c cells
	for i := range n {
		c.kind = append(c.kind, []string{"", "B cell", "T cell", "NK"}[r.IntN(4)])
		c.age = append(c.age, []int{-1, 34, 51}[r.IntN(3)])
		c.n = append(c.n, r.IntN(500)-1)
		p := r.Float64() * 10
		if i%7 == 0 {
			p = math.NaN()
		}
		c.percent = append(c.percent, p)
		c.ok = append(c.ok, r.IntN(2) == 0)
		c.big = append(c.big, 1<<62<<r.IntN(2))
	}
	return c
}

// open writes the cells as obs of an AnnData and opens it.
func (c cells) open(t testing.TB) *h5ad.DataFrame {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "cells.h5ad")
	out, err := os.Create(path)
	must(err)
	defer out.Close()
	w, err := hdf5.NewWriter(out, hdf5.WriteOptions{Name: path})
	must(err)
	defer w.Abort()
	group := func(in *hdf5.GroupWriter, name, kind string) *hdf5.GroupWriter {
		g, err := in.CreateGroup(name)
		must(err)
		must(g.SetAttr("encoding-type", hdf5.StringValue(kind)))
		version := "0.2.0"
		if strings.HasPrefix(kind, "nullable") {
			version = "0.1.0"
		}
		must(g.SetAttr("encoding-version", hdf5.StringValue(version)))
		return g
	}
	put := func(in *hdf5.GroupWriter, name string, v hdf5.Value) {
		_, err := in.WriteValue(ctx, name, v, hdf5.DatasetSpec{})
		must(err)
	}
	frame := func(name string, columns ...string) *hdf5.GroupWriter {
		g := group(w.Root(), name, "dataframe")
		must(g.SetAttr("_index", hdf5.StringValue("_index")))
		must(g.SetAttr("column-order", hdf5.StringsValue(columns)))
		return g
	}
	obs := frame("obs", "kind", "age", "n", "percent.mt", "ok", "big", "gone")
	index := make([]string, len(c.kind))
	kinds, ages := make([]int8, len(c.kind)), make([]int8, len(c.kind))
	mask, n := make([]bool, len(c.kind)), make([]int64, len(c.kind))
	names, years := []string{"B cell", "NK", "T cell"}, []int64{34, 51}
	for i := range index {
		index[i] = fmt.Sprint("c", i)
		kinds[i] = int8(slices.Index(names, c.kind[i]))
		ages[i] = int8(slices.Index(years, int64(c.age[i])))
		mask[i], n[i] = c.n[i] < 0, int64(c.n[i])
	}
	put(obs, "_index", hdf5.StringsValue(index))
	kind := group(obs, "kind", "categorical")
	must(kind.SetAttr("ordered", hdf5.BoolValue(false)))
	put(kind, "codes", hdf5.NumbersValue(kinds))
	put(kind, "categories", hdf5.StringsValue(names))
	age := group(obs, "age", "categorical")
	must(age.SetAttr("ordered", hdf5.BoolValue(true)))
	put(age, "codes", hdf5.NumbersValue(ages))
	put(age, "categories", hdf5.NumbersValue(years))
	nullable := group(obs, "n", "nullable-integer")
	put(nullable, "values", hdf5.NumbersValue(n))
	put(nullable, "mask", hdf5.BoolsValue(mask))
	put(obs, "percent.mt", hdf5.NumbersValue(c.percent))
	put(obs, "ok", hdf5.BoolsValue(c.ok))
	put(obs, "big", hdf5.NumbersValue(c.big))
	put(frame("var"), "_index", hdf5.StringsValue([]string{"g"}))
	must(w.Close())
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	must(err)
	t.Cleanup(func() { f.Close() })
	return f.Obs()
}

// TestRowsEqualHandWritten filters simulated cells by expressions, and by hand.
// The column gone is in the column order only: nothing reads it.
func TestRowsEqualHandWritten(t *testing.T) {
	c := simulate(5000)
	obs := c.open(t)
	for expression, want := range map[string]func(i int) bool{
		`kind == "B cell" && n > 200`:            func(i int) bool { return c.kind[i] == "B cell" && c.n[i] > 200 },
		`kind != "B cell"`:                       func(i int) bool { return c.kind[i] != "" && c.kind[i] != "B cell" },
		`kind == nil or n == nil`:                func(i int) bool { return c.kind[i] == "" || c.n[i] < 0 },
		`kind in ["NK", "T cell"] and age >= 40`: func(i int) bool { return (c.kind[i] == "NK" || c.kind[i] == "T cell") && c.age[i] == 51 },
		`$env["percent.mt"] < 5`:                 func(i int) bool { return c.percent[i] < 5 },
		`!($env["percent.mt"] < 5)`:              func(i int) bool { return !(c.percent[i] < 5) },
		`$env["percent.mt"] != nil && not ok`:    func(i int) bool { return c.percent[i] == c.percent[i] && !c.ok[i] },
		`big > 5000000000000000000`:              func(i int) bool { return c.big[i] > 5e18 },
		`kind endsWith "cell" && ok`:             func(i int) bool { return strings.HasSuffix(c.kind[i], "cell") && c.ok[i] },
		`false`:                                  func(int) bool { return false },
		`true`:                                   func(int) bool { return true },
	} {
		got, err := where.Rows(context.Background(), obs, expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		var by []int
		for i := range obs.Length {
			if want(i) {
				by = append(by, i)
			}
		}
		if !slices.Equal(got, by) {
			t.Errorf("%s: %d rows, by hand %d", expression, len(got), len(by))
		}
	}
}

func TestRowsErrors(t *testing.T) {
	obs := simulate(20).open(t)
	for expression, want := range map[string]string{
		`percent.mt < 5`: `write $env["percent.mt"]`,
		`kind == 5`:      "mismatched types string and int",
		`age == "old"`:   "mismatched types int and string",
		`gone == 1`:      "/obs/gone: not found",
		`n % 0 == 1`:     "divide by zero",
	} {
		_, err := where.Rows(context.Background(), obs, expression)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", expression, err, want)
		}
		var usage *where.Error
		if wrong := errors.As(err, &usage); wrong != !strings.Contains(expression, "gone") {
			t.Errorf("%s: %v counts as wrong usage: %v", expression, err, wrong)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := where.Rows(ctx, obs, "n > 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// BenchmarkRows reports ns a row, reading included.
func BenchmarkRows(b *testing.B) {
	obs := simulate(100_000).open(b)
	for b.Loop() {
		if _, err := where.Rows(context.Background(), obs, `kind == "B cell" && n > 200`); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(obs.Length), "ns/row")
}

func ExampleCompile() {
	f, err := where.Compile(`cell_type == "B cell" && $env["percent.mt"] < 5`, []where.Column{
		{Name: "cell_type", Kind: where.Text},
		{Name: "percent.mt", Kind: where.Float},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Columns())
	for _, row := range [][]any{{"B cell", 4.2}, {"B cell", nil}, {"T cell", 1.0}} {
		keep, err := f.Keep(row)
		fmt.Println(keep, err)
	}
	_, err = where.Compile(`percent.mt < 5`, []where.Column{{Name: "percent.mt", Kind: where.Float}})
	fmt.Println(err)
	// Output:
	// [cell_type percent.mt]
	// true <nil>
	// false <nil>
	// false <nil>
	// character 1: percent.mt is a column whose name is no identifier: write $env["percent.mt"]
}
