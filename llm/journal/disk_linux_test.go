package journal

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

const inside = "JOURNAL_TEST_DISK"

// TestFullDisk fills a real file system of 400 kB, which the test mounts in a
// namespace of its own.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(inside); dir != "" {
		for _, local := range []bool{true, false} {
			ballast := filepath.Join(dir, "ballast")
			if err := os.WriteFile(ballast, make([]byte, 250<<10), 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "j.db")
			j, err := open(t.Context(), path, local)
			if err != nil {
				t.Fatal(err)
			}
			fill(t, j, func() {
				if err := os.Remove(ballast); err != nil {
					t.Fatal(err)
				}
			})
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", `mount -t tmpfs -o size=400k none "$1" && exec "$0" -test.run '^TestFullDisk$'`, os.Args[0], dir)
	cmd.Env = append(os.Environ(), inside+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err == nil {
		return
	}
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 || len(out) < 4 || string(out[:3]) != "---" {
		t.Skipf("this machine lets nobody mount in a namespace: %v %s", err, out)
	}
	t.Errorf("%v\n%s", err, out)
}
