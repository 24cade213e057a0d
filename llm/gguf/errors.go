package gguf

import (
	"errors"
	"fmt"
)

// The reasons why a file cannot be read. Each error of this package wraps one of
// them or the error of the operating system.
var (
	// ErrNotGGUF means that the file does not begin as a GGUF file does.
	ErrNotGGUF = errors.New("not a GGUF file")
	// ErrTruncated means that the file ends before what it announces.
	ErrTruncated = errors.New("truncated")
	// ErrCorrupt means that the bytes contradict the format or themselves.
	ErrCorrupt = errors.New("corrupt")
	// ErrUnsupported means a version or a type that this package does not know.
	ErrUnsupported = errors.New("unsupported")
	// ErrNotFound means that the file has no key or tensor of the name.
	ErrNotFound = errors.New("not found")
)

// Error says in which file and at which key or tensor a call failed.
type Error struct {
	File  string // as given to Open or Parse
	Place string // a key or tensor, "" for the file as a whole
	Err   error
}

// Error is "file: place: reason".
func (e *Error) Error() string {
	if e.Place == "" {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", e.File, e.Place, e.Err)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// BadInput reports whether the file, rather than the machine, is at fault.
func (e *Error) BadInput() bool {
	for _, s := range []error{ErrNotGGUF, ErrTruncated, ErrCorrupt, ErrUnsupported, ErrNotFound} {
		if errors.Is(e.Err, s) {
			return true
		}
	}
	return false
}

func corruptf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}
