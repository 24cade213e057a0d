package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/embedfile"
	"github.com/cellsentence/c2s/internal/shard"
)

// mergeNumPy joins matrices of float32, one below the other.
func mergeNumPy(ctx context.Context, g *globals, set *shard.Set) (rows int64, err error) {
	var parts []*embedfile.Array
	defer func() {
		for _, a := range parts {
			err = errors.Join(err, a.Close())
		}
	}()
	n := 0
	for _, path := range set.Paths {
		a, err := embedfile.Open(ctx, path, g.budget()/4)
		if err != nil {
			return 0, err
		}
		parts = append(parts, a)
		n += a.Len()
		if a.Dim() != parts[0].Dim() {
			return 0, &inputError{fmt.Errorf("%s has rows of %d numbers, %s of %d", path, a.Dim(), set.Paths[0], parts[0].Dim()), "run its job again"}
		}
	}
	f, err := atomicfile.Create(g.out, atomicfile.Options{Force: g.force, Inputs: set.Paths})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Abort()) }()
	buf := bufio.NewWriterSize(f, 1<<18)
	w, err := embedfile.NewWriter[float32](buf, n, parts[0].Dim())
	if err != nil {
		return 0, err
	}
	for _, a := range parts {
		if err := copyRows(ctx, w, a); err != nil {
			return 0, err
		}
	}
	if err := errors.Join(w.Close(), buf.Flush()); err != nil {
		return 0, err
	}
	return int64(n), f.Commit()
}

// copyRows adds the rows of a matrix, some at a time.
func copyRows(ctx context.Context, w *embedfile.Writer[float32], a *embedfile.Array) error {
	const step = 1024
	wide := make([]float64, step*a.Dim())
	narrow := make([]float32, step*a.Dim())
	for lo := 0; lo < a.Len(); lo += step {
		n := min(step, a.Len()-lo) * a.Dim()
		if err := a.ReadRows(ctx, lo, wide[:n]); err != nil {
			return err
		}
		for i, v := range wide[:n] {
			narrow[i] = float32(v)
		}
		if err := w.Write(narrow[:n]); err != nil {
			return err
		}
	}
	return nil
}

// mergeTables joins tables whose first lines, the names of the columns, are the same.
func mergeTables(ctx context.Context, g *globals, set *shard.Set) (rows int64, err error) {
	out, err := g.create(set.Paths...)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	w := &lineCounter{w: bufio.NewWriterSize(out, 1<<18)}
	head := ""
	for i, path := range set.Paths {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := joinTable(w, path, i == 0, &head); err != nil {
			return 0, err
		}
	}
	if err := w.w.Flush(); err != nil {
		return 0, err
	}
	return w.lines - 1, out.Commit()
}

// joinTable adds a table, its first line only if it is the first.
func joinTable(w *lineCounter, path string, first bool, head *string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<18)
	line, err := r.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if first {
		*head = line
		if _, err := io.WriteString(w, line); err != nil {
			return err
		}
	}
	if line != *head || line == "" {
		return &inputError{fmt.Errorf("%s: its first line is %q, that of the others %q", path, line, *head), "run its job again"}
	}
	_, err = io.Copy(w, r)
	return err
}

// lineCounter counts the lines that pass.
type lineCounter struct {
	w     *bufio.Writer
	lines int64
}

func (c *lineCounter) Write(b []byte) (int, error) {
	for _, x := range b {
		if x == '\n' {
			c.lines++
		}
	}
	return c.w.Write(b)
}
