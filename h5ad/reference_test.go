package h5ad_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

const reference = "testdata/reference.py"

// interpreters lists the interpreters to compare with: each must import anndata.
func interpreters(t testing.TB) []string {
	t.Helper()
	var found []string
	for _, name := range []string{os.Getenv("C2S_PYTHON"), os.Getenv("C2S_PYTHON_OLD")} {
		if name != "" && exec.Command(name, "-c", "import anndata").Run() == nil {
			found = append(found, name)
		}
	}
	if len(found) == 0 && exec.Command("python3", "-c", "import anndata").Run() == nil {
		found = append(found, "python3")
	}
	if len(found) == 0 {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("no Python with anndata (C2S_PYTHON)")
		}
		t.Skip("no Python with anndata (C2S_PYTHON)")
	}
	return found
}

// label names an interpreter in test names by its anndata.
func label(t testing.TB, python string) string {
	t.Helper()
	out, err := exec.Command(python, "-W", "ignore", "-c", "import anndata; print(anndata.__version__)").Output()
	if err != nil {
		t.Fatal(err)
	}
	return "anndata-" + strings.TrimSpace(string(out))
}

// run runs a command of reference.py and gives what it printed.
func run(t testing.TB, python string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.Command(python, append([]string{reference}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		t.Log(strings.Join(lines[max(0, len(lines)-3):], "\n"))
	}
	return out, err
}

// TestEveryElementEqualsAnndata walks real files, and files that anndata makes
// here, with anndata and with this package and compares every value.
func TestEveryElementEqualsAnndata(t *testing.T) {
	for _, python := range interpreters(t) {
		t.Run(label(t, python), func(t *testing.T) {
			dir := t.TempDir()
			if _, err := run(t, python, "make", dir); err != nil {
				t.Fatal(err)
			}
			made, _ := filepath.Glob(filepath.Join(dir, "*.h5ad"))
			if len(made) < 10 {
				t.Fatalf("%d files were made, expected 10", len(made))
			}
			compareAll(t, python, made)
			t.Run("real", func(t *testing.T) {
				files, _ := filepath.Glob(filepath.Join(sharedDir(t), "data", "h5ad", "*.h5*"))
				if len(files) < 28 {
					t.Fatalf("%d files, expected at least 28", len(files))
				}
				compareAll(t, python, files)
			})
		})
	}
}

// dumps is what one run of Python reads from files, by file and key.
func dumps(t *testing.T, python string, files []string) map[string]map[string]record {
	t.Helper()
	return printed(t, python, append([]string{"dump"}, files...)...)
}

// printed is what a command of reference.py prints, by file and key.
func printed(t *testing.T, python string, args ...string) map[string]map[string]record {
	t.Helper()
	out, err := run(t, python, args...)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]record{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if want[r.File] == nil {
			want[r.File] = map[string]record{}
		}
		want[r.File][r.Key] = r
	}
	return want
}

// compareAll compares each file with what one run of Python reads.
func compareAll(t *testing.T, python string, files []string) {
	t.Helper()
	want := dumps(t, python, files)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if e, failed := want[path][""]; failed {
				// Nullable strings are newer than anndata 0.8.
				if strings.Contains(e.Head, "nullable-string-array") {
					t.Skip("this anndata is too old for the file: " + e.Head)
				}
				t.Fatal(e.Head)
			}
			got := dumpFile(t, path, h5ad.RowOptions{})
			compareRecords(t, got, want[path])
			// Small batches and small passes give the same rows.
			small := dumpFile(t, path, h5ad.RowOptions{MaxRows: 7, MaxValues: 300, Budget: 20_000})
			compareRecords(t, small, got)
		})
	}
}

func compareRecords(t *testing.T, got, want map[string]record) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		g, ok := got[key]
		if !ok {
			t.Errorf("%s: missing, anndata reads %+v", key, want[key])
			continue
		}
		if w := want[key]; w.String() != g.String() {
			t.Errorf("%s:\nanndata %v %s\nh5ad    %v %s", key, w, w.Head, g, g.Head)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: %+v, which anndata does not read", key, got[key])
		}
	}
}
