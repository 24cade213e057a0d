package compare

import "fmt"

// inputError is an error for which a file of a run, or the choice of the runs, is at
// fault.
type inputError struct {
	err error
	tip string
}

func (e *inputError) Error() string { return e.err.Error() }

func (e *inputError) Unwrap() error { return e.err }

// Hint is what can be done about it, "" when nothing can be said.
func (e *inputError) Hint() string { return e.tip }

// BadInput reports that the input is at fault.
func (e *inputError) BadInput() bool { return true }

func badInput(tip, format string, args ...any) error {
	return &inputError{fmt.Errorf(format, args...), tip}
}
