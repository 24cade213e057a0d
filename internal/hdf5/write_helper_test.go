package hdf5_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// memFile is a file in memory.
type memFile struct{ b []byte }

func (m *memFile) WriteAt(p []byte, off int64) (int, error) {
	if n := int(off) + len(p) - len(m.b); n > 0 {
		m.b = append(m.b, make([]byte, n)...)
	}
	return copy(m.b[off:], p), nil
}

var errDiskFull = errors.New("no space left")

// fullDisk fails once the file would have more than limit bytes.
type fullDisk struct {
	memFile
	limit int64
}

func (d *fullDisk) WriteAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > d.limit {
		return 0, errDiskFull
	}
	return d.memFile.WriteAt(p, off)
}

// build writes a file in memory. A panic in fn's helpers fails the test.
func build(t testing.TB, workers int, fn func(b *builder)) []byte {
	t.Helper()
	m := new(memFile)
	if err := buildTo(t, m, workers, fn); err != nil {
		t.Fatal(err)
	}
	return m.b
}

func buildTo(t testing.TB, to io.WriterAt, workers int, fn func(b *builder)) error {
	t.Helper()
	w, err := hdf5.NewWriter(to, hdf5.WriteOptions{Name: "built.h5", Workers: workers})
	if err != nil {
		return err
	}
	defer w.Abort()
	fn(&builder{t, w})
	return w.Close()
}

// builder is a writer whose errors end the test.
type builder struct {
	t testing.TB
	w *hdf5.Writer
}

func (b *builder) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *builder) group(in *hdf5.GroupWriter, name string) *hdf5.GroupWriter {
	b.t.Helper()
	g, err := in.CreateGroup(name)
	b.must(err)
	return g
}

func (b *builder) value(in *hdf5.GroupWriter, name string, v hdf5.Value, spec hdf5.DatasetSpec) *hdf5.DatasetWriter {
	b.t.Helper()
	d, err := in.WriteValue(context.Background(), name, v, spec)
	b.must(err)
	return d
}

// openBytes reads a file in memory.
func openBytes(t testing.TB, b []byte) *hdf5.File {
	t.Helper()
	f, err := hdf5.NewReader(bytes.NewReader(b), int64(len(b)), hdf5.Options{Name: "built.h5"})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// readBytes reads the raw elements of a dataset.
func readBytes(t testing.TB, f *hdf5.File, path string) []byte {
	t.Helper()
	o, err := f.Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.(*hdf5.Dataset).Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return d.Raw()
}

// noise is n bytes that compress a little.
func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(16))
	}
	return b
}

// tool finds a program of hdf5-tools, or the test skips.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, "no %s (hdf5-tools)", name)
	}
	return path
}

func runTool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", fmt.Sprint(name, args), err, out)
	}
	return string(out)
}
