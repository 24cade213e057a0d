package score

import "fmt"

// inputError is an error for which the cells or their labels are at fault.
type inputError string

func badInput(format string, args ...any) error {
	return inputError(fmt.Sprintf(format, args...))
}

// Error is the message.
func (e inputError) Error() string { return string(e) }

// BadInput reports that the input is at fault.
func (inputError) BadInput() bool { return true }
