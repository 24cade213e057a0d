package preprocess

import "fmt"

// inputError is an error of the data.
type inputError struct{ text string }

func (e *inputError) Error() string { return e.text }

// BadInput reports that the input is at fault.
func (e *inputError) BadInput() bool { return true }

func badInput(format string, args ...any) error {
	return &inputError{fmt.Sprintf(format, args...)}
}

// badValue makes the error for a value that is no expression.
func badValue(row int, gene string, v float64) error {
	if v < 0 {
		return badInput("row %d, gene %q: negative value %g: the matrix looks scaled (z-scores), and cannot be filtered or normalised; "+
			"choose counts with --layer NAME or --raw", row, gene, v)
	}
	return badInput("row %d, gene %q: the value is %g; choose another matrix with --layer NAME or --raw, or repair this one", row, gene, v)
}
