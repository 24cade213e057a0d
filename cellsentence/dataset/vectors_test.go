package dataset_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// lists is a Parquet file of a column x of lists of float64 in row groups; a nil
// list is missing, and a NaN in it a missing number where nulls is set.
func lists(t testing.TB, groups [][][]float64, nulls bool) []byte {
	t.Helper()
	leaf := schema.Must(schema.NewPrimitiveNode("element", parquet.Repetitions.Optional, parquet.Types.Double, -1, -1))
	list := schema.MustGroup(schema.NewGroupNode("list", parquet.Repetitions.Repeated, schema.FieldList{leaf}, -1))
	x := schema.MustGroup(schema.NewGroupNodeLogical("x", parquet.Repetitions.Optional, schema.FieldList{list}, schema.NewListLogicalType(), -1))
	name := schema.NewByteArrayNode("name", parquet.Repetitions.Required, -1)
	root := schema.MustGroup(schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{x, name}, -1))
	var b bytes.Buffer
	w := file.NewParquetWriter(&b, root, file.WithWriterProps(parquet.NewWriterProperties(parquet.WithDataPageSize(4096))))
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, rows := range groups {
		var values []float64
		var defs, reps []int16
		for _, row := range rows {
			if len(row) == 0 {
				defs, reps = append(defs, 0), append(reps, 0)
			}
			for k, v := range row {
				reps = append(reps, int16(min(k, 1)))
				if nulls && math.IsNaN(v) {
					defs = append(defs, 2)
					continue
				}
				values, defs = append(values, v), append(defs, 3)
			}
		}
		g := w.AppendRowGroup()
		c, err := g.NextColumn()
		check(err)
		_, err = c.(*file.Float64ColumnChunkWriter).WriteBatch(values, defs, reps)
		check(err)
		check(c.Close())
		c, err = g.NextColumn()
		check(err)
		names := make([]parquet.ByteArray, len(rows))
		for i := range names {
			names[i] = []byte("cell")
		}
		_, err = c.(*file.ByteArrayColumnChunkWriter).WriteBatch(names, nil, nil)
		check(err)
		check(c.Close())
		check(g.Close())
	}
	check(w.Close())
	return b.Bytes()
}

// ramp is rows of the numbers from start on.
func ramp(start, n, d int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		for k := range d {
			out[i] = append(out[i], float64(start+i*d+k))
		}
	}
	return out
}

func vectors(t testing.TB, path, column string) ([]float64, int, error) {
	t.Helper()
	v, err := dataset.OpenVectors(t.Context(), path, column, dataset.ReadOptions{})
	if err != nil {
		return nil, 0, err
	}
	defer v.Close()
	var out []float64
	for {
		x, err := v.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return out, v.Dim(), nil
		}
		if err != nil {
			return nil, 0, err
		}
		if len(x) == 0 || len(x)%v.Dim() != 0 {
			t.Fatalf("%d numbers at a time in rows of %d", len(x), v.Dim())
		}
		out = append(out, x...)
	}
}

// Rows end anywhere in a batch of numbers, and pages anywhere in a row.
func TestVectors(t *testing.T) {
	for _, d := range []int{1, 3, 1000, 20_000} {
		n := max(2, 60_000/d)
		path := place(t, "x.parquet", lists(t, [][][]float64{ramp(0, n, d), ramp(n*d, 1, d), ramp((n+1)*d, n, d)}, false))
		got, dim, err := vectors(t, path, "")
		if err != nil {
			t.Fatal(err)
		}
		if dim != d || len(got) != (2*n+1)*d {
			t.Fatalf("%d numbers in rows of %d, expected %d of %d", len(got), dim, (2*n+1)*d, d)
		}
		for i, v := range got {
			if v != float64(i) {
				t.Fatalf("dim %d: number %d is %g", d, i, v)
			}
		}
	}
	got, _, err := vectors(t, place(t, "x.parquet", lists(t, [][][]float64{{{1, math.NaN()}, {math.Inf(1), 2}}}, false)), "x")
	if err != nil || !math.IsNaN(got[1]) || !math.IsInf(got[2], 1) {
		t.Errorf("%v, %v: NaN and infinities are numbers", got, err)
	}
}

