package main

import (
	"errors"
	"io"

	"github.com/cellsentence/c2s/internal/atomicfile"
)

// output is where --out sends the result of a command: stdout, or a file that
// appears when it is committed.
type output struct {
	io.Writer
	file *atomicfile.File // nil: stdout
}

// create opens the output, which must be none of the inputs; without --out and
// with --out - it is stdout.
func (g *globals) create(inputs ...string) (*output, error) {
	if g.out == "" || g.out == "-" {
		return &output{Writer: g.stdout}, nil
	}
	f, err := atomicfile.Create(g.out, atomicfile.Options{Force: g.force, Inputs: inputs})
	if err != nil {
		return nil, err
	}
	return &output{f, f}, nil
}

// Commit makes the file appear.
func (o *output) Commit() error {
	if o.file == nil {
		return nil
	}
	return o.file.Commit()
}

// Abort, deferred, leaves nothing behind of a file that was not committed.
func (o *output) Abort() error {
	if o.file == nil {
		return nil
	}
	return o.file.Abort()
}

// writeWhole writes a file that appears whole or not at all.
func writeWhole(path string, force bool, inputs []string, write func(io.Writer) error) (err error) {
	f, err := atomicfile.Create(path, atomicfile.Options{Force: force, Inputs: inputs})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Abort()) }()
	if err := write(f); err != nil {
		return err
	}
	return f.Commit()
}
