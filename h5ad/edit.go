package h5ad

import (
	"context"
	"errors"

	"github.com/cellsentence/c2s/internal/atomicfile"
)

// Edit changes elements of the file at path: it adds, replaces or, where a
// change has no Element, deletes them. A new file is made beside the old one, in
// which all else is carried over bit for bit, compressed chunks included, and
// takes its place at the end: the file is never half changed. Elements of anndata
// 0.7 and older come out in the encodings of today.
func Edit(ctx context.Context, path string, opts WriteOptions, changes ...Change) (report *CopyReport, err error) {
	out, err := atomicfile.Create(path, atomicfile.Options{Force: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	w, err := NewWriter(out, path, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	f, err := Open(ctx, path, Options{Workers: opts.Workers})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.format != FormatH5AD {
		return nil, &Error{File: path, Err: errors.New("only .h5ad files can be edited"), Tip: "make one of it with c2s convert"}
	}
	if report, err = w.CopyFrom(ctx, f, CopyOptions{Changes: changes}); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	// Some systems do not replace a file that is open.
	if err := f.Close(); err != nil {
		return nil, err
	}
	return report, out.Commit()
}
