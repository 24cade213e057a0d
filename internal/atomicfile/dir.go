package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Dir is an output folder in the making.
type Dir struct {
	tmp    string
	name   string // the target as the caller wrote it
	place  *place
	opts   Options
	closed bool
}

// CreateDir makes a temporary folder beside target; write below [Dir.Path]. An
// empty folder at target may be replaced always; one that holds a file of the name
// Options.Marker if Force is set; any other never. A folder that holds an input
// is refused.
func CreateDir(target string, opts Options) (*Dir, error) {
	p, err := placeOf(target)
	if err != nil {
		return nil, err
	}
	if err := replaceable(target, p, opts); err != nil {
		return nil, err
	}
	p.sweep()
	// What the sweep put back stands there as if it had never gone.
	if p, err = placeOf(target); err != nil {
		return nil, err
	}
	if err := replaceable(target, p, opts); err != nil {
		return nil, err
	}
	d := &Dir{name: target, place: p, opts: opts}
	err = p.temporary(func(path string) error {
		d.tmp = path
		return os.Mkdir(path, 0o777)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: cannot write beside the output: %w", target, err)
	}
	return d, nil
}

// replaceable refuses a target that must stay.
func replaceable(target string, p *place, opts Options) error {
	if p.info == nil {
		return nil
	}
	if !p.info.IsDir() {
		if p.isInput(opts.Inputs) {
			return &InputError{target}
		}
		return &KindError{target, "a file, and a folder is to be written", "choose another name"}
	}
	for _, in := range opts.Inputs {
		if inside, err := within(p.path, in); err != nil {
			return err
		} else if inside {
			return &InputError{target}
		}
	}
	entries, err := os.ReadDir(p.path)
	switch {
	case err != nil:
		return err
	case len(entries) == 0:
		return nil
	case !opts.Force:
		return &ExistsError{target}
	}
	if st, err := os.Lstat(filepath.Join(p.path, opts.Marker)); opts.Marker == "" || err != nil || !st.Mode().IsRegular() {
		return &KindError{target, fmt.Sprintf("a folder with other files (it has no %s)", opts.Marker), "name a new folder"}
	}
	return nil
}

// within reports whether path is dir or lies below it. A path that does not exist
// is not there.
func within(dir, path string) (bool, error) {
	path, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return false, err
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return false, nil // another volume
	}
	return rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)), nil
}

// Path is the temporary folder.
func (d *Dir) Path() string { return d.tmp }

// Commit syncs all that was written and gives the folder its name.
func (d *Dir) Commit() error {
	if d.closed {
		return errors.New("committed twice")
	}
	if err := syncTree(d.tmp); err != nil {
		return errors.Join(err, d.Abort())
	}
	if err := d.publish(); err != nil {
		return errors.Join(err, d.Abort())
	}
	d.closed = true
	return syncDir(d.place.dir)
}

// publish moves the folder to its name; one that stands there is set aside first
// and put back if that fails.
func (d *Dir) publish() error {
	now, err := placeOf(d.name)
	if err != nil {
		return err
	}
	if err := replaceable(d.name, now, d.opts); err != nil {
		return err
	}
	if now.info == nil {
		return d.exists(os.Rename(d.tmp, d.place.path))
	}
	old := strings.Replace(d.tmp, mark+tag(), aside+tag(), 1)
	if err := os.Rename(now.path, old); err != nil {
		return err
	}
	if err := os.Rename(d.tmp, now.path); err != nil {
		return errors.Join(d.exists(err), os.Rename(old, now.path))
	}
	return os.RemoveAll(old)
}

// exists names the cause of a rename that found the target taken.
func (d *Dir) exists(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return &ExistsError{d.name}
	}
	return err
}

// Abort removes the temporary folder, unless it was committed.
func (d *Dir) Abort() error {
	if d.closed {
		return nil
	}
	d.closed = true
	return os.RemoveAll(d.tmp)
}

// syncTree syncs each file and folder below root.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return syncDir(path)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}
