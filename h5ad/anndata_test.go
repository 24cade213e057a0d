package h5ad_test

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// pythons are the interpreters with anndata to compare with.
func pythons(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, name := range []string{os.Getenv("C2S_PYTHON"), os.Getenv("C2S_PYTHON_OLD"), "python3"} {
		if name == "python3" && len(found) > 0 {
			break
		}
		if name != "" && exec.Command(name, "-c", "import anndata").Run() == nil {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with anndata (C2S_PYTHON)")
		}
		t.Skip("no Python with anndata (C2S_PYTHON)")
	}
	return found
}

// TestEqualsAnndata compares every table and matrix of every real file with what
// anndata reads: numbers bit for bit, strings exactly, categoricals by value.
func TestEqualsAnndata(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(sharedDir(t), "data", "h5ad", "*.h5ad"))
	for _, python := range pythons(t) {
		compared := 0
		for _, path := range files {
			t.Run(filepath.Base(path), func(t *testing.T) {
				cmd := exec.Command(python, filepath.Join("testdata", "dump.py"), path)
				cmd.Stderr = os.Stderr
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s: %v", python, err)
				}
				got := dump(t, path)
				for line := range strings.Lines(string(out)) {
					key, want, _ := strings.Cut(strings.TrimSpace(line), "\t")
					compared++
					if got[key] != want {
						t.Errorf("%s: %s, anndata reads %s", key, got[key], want)
					}
				}
			})
		}
		if compared < 300 {
			t.Errorf("%s: %d elements compared, expected at least 300", python, compared)
		}
		t.Logf("%s: %d elements compared", python, compared)
	}
}

// dump hashes what this package reads in the form of testdata/dump.py.
func dump(t *testing.T, path string) map[string]string {
	t.Helper()
	ctx := context.Background()
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	emit := func(key string, b []byte, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", key, err)
			return
		}
		sum := sha1.Sum(b)
		out[key] = hex.EncodeToString(sum[:])
	}
	frame := func(key string, df *h5ad.DataFrame) {
		names, err := df.Index(ctx)
		emit(key+"/_index", texts(names), err)
		for _, name := range df.Names {
			c, err := df.Column(ctx, name)
			if err != nil {
				t.Errorf("%s/%s: %v", key, name, err)
				continue
			}
			emit(key+"/"+name, column(c), nil)
		}
	}
	matrix := func(key string, m *h5ad.Matrix, err error) {
		var b []byte
		if err == nil {
			b, err = canonMatrix(ctx, m)
		}
		emit(key, b, err)
	}
	frame("obs", f.Obs())
	frame("var", f.Var())
	if x, err := f.X(); err == nil {
		matrix("X", x, nil)
	}
	if f.HasRaw() {
		m, vr, err := f.Raw(ctx)
		if err != nil {
			t.Fatal(err)
		}
		matrix("raw.X", m, nil)
		frame("raw.var", vr)
	}
	for _, name := range f.Layers() {
		m, err := f.Layer(ctx, name)
		matrix("layers/"+name, m, err)
	}
	for _, part := range []string{"obsm", "varm"} {
		e, err := f.Aligned(ctx, part)
		if err != nil {
			t.Fatal(err)
		}
		members := map[string]h5ad.Element{}
		switch e := e.(type) {
		case *h5ad.Mapping:
			for _, k := range e.Keys {
				if members[k], err = e.Get(ctx, k); err != nil {
					t.Error(err)
				}
			}
		case *h5ad.Records:
			for _, c := range e.Fields {
				members[c.Name] = c.Array
			}
		}
		for k, v := range members {
			key := part + "/" + k
			switch v := v.(type) {
			case *h5ad.DataFrame:
				frame(key, v)
			case *h5ad.Matrix:
				matrix(key, v, nil)
			case *h5ad.Array:
				emit(key, canonArray(v), nil)
			}
		}
	}
	return out
}

