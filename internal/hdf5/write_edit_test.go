package hdf5_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// editScript changes a file in place in every way that h5py offers, then reads
// all of it back.
const editScript = `
import sys, h5py, numpy as np
p = sys.argv[1]
with h5py.File(p, "r+") as f:
    f.attrs["new"] = "value"
    f["attrs"].attrs["order"] = ["x"] * 50
    del f["attrs/many"].attrs["k350"]
    for i in range(60): f["attrs/large"].attrs["n%d" % i] = np.arange(200)
    f["attrs/data"].attrs["long"] = "w" * 5000
    f.create_group("added/below").attrs["a"] = 1
    f["added/x"] = np.arange(100)
    f["added"].create_dataset("y", data=np.arange(50000).reshape(-1, 5), chunks=(9, 2), compression="gzip", maxshape=(None, 5))
    for n in (0, 1, 7, 8, 9, 255, 256, 257, 8191):
        g = f["groups/n%d" % n]
        for i in range(300): g.create_group("extra %d" % i)
    g = f["groups/n257"]
    for i in range(0, 257, 2): del g["member %d" % i]
    for i in range(1, 257, 2): g.move("member %d" % i, "renamed %d" % i)
    del f["groups/n8193"]
    del f["numbers"]
    f.move("text", "moved/text")
    d = f["chunks/stream"]; d.resize((30001,)); d[20001:] = np.arange(20001, 30001); d[5] = -5
    d = f["chunks/rows"]; d.resize((5, 7)); d.resize((40, 7)); d[12:] = 3
    d = f["spaces/nochunk"]; d.resize((9, 3)); d[:] = 1.5
    d = f["spaces/fill"]; d[9, 9] = 1
    f["chunks/gzip4s3"][3:7, 2:20] = 11
    d = f["text/many"] if "text" in f else f["moved/text/many"]
    d.resize((30010,)); d[29999:] = ["new %d" % i for i in range(11)]
    del f["types/compound"]
    f["links/refs"][0] = f["added"].ref
with h5py.File(p, "r") as f:
    assert f.attrs["new"] == "value" and f["attrs"].attrs["order"].tolist() == ["x"] * 50
    assert len(f["attrs/many"].attrs) == 699 and "k350" not in f["attrs/many"].attrs
    assert all(f["attrs/large"].attrs["n%d" % i].sum() == 19900 for i in range(60)) and f["attrs/large"].attrs["11"].max() == 15
    assert f["attrs/data"].attrs["long"] == "w" * 5000 and f["attrs/data"].attrs["99"] == "v" * 99
    assert (f["added/x"][()] == np.arange(100)).all() and (f["added/y"][()].ravel() == np.arange(50000)).all()
    for n in (0, 1, 7, 8, 9, 255, 256, 8191):
        assert set(f["groups/n%d" % n]) == {"member %d" % i for i in range(n)} | {"extra %d" % i for i in range(300)}
    assert set(f["groups/n257"]) == {"renamed %d" % i for i in range(1, 257, 2)} | {"extra %d" % i for i in range(300)}
    assert "numbers" not in f and "text" not in f and "n8193" not in f["groups"] and len(f["groups/n20000"]) == 20000
    w = np.arange(30001); w[5] = -5
    assert (f["chunks/stream"][()] == w).all()
    r = f["chunks/rows"][()]
    assert (r[:5].ravel() == np.arange(35)).all() and (r[5:12] == 0).all() and (r[12:] == 3).all()
    assert (f["spaces/nochunk"][()] == 1.5).all() and f["spaces/fill"][9, 9] == 1 and f["spaces/fill"][9, 8] == 7
    w = (np.arange(37*29, dtype="u8")**2).astype("u2").reshape(37, 29); w[3:7, 2:20] = 11
    assert (f["chunks/gzip4s3"][()] == w).all()
    t = f["moved/text/many"][()]
    assert [x.decode() for x in t[29998:30001]] == ["barcode-29998", "new 0", "new 1"] and t[-1] == b"new 10" and len(t) == 30010
    assert f[f["links/refs"][0]].name == "/added" and len(f["types"]) == 9
`

