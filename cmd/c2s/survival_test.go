package main

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// c2s is the command as a process of its own.
func c2s(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("c2s") // where testscript.Main put it
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// TestKilledConvertLeavesTheOldOrTheNewFile kills convert at random moments, 20
// times or C2S_KILLS times (bench/survival.sh).
func TestKilledConvertLeavesTheOldOrTheNewFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no kill -9 on Windows")
	}
	in := filepath.Join("..", "..", "testdata", "demo.h5ad")
	dir := t.TempDir()
	target, fresh := filepath.Join(dir, "target.h5ad"), filepath.Join(dir, "fresh.h5ad")
	args := []string{"convert", in, target, "--to", "csc", "--compression", "gzip", "--level", "9", "--force", "-q"}
	start := time.Now()
	if out, err := c2s(t, "convert", in, fresh, "--to", "csc", "--compression", "gzip", "--level", "9").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(start)
	after, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	before := []byte("what stood there before")
	r := rand.New(rand.NewPCG(3, 4))
	killed, kills := 0, 20
	if n, err := strconv.Atoi(os.Getenv("C2S_KILLS")); err == nil {
		kills = n
	}
	for range kills {
		if err := os.WriteFile(target, before, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := c2s(t, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(r.Int64N(int64(whole))))
		_ = cmd.Process.Kill() // it may have ended
		if cmd.Wait() != nil {
			killed++
		}
		got, err := os.ReadFile(target)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, before) && !bytes.Equal(got, after) {
			t.Fatalf("a half file of %d bytes", len(got))
		}
	}
	if out, err := c2s(t, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("%d entries after the last run, expected the two files: %v", len(entries), entries)
	}
	t.Logf("%d of %d runs were killed before their end", killed, kills)
}

// TestFullDisk lets writing fail half-way, as on a full disk.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no ulimit on Windows")
	}
	path, err := exec.LookPath("c2s")
	if err != nil {
		t.Fatal(err)
	}
	in, err := filepath.Abs(filepath.Join("..", "..", "testdata", "demo.h5ad"))
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{"out.h5ad", "folder"} {
		dir := t.TempDir()
		cmd := exec.Command("sh", "-c", "ulimit -f 40; exec \"$0\" \"$@\"", path, "convert", in, filepath.Join(dir, out))
		text, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: %v: %s", out, err, text)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 0 {
			t.Errorf("%s: left behind: %v", out, entries)
		}
	}
}

// TestKilledAnnotateResumes kills annotate at random moments, 6 times or C2S_KILLS times:
// with its journal it ends with the bytes of a run that nothing disturbed. When it has
// ended, it begins anew, in the next format.
func TestKilledAnnotateResumes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no kill -9 on Windows")
	}
	in := filepath.Join("..", "..", "testdata", "perturb.h5ad")
	dir := t.TempDir()
	journal := filepath.Join(dir, "answers.db")
	formats := []string{".tsv", ".h5ad", ".parquet"}
	start := time.Now()
	for _, f := range formats {
		if out, err := c2s(t, "annotate", in, "--backend", "demo", "-o", filepath.Join(dir, "want"+f)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	whole := time.Since(start) / time.Duration(len(formats))
	r := rand.New(rand.NewPCG(5, 6))
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("C2S_KILLS")); err == nil {
		kills = n
	}
	killed, ended := 0, 0
	for done := false; !done; {
		f := formats[ended%len(formats)]
		got := filepath.Join(dir, "got"+f)
		cmd := c2s(t, "annotate", in, "--backend", "demo", "-o", got, "--journal", journal)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if killed < kills {
			// Each run gets further than the one before, which is in the journal.
			time.Sleep(time.Duration(r.Int64N(int64(whole)/3 + 1)))
			_ = cmd.Process.Kill() // it may have ended
		}
		if cmd.Wait() != nil {
			killed++
			if _, err := os.Stat(got); err == nil {
				t.Fatal("an output of a run that was killed")
			}
			continue
		}
		ended, done = ended+1, killed >= kills
		a, err := os.ReadFile(filepath.Join(dir, "want"+f))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(got); err != nil || !bytes.Equal(a, b) {
			t.Fatalf("%v: %s differs from that of an undisturbed run", err, got)
		}
		for _, path := range []string{got, journal, journal + "-wal", journal + "-shm"} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d kills; %d runs that came to their end wrote the bytes of an undisturbed run", killed, ended)
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != len(formats) {
		t.Errorf("left behind: %v", left)
	}
}
