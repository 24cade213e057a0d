package hdf5_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestEveryTypeEqualsH5py has each h5py write every datatype, filter and shape in
// the oldest format, and compares each object with what it reads back.
func TestEveryTypeEqualsH5py(t *testing.T) {
	shared := sharedDir(t)
	for _, python := range pythons(t) {
		path := filepath.Join(t.TempDir(), "types.h5")
		if out, err := exec.Command(python, filepath.Join("testdata", "every_type.py"), path).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", python, err, out)
		}
		compareDumps(t, shared, python, path)
	}
}
