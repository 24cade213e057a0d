package analysis

import "fmt"

// Error means that the rows of a screen cannot be analysed.
type Error struct {
	Err error
	Tip string // what to do, "" when nothing can be said
}

// Error is the reason.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Hint is what the user can do about it.
func (e *Error) Hint() string { return e.Tip }

// BadInput reports that the rows are at fault.
func (e *Error) BadInput() bool { return true }

func bad(tip, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Tip: tip}
}
