package hdf5_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// checkScript evaluates the cases of standard input on the file that is named.
const checkScript = `
import sys, json, h5py, numpy as np
try: import hdf5plugin
except ImportError: pass
bad = 0
with h5py.File(sys.argv[1], "r") as f:
    for path, want in json.load(sys.stdin):
        try:
            o = f[path]; a = o.attrs
            if not eval(want): raise AssertionError("not so")
        except Exception as e:
            bad += 1
            print(path, want, type(e).__name__, e, sep="\n    ")
sys.exit(bad > 0)
`

// writeTemp puts bytes into a file of its own.
func writeTemp(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "built.h5")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func runPython(t *testing.T, python, script, stdin string, args ...string) {
	t.Helper()
	cmd := exec.Command(python, append([]string{"-c", script}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", python, err, out)
	}
}

// TestH5pyReadsEverything writes one of everything and lets h5py say what it
// finds.
func TestH5pyReadsEverything(t *testing.T) {
	var cases []broadCase
	path := writeTemp(t, build(t, 2, func(b *builder) { cases = writeBroad(b) }))
	var list [][2]string
	for _, c := range cases {
		list = append(list, [2]string{c.path, c.want})
	}
	if len(list) < 120 {
		t.Fatalf("only %d cases", len(list))
	}
	stdin, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, python := range pythons(t) {
		runPython(t, python, checkScript, string(stdin), path)
	}
}

// pythonOrNone is an interpreter for a check that is one of several in a test.
func pythonOrNone() string {
	for _, name := range []string{os.Getenv("C2S_PYTHON"), "python3"} {
		if name != "" && exec.Command(name, "-c", "import h5py").Run() == nil {
			return name
		}
	}
	return ""
}
