package hdf5_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// refDump is a line of what h5py reads: see the header of ref_dump.py.
func dumpFile(path string) (lines []string, err error) {
	f, err := hdf5.Open(path, hdf5.Options{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := &dumper{f: f, seen: map[uint64]bool{}}
	root, err := f.Root()
	if err != nil {
		return nil, err
	}
	err = d.group(root, "/")
	return d.lines, err
}

type dumper struct {
	f     *hdf5.File
	seen  map[uint64]bool
	lines []string
	check func(path string, used uint64) // of the memory that a read took
}

func (d *dumper) read(o *hdf5.Dataset, path string) (*hdf5.Data, error) {
	if d.check == nil {
		return o.Read(context.Background())
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	v, err := o.Read(context.Background())
	runtime.ReadMemStats(&after)
	d.check(path, after.TotalAlloc-before.TotalAlloc)
	return v, err
}

func (d *dumper) add(f ...string) {
	for i, s := range f {
		f[i] = strings.ReplaceAll(strings.ReplaceAll(s, "\t", " "), "\n", `\n`)
	}
	d.lines = append(d.lines, strings.Join(f, "\t"))
}

func (d *dumper) group(g *hdf5.Group, path string) error {
	d.add("G", path, "", "", "", "")
	d.attrs(g, path)
	if d.seen[g.Addr()] {
		return nil
	}
	d.seen[g.Addr()] = true
	links, err := g.Links()
	if err != nil {
		return err
	}
	for _, l := range links {
		p := strings.TrimRight(path, "/") + "/" + l.Name
		if l.Kind != hdf5.LinkHard {
			d.add("L", p, "", map[hdf5.LinkKind]string{hdf5.LinkSoft: "SoftLink", hdf5.LinkExternal: "ExternalLink"}[l.Kind], "", "")
			continue
		}
		o, err := g.Open(l.Name)
		if err != nil {
			d.add("E", p, "", "ERR", "", err.Error())
			continue
		}
		switch o := o.(type) {
		case *hdf5.Group:
			if err := d.group(o, p); err != nil {
				return err
			}
		case *hdf5.NamedType:
			d.add("T", p, "", "", "", "")
		case *hdf5.Dataset:
			if o.Space.Null {
				d.add("D", p, "", "null", "null", "-")
			} else if v, err := d.read(o, p); err != nil {
				d.add("D", p, "", "ERR", shape(o.Space), err.Error())
			} else {
				d.value("D", p, "", v)
			}
			d.attrs(o, p)
		}
	}
	return nil
}

func (d *dumper) attrs(o hdf5.Object, path string) {
	all, err := o.Attrs()
	if err != nil {
		d.add("A", path, "?", "ERR", "", err.Error())
	}
	for _, a := range all {
		if a.Err == nil && a.Space.Null {
			d.add("A", path, a.Name, "null", "null", "-")
			continue
		}
		v, err := a.Data()
		if err != nil {
			d.add("A", path, a.Name, "ERR", "", err.Error())
			continue
		}
		d.value("A", path, a.Name, v)
	}
}

func shape(s hdf5.Space) string {
	var dims []string
	for _, n := range s.Dims {
		dims = append(dims, fmt.Sprint(n))
	}
	return strings.Join(dims, "x")
}

func (d *dumper) value(kind, path, attr string, v *hdf5.Data) {
	class, b, err := canon(v)
	if err != nil {
		d.add(kind, path, attr, "ERR", "", err.Error())
		return
	}
	sum := sha1.Sum(b)
	d.add(kind, path, attr, class, shape(v.Space), hex.EncodeToString(sum[:])[:16])
}

// canon is the canonical bytes of a value, as ref_dump.py defines them.
func canon(v *hdf5.Data) (string, []byte, error) {
	var out []byte
	switch v.Type.Class {
	case hdf5.ClassInteger, hdf5.ClassEnum, hdf5.ClassBitfield:
		t := v.Type
		if t.Class == hdf5.ClassEnum {
			t = t.Base
		}
		if t.Signed && !v.Type.IsBool() {
			n, err := hdf5.Numbers[int64](v)
			for _, x := range n {
				out = binary.LittleEndian.AppendUint64(out, uint64(x))
			}
			return "int", out, err
		}
		if v.Type.IsBool() {
			n, err := v.Bools()
			for _, x := range n {
				u := uint64(0)
				if x {
					u = 1
				}
				out = binary.LittleEndian.AppendUint64(out, u)
			}
			return "int", out, err
		}
		n, err := hdf5.Numbers[uint64](v)
		for _, x := range n {
			out = binary.LittleEndian.AppendUint64(out, x)
		}
		return "int", out, err
	case hdf5.ClassFloat:
		n, err := hdf5.Numbers[float64](v)
		for _, x := range n {
			u := math.Float64bits(x)
			if x != x {
				u = 0x7ff8000000000000
			}
			out = binary.LittleEndian.AppendUint64(out, u)
		}
		return "float", out, err
	case hdf5.ClassString:
		n, err := v.Strings()
		return "str", lengthPrefixed(n), err
	case hdf5.ClassCompound:
		var parts [][]byte
		for _, m := range v.Type.Members {
			f, err := v.Field(m.Name)
			if err != nil {
				return "", nil, err
			}
			k, b, err := canon(f)
			if err != nil {
				return "", nil, err
			}
			if m.Type.Class == hdf5.ClassArray {
				k = "array_" + k
			}
			parts = append(parts, []byte(m.Name+":"+k+":"+string(b)))
		}
		return "compound", bytes.Join(parts, []byte("|")), nil
	case hdf5.ClassArray:
		k, b, err := canon(v.Spread())
		return "array_" + k, b, err
	case hdf5.ClassReference:
		return "ref", nil, nil
	case hdf5.ClassVLen:
		if v.Type.IsString {
			n, err := v.Strings()
			return "str", lengthPrefixed(n), err
		}
		for i := range v.Len() {
			s, err := v.Sequence(i)
			if err != nil {
				return "", nil, err
			}
			_, b, err := canon(s)
			if err != nil {
				return "", nil, err
			}
			out = binary.LittleEndian.AppendUint32(out, uint32(s.Len()))
			out = append(out, b...)
		}
		return "vlen", out, nil
	case hdf5.ClassOpaque:
		return "opaque", v.Raw(), nil
	}
	return "", nil, errors.New("no canonical form")
}

func lengthPrefixed(v []string) (out []byte) {
	for _, s := range v {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(s)))
		out = append(out, s...)
	}
	return out
}

// sharedDir is the folder of real files, or the test skips.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		missing(t, "the real files are absent (C2S_SHARED): %v", err)
	}
	return dir
}

