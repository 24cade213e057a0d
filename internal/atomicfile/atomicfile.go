// Package atomicfile writes files that appear whole or not at all: the bytes go
// to a temporary file beside the target, which is synced and then renamed.
//
// Start with [Create]; write; call [File.Commit]. [File.Abort], deferred, removes
// what was not committed.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ExistsError means that the target exists and may not be replaced.
type ExistsError struct{ Path string }

// Error names the target.
func (e *ExistsError) Error() string { return e.Path + ": the output exists already" }

// Hint says how to replace it.
func (e *ExistsError) Hint() string { return "give --force to replace it" }

// InputError means that the target is one of the inputs.
type InputError struct{ Path string }

// Error names the target.
func (e *InputError) Error() string { return e.Path + ": the output is one of the inputs" }

// Hint says what to do.
func (e *InputError) Hint() string { return "write to another path" }

// Options says what a target may be.
type Options struct {
	Force  bool     // replace an existing file
	Inputs []string // paths that must not be written over
}

// File is an output in the making.
type File struct {
	*os.File
	target string
	force  bool
	done   bool
}

const mark = ".c2s-tmp-"

// Create opens a temporary file beside target. It refuses a target that exists,
// unless Force is set, and one that is an input; and it removes temporary files
// that dead processes left for the same target.
func Create(target string, opts Options) (*File, error) {
	if err := check(target, opts); err != nil {
		return nil, err
	}
	dir, base := filepath.Split(target)
	if dir == "" {
		dir = "."
	}
	sweep(dir, base)
	f, err := os.CreateTemp(dir, "."+base+mark+strconv.Itoa(os.Getpid())+"-*")
	if err != nil {
		return nil, fmt.Errorf("%s: cannot write beside the output: %w", target, err)
	}
	return &File{File: f, target: target, force: opts.Force}, nil
}

func check(target string, opts Options) error {
	st, err := os.Stat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, in := range opts.Inputs {
		if other, err := os.Stat(in); err == nil && os.SameFile(st, other) {
			return &InputError{target}
		}
	}
	if st.IsDir() {
		return fmt.Errorf("%s: the output is a folder", target)
	}
	if !opts.Force {
		return &ExistsError{target}
	}
	return nil
}

// sweep removes temporary files of the target whose process is gone.
func sweep(dir, base string) {
	left, err := filepath.Glob(filepath.Join(dir, "."+base+mark+"*"))
	if err != nil {
		return // the name holds a pattern character: nothing is swept
	}
	for _, path := range left {
		_, rest, _ := strings.Cut(filepath.Base(path), mark)
		number, _, _ := strings.Cut(rest, "-")
		if pid, err := strconv.Atoi(number); err == nil && pid != os.Getpid() && !alive(pid) {
			_ = os.Remove(path) // it may be gone already
		}
	}
}

// Commit syncs the file and gives it its name.
func (f *File) Commit() error {
	if f.done {
		return errors.New("committed twice")
	}
	err := f.Sync()
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, f.Abort())
	}
	if !f.force {
		// Link fails where the target has come into being meanwhile.
		err = os.Link(f.Name(), f.target)
		if err == nil {
			f.done = true
			return os.Remove(f.Name())
		}
		if errors.Is(err, fs.ErrExist) {
			return errors.Join(&ExistsError{f.target}, f.Abort())
		}
	}
	if err := os.Rename(f.Name(), f.target); err != nil {
		return errors.Join(err, f.Abort())
	}
	f.done = true
	return syncDir(filepath.Dir(f.target))
}

// Abort removes the temporary file, unless it was committed.
func (f *File) Abort() error {
	if f.done {
		return nil
	}
	f.done = true
	_ = f.Close() // closed already after a failed commit
	return os.Remove(f.Name())
}
