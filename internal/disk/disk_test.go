package disk_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cellsentence/c2s/internal/disk"
)

// TestLocal: memory is local, a file system that the kernel makes up is not known.
func TestLocal(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("these paths are Linux's")
	}
	for path, want := range map[string]bool{"/dev/shm": true, "/proc": false} {
		if got, err := disk.Local(path); err != nil || got != want {
			t.Errorf("%s: %v, %v; expected %v", path, got, err, want)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := disk.LocalFile(f); got != want {
			t.Errorf("%s, opened: %v, expected %v", path, got, want)
		}
		f.Close()
	}
	if _, err := disk.Local(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}
