package hdf5_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// pluginPython is an interpreter with h5py and hdf5plugin.
func pluginPython(t testing.TB) string {
	t.Helper()
	for _, name := range pythons(t) {
		if exec.Command(name, "-c", "import hdf5plugin").Run() == nil {
			return name
		}
	}
	missing(t, "no Python with h5py and hdf5plugin (C2S_PYTHON)")
	return ""
}

// TestPluginFilters compares with h5py what hdf5plugin compressed: each codec with
// each shuffle, types of one to 28 bytes in both byte orders, chunks beyond the
// edge, of elements that do not come in eights, of many blocks, of noise, of one
// element and of none.
func TestPluginFilters(t *testing.T) {
	python := pluginPython(t)
	path := filepath.Join(t.TempDir(), "plugins.h5")
	cmd := exec.Command(python, filepath.Join("testdata", "plugins.py"), path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("plugins.py: %v\n%s", err, stderr.Bytes())
	}
	var want struct {
		Data  map[string]string
		Plain map[string]int
	}
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	f, err := hdf5.Open(path, hdf5.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, compressed := map[string]bool{}, map[string]bool{} // by codec
	for path, sum := range want.Data {
		o, err := f.Lookup(path)
		if err != nil {
			t.Error(err)
			continue
		}
		v, err := o.(*hdf5.Dataset).Read(context.Background())
		if err != nil {
			t.Error(err)
			continue
		}
		if digest(v.Raw()) != sum {
			t.Errorf("%s: values of shape %v differ from those h5py reads", path, v.Space.Dims)
		}
		codec, _, _ := strings.Cut(path, "/")
		all[codec] = true
		compressed[codec] = compressed[codec] || want.Plain[path] == 0 && len(v.Raw()) > 0
	}
	if len(all) != 55 {
		t.Errorf("%d codecs, expected 55", len(all))
	}
	for codec := range all {
		// A filter may leave out what does not shrink, but not in all chunks.
		if !compressed[codec] {
			t.Errorf("%s: no dataset is compressed", codec)
		}
	}
}

// refusedScript writes what this package does not read, beside something it does.
const refusedScript = `
import sys, h5py, hdf5plugin, numpy as np
a = np.arange(1000, dtype="i4")
with h5py.File(sys.argv[1], "w") as f:
    f["plain"] = a
    f.create_dataset("scale-offset", data=a, chunks=(100,), scaleoffset=0)
    f.create_dataset("szip", data=a, chunks=(100,), compression="szip")
    f.create_dataset("zfp", data=a.astype("f4"), chunks=(100,), **hdf5plugin.Zfp(reversible=True))
    f.create_dataset("blosc2", data=a, chunks=(100,), **hdf5plugin.Blosc2())
    p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    p.set_chunk((100,))
    p.set_filter(h5py.h5z.FILTER_NBIT, 0)
    d = h5py.h5d.create(f.id, b"nbit", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((1000,)), p)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, a)
    v = h5py.VirtualLayout(shape=(1000,), dtype="i4")
    v[:] = h5py.VirtualSource(sys.argv[1], "plain", shape=(1000,))
    f.create_virtual_dataset("virtual", v)
    f.create_dataset("external", data=a, external=[(sys.argv[1] + ".raw", 0, h5py.h5f.UNLIMITED)])
`

// TestRefused: what is not read is an error that names it and says what rewrites
// the file; the rest of the file is read.
func TestRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "refused.h5")
	runPython(t, pluginPython(t), refusedScript, "", path)
	f, err := hdf5.Open(path, hdf5.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	names, err := root.Names()
	if err != nil || len(names) != 8 {
		t.Fatalf("%q, %v", names, err)
	}
	for _, name := range names {
		o, err := f.Lookup(name)
		if err != nil {
			t.Error(err)
			continue
		}
		_, err = o.(*hdf5.Dataset).Read(context.Background())
		if name == "plain" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if !errors.Is(err, hdf5.ErrUnsupported) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "h5repack -f GZIP=4 IN OUT") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
