package predictor

import (
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/internal/spelling"
)

// InputError is a reference, a table or a request that cannot be used.
type InputError struct {
	Err error
	Tip string // what to do, "" when nothing can be said
}

// Error is the reason.
func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *InputError) Unwrap() error { return e.Err }

// Hint is what can be done.
func (e *InputError) Hint() string { return e.Tip }

// BadInput reports that the data is at fault.
func (e *InputError) BadInput() bool { return true }

func badInput(tip, format string, args ...any) error {
	return &InputError{fmt.Errorf(format, args...), tip}
}

// UnknownError means that nothing is known of a perturbation.
type UnknownError struct {
	Perturbation string
	// Where is what was searched, such as the path of the reference.
	Where string
	// Nearest are the known names that are closest in spelling.
	Nearest []string
	// Guide says that one of them differs by the suffix of a guide alone, as ABCA1-1
	// and ABCA1.
	Guide bool
}

// Error names the perturbation and where it was looked for.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("%s does not know the perturbation %q", e.Where, e.Perturbation)
}

// BadInput reports that the request is at fault.
func (e *UnknownError) BadInput() bool { return true }

// Hint names those that were perhaps meant.
func (e *UnknownError) Hint() string {
	switch {
	case e.Guide:
		return fmt.Sprintf("it has %s: labels differ by the suffix of a guide; label both by target or both by guide", strings.Join(e.Nearest, ", "))
	case len(e.Nearest) > 0:
		return "did you mean " + strings.Join(e.Nearest, ", or ") + "?"
	}
	return "give a reference that has it"
}

// unknown is the error for a name among those known.
func unknown(name, where string, known []string) *UnknownError {
	e := &UnknownError{Perturbation: name, Where: where}
	for _, k := range known {
		// One is the other with a number behind it. Two numbers behind one stem need be no
		// guides: IL-2 and IL-6.
		if Target(k) == name || Target(name) == k {
			e.Nearest, e.Guide = append(e.Nearest, k), true
		}
	}
	if len(e.Nearest) > 3 {
		e.Nearest = e.Nearest[:3]
	}
	if !e.Guide {
		e.Nearest = spelling.Nearest(name, known, 3)
	}
	return e
}
