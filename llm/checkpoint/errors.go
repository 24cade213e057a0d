package checkpoint

import "fmt"

// Error says what is wrong with a checkpoint. Errors of the machine, such as a
// full disk, are none.
type Error struct {
	File  string // or folder
	Place string // a tensor or a key, "" for the file as a whole
	Err   error
	Tip   string // what to do, "" when nothing can be said
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

// Hint is what the user can do about it.
func (e *Error) Hint() string { return e.Tip }

// BadInput is true: the checkpoint is at fault.
func (e *Error) BadInput() bool { return true }

func badf(file, place, format string, args ...any) *Error {
	return &Error{File: file, Place: place, Err: fmt.Errorf(format, args...)}
}

// tip adds what to do.
func (e *Error) tip(s string) *Error {
	e.Tip = s
	return e
}
