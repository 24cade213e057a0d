package embedfile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/embedfile"
)

// python is an interpreter with NumPy, or the test skips.
func python(t *testing.T) func(args ...string) []byte {
	t.Helper()
	for _, name := range []string{os.Getenv("C2S_PYTHON"), os.Getenv("C2S_PYTHON_OLD"), "python3"} {
		if name == "" || exec.Command(name, "-c", "import numpy").Run() != nil {
			continue
		}
		return func(args ...string) []byte {
			t.Helper()
			cmd := exec.Command(name, append([]string{"testdata/reference.py"}, args...)...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err, stderr.String())
			}
			return out
		}
	}
	if os.Getenv("C2S_CI") == "1" {
		t.Fatal("no Python with NumPy (C2S_PYTHON)")
	}
	t.Skip("no Python with NumPy (C2S_PYTHON)")
	return nil
}

func readAll(t *testing.T, a *embedfile.Array) []float64 {
	t.Helper()
	x := make([]float64, a.Len()*a.Dim())
	if err := a.ReadRows(context.Background(), 0, x); err != nil {
		t.Fatal(err)
	}
	return x
}

// Every dtype, byte order, memory order and format version that NumPy writes.
func TestReadsWhatNumPyWrites(t *testing.T) {
	run := python(t)
	dir := t.TempDir()
	var made map[string][]float64
	if err := json.Unmarshal(run("make", dir), &made); err != nil {
		t.Fatal(err)
	}
	if len(made) != 12*4+3+2 {
		t.Fatalf("%d files", len(made))
	}
	ctx := context.Background()
	for name, want := range made {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, ".npz") {
			s, err := embedfile.ReadStats(ctx, path)
			if err != nil {
				t.Error(err)
				continue
			}
			same(t, name, append(s.Mu, s.Sigma...), want)
			continue
		}
		for _, budget := range []int64{0, 1} { // Fortran order in memory, and by columns
			a, err := embedfile.Open(ctx, path, budget)
			if err != nil {
				t.Error(err)
				continue
			}
			same(t, name, readAll(t, a), want)
			row := make([]float64, 2*a.Dim())
			if err := a.ReadRows(ctx, a.Len()-2, row); err != nil {
				t.Error(err)
			}
			same(t, name+" last rows", row, want[len(want)-len(row):])
			if err := a.ReadRows(ctx, a.Len()-1, row); err == nil {
				t.Errorf("%s: rows after the last were read", name)
			}
			a.Close()
		}
	}
	_, err := embedfile.Open(ctx, filepath.Join(dir, "pickled.npy"), 0)
	var e *embedfile.Error
	if !errors.As(err, &e) || !e.BadInput() || e.Hint() == "" || !strings.Contains(err.Error(), "pickled") {
		t.Errorf("pickled: %v", err)
	}
}

func same(t *testing.T, name string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", name, len(got), len(want))
		return
	}
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			t.Errorf("%s: [%d] = %v, want %v", name, i, got[i], want[i])
			return
		}
	}
}

