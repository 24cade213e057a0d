//go:build !linux && !darwin

package disk

import "os"

// Local is false where nobody tells.
func Local(string) (bool, error) { return false, nil }

// LocalFile is false where nobody tells.
func LocalFile(*os.File) bool { return false }
