package scfidplot

import "fmt"

// short is a name that fits beside an axis.
func short(s string) string {
	const most = 28
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

func errNothing(what string) error { return fmt.Errorf("no %s to draw", what) }
