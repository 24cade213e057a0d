package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

// tell prints an error, and what to do about it, for people. A reader of
// stdout that went away is no error.
func tell(w io.Writer, err error) int {
	if errors.Is(err, syscall.EPIPE) {
		return exitGood
	}
	code := exitCode(err)
	if code == exitInterrupted {
		fmt.Fprintln(w, "c2s: interrupted; no output was left half-written, run the command again")
		return code
	}
	fmt.Fprintf(w, "c2s: %s\n", printable(err.Error()))
	var tip interface{ Hint() string }
	if errors.As(err, &tip) && tip.Hint() != "" {
		fmt.Fprintf(w, "hint: %s\n", printable(tip.Hint()))
	}
	return code
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
