package prompt

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error says what is wrong with a prompt file, a table or a list, and where.
type Error struct {
	File    string // path as given, or "labels" or "vocabulary"
	Where   string // such as "model_input[3]", "line 7" or "number 2", "" for the file as a whole
	Field   string // the field of a template at fault, "" if none is
	Problem string // the reason and what to do
	Err     error  // the error behind it, nil if none
}

// Error is "file: where: reason".
func (e *Error) Error() string {
	s := e.File
	if e.Where != "" {
		s += ": " + e.Where
	}
	return s + ": " + e.Problem
}

// Unwrap is the error behind it.
func (e *Error) Unwrap() error { return e.Err }

// BadInput reports that the file is at fault.
func (e *Error) BadInput() bool { return true }

// RowError says which field of which row cannot be put into a prompt.
type RowError struct {
	Row     int    // [Sample.Row]
	Field   string // the field's name
	Problem string // the reason and what to do
}

// Error is "row, field: reason".
func (e *RowError) Error() string {
	return fmt.Sprintf("row %d: field %s: %s", e.Row, quote(e.Field), e.Problem)
}

// BadInput reports that the data is at fault.
func (e *RowError) BadInput() bool { return true }

// quote shows a piece of untrusted text so that control characters in it do not
// reach a terminal.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }

// shown is how much of an untrusted word is kept for messages and lists, in bytes.
const shown = 64

// shorten cuts a word to what is shown of it.
func shorten(s string) string {
	if len(s) <= shown {
		return s
	}
	return strings.ToValidUTF8(s[:shown], "") + "…"
}

// hidden reports whether a character would act on a terminal or on the order in
// which a text is shown instead of being shown: the control characters, the
// separators of lines and paragraphs, and the marks of writing direction
// (Unicode's Bidi_Control).
func hidden(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case r == 0x61c, r >= 0x200e && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return unicode.IsControl(r)
}

// badRune returns the first character of s that may not be in a prompt, with ok
// false if there is none: a hidden one, or a byte that is not UTF-8. Line ends and
// tabs pass if lines is true.
func badRune(s string, lines bool) (bad string, ok bool) {
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if (r == utf8.RuneError && n == 1) || hidden(r) && (!lines || r != '\n' && r != '\t') {
			return s[i : i+n], true
		}
		i += n
	}
	return "", false
}

// list joins names for a message.
func list(names []string) string { return strings.Join(names, ", ") }
