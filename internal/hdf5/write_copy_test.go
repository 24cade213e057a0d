package hdf5_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// copyFile copies a whole file, object by object, but for the paths in skip.
func copyFile(t *testing.T, from, to string, workers int, skip ...string) {
	t.Helper()
	src, err := hdf5.Open(from, hdf5.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w, err := hdf5.NewWriter(out, hdf5.WriteOptions{Name: to, Workers: workers, UserBlock: make([]byte, src.UserBlock())})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	c := hdf5.NewCopier(w)
	c.Skip = func(path string) bool { return slices.Contains(skip, path) }
	root, err := src.Root()
	if err != nil {
		t.Fatal(err)
	}
	c.Stands(w.Root(), root)
	if err := c.CopyAttrs(w.Root(), root); err != nil {
		t.Fatal(err)
	}
	links, err := root.Links()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if c.Skip("/" + l.Name) {
			continue
		}
		if l.Kind == hdf5.LinkSoft {
			if err := w.Root().SoftLink(l.Name, l.Target); err != nil {
				t.Fatal(err)
			}
			continue
		}
		o, err := root.Open(l.Name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Copy(context.Background(), w.Root(), l.Name, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if lost := c.Lost(); len(lost) > 0 {
		t.Errorf("references lost: %v", lost)
	}
}

// TestCopyRealFiles copies each real file: the copy must read as the original
// does, by h5py and by this package, and be the same at any number of workers.
func TestCopyRealFiles(t *testing.T) {
	shared := sharedDir(t)
	files, _ := filepath.Glob(filepath.Join(shared, "data", "h5ad", "*.h5*"))
	if len(files) < 28 {
		t.Fatalf("%d files, expected at least 28", len(files))
	}
	dir := t.TempDir()
	var copies []string
	var dumps [][]string
	for i, path := range files {
		copied, again := filepath.Join(dir, fmt.Sprint(i)), filepath.Join(dir, "again")
		copies = append(copies, copied)
		copyFile(t, path, copied, 1)
		copyFile(t, path, again, 3)
		if !bytes.Equal(readFile(t, copied), readFile(t, again)) {
			t.Errorf("%s: the bytes differ between 1 and 3 workers", path)
		}
		want, err := dumpFile(path)
		if err != nil {
			t.Fatal(err)
		}
		dumps = append(dumps, want)
		got, err := dumpFile(copied)
		if err != nil {
			t.Fatal(err)
		}
		sameLines(t, path, got, want)
	}
	// TestEveryElementEqualsH5py holds the dumps of the originals against h5py.
	for i, got := range refDumps(t, shared, pythons(t)[0], copies...) {
		sameLines(t, files[i], got, dumps[i])
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// refDumps runs ref_dump.py over several files in one process.
func refDumps(t *testing.T, shared, python string, paths ...string) [][]string {
	t.Helper()
	const script = `
import sys
code = compile(open(sys.argv[1]).read(), sys.argv[1], "exec")
for path in sys.argv[2:]:
    sys.argv = ["ref_dump.py", path]
    exec(code, {"__doc__": ""})
    print("\f")
`
	args := append([]string{"-c", script, filepath.Join(shared, "bench", "ref_dump.py")}, paths...)
	out, err := exec.Command(python, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(strings.TrimSuffix(string(out), "\f\n"), "\f\n")
	if len(parts) != len(paths) {
		t.Fatalf("%d dumps of %d files", len(parts), len(paths))
	}
	var dumps [][]string
	for _, p := range parts {
		dumps = append(dumps, strings.Split(strings.TrimSuffix(p, "\n"), "\n"))
	}
	return dumps
}

// sameLines compares two dumps, whose order is that of the links.
func sameLines(t *testing.T, name string, got, want []string) {
	t.Helper()
	if len(want) < 2 {
		t.Fatalf("%s: a dump of %d lines", name, len(want))
	}
	slices.Sort(got)
	slices.Sort(want)
	if slices.Equal(got, want) {
		return
	}
	t.Errorf("%s: %d lines, expected %d", name, len(got), len(want))
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: first difference:\n%s\nexpected\n%s", name, got[i], want[i])
		}
	}
}

// FuzzCopy copies damaged files: whatever is wrong ends in an error, and what
// was copied without one can be read as it was before.
func FuzzCopy(f *testing.F) {
	for _, b := range seedFiles(f, 64<<10) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		src, err := hdf5.NewReader(bytes.NewReader(b), int64(len(b)), hdf5.Options{Name: "fuzz.h5", Workers: 1})
		if err != nil {
			return
		}
		root, err := src.Root()
		if err != nil {
			return
		}
		out := &fullDisk{limit: 64 << 20}
		w, err := hdf5.NewWriter(out, hdf5.WriteOptions{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		if hdf5.NewCopier(w).Copy(context.Background(), w.Root(), "copy", root) != nil {
			return
		}
		if w.Close() == nil {
			readAll(out.b, nil)
		}
	})
}
