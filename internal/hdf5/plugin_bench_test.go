package hdf5_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// pluginBenchScript compresses the elements of standard input, values and then
// columns, in chunks of 65,536, and prints how fast h5py reads each dataset, in
// MB/s, the best of three.
const pluginBenchScript = `
import sys, json, time, h5py, hdf5plugin as hp, numpy as np
raw = sys.stdin.buffer.read()
half = len(raw) // 2
arrays = {"data": np.frombuffer(raw[:half], "f4"), "indices": np.frombuffer(raw[half:], "i4")}
codecs = {"zstd": hp.Zstd(3), "lz4": hp.LZ4(), "bzip2": hp.BZip2(), "bitshuffle-none": hp.Bitshuffle(cname="none"),
    "bitshuffle-lz4": hp.Bitshuffle(), "bitshuffle-zstd": hp.Bitshuffle(cname="zstd")}
for cname in "blosclz", "lz4", "zlib", "zstd":
    for shuffle, how in enumerate(("plain", "bytes", "bits")):
        codecs["blosc-%s-%s" % (cname, how)] = hp.Blosc(cname=cname, shuffle=shuffle)
out = {}
with h5py.File(sys.argv[1], "w") as f:
    for codec, kw in codecs.items():
        for name, a in arrays.items():
            path = codec + "/" + name
            f.create_dataset(path, data=a, chunks=(65536,), **kw)
            best = 1e9
            for _ in range(3):
                t = time.perf_counter()
                f[path][:]
                best = min(best, time.perf_counter() - t)
            out[path] = a.nbytes / 1e6 / best
json.dump(out, sys.stdout)
`

// BenchmarkReadPlugins reads a dataset of each plugin filter with one worker, in
// MB/s of decoded bytes, and reports beside it what h5py reaches in the same run.
func BenchmarkReadPlugins(b *testing.B) {
	python := pluginPython(b)
	path := filepath.Join(b.TempDir(), "plugins.h5")
	values, columns := sparseRows(2_000_000)
	var raw, stderr bytes.Buffer
	for _, v := range []any{values, columns} {
		if err := binary.Write(&raw, binary.LittleEndian, v); err != nil {
			b.Fatal(err)
		}
	}
	cmd := exec.Command(python, "-c", pluginBenchScript, path)
	cmd.Stdin, cmd.Stderr = &raw, &stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var h5py map[string]float64
	if err := json.Unmarshal(out, &h5py); err != nil {
		b.Fatal(err)
	}
	f, err := hdf5.Open(path, hdf5.Options{Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var paths []string
	for path := range h5py {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, path := range paths {
		o, err := f.Lookup(path)
		if err != nil {
			b.Fatal(err)
		}
		d := o.(*hdf5.Dataset)
		b.Run(path, func(b *testing.B) {
			b.SetBytes(int64(4 * len(values)))
			for b.Loop() {
				var err error
				if strings.HasSuffix(path, "data") {
					err = hdf5.ReadInto(context.Background(), d, 0, uint64(len(values)), values)
				} else {
					err = hdf5.ReadInto(context.Background(), d, 0, uint64(len(columns)), columns)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(h5py[path], "h5py-MB/s")
		})
	}
}
