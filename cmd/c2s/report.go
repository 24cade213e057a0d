package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"

	"github.com/cellsentence/c2s/cellsentence"
)

// The exit codes, as every help page lists them.
const (
	exitGood        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitBadInput    = 3
	exitUnreachable = 4
	exitInterrupted = 130
)

// usageError is a wrong call of a command.
type usageError struct {
	err     error
	command string
}

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// Hint is what the error itself advises, or names the help page.
func (e *usageError) Hint() string {
	var tip interface{ Hint() string }
	if errors.As(e.err, &tip) {
		return tip.Hint()
	}
	if name, ok := strings.CutPrefix(e.command, "c2s "); ok {
		return fmt.Sprintf("run \"c2s help %s\"", name)
	}
	return `run "c2s help"`
}

// inputError is bad input that only the command can tell.
type inputError struct {
	err error
	tip string
}

func (e *inputError) Error() string { return e.err.Error() }

func (e *inputError) Unwrap() error { return e.err }

func (e *inputError) Hint() string { return e.tip }

func (e *inputError) BadInput() bool { return true }

// exitCode classifies an error.
func exitCode(err error) int {
	var usage *usageError
	var bad interface{ BadInput() bool }
	var away interface{ Unreachable() bool }
	switch {
	case err == nil:
		return exitGood
	case errors.As(err, &away) && away.Unreachable():
		return exitUnreachable
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &bad) && bad.BadInput():
		return exitBadInput
	}
	return exitFailed
}

// tell prints an error, and what to do about it: for people, or as a line of JSON where
// the log is one. resume is how an interrupted command goes on. A reader of stdout that
// went away is no error.
func (g *globals) tell(err error) int {
	if errors.Is(err, syscall.EPIPE) {
		return exitGood
	}
	code := exitCode(err)
	text, tip := explain(err)
	if code == exitInterrupted {
		text, tip = "interrupted; no output was left half-written, run the command again", g.resume
	}
	if g.logFormat == "json" {
		args := []any{"exit_code", code}
		if tip != "" {
			args = append(args, "hint", tip)
		}
		g.logger().Error(text, args...)
		return code
	}
	fmt.Fprintf(g.stderr, "c2s: %s\n", printable(text))
	if tip != "" {
		fmt.Fprintf(g.stderr, "hint: %s\n", printable(tip))
	}
	return code
}

// explain is the text of an error and what to do about it, if anyone knows.
func explain(err error) (text, tip string) {
	text = err.Error()
	var advises interface{ Hint() string }
	if errors.As(err, &advises) {
		tip = advises.Hint()
	}
	var failed *fs.PathError
	if !errors.As(err, &failed) || !errors.Is(failed, fs.ErrNotExist) {
		return text, tip
	}
	// Which call of the system failed is nothing to people.
	text = strings.Replace(text, failed.Error(), failed.Path+": "+failed.Err.Error(), 1)
	text = strings.Replace(text, failed.Path+": "+failed.Path+": ", failed.Path+": ", 1)
	if tip == "" {
		tip = beside(failed.Path)
	}
	return text, tip
}

// beside is what may be meant by the name of a file that there is not, or "".
func beside(path string) string {
	dir := filepath.Dir(path)
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Sprintf("there is no folder %s", dir)
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name()
	}
	// Short names are all alike.
	if near := nearest(filepath.Base(path), names); near != "" && len(near) > 4 {
		return fmt.Sprintf("did you mean %s?", filepath.Join(dir, near))
	}
	return ""
}

// printable makes a text safe for a terminal and one line long: control
// characters, which file contents may hold, are escaped.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// badCells makes an encoder's complaint about the data an input error, with the
// file in front and what to do behind.
func badCells(path string, err error) error {
	var scaled *cellsentence.ScaledError
	var nan *cellsentence.NonFiniteError
	var name *cellsentence.NameError
	var collision *cellsentence.CollisionError
	tip := ""
	switch {
	case errors.As(err, &scaled):
		tip = "take the counts: c2s inspect lists the layers; name one with --layer NAME, or take --raw"
	case errors.As(err, &nan), errors.As(err, &name), errors.As(err, &collision):
	default:
		return err
	}
	return &inputError{fmt.Errorf("%s: %w", path, err), tip}
}

// lineHandler prints a log record as "c2s: message key=value".
type lineHandler struct {
	out   io.Writer // takes writes from several goroutines, as a progress.Screen does
	level slog.Level
	attrs string // of With, ready to print
	group string // of WithGroup, with a dot behind it
}

func (h *lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString("c2s: ")
	switch {
	case r.Level >= slog.LevelError:
		b.WriteString("error: ")
	case r.Level >= slog.LevelWarn:
		b.WriteString("warning: ")
	}
	b.WriteString(printable(r.Message) + h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(h.format(a))
		return true
	})
	b.WriteByte('\n')
	_, err := io.WriteString(h.out, b.String())
	return err
}

func (h *lineHandler) format(a slog.Attr) string {
	return fmt.Sprintf(" %s=%s", printable(h.group+a.Key), printable(a.Value.Resolve().String()))
}

// WithAttrs is a handler that prints attrs with each record.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	for _, a := range attrs {
		c.attrs += h.format(a)
	}
	return &c
}

// WithGroup is a handler that puts name in front of each key.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	c := *h
	c.group += name + "."
	return &c
}
