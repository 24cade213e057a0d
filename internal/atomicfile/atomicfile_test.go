package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/internal/atomicfile"
)

func write(t *testing.T, f *atomicfile.File, s string) {
	t.Helper()
	if _, err := f.WriteString(s); err != nil {
		t.Fatal(err)
	}
}

func entries(t *testing.T, dir string) int {
	t.Helper()
	e, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(e)
}

func TestCommit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	f, err := atomicfile.Create(path, atomicfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, "one")
	if _, err := os.Stat(path); err == nil {
		t.Fatal("the target exists before the commit")
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "one" {
		t.Fatalf("%q", b)
	}
	if n := entries(t, dir); n != 1 {
		t.Fatalf("%d files left, expected 1", n)
	}
}

func TestRefuse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	var exists *atomicfile.ExistsError
	if _, err := atomicfile.Create(path, atomicfile.Options{}); !errors.As(err, &exists) {
		t.Fatalf("%v, expected an ExistsError", err)
	}
	var input *atomicfile.InputError
	if _, err := atomicfile.Create(path, atomicfile.Options{Force: true, Inputs: []string{path}}); !errors.As(err, &input) {
		t.Fatalf("%v, expected an InputError", err)
	}
	f, err := atomicfile.Create(path, atomicfile.Options{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, "new")
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "new" {
		t.Fatalf("%q", b)
	}
}

// TestRace has the target come into being between Create and Commit.
func TestRace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	f, err := atomicfile.Create(path, atomicfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	var exists *atomicfile.ExistsError
	if err := f.Commit(); !errors.As(err, &exists) {
		t.Fatalf("%v, expected an ExistsError", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "theirs" {
		t.Fatalf("%q", b)
	}
	if n := entries(t, dir); n != 1 {
		t.Fatalf("%d files left, expected 1", n)
	}
}

func TestAbortAndSweep(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	// What a killed process left: no process has this number.
	dead := filepath.Join(dir, ".out.txt.c2s-tmp-2147483646-1")
	if err := os.WriteFile(dead, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := atomicfile.Create(path, atomicfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := entries(t, dir); n != 1 {
		t.Errorf("%d files, expected the dead process's to be gone", n)
	}
	if err := f.Abort(); err != nil {
		t.Fatal(err)
	}
	if n := entries(t, dir); n != 0 {
		t.Errorf("%d files left after Abort", n)
	}
}
