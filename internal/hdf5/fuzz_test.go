package hdf5_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// seedFiles are small real files and the generated ones.
func seedFiles(tb testing.TB, limit int64) [][]byte {
	tb.Helper()
	var out [][]byte
	shared := os.Getenv("C2S_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	for _, dir := range []string{filepath.Join(shared, "data", "h5ad"), filepath.Join("..", "..", "testdata")} {
		files, _ := filepath.Glob(filepath.Join(dir, "*.h5*"))
		for _, path := range files {
			if st, err := os.Stat(path); err != nil || st.Size() > limit {
				continue
			}
			b, err := os.ReadFile(path)
			if err != nil {
				tb.Fatal(err)
			}
			out = append(out, b)
		}
	}
	return out
}

// readAll reads whatever can be read; every failure but a panic is welcome.
func readAll(b []byte, check func(path string, used uint64)) {
	f, err := hdf5.NewReader(bytes.NewReader(b), int64(len(b)), hdf5.Options{Name: "fuzz.h5", Workers: 1})
	if err != nil {
		return
	}
	root, err := f.Root()
	if err != nil {
		return
	}
	d := &dumper{f: f, seen: map[uint64]bool{}, check: check}
	_ = d.group(root, "/")
}

// FuzzFile looks for panics, hangs and allocation bombs in the whole reader.
func FuzzFile(f *testing.F) {
	for _, b := range seedFiles(f, 64<<10) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		// What any file may ask for, what deflate can justify, and room for scratch;
		// a bound on each read, for a file may hold many datasets.
		limit := uint64(256<<20 + 1100*len(b))
		readAll(b, func(path string, used uint64) {
			if used > limit {
				t.Fatalf("%s: %d bytes allocated for a file of %d", path, used, len(b))
			}
		})
	})
}

// TestMutatedFiles damages seed files in a fixed way: each is an error or a
// value, never a panic.
func TestMutatedFiles(t *testing.T) {
	seeds := seedFiles(t, 200<<10)
	if len(seeds) == 0 {
		t.Skip("no seed files: neither real nor generated ones are present")
	}
	rng := uint64(42)
	next := func(n int) int {
		rng ^= rng << 13
		rng ^= rng >> 7
		rng ^= rng << 17
		return int(rng % uint64(n))
	}
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for _, seed := range seeds {
		for range rounds {
			b := bytes.Clone(seed)
			for range 1 + next(8) {
				at := next(len(b))
				switch next(4) {
				case 0:
					b[at] ^= 1 << next(8)
				case 1:
					b[at] = 0xff
				case 2:
					copy(b[at:min(at+8, len(b))], "\xff\xff\xff\xff\xff\xff\xff\x7f")
				case 3:
					from := next(len(b))
					copy(b[at:min(at+8, len(b))], b[from:])
				}
			}
			if next(4) == 0 {
				b = b[:next(len(b))]
			}
			readAll(b, nil)
		}
	}
}

// TestNotHDF5 names what is wrong with files of other kinds.
func TestNotHDF5(t *testing.T) {
	for _, content := range []string{"", "hello", "\x1f\x8b\x08\x00gzip", string(make([]byte, 5000))} {
		_, err := hdf5.NewReader(bytes.NewReader([]byte(content)), int64(len(content)), hdf5.Options{Name: "x.h5ad"})
		if err == nil {
			t.Errorf("%.10q was opened", content)
		}
	}
}

// TestCancelled stops reading when its context ends.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, b := range seedFiles(t, 1<<20) {
		f, err := hdf5.NewReader(bytes.NewReader(b), int64(len(b)), hdf5.Options{})
		if err != nil {
			continue
		}
		o, err := f.Lookup("/X/data")
		if err != nil {
			continue
		}
		if d, ok := o.(*hdf5.Dataset); ok && d.Chunk() != nil {
			if _, err := d.Read(ctx); err == nil {
				t.Errorf("a cancelled read went on")
			}
		}
	}
}
