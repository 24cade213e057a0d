package h5ad

import (
	"errors"
	"fmt"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// ErrNotFound means that the file has no element of the name.
var ErrNotFound = hdf5.ErrNotFound

// Error says which element of which file could not be read.
type Error struct {
	File string // path as given to Open
	Key  string // HDF5 path of the element, "" for the file as a whole
	Err  error
	Tip  string // what to do, "" when nothing can be said
}

// Error is "file: key: reason".
func (e *Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", e.File, e.Key, e.Err)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Hint is what the user can do about it.
func (e *Error) Hint() string { return e.Tip }

// BadInput reports that the file is at fault.
func (e *Error) BadInput() bool {
	var h *hdf5.Error
	return !errors.As(e.Err, &h) || h.BadInput()
}

// fail wraps an error with the file and the key, unless it names them already.
func (f *File) fail(key string, err error) error {
	var h *hdf5.Error
	var e *Error
	if err == nil || errors.As(err, &h) || errors.As(err, &e) {
		return err
	}
	return &Error{File: f.path, Key: key, Err: err}
}
