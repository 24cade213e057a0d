package atomicfile

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mark makes a temporary name recognisable: .NAME.c2s-tmp-PID-HOST-RANDOM. aside
// stands in its place in the name of a folder that is about to be replaced.
const (
	mark  = ".c2s-tmp-"
	aside = ".c2s-old-"
)

// place is where an output goes.
type place struct {
	path string // the target, with symbolic links followed
	dir  string
	stem string      // begins the temporary names
	info fs.FileInfo // what stands there; nil if nothing does
}

func placeOf(target string) (*place, error) {
	if target == "" {
		return nil, errors.New("the output has no name")
	}
	path := filepath.Clean(target)
	info, err := os.Stat(path)
	switch {
	case err == nil:
		// A link to a file keeps being one: the file behind it is replaced.
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	default:
		if _, err := os.Lstat(path); err == nil {
			return nil, &KindError{target, "a symbolic link to nothing", "remove the link"}
		}
		info = nil
	}
	base := filepath.Base(path)
	if len(base) > 100 {
		base = base[:100] // names may have 255 bytes, and the rest needs some
	}
	return &place{path: path, dir: filepath.Dir(path), stem: "." + base, info: info}, nil
}

// isInput reports whether the target is one of the inputs, under any name.
func (p *place) isInput(inputs []string) bool {
	for _, in := range inputs {
		if other, err := os.Stat(in); err == nil && os.SameFile(p.info, other) {
			return true
		}
	}
	return false
}

// temporary calls create with unused names beside the target until one is made.
func (p *place) temporary(create func(path string) error) error {
	var err error
	for range 100 {
		err = create(filepath.Join(p.dir, p.stem+mark+tag()+strconv.FormatUint(rand.Uint64(), 36)))
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return err
}

// tag names the process: PID-HOST-. The machine belongs to it, since folders are
// shared and process numbers are not.
func tag() string {
	return fmt.Sprintf("%d-%s-", os.Getpid(), host())
}

func host() string {
	name, err := os.Hostname()
	if err != nil {
		name = "" // all such machines look alike, as they do without a name
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return fmt.Sprintf("%08x", h.Sum32())
}

// sweep removes the target's temporaries of processes of this machine that are
// gone. A folder that such a process had set aside is put back if nothing took
// its place. What cannot be removed stays: it is in nobody's way.
func (p *place) sweep() {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(p.dir, e.Name())
		if rest, ok := strings.CutPrefix(e.Name(), p.stem+mark); ok && dead(rest) {
			_ = os.RemoveAll(path)
		}
		if rest, ok := strings.CutPrefix(e.Name(), p.stem+aside); ok && dead(rest) {
			if _, err := os.Lstat(p.path); errors.Is(err, fs.ErrNotExist) {
				_ = os.Rename(path, p.path)
			} else if err == nil {
				_ = os.RemoveAll(path)
			}
		}
	}
}

// dead reports whether the process of a tag ran on this machine and is gone.
func dead(tag string) bool {
	number, rest, _ := strings.Cut(tag, "-")
	machine, _, _ := strings.Cut(rest, "-")
	pid, err := strconv.Atoi(number)
	return err == nil && pid > 0 && pid != os.Getpid() && machine == host() && !alive(pid)
}
