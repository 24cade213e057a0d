package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Error says which file, and what in it, cannot be used.
type Error struct {
	File  string // as given; "" if it is not about a file
	Place string // such as "line 7" or "row group 2, column donor"; "" for the whole
	Err   error
	Tip   string // what to do, "" when nothing can be said
}

// Error is "file: place: reason".
func (e *Error) Error() string {
	s := e.Err.Error()
	for _, before := range []string{e.Place, e.File} {
		if before != "" {
			s = before + ": " + s
		}
	}
	return s
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Hint is what the user can do about it.
func (e *Error) Hint() string { return e.Tip }

// BadInput reports that the file is at fault, and not the disk.
func (e *Error) BadInput() bool {
	var io *fs.PathError
	return !errors.As(e.Err, &io)
}

func inputError(file, place, tip, format string, args ...any) error {
	return &Error{File: file, Place: place, Err: fmt.Errorf(format, args...), Tip: tip}
}

// at adds the file and the place to an error that does not name them. That of a
// context stays as it is.
func at(file, place string, err error) error {
	var e *Error
	switch {
	case err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &e):
		full := *e
		if full.File == "" {
			full.File = file
		}
		if full.Place == "" {
			full.Place = place
		}
		return &full
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the file is cut short")
	}
	return &Error{File: file, Place: place, Err: err}
}

// guard runs fn and turns a panic, which the Arrow library throws at damaged
// files, into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file is damaged: %v", p)
		}
	}()
	return fn()
}
