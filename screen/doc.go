// Package screen plans and runs dual-context virtual screens: which compounds raise a
// gene program where there is a little interferon, and leave it alone where there is
// none, as a model of perturbed cells has it.
//
// Start with [ReadConfig], which reads a screen.yaml; [NewPlan] chooses the cells,
// verifies that the two contexts are what they are taken for, and writes down all that
// will be asked; [Run] asks it, with the controls without which no answer counts, and
// gives a table of package screen/record for package screen/analysis.
//
// The experiment is that of C2S-Scale (Rizvi et al., bioRxiv 2025.04.14.648850), whose
// gene list, scores and settings are not published: those here are the project's own.
//
// # What makes runs repeat
//
// A prediction depends on the plan, the compound and the cell, never on what else is
// asked, in which order, or by which shard. Every random choice is keyed by the plan's
// seed and the names concerned.
package screen

import (
	"fmt"
)

// Error says what is wrong with a screen's configuration or input.
type Error struct {
	Place string // the file and what is in it
	Err   error
	Tip   string // what to do, "" when nothing can be said
}

// Error is "place: reason".
func (e *Error) Error() string { return e.Place + ": " + e.Err.Error() }

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// BadInput reports that the input is at fault.
func (e *Error) BadInput() bool { return true }

// Hint is what the user can do about it.
func (e *Error) Hint() string { return e.Tip }

func wrong(place, tip, format string, args ...any) error {
	return &Error{place, fmt.Errorf(format, args...), tip}
}