func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("C2S_CI") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// pythons lists the interpreters to compare with: each must import h5py.
func pythons(t testing.TB) []string {
	t.Helper()
	var found []string
	for _, name := range []string{os.Getenv("C2S_PYTHON"), os.Getenv("C2S_PYTHON_OLD")} {
		if name != "" && exec.Command(name, "-c", "import h5py").Run() == nil {
			found = append(found, name)
		}
	}
	if len(found) == 0 && exec.Command("python3", "-c", "import h5py").Run() == nil {
		found = append(found, "python3")
	}
	if len(found) == 0 {
		missing(t, "no Python with h5py (C2S_PYTHON)")
	}
	return found
}

// TestEveryElementEqualsH5py walks each real file with h5py and with this
// package and compares every object, attribute and value.
func TestEveryElementEqualsH5py(t *testing.T) {
	shared := sharedDir(t)
	files, _ := filepath.Glob(filepath.Join(shared, "data", "h5ad", "*.h5*"))
	if len(files) < 28 {
		t.Fatalf("%d files, expected at least 28", len(files))
	}
	for _, python := range pythons(t) {
		for _, path := range files {
			t.Run(filepath.Base(path), func(t *testing.T) { compareDumps(t, shared, python, path) })
		}
	}
}

func compareDumps(t *testing.T, shared, python, path string) {
	t.Helper()
	got, err := dumpFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, filepath.Join(shared, "bench", "ref_dump.py"), path).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	index := map[string]string{}
	key := func(line string) (string, string) {
		f := strings.SplitN(line, "\t", 4)
		return strings.Join(f[:3], "\t"), f[3]
	}
	for _, line := range got {
		k, v := key(line)
		index[k] = v
	}
	for _, line := range want {
		k, v := key(line)
		have, ok := index[k]
		if !ok {
			t.Errorf("%s: missing, h5py reads %s", k, v)
		} else if have != v && !(strings.HasPrefix(v, "ERR") && strings.HasPrefix(have, "ERR")) {
			t.Errorf("%s: %s, h5py reads %s", k, have, v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d objects and attributes, h5py finds %d", len(got), len(want))
	}
}
