// Package atomicfile writes files and folders that appear whole or not at all: the
// bytes go to a temporary name beside the target, are synced, and then renamed.
//
// Start with [Create] or [CreateDir]; write; call Commit. Abort, deferred, removes
// what was not committed. An output that exists is refused before the work starts,
// and again where it came into being meanwhile. What killed processes of this
// machine left behind is removed when the same target is next written.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ExistsError means that the target exists and may not be replaced.
type ExistsError struct{ Path string }

// Error names the target.
func (e *ExistsError) Error() string { return e.Path + ": the output exists already" }

// Hint says how to replace it.
func (e *ExistsError) Hint() string { return "give --force to replace it" }

// InputError means that the target is one of the inputs, or holds one.
type InputError struct{ Path string }

// Error names the target.
func (e *InputError) Error() string { return e.Path + ": the output is one of the inputs" }

// Hint says what to do.
func (e *InputError) Hint() string { return "write to another path" }

// KindError means that something else stands where the output should go, which
// Force does not replace either: a folder, a device, a pipe.
type KindError struct {
	Path string
	What string // what stands there
	Tip  string
}

// Error names the target and what it is.
func (e *KindError) Error() string { return e.Path + ": the output is " + e.What }

// Hint says what to do.
func (e *KindError) Hint() string { return e.Tip }

// Options says what a target may be.
type Options struct {
	Force  bool     // replace an existing output
	Inputs []string // paths that must not be written over
	// Marker is the name of the file by which CreateDir knows a folder that Force
	// may replace, such as manifest.json: never one that holds other people's files.
	Marker string
}

// File is an output in the making.
type File struct {
	*os.File
	name   string // the target as the caller wrote it
	target string // the same without symbolic links
	force  bool
	done   bool
}

// Create opens a temporary file beside target. It refuses a target that exists,
// unless Force is set, one that is an input, and one that is no file.
func Create(target string, opts Options) (*File, error) {
	p, err := placeOf(target)
	if err != nil {
		return nil, err
	}
	switch {
	case p.info == nil:
	case p.isInput(opts.Inputs):
		return nil, &InputError{target}
	case p.info.IsDir():
		return nil, &KindError{target, "a folder", "name a file in it"}
	case !p.info.Mode().IsRegular():
		// Renaming would put a file in the place of a device such as /dev/null.
		return nil, &KindError{target, "no regular file", "write to - and let the shell redirect stdout"}
	case !opts.Force:
		return nil, &ExistsError{target}
	}
	p.sweep()
	var f *os.File
	err = p.temporary(func(path string) (err error) {
		// With these bits the user's umask decides who may read the output.
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: cannot write beside the output: %w", target, err)
	}
	if p.info != nil {
		// What is replaced keeps its permissions, where the file system has any.
		_ = f.Chmod(p.info.Mode().Perm())
	}
	return &File{File: f, name: target, target: p.path, force: opts.Force}, nil
}

// Commit syncs the file and gives it its name.
func (f *File) Commit() error {
	if f.done {
		return errors.New("committed twice")
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return errors.Join(err, f.Abort())
	}
	if err := f.publish(); err != nil {
		return errors.Join(err, f.Abort())
	}
	f.done = true
	return syncDir(filepath.Dir(f.target))
}

// publish moves the temporary file to its name.
func (f *File) publish() error {
	if f.force {
		return os.Rename(f.Name(), f.target)
	}
	// Link, unlike Rename, fails where the target has come into being meanwhile.
	err := os.Link(f.Name(), f.target)
	switch {
	case err == nil:
		return os.Remove(f.Name())
	case errors.Is(err, fs.ErrExist):
		return &ExistsError{f.name}
	}
	// A file system without hard links: the closest that it offers.
	if _, err := os.Lstat(f.target); err == nil {
		return &ExistsError{f.name}
	}
	return os.Rename(f.Name(), f.target)
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
