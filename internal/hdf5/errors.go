package hdf5

import (
	"errors"
	"fmt"
)

// The reasons why a file or an object cannot be read. Each error of this
// package wraps one of them or the error of the operating system.
var (
	// ErrNotHDF5 means that no HDF5 signature was found.
	ErrNotHDF5 = errors.New("not an HDF5 file")
	// ErrCorrupt means that the bytes contradict the format or themselves.
	ErrCorrupt = errors.New("corrupt")
	// ErrTruncated means that the file ends before the data it announces.
	ErrTruncated = errors.New("truncated")
	// ErrUnsupported means a valid feature that this package does not read.
	ErrUnsupported = errors.New("unsupported")
	// ErrNotFound means that no object or attribute has the name.
	ErrNotFound = errors.New("not found")
	// ErrType means that the data is of another kind than was asked for.
	ErrType = errors.New("wrong type")
)

// Error says in which file and at which object a call failed.
type Error struct {
	File   string // path as given to Open
	Object string // absolute HDF5 path, "" for the file as a whole
	Err    error
}

// Error is "file: object: reason".
func (e *Error) Error() string {
	if e.Object == "" {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", e.File, e.Object, e.Err)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// BadInput reports whether the file, rather than the machine, is at fault.
func (e *Error) BadInput() bool {
	for _, s := range []error{ErrNotHDF5, ErrCorrupt, ErrTruncated, ErrUnsupported, ErrNotFound, ErrType} {
		if errors.Is(e.Err, s) {
			return true
		}
	}
	return false
}

func corruptf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

func unsupportedf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}

func typef(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrType, fmt.Sprintf(format, args...))
}