func TestNumPyReadsWhatIsWritten(t *testing.T) {
	run := python(t)
	dir := t.TempDir()
	type array struct {
		shape  []int
		dtype  string
		values []float64
	}
	read := func(path string) map[string]array {
		var raw map[string][3]json.RawMessage
		if err := json.Unmarshal(run("read", path), &raw); err != nil {
			t.Fatal(err)
		}
		out := map[string]array{}
		for k, v := range raw {
			var a array
			for i, to := range []any{&a.shape, &a.dtype, &a.values} {
				if err := json.Unmarshal(v[i], to); err != nil {
					t.Fatal(err)
				}
			}
			out[k] = a
		}
		return out
	}
	path := filepath.Join(dir, "a.npy")
	writeMatrix(t, path, []float32{1, 2.5, -3, 4, 5, 6}, 3)
	got := read(path)[""]
	if got.dtype != "<f4" || len(got.shape) != 2 || got.shape[0] != 2 || got.shape[1] != 3 {
		t.Errorf("read as %+v", got)
	}
	same(t, "matrix", got.values, []float64{1, 2.5, -3, 4, 5, 6})

	path = filepath.Join(dir, "s.npz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	want := &embedfile.Stats{N: 12, Mu: []float64{1, 2}, Sigma: []float64{3, 1, 1, 4}}
	if err := embedfile.WriteStats(f, want); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	stats := read(path)
	same(t, "mu", stats["mu"].values, want.Mu)
	same(t, "sigma", stats["sigma"].values, want.Sigma)
	same(t, "n", stats["n"].values, []float64{12})
	s, err := embedfile.ReadStats(context.Background(), path)
	if err != nil || s.N != 12 {
		t.Errorf("%+v, %v", s, err)
	}
}

func writeMatrix[T float32 | float64](t *testing.T, path string, x []T, d int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := embedfile.NewWriter[T](f, len(x)/d, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(x[:d]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); len(x) > d && err == nil {
		t.Error("a matrix that is not complete was closed")
	}
	if err := w.Write(x[d:]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(x[:1]); err == nil {
		t.Error("a number too many was written")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// npy is a file with the given dictionary and data.
func npy(dict string, data int) []byte {
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(dict)), byte(len(dict)>>8))
	return append(append(b, dict...), make([]byte, data)...)
}

func TestMalformedFiles(t *testing.T) {
	dict := func(descr, shape string) string {
		return "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + "}"
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":              {nil, "not an .npy file"},
		"other format":       {[]byte("PK\x03\x04 something"), "not an .npy file"},
		"version":            {[]byte("\x93NUMPY\x09\x00\x10\x00                "), "version 9"},
		"huge header":        {[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{"), "more than"},
		"cut header":         {[]byte("\x93NUMPY\x01\x00\x40\x00{'descr'"), "ends early"},
		"no dictionary":      {npy("[1, 2]", 0), "damaged"},
		"garbage after":      {npy(dict("'<f4'", "(1, 1)")+" 1", 4), "goes on"},
		"missing key":        {npy("{'descr': '<f4', 'shape': (1, 1)}", 4), "lacks"},
		"double key":         {npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)}", 4), "twice"},
		"unknown key":        {npy("{'x': 1}", 4), "unknown key"},
		"fields":             {npy(dict("[('a', '<f4')]", "(1, 1)"), 4), "named fields"},
		"objects":            {npy(dict("'|O'", "(1, 1)"), 8), "pickled"},
		"complex":            {npy(dict("'<c8'", "(1, 1)"), 8), "no real number"},
		"text":               {npy(dict("'<U4'", "(1, 1)"), 16), "no real number"},
		"long dtype":         {npy(dict("'<f16'", "(1, 1)"), 16), "no real number"},
		"short dtype":        {npy(dict("'f'", "(1, 1)"), 16), "not known"},
		"vector":             {npy(dict("'<f4'", "(4,)"), 16), "cells × dimensions"},
		"cube":               {npy(dict("'<f4'", "(1, 2, 2)"), 16), "cells × dimensions"},
		"no dimensions":      {npy(dict("'<f4'", "(4, 0)"), 0), "cells × dimensions"},
		"negative":           {npy(dict("'<f4'", "(-1, 4)"), 16), "damaged"},
		"overflow":           {npy(dict("'<f4'", "(4294967296, 4294967296)"), 16), "larger than any file"},
		"larger than 64 bit": {npy(dict("'<f4'", "(99999999999999999999, 4)"), 16), "damaged"},
		"cut off":            {npy(dict("'<f4'", "(1000000, 1000)"), 16), "cut off"},
		"cut off fortran":    {npy("{'descr': '<f8', 'fortran_order': True, 'shape': (1000000000, 4)}", 16), "cut off"},
	} {
		_, err := embedfile.NewArray(context.Background(), bytes.NewReader(c.file), int64(len(c.file)), "x.npy", 0)
		var e *embedfile.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.npy: ") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestMalformedStats(t *testing.T) {
	ctx := context.Background()
	mu := npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", 16)
	matrix := func(shape string, data int) []byte {
		return npy("{'descr': '<f8', 'fortran_order': False, 'shape': "+shape+"}", data)
	}
	for name, c := range map[string]struct {
		members map[string][]byte
		want    string
	}{
		"no sigma":          {map[string][]byte{"mu.npy": mu, "other.npy": mu}, "no mu and sigma"},
		"shape":             {map[string][]byte{"mu.npy": mu, "sigma.npy": matrix("(2, 3)", 48)}, "does not fit"},
		"huge":              {map[string][]byte{"mu.npy": matrix("(100000,)", 800000), "sigma.npy": mu}, "does not fit"},
		"cut off":           {map[string][]byte{"mu.npy": mu, "sigma.npy": matrix("(2, 2)", 31)}, "too few bytes"},
		"claims too much":   {map[string][]byte{"mu.npy": matrix("(16384,)", 0), "sigma.npy": mu}, "too few bytes"},
		"n is no number":    {map[string][]byte{"mu.npy": mu, "sigma.npy": matrix("(2, 2)", 32), "n.npy": matrix("(2,)", 16)}, "does not fit"},
		"member of nothing": {map[string][]byte{"mu.npy": nil, "sigma.npy": nil}, "not an .npy file"},
	} {
		file := archive(t, c.members)
		_, err := embedfile.NewStats(ctx, bytes.NewReader(file), int64(len(file)), "x.npz")
		var e *embedfile.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := embedfile.NewStats(ctx, bytes.NewReader(mu), int64(len(mu)), "x.npz"); err == nil {
		t.Error("an .npy file was read as .npz")
	}
}
