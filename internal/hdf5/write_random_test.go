package hdf5_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// randomDataset writes random elements of a random type, shape and layout in
// random pieces, with their SHA-1 as an attribute, and returns them.
func randomDataset(b *builder, r *rand.Rand, name string) []byte {
	b.t.Helper()
	types := []*hdf5.Datatype{
		hdf5.TypeOf[int8](), hdf5.TypeOf[uint16](), hdf5.TypeOf[int32](), hdf5.TypeOf[float64](),
		{Class: hdf5.ClassOpaque, Size: 1 + r.IntN(20)},
	}
	spec := hdf5.DatasetSpec{Type: types[r.IntN(len(types))]}
	size := spec.Type.Size
	chunked := r.IntN(4) > 0
	for range 1 + r.IntN(4) {
		d := uint64(1 + r.IntN(12))
		if r.IntN(30) == 0 {
			d = 0
		}
		spec.Dims = append(spec.Dims, d)
		spec.Chunk = append(spec.Chunk, uint64(1+r.IntN(8)))
	}
	if len(spec.Dims) == 1 {
		spec.Dims[0] *= uint64(1 + r.IntN(100))
	}
	n := size
	for _, d := range spec.Dims {
		n *= int(d)
	}
	switch {
	case chunked:
		p := broadPipelines[r.IntN(len(broadPipelines))]
		spec.Filters = p.filters
		if r.IntN(2) == 0 {
			spec.MaxDims = append([]uint64{hdf5.Unlimited}, spec.Dims[1:]...)
			spec.Dims[0] = 0
		}
		if r.IntN(2) == 0 {
			spec.Fill = noise(r.Uint64(), size)
		}
	default:
		spec.Chunk = nil
		spec.Compact = r.IntN(2) == 0 && n < 60000
	}
	d, err := b.w.Root().CreateDataset(name, spec)
	b.must(err)
	raw := noise(r.Uint64(), n)
	for at := 0; at < n; {
		k := min(n-at, size*(1+r.IntN(1+n/size/3)))
		b.must(d.Append(context.Background(), raw[at:at+k]))
		at += k
	}
	if r.IntN(2) == 0 {
		b.must(d.Close())
	}
	sum := sha1.Sum(raw)
	b.must(d.SetAttr("sha1", hdf5.StringValue(hex.EncodeToString(sum[:]))))
	return raw
}

// TestRandomDatasets writes random datasets, reads them back, and lets h5py do so.
func TestRandomDatasets(t *testing.T) {
	python := pythonOrNone()
	for seed := range uint64(20) {
		var want [][]byte
		b := build(t, 1+int(seed%3), func(b *builder) {
			r := rand.New(rand.NewPCG(seed, 0))
			for i := range 40 {
				want = append(want, randomDataset(b, r, fmt.Sprint(i)))
			}
		})
		f := openBytes(t, b)
		for i, w := range want {
			if got := readBytes(t, f, fmt.Sprint("/", i)); !bytes.Equal(got, w) {
				t.Fatalf("seed %d: dataset %d differs", seed, i)
			}
		}
		if python == "" || seed >= 4 {
			continue
		}
		runPython(t, python, `
import sys, h5py, numpy as np, hashlib
with h5py.File(sys.argv[1]) as f:
    assert len(f) == 40
    for k, o in f.items():
        if 0 in o.shape: continue
        assert hashlib.sha1(np.ascontiguousarray(o[()]).tobytes()).hexdigest() == o.attrs["sha1"], k
`, "", writeTemp(t, b))
	}
}

