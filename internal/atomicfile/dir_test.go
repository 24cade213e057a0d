package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/internal/atomicfile"
)

const marker = "manifest.json"

func createDir(t *testing.T, path string, opts atomicfile.Options) *atomicfile.Dir {
	t.Helper()
	opts.Marker = marker
	d, err := atomicfile.CreateDir(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// put writes files into a folder, which it makes.
func put(t *testing.T, dir string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// list joins the names in a folder, hidden ones too.
func list(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return strings.Join(names, " ")
}

func TestDir(t *testing.T) {
	top := t.TempDir()
	out := filepath.Join(top, "out")
	for step, tc := range []struct {
		force bool
		files []string
		want  string
	}{
		{false, []string{"a", marker}, "a manifest.json"},
		{true, []string{"b", marker}, "b manifest.json"}, // a is gone, not mixed in
	} {
		d := createDir(t, out, atomicfile.Options{Force: tc.force})
		put(t, d.Path(), tc.files...)
		if err := d.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := list(t, out); got != tc.want {
			t.Errorf("step %d: %q, expected %q", step, got, tc.want)
		}
		if got := list(t, top); got != "out" {
			t.Errorf("step %d: %q beside each other, expected out alone", step, got)
		}
	}
}

func TestDirRefused(t *testing.T) {
	top := t.TempDir()
	made, foreign, empty := filepath.Join(top, "made"), filepath.Join(top, "foreign"), filepath.Join(top, "empty")
	put(t, made, marker, "in.h5ad")
	put(t, foreign, "thesis.tex")
	put(t, empty)
	put(t, top, "file")
	exists, kind, input := new(*atomicfile.ExistsError), new(*atomicfile.KindError), new(*atomicfile.InputError)
	for _, tc := range []struct {
		path   string
		opts   atomicfile.Options
		target any // of errors.As; nil: allowed
	}{
		{made, atomicfile.Options{}, exists},
		{made, atomicfile.Options{Force: true}, nil},
		{made, atomicfile.Options{Force: true, Inputs: []string{filepath.Join(made, "in.h5ad")}}, input},
		{foreign, atomicfile.Options{}, exists},
		{foreign, atomicfile.Options{Force: true}, kind},
		{top, atomicfile.Options{Force: true}, kind},
		{filepath.Join(top, "file"), atomicfile.Options{Force: true}, kind},
		{empty, atomicfile.Options{}, nil},
		{empty, atomicfile.Options{Inputs: []string{filepath.Join(top, "file")}}, nil},
	} {
		tc.opts.Marker = marker
		d, err := atomicfile.CreateDir(tc.path, tc.opts)
		switch {
		case tc.target == nil && err != nil, tc.target != nil && !errors.As(err, tc.target):
			t.Errorf("%s %+v: %v, expected %T", tc.path, tc.opts, err, tc.target)
		case err == nil:
			if err := d.Abort(); err != nil {
				t.Error(err)
			}
		}
	}
	if got := list(t, top); got != "empty file foreign made" {
		t.Errorf("%q is left", got)
	}
}

// TestDirRace has the target come into being while the folder is written.
func TestDirRace(t *testing.T) {
	top := t.TempDir()
	out := filepath.Join(top, "out")
	d := createDir(t, out, atomicfile.Options{})
	put(t, d.Path(), "ours")
	put(t, out, "theirs")
	var exists *atomicfile.ExistsError
	if err := d.Commit(); !errors.As(err, &exists) {
		t.Fatalf("%v, expected an ExistsError", err)
	}
	if got := list(t, out) + ", " + list(t, top); got != "theirs, out" {
		t.Errorf("%q is left", got)
	}
}

// TestDirKilled finds what processes left that were killed while writing and
// between the two renames that replace a folder.
func TestDirKilled(t *testing.T) {
	top := t.TempDir()
	out := filepath.Join(top, "out")
	half := createDir(t, out, atomicfile.Options{})
	old := strings.Replace(half.Path(), "c2s-tmp", "c2s-old", 1)
	put(t, old, marker, "kept")
	killed(t, half.Path())
	killed(t, old)
	// The old folder is back, and so it stands in the way.
	var exists *atomicfile.ExistsError
	if _, err := atomicfile.CreateDir(out, atomicfile.Options{Marker: marker}); !errors.As(err, &exists) {
		t.Fatalf("%v, expected an ExistsError", err)
	}
	if got := list(t, top) + ": " + list(t, out); got != "out: kept manifest.json" {
		t.Errorf("%q is left", got)
	}
	d := createDir(t, out, atomicfile.Options{Force: true})
	if err := d.Abort(); err != nil {
		t.Fatal(err)
	}
	if got := list(t, out); got != "kept manifest.json" {
		t.Errorf("%q is left after Abort", got)
	}
}
