package scaling

import "fmt"

// inputError is an error for which the points are at fault.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }

func (e *inputError) Unwrap() error { return e.err }

// BadInput reports that the input is at fault.
func (e *inputError) BadInput() bool { return true }

func badInput(format string, args ...any) error {
	return &inputError{fmt.Errorf(format, args...)}
}
