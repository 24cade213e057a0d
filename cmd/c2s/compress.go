package main

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/h5ad"
)

// compressionFlags say how an output is compressed.
type compressionFlags struct {
	method string
	level  int
}

func (c *compressionFlags) add(f *pflag.FlagSet) {
	f.StringVar(&c.method, "compression", "", "compress arrays with `gzip|lzf|zstd|none` (default: as they are)")
	f.IntVar(&c.level, "level", 0, "level of gzip, 1 to 9, or zstd, 1 to 22 (default 4 and 3)")
}

func (c *compressionFlags) check() error {
	if !slices.Contains([]string{"", "gzip", "lzf", "zstd", "none"}, c.method) {
		return fmt.Errorf("--compression %q is none of gzip, lzf, zstd, none", c.method)
	}
	most := map[string]int{"gzip": 9, "zstd": 22}[c.method]
	switch {
	case c.level == 0:
	case most == 0:
		return fmt.Errorf("--level needs --compression gzip or zstd")
	case c.level < 1 || c.level > most:
		return fmt.Errorf("--level %d: %s has levels from 1 to %d", c.level, c.method, most)
	}
	return nil
}

// chosen is the compression of what is made anew.
func (c *compressionFlags) chosen() h5ad.Compression {
	return h5ad.Compression{Method: c.method, Level: c.level}
}

// of is the compression of what comes from a file. A 10x folder has none that
// could be kept.
func (c *compressionFlags) of(f *h5ad.File) h5ad.Compression {
	if c.method == "" && f.Format() == h5ad.FormatMTX {
		return h5ad.Compression{Method: "gzip"}
	}
	return c.chosen()
}

// warning is what readers of the output need.
func (c *compressionFlags) warning() string {
	switch c.method {
	case "zstd":
		return "zstd needs a plugin in other programs: import hdf5plugin before reading the file in Python"
	case "lzf":
		return "lzf is read by h5py, but not by R or other programs without a plugin"
	}
	return ""
}
