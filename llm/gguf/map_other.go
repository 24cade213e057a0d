//go:build !linux

package gguf

import "os"

// mapFile maps nothing here: weights are read.
func mapFile(*os.File, int64) (b []byte, release func() error, ok bool) { return nil, nil, false }
