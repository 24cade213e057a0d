package cellsentence

import "fmt"

// inputError is an error of what the user gave, rather than of the program or
// the machine. The command ends with another code for it.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }
func (e *inputError) Unwrap() error { return e.err }

// BadInput reports that the input is at fault.
func (e *inputError) BadInput() bool { return true }

// badInput formats an error about bad input; %w wraps as in [fmt.Errorf].
func badInput(format string, args ...any) error {
	return &inputError{fmt.Errorf(format, args...)}
}
