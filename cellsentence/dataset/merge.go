package dataset

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
)

// Merge joins the parts of a sharded run, in the given order, into one dataset at
// out. Where out has the format of the parts, it has the bytes that the run would
// have written unsharded. Whether the parts belong together is for the caller to
// know (package shard). It returns the number of rows, −1 for txt and jsonl whose
// bytes are joined as they are.
func Merge(ctx context.Context, parts []string, out string, opts Options) (rows int64, err error) {
	if len(parts) == 0 {
		return 0, errors.New("there is no part to join")
	}
	opts.Inputs = append(append([]string(nil), opts.Inputs...), parts...)
	to := opts.Format
	if to.Kind == "" {
		if to, err = FormatOf(out); err != nil {
			return 0, err
		}
	}
	same := true
	for _, part := range parts {
		format, err := FormatOf(part)
		if err != nil {
			return 0, err
		}
		same = same && format == to
	}
	if same && (to.Kind == "txt" || to.Kind == "jsonl") {
		return -1, joinText(ctx, parts, out, to, opts)
	}
	return joinRows(ctx, parts, out, opts)
}

// joinRows writes the rows of the parts anew, with the blocks that they have.
func joinRows(ctx context.Context, parts []string, out string, opts Options) (rows int64, err error) {
	var w *Writer
	defer func() {
		if w != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	for _, part := range parts {
		r, err := Open(ctx, part, ReadOptions{})
		if err != nil {
			return 0, err
		}
		err = func() error {
			defer func() { _ = r.Close() }() // it is only read
			if len(r.skipped) > 0 {
				return inputError(part, "", "", "column %q is of a kind that cannot be written", r.skipped[0])
			}
			if w == nil {
				if w, err = Create(out, r.Schema(), opts); err != nil {
					return err
				}
			}
			for b, err := range r.All(ctx) {
				if err != nil {
					return err
				}
				if err := w.Append(b, nil); err != nil {
					return at(part, "", err)
				}
				if b.Last {
					if err := w.Cut(); err != nil {
						return err
					}
				}
			}
			return w.Cut()
		}()
		if err != nil {
			return 0, err
		}
	}
	if err := w.Commit(); err != nil {
		return 0, err
	}
	return w.Rows(), nil
}

// joinText puts the bytes of the parts one behind the other: blocks are gzip members
// and zstd frames of their own.
func joinText(ctx context.Context, parts []string, out string, format Format, opts Options) (err error) {
	opts.Format = format
	w, err := Create(out, Schema{{ColumnSentence, Text}}, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	sink := w.sink.(*textSink)
	empty, err := sink.pack(nil)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := joinFile(ctx, sink, part, empty); err != nil {
			return err
		}
	}
	return w.Commit()
}

// joinFile adds the bytes of a part, unless it is one without rows.
func joinFile(ctx context.Context, sink *textSink, part string, empty []byte) error {
	f, err := os.Open(part)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	first, last := true, byte('\n')
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := io.ReadFull(f, buf)
		if n > 0 && !(first && len(empty) > 0 && bytes.Equal(buf[:n], empty)) {
			if err := sink.put(nil, buf[:n]); err != nil {
				return err
			}
			last = buf[n-1]
		}
		first = false
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if sink.format.Compression == "" && last != '\n' {
		return inputError(part, "", "run its job again", "the part is cut short: its last line has no end")
	}
	return nil
}