func texts(v []string) (b []byte) {
	for _, s := range v {
		b = append(append(b, s...), 0)
	}
	return b
}

// column is the canonical values of a column, categoricals by value.
func column(c *h5ad.Column) (b []byte) {
	if c.Categorical == nil {
		return canonArray(c.Array)
	}
	for _, code := range c.Codes {
		if code < 0 {
			b = append(b, 0xff, 0)
			continue
		}
		b = append(b, canonValue(c.Categories, int(code))...)
	}
	return b
}

// canonArray is the canonical values of an array; one of two dimensions is a
// matrix.
func canonArray(a *h5ad.Array) (b []byte) {
	if len(a.Dims) == 2 && a.Missing == nil {
		if _, text := a.Values.([]string); !text {
			var tr triples
			for i := range a.Len() {
				tr.add(i/a.Dims[1], i%a.Dims[1], number(a, i))
			}
			return tr.bytes(a.Dims[0], a.Dims[1])
		}
	}
	for i := range a.Len() {
		b = append(b, canonValue(a, i)...)
	}
	return b
}

func canonValue(a *h5ad.Array, i int) []byte {
	if a.Missing != nil && a.Missing[i] {
		return []byte{0xff, 0}
	}
	switch v := a.Values.(type) {
	case []string:
		return append([]byte(v[i]), 0)
	case []bool:
		if v[i] {
			return []byte{1}
		}
		return []byte{0}
	}
	x := number(a, i)
	if x != x {
		return []byte{0xff, 0}
	}
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(x))
}

func number(a *h5ad.Array, i int) float64 {
	switch v := a.Values.(type) {
	case []bool:
		if v[i] {
			return 1
		}
		return 0
	}
	return element(a.Values, i)
}

func element(values any, i int) float64 {
	switch v := values.(type) {
	case []float32:
		return float64(v[i])
	case []float64:
		return v[i]
	case []int8:
		return float64(v[i])
	case []int16:
		return float64(v[i])
	case []int32:
		return float64(v[i])
	case []int64:
		return float64(v[i])
	case []uint8:
		return float64(v[i])
	case []uint16:
		return float64(v[i])
	case []uint32:
		return float64(v[i])
	case []uint64:
		return float64(v[i])
	}
	return math.NaN()
}

// triples is a matrix as rows, columns and values.
type triples struct {
	rows, cols []int
	values     []float64
}

func (t *triples) add(row, col int, v float64) {
	if v != 0 {
		t.rows, t.cols, t.values = append(t.rows, row), append(t.cols, col), append(t.values, v)
	}
}

func (t *triples) bytes(n, m int) []byte {
	order := make([]int, len(t.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if d := t.rows[a] - t.rows[b]; d != 0 {
			return d
		}
		return t.cols[a] - t.cols[b]
	})
	b := binary.LittleEndian.AppendUint64(nil, uint64(n))
	b = binary.LittleEndian.AppendUint64(b, uint64(m))
	for _, i := range order {
		b = binary.LittleEndian.AppendUint64(b, uint64(t.rows[i]))
	}
	for _, i := range order {
		b = binary.LittleEndian.AppendUint64(b, uint64(t.cols[i]))
	}
	for _, i := range order {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(t.values[i]))
	}
	return b
}

func canonMatrix(ctx context.Context, m *h5ad.Matrix) ([]byte, error) {
	r, err := m.Rows(ctx, h5ad.RowOptions{MaxRows: 100, Budget: 1 << 16})
	if err != nil {
		return nil, err
	}
	var t triples
	var b h5ad.Batch
	for {
		err := r.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			return t.bytes(m.NObs, m.NVars), nil
		}
		if err != nil {
			return nil, err
		}
		for i := range b.NObs() {
			for j := b.Indptr[i]; j < b.Indptr[i+1]; j++ {
				t.add(b.Start+i, int(b.Indices[j]), element(b.Values, int(j)))
			}
		}
	}
}
