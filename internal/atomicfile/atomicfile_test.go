package atomicfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
	left, err := atomicfile.Create(path, atomicfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	killed(t, left.Name())
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

// killed renames a temporary as if a process that is gone had made it.
func killed(t *testing.T, path string) string {
	t.Helper()
	dead := strings.Replace(path, "-"+strconv.Itoa(os.Getpid())+"-", "-2147483646-", 1)
	if dead == path {
		t.Fatalf("%s does not name the process", path)
	}
	if err := os.Rename(path, dead); err != nil {
		t.Fatal(err)
	}
	return dead
}

// TestSweepSpares leaves what another machine writes into a shared folder, and
// what belongs to another target.
func TestSweepSpares(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		".out.txt.c2s-tmp-2147483646-ffffffff-x", // by a machine of another name, all but surely
		".other.txt.c2s-tmp-2147483646-00000000-x",
		".out.txt.c2s-tmp-none-x",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := atomicfile.Create(filepath.Join(dir, "out.txt"), atomicfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Abort(); err != nil {
		t.Fatal(err)
	}
	if n := entries(t, dir); n != 3 {
		t.Errorf("%d files left, expected 3", n)
	}
}

// TestNames takes names with pattern characters and of the greatest length.
func TestNames(t *testing.T) {
	for _, name := range []string{"a[b*?.txt", strings.Repeat("n", 251) + ".txt", "naïve cells.txt"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		left, err := atomicfile.Create(path, atomicfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		killed(t, left.Name())
		f, err := atomicfile.Create(path, atomicfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if n := entries(t, dir); n != 1 {
			t.Errorf("%s: %d files left, expected 1", name, n)
		}
	}
}

// TestKinds refuses what is no file, whatever Force says.
func TestKinds(t *testing.T) {
	dir := t.TempDir()
	nowhere := filepath.Join(dir, "nowhere")
	if err := os.Symlink(filepath.Join(dir, "missing"), nowhere); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	for _, path := range []string{dir, os.DevNull, nowhere} {
		var kind *atomicfile.KindError
		if _, err := atomicfile.Create(path, atomicfile.Options{Force: true}); !errors.As(err, &kind) {
			t.Errorf("%s: %v, expected a KindError", path, err)
		}
	}
	if _, err := atomicfile.Create("", atomicfile.Options{}); err == nil {
		t.Error("an empty name is taken")
	}
}

// TestLink replaces the file behind a symbolic link, with its permissions, and
// knows an input under another name.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.txt"), filepath.Join(dir, "link.txt")
	if err := os.WriteFile(real, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	var input *atomicfile.InputError
	if _, err := atomicfile.Create(link, atomicfile.Options{Force: true, Inputs: []string{real}}); !errors.As(err, &input) {
		t.Fatalf("%v, expected an InputError", err)
	}
	f, err := atomicfile.Create(link, atomicfile.Options{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, "new")
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	st, err := os.Lstat(real)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(real); string(b) != "new" || st.Mode() != 0o600 {
		t.Errorf("%q with mode %v, expected new with -rw-------", b, st.Mode())
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
}
