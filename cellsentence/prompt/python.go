package prompt

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// locate prints the folder of the installed package without importing it, which
// would load torch. The working directory does not count as a place where packages
// are installed.
const locate = `import sys
sys.path[:] = [p for p in sys.path if p]
import importlib.util
spec = importlib.util.find_spec("cell2sentence")
for place in (spec.submodule_search_locations if spec else []):
    print(place)
    break
`

// FindPackage returns the folder with the prompt files of the Python package
// cell2sentence as the given interpreter would import it, for [Load]. The
// interpreter is run; the package is not imported.
func FindPackage(ctx context.Context, python string) (string, error) {
	cmd := exec.CommandContext(ctx, python, "-c", locate)
	cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8:surrogateescape")
	cmd.WaitDelay = time.Second
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("looking for the Python package cell2sentence: %s: %w: %s", python, err, quote(lastLine(problem.String())))
	}
	dir := strings.TrimRight(string(out), "\r\n")
	if dir == "" {
		return "", fmt.Errorf("%s has no Python package cell2sentence: install it there, or name a file or folder of prompts: %w", python, fs.ErrNotExist)
	}
	return promptFolder(dir)
}

// FindPackageIn returns the folder with the prompt files of the Python package
// cell2sentence in the first of some site-packages folders that has it, without
// running Python.
func FindPackageIn(folders ...string) (string, error) {
	for _, folder := range folders {
		dir := filepath.Join(folder, "cell2sentence")
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return promptFolder(dir)
		}
	}
	return "", fmt.Errorf("no Python package cell2sentence in %s: name a file or folder of prompts: %w", list(folders), fs.ErrNotExist)
}

// promptFolder is where the package keeps its prompts.
func promptFolder(dir string) (string, error) {
	dir = filepath.Join(dir, "prompts")
	if info, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("this version of the Python package cell2sentence has no prompts: %w", err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("%s is not a folder", dir)
	}
	return dir, nil
}

// lastLine is the last line of a traceback, which names the error.
func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