func TestBadVectors(t *testing.T) {
	good := lists(t, [][][]float64{ramp(0, 200, 3)}, false)
	for name, c := range map[string]struct {
		file   []byte
		column string
		want   string
	}{
		"no list":        {lists(t, [][][]float64{{{1, 2}, {3, 4}, nil}}, false), "x", "row 2 has no list"},
		"missing number": {lists(t, [][][]float64{{{1, 2}, {3, math.NaN()}}}, true), "x", "row 1 has no list, or one that lacks a number"},
		"other length":   {lists(t, [][][]float64{ramp(0, 5, 3), ramp(0, 2, 4)}, false), "x", "row group 1, column x: row 5 has 4 numbers, the first row 3"},
		"no column":      {good, "y", `no column "y"`},
		"column of text": {good, "name", `column "name" holds no lists`},
		"cut short":      {good[:len(good)-20], "x", "cut short"},
		"not a file":     {[]byte("PAR1 or not"), "x", "too short"},
		"no list at all": {func() []byte {
			p := filepath.Join(t.TempDir(), "a.parquet")
			write(t, p, 3, dataset.Options{})
			b, _ := os.ReadFile(p)
			return b
		}(), "", "no column holds lists"},
		"endless numbers": {lists(t, [][][]float64{ramp(0, 1, 1<<20+1)}, false), "x", "more than 1048576 numbers"},
	} {
		_, _, err := vectors(t, place(t, "x.parquet", c.file), c.column)
		var bad *dataset.Error
		if !errors.As(err, &bad) || !bad.BadInput() || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
	if _, err := dataset.OpenVectors(t.Context(), "none.parquet", "", dataset.ReadOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestDamagedVectors changes bytes everywhere: an error or other numbers, nothing
// else.
func TestDamagedVectors(t *testing.T) {
	whole := lists(t, [][][]float64{ramp(0, 9, 2), ramp(0, 4, 2)}, false)
	dir := t.TempDir()
	path := filepath.Join(dir, "x.parquet")
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0xff
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := vectors(t, path, "x")
		var bad *dataset.Error
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
}

// TestVectorsOfOtherWriters reads fixed and variable lists of all float types that
// pyarrow wrote.
func TestVectorsOfOtherWriters(t *testing.T) {
	name := python(t)
	dir := t.TempDir()
	readers(t, name, "vectors", dir)
	text, err := os.ReadFile(filepath.Join(dir, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]float64
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil || len(paths) != 4 || len(want) != 5 {
		t.Fatalf("%v, %d columns: %v", paths, len(want), err)
	}
	for _, path := range paths {
		for column, numbers := range want {
			got, dim, err := vectors(t, path, column)
			if filepath.Base(path) == "split.parquet" && column != "f16" { // which the library does not read
				if err == nil || !strings.Contains(err.Error(), "BYTE_STREAM_SPLIT") {
					t.Errorf("%s, %s: %v", path, column, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", path, column, err)
				continue
			}
			if dim != 37 || len(got) != len(numbers) {
				t.Errorf("%s, %s: %d numbers in rows of %d", path, column, len(got), dim)
				continue
			}
			for i := range got {
				if got[i] != numbers[i] {
					t.Fatalf("%s, %s: number %d is %g, expected %g", path, column, i, got[i], numbers[i])
				}
			}
		}
	}
	if _, _, err := vectors(t, paths[0], ""); err == nil || !strings.Contains(err.Error(), "5 columns hold lists") {
		t.Errorf("one of five columns was taken: %v", err)
	}
}

func FuzzVectors(f *testing.F) {
	f.Add(lists(f, [][][]float64{ramp(0, 9, 2), ramp(0, 4, 2)}, false))
	f.Add(lists(f, [][][]float64{{{1, math.NaN()}, nil}}, true))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.parquet")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := dataset.OpenVectors(t.Context(), path, "", dataset.ReadOptions{Budget: 1 << 24})
		if err != nil {
			return
		}
		defer v.Close()
		for range 100 { // a small file may claim many rows of few numbers
			x, err := v.Next(t.Context())
			if err != nil {
				return
			}
			if v.Dim() < 1 || len(x)%v.Dim() != 0 {
				t.Fatalf("%d numbers in rows of %d", len(x), v.Dim())
			}
		}
	})
}
