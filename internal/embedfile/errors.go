package embedfile

import "fmt"

// Error says what is wrong with which file.
type Error struct {
	File string // as given to Open, with the member's name for .npz
	Err  error
	Tip  string // what to do, "" when nothing can be said
}

// Error is "file: reason".
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Hint is what the user can do about it.
func (e *Error) Hint() string { return e.Tip }

// BadInput reports that the file is at fault.
func (*Error) BadInput() bool { return true }

func bad(file, format string, args ...any) error {
	return &Error{File: file, Err: fmt.Errorf(format, args...)}
}
