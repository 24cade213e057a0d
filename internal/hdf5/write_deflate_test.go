package hdf5_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// zlibScript decompresses each chunk of files with zlib, compares it with what
// h5py reads, and prints how many bytes zlib makes of them at level 4.
const zlibScript = `
import sys, json, zlib, h5py
total = 0
for path in sys.argv[1:]:
    with h5py.File(path, "r") as f:
        total = 0
        for d in f.values():
            for at in range(0, len(d), d.chunks[0]):
                mask, z = d.id.read_direct_chunk((at,))
                raw = zlib.decompress(z)
                part = d[at:at + d.chunks[0]].tobytes()
                assert mask == 0 and raw[:len(part)] == part and len(raw) == d.chunks[0] * d.dtype.itemsize, (path, d, at)
                total += len(zlib.compress(raw, 4))
json.dump(total, sys.stdout)
`

// TestDeflateLevels: a higher level never makes a larger file, the 4 keeps within
// 5 % of zlib's, and zlib reads them all.
func TestDeflateLevels(t *testing.T) {
	values, columns := sparseRows(200_000)
	dir := t.TempDir()
	var paths []string
	var sizes []int
	for level := range 10 {
		b := build(t, 2, func(b *builder) {
			spec := hdf5.DatasetSpec{Chunk: []uint64{65536}, Filters: filter.Pipeline{hdf5.Deflate(level)}}
			b.value(b.w.Root(), "data", hdf5.NumbersValue(values), spec)
			b.value(b.w.Root(), "indices", hdf5.NumbersValue(columns), spec)
		})
		path := filepath.Join(dir, fmt.Sprintf("%d.h5", level))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		paths, sizes = append(paths, path), append(sizes, len(b))
		if level > 0 && sizes[level] > sizes[level-1] {
			t.Errorf("level %d makes %d bytes, level %d %d", level, sizes[level], level-1, sizes[level-1])
		}
	}
	out, err := exec.Command(pythons(t)[0], append([]string{"-c", zlibScript}, paths...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var zlib int
	if err := json.Unmarshal(out, &zlib); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("sizes %s, zlib's 4 makes %d", strings.Trim(fmt.Sprint(sizes), "[]"), zlib)
	if float64(sizes[4]) > 1.05*float64(zlib) {
		t.Errorf("level 4 makes %d bytes, zlib's %d", sizes[4], zlib)
	}
}
