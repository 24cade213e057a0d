package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cellsentence/c2s/internal/embedfile"
)

// settings are arguments of the form name=value; lists are separated by commas.
func settings(ts *testscript.TestScript, args []string, known map[string]float64) map[string][]float64 {
	out := map[string][]float64{}
	for name, v := range known {
		out[name] = []float64{v}
	}
	for _, arg := range args {
		name, text, _ := strings.Cut(arg, "=")
		if _, ok := known[name]; !ok {
			ts.Fatalf("unknown setting %s", arg)
		}
		out[name] = nil
		for v := range strings.SplitSeq(text, ",") {
			x, err := strconv.ParseFloat(v, 64)
			ts.Check(err)
			out[name] = append(out[name], x)
		}
	}
	return out
}

// npy writes embeddings that are normal about shift: npy NAME SETTINGS... Rows of
// nan hold NaN; odd is added to every second row. With pickled the
// file claims to hold Python objects.
func npy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: npy NAME SETTINGS...")
	}
	if args[1] == "pickled" {
		head := "{'descr': '|O', 'fortran_order': False, 'shape': (2, 2)}"
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("\x93NUMPY\x01\x00"+string(rune(len(head)))+"\x00"+head+"cbuiltins\neval"), 0o600))
		return
	}
	s := settings(ts, args[1:], map[string]float64{"n": 100, "d": 4, "seed": 1, "shift": 0, "scale": 1, "nan": -1, "odd": 0})
	n, d := int(s["n"][0]), int(s["d"][0])
	r := rand.New(rand.NewPCG(uint64(s["seed"][0]), 0))
	var b bytes.Buffer
	w, err := embedfile.NewWriter[float64](&b, n, d)
	ts.Check(err)
	row := make([]float64, d)
	for i := range n {
		for k := range row {
			row[k] = s["shift"][0] + s["scale"][0]*r.NormFloat64()
			if i%2 == 1 {
				row[k] += s["odd"][0]
			}
			for _, bad := range s["nan"] {
				if int(bad) == i {
					row[k] = math.NaN()
				}
			}
		}
		ts.Check(w.Write(row))
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// npz writes statistics: npz NAME n=N mu=... sigma=...
func npz(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: npz NAME SETTINGS...")
	}
	s := settings(ts, args[1:], map[string]float64{"n": 0, "mu": 0, "sigma": 1})
	var b bytes.Buffer
	ts.Check(embedfile.WriteStats(&b, &embedfile.Stats{N: int(s["n"][0]), Mu: s["mu"], Sigma: s["sigma"]}))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}