// TestRawChunks carries chunks over in reverse order, without some.
func TestRawChunks(t *testing.T) {
	ctx := context.Background()
	fill := []byte{9, 9}
	spec := hdf5.DatasetSpec{
		Type: hdf5.TypeOf[uint16](), Dims: []uint64{10, 7}, Chunk: []uint64{4, 3}, Fill: fill, Sparse: true,
		Filters: filter.Pipeline{hdf5.Shuffle(), hdf5.Deflate(4)},
	}
	chunk := bytes.Repeat([]byte{1, 2}, 12)
	b := build(t, 2, func(b *builder) {
		d, err := b.w.Root().CreateDataset("x", spec)
		b.must(err)
		for row := 8; row >= 0; row -= 4 {
			for col := 6; col >= 0; col -= 6 { // the column at 3 is left out
				// Both filters are left out: the chunk is stored as it is.
				b.must(d.AppendRawChunk(ctx, []uint64{uint64(row), uint64(col)}, 3, chunk))
			}
		}
	})
	got := readBytes(t, openBytes(t, b), "/x")
	for i := 0; i < len(got); i += 2 {
		want := []byte{1, 2}
		if col := i / 2 % 7; col >= 3 && col < 6 {
			want = fill
		}
		if !bytes.Equal(got[i:i+2], want) {
			t.Fatalf("element %d is %v, expected %v", i/2, got[i:i+2], want)
		}
	}
	w, err := hdf5.NewWriter(new(memFile), hdf5.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	d, err := w.Root().CreateDataset("x", spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][]uint64{{1, 0}, {12, 0}, {0, 9}, {0}} {
		if err := d.AppendRawChunk(ctx, at, 0, chunk); err == nil {
			t.Errorf("a chunk at %v is accepted", at)
		}
	}
	for range 2 {
		if err := d.AppendRawChunk(ctx, []uint64{4, 3}, 0, chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err == nil {
		t.Error("one chunk written twice is accepted")
	}
}

// TestCopyBroadFile copies what the writer writes.
func TestCopyBroadFile(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.h5"), filepath.Join(dir, "to.h5")
	b := build(t, 2, func(b *builder) {
		writeBroad(b)
		r := rand.New(rand.NewPCG(5, 5))
		for i := range 30 {
			randomDataset(b, r, fmt.Sprint(i))
		}
	})
	if err := os.WriteFile(from, b, 0o600); err != nil {
		t.Fatal(err)
	}
	copyFile(t, from, to, 2)
	want, err := dumpFile(from)
	if err != nil {
		t.Fatal(err)
	}
	got, err := dumpFile(to)
	if err != nil {
		t.Fatal(err)
	}
	sameLines(t, from, got, want)
}

// variedScript makes a file with what AnnData files seldom have.
const variedScript = `
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "w", userblock_size=1024, libver=sys.argv[2]) as f:
    ref = h5py.ref_dtype
    f["x"] = np.arange(1000).reshape(50, 20)
    f.create_dataset("lzf", data=np.arange(5000), compression="lzf", shuffle=True, fletcher32=True, chunks=(77,), maxshape=(None,))
    f.create_dataset("fill", shape=(100, 100), dtype="i4", chunks=(9, 11), fillvalue=5, compression="gzip", maxshape=(None, None))
    f["fill"][50:60, 3:90] = 1
    f.create_dataset("never", shape=(7,), dtype="f8", fillvalue=2.5)
    f.create_dataset("neverchunked", shape=(7,), dtype="f8", fillvalue=2.5, chunks=(2,))
    f.create_dataset("shrunk", data=np.arange(100), chunks=(6,), maxshape=(None,)); f["shrunk"].resize((40,))
    f.create_dataset("refs", data=np.array([f["x"].ref, f.ref, f["fill"].ref], dtype=ref), chunks=(2,), compression="gzip")
    t = np.dtype([("r", ref), ("s", h5py.string_dtype()), ("v", h5py.vlen_dtype("i4")), ("a", "f4", (2, 2))])
    c = np.zeros(3, t)
    for i in (1, 2): c[i]["r"] = h5py.Reference(); c[i]["s"] = ""; c[i]["v"] = np.zeros(0, "i4")
    c[0] = (f["x"].ref, "text", np.arange(4, dtype="i4"), [[1, 2], [3, 4]]); c[2]["s"] = "ü" * 30000; c[1]["v"] = np.arange(3, dtype="i4")
    f["mixed"] = c
    f["strings"] = np.array([["a", ""], ["ü", "long" * 20000]], dtype=h5py.string_dtype())
    f.create_dataset("chunkedstrings", data=np.array(["s%d" % i for i in range(3000)], dtype=h5py.string_dtype()), chunks=(400,), compression="gzip", maxshape=(None,))
    f["ragged"] = np.array([np.arange(3, dtype="f8"), np.zeros(0)], dtype=h5py.vlen_dtype("f8"))
    f["type"] = np.dtype([("a", "i4"), ("b", h5py.string_dtype())])
    f.create_dataset("typed", (2,), dtype=f["type"])
    f["loop/self"] = f["/"]
    f["again"] = f["x"]; f["soft"] = h5py.SoftLink("/loop/self/x"); f["dangling"] = h5py.SoftLink("/no")
    f["x"].attrs["ref"] = f["lzf"].ref
    f["x"].attrs["refs"] = np.array([f["x"].ref, h5py.Reference()], dtype=ref)
    f["x"].attrs["empty"] = h5py.Empty("f4")
    f.attrs["big"] = ["name %d" % i for i in range(3000)]
    f["be"] = np.arange(5, dtype=">i4"); f["half"] = np.arange(5, dtype="f2"); f["complex"] = np.arange(5) * 1j
    f["bool"] = np.array([True, False]); f["opaque"] = np.zeros(3, "V5"); f["null"] = h5py.Empty("f8")
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE); dcpl.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(f.id, b"compact", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((5,)), dcpl).write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(5, dtype="i4"))
    for i in range(400): f.create_group("many/%d" % i)
`

// variedCheck looks at a copy of that file for what a dump does not show.
const variedCheck = `
import sys, h5py
with h5py.File(sys.argv[1]) as f:
    assert [f[r] for r in f["refs"]] == [f["x"], f["/"], f["fill"]] and f["refs"].chunks == (2,)
    m = f["mixed"][()]
    assert f[m[0]["r"]] == f["x"] and not m[1]["r"] and m[2]["s"].decode() == "ü" * 30000, m
    assert f[f["x"].attrs["ref"]] == f["lzf"]
    assert f["again"] == f["x"] and f["loop/self"] == f and f["soft"] == f["x"] and f.userblock_size == 1024
    assert f["lzf"].compression == "lzf" and f["lzf"].chunks == (77,) and f["fill"].fillvalue == 5 and f["fill"].id.get_num_chunks() == 18
    assert f["never"][0] == 2.5 and f["neverchunked"].id.get_num_chunks() == 0 and f["shrunk"].id.get_num_chunks() == 7
`

// TestCopyVariedFile copies a file of h5py with the rarer structures.
func TestCopyVariedFile(t *testing.T) {
	shared := sharedDir(t)
	for _, python := range pythons(t) {
		for _, bound := range []string{"earliest", "latest"} {
			dir := t.TempDir()
			from, to := filepath.Join(dir, "from.h5"), filepath.Join(dir, "to.h5")
			runPython(t, python, variedScript, "", from, bound)
			copyFile(t, from, to, 2)
			dumps := refDumps(t, shared, python, to, from)
			sameLines(t, from, dumps[0], dumps[1])
			runPython(t, python, variedCheck, "", to)
		}
	}
}

// TestCopyLatestFile copies all link, attribute and chunk structures of the
// newer format into those of the older one.
func TestCopyLatestFile(t *testing.T) {
	shared := sharedDir(t)
	python := pythons(t)[0]
	from, _ := makeLatest(t, python, "v110", 0, "small")
	to := filepath.Join(t.TempDir(), "to.h5")
	copyFile(t, from, to, 2, "/huge") // whose attributes are beyond 64 KiB
	want, err := dumpFile(from)
	if err != nil {
		t.Fatal(err)
	}
	want = slices.DeleteFunc(want, func(line string) bool { return strings.Contains(line, "\t/huge\t") })
	got, err := dumpFile(to)
	if err != nil {
		t.Fatal(err)
	}
	sameLines(t, from, got, want)
	sameLines(t, from, refDumps(t, shared, python, to)[0], want)

	f, err := hdf5.Open(from, hdf5.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	huge, err := f.Lookup("/huge")
	if err != nil {
		t.Fatal(err)
	}
	w, err := hdf5.NewWriter(new(memFile), hdf5.WriteOptions{Name: "w.h5"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	err = hdf5.NewCopier(w).Copy(context.Background(), w.Root(), "huge", huge)
	if !errors.Is(err, hdf5.ErrTooLarge) || !strings.Contains(err.Error(), "w.h5: /huge: attribute ") {
		t.Errorf("copying attributes beyond 64 KiB: %v", err)
	}
}

// TestBeyond4GiB puts data and metadata past the reach of 32 bits. The file has
// holes and takes little disk.
func TestBeyond4GiB(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.h5")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	const n = 5 << 30
	err = buildTo(t, out, 2, func(b *builder) {
		d, err := b.w.Root().CreateDataset("holes", hdf5.DatasetSpec{Type: hdf5.TypeOf[uint8](), Dims: []uint64{n}, Sparse: true})
		b.must(err)
		b.must(d.Append(context.Background(), []byte{1, 2, 3}))
		x := make([]int32, 10000)
		for i := range x {
			x[i] = int32(i)
		}
		g := b.group(b.w.Root(), "g")
		b.value(g, "chunks", hdf5.NumbersValue(x), hdf5.DatasetSpec{Chunk: []uint64{999}, Filters: filter.Pipeline{hdf5.Deflate(4)}})
		b.value(g, "text", hdf5.StringsValue([]string{"beyond", "4 GiB"}), hdf5.DatasetSpec{})
		b.must(g.SetAttr("a", hdf5.RefValue("/g/chunks")))
	})
	if errors.Is(err, syscall.EFBIG) || errors.Is(err, syscall.ENOSPC) {
		missing(t, "the file system takes no file of 5 GiB: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := hdf5.Open(path, hdf5.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size() < n {
		t.Fatalf("%d bytes", f.Size())
	}
	if got := readBytes(t, f, "/g/chunks"); len(got) != 40000 || got[39996] != 0x0f || got[39997] != 0x27 {
		t.Error("the chunks differ")
	}
	if python := pythonOrNone(); python != "" {
		runPython(t, python, `
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "r+") as f:
    assert f["holes"][:4].tolist() == [1, 2, 3, 0] and f["holes"][-1] == 0 and f["holes"].shape == (5 << 30,)
    assert (f["g/chunks"][()] == np.arange(10000)).all() and f["g/text"][()].tolist() == [b"beyond", b"4 GiB"]
    assert f[f["g"].attrs["a"]].name == "/g/chunks"
    f["g/new"] = np.arange(3)
`, "", path)
	}
}
