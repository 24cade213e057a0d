package scfid

import (
	"fmt"
	"strings"
)

// inputError is an error for which the embeddings are at fault.
type inputError string

func badInput(format string, args ...any) error {
	return inputError(fmt.Sprintf(format, args...))
}

// Error is the message.
func (e inputError) Error() string { return string(e) }

// BadInput reports that the input is at fault.
func (inputError) BadInput() bool { return true }

// NonFiniteError lists the rows that hold NaN or an infinity.
type NonFiniteError struct {
	Side string // "real" or the name of the generated set
	Rows []int  // counted from 0, rising
}

// Error names the first rows.
func (e *NonFiniteError) Error() string {
	const shown = 10
	first := make([]string, 0, shown)
	for _, r := range e.Rows[:min(shown, len(e.Rows))] {
		first = append(first, fmt.Sprint(r))
	}
	more := ""
	if len(e.Rows) > shown {
		more = ", …"
	}
	return fmt.Sprintf("%s: %d rows with NaN or infinite values (rows %s%s, counted from 0); drop them or mend the embedding",
		e.Side, len(e.Rows), strings.Join(first, ", "), more)
}

// BadInput reports that the input is at fault.
func (*NonFiniteError) BadInput() bool { return true }