// TestH5pyEdits lets h5py change what the writer wrote: the structures must not
// only be readable but hold all that libhdf5 relies on when it changes them.
func TestH5pyEdits(t *testing.T) {
	b := build(t, 2, func(b *builder) { writeBroad(b) })
	for _, python := range pythons(t) {
		path := writeTemp(t, b)
		runPython(t, python, editScript, "", path)
		// Our own reader follows what libhdf5 made of the file.
		if _, err := dumpFile(path); err != nil {
			t.Error(err)
		}
	}
}

// TestToolsReadBroadFile runs the programs of hdf5-tools over everything.
func TestToolsReadBroadFile(t *testing.T) {
	dump, stat, repack, diff := tool(t, "h5dump"), tool(t, "h5stat"), tool(t, "h5repack"), tool(t, "h5diff")
	fill := func(b *builder) {
		// lzf needs a plugin that the tools lack, and the many links take h5diff long.
		root := b.w.Root()
		var drop expectFunc = func(string, string) {}
		broadNumbers(b, b.group(root, "numbers"), drop)
		broadText(b, b.group(root, "text"), drop)
		broadTypes(b, b.group(root, "types"), drop)
		broadAttrs(b, b.group(root, "attrs"), drop)
		broadLinks(b, b.group(root, "links"), drop)
		g := b.group(root, "chunks")
		for _, p := range broadPipelines {
			if !strings.HasPrefix(p.name, "lzf") {
				x := make([]float32, 60*70)
				for i := range x {
					x[i] = float32(i % 77)
				}
				b.value(g, p.name, hdf5.NumbersValue(x, 60, 70), hdf5.DatasetSpec{Chunk: []uint64{7, 9}, Filters: p.filters})
			}
		}
		many := b.group(root, "many")
		for i := range 3000 {
			b.value(many, string(rune('a'+i%26))+strings.Repeat("x", i/26), hdf5.NumberValue(int32(i)), hdf5.DatasetSpec{})
		}
	}
	path := writeTemp(t, build(t, 2, func(b *builder) {
		fill(b)
		broadSpaces(b, b.group(b.w.Root(), "spaces"), func(string, string) {})
	}))
	if out := runTool(t, dump, "-H", path); !strings.Contains(out, "GROUP \"many\"") {
		t.Error("h5dump does not list the group")
	}
	runTool(t, dump, path)
	if out := runTool(t, stat, path); !strings.Contains(out, "# of unique datasets: 30") {
		t.Errorf("h5stat counts other datasets:\n%.600s", out)
	}
	// h5repack -f gives up at contiguous datasets of length 0, h5py's as well.
	path = writeTemp(t, build(t, 2, fill))
	packed := filepath.Join(t.TempDir(), "packed.h5")
	runTool(t, repack, "-f", "GZIP=4", path, packed)
	// Without -c h5diff says of null references that they cannot be compared.
	if out := runTool(t, diff, "-c", path, packed); strings.TrimSpace(out) != "" {
		t.Errorf("h5diff after h5repack: %.600s", out)
	}
	if st, err := os.Stat(packed); err != nil || st.Size() == 0 {
		t.Errorf("h5repack: %v", err)
	}
}

// TestZstdPlugin reads zstd chunks where hdf5plugin is installed.
func TestZstdPlugin(t *testing.T) {
	path := writeTemp(t, build(t, 2, func(b *builder) {
		x := make([]int32, 100000)
		for i := range x {
			x[i] = int32(i / 3)
		}
		for _, level := range []int{1, 3, 9, 19} {
			b.value(b.w.Root(), string(rune('a'+level)), hdf5.NumbersValue(x), hdf5.DatasetSpec{
				Chunk: []uint64{30000}, Filters: filter.Pipeline{hdf5.Shuffle(), hdf5.Zstd(level)},
			})
		}
	}))
	for _, python := range pythons(t) {
		runPython(t, python, `
import sys, h5py, numpy as np
try: import hdf5plugin
except ImportError: sys.exit(0)
with h5py.File(sys.argv[1]) as f:
    assert len(f) == 4
    for k in f: assert (f[k][()] == np.arange(100000) // 3).all(), k
`, "", path)
	}
}
