package prompt

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Cleaning counts what was removed around and within answers.
type Cleaning struct {
	Answers       int // answers read
	Empty         int // answers with nothing in them
	LeadingLines  int // answers that began with a line end
	Stopped       int // answers cut at a stop string
	ControlTokens int // tokens such as <ctrl100> removed from ends
	Characters    int // control characters and bytes that are not UTF-8, each replaced by a blank
}

func (c *Cleaning) add(o Cleaning) {
	c.Answers += o.Answers
	c.Empty += o.Empty
	c.LeadingLines += o.LeadingLines
	c.Stopped += o.Stopped
	c.ControlTokens += o.ControlTokens
	c.Characters += o.Characters
}

// stopsOf checks stop strings. None stands for the tokens that end a text for the
// C2S models, of Pythia and of Gemma-2, as they read when a server does not keep
// them to itself.
func stopsOf(stops []string) ([]string, error) {
	if len(stops) == 0 {
		return []string{"<|endoftext|>", "<eos>", "<end_of_turn>"}, nil
	}
	if slices.Contains(stops, "") {
		return nil, errors.New("a stop string must not be empty: every answer begins with it")
	}
	return stops, nil
}

// blanks is the white space of a scrubbed text.
const blanks = " \t\n"

// clean takes from an answer what is around the words: all from the first stop
// string on, control tokens at the end, white space. Line ends and tabs stay; no
// other control character does.
func clean(answer string, stops []string) (string, Cleaning) {
	c := Cleaning{Answers: 1}
	cut := len(answer)
	for _, stop := range stops {
		if i := strings.Index(answer[:cut], stop); i >= 0 {
			cut = i
			c.Stopped = 1
		}
	}
	s, n := scrub(answer[:cut])
	c.Characters = n
	s = strings.TrimRight(s, blanks)
	for {
		rest, ok := trimControlToken(s)
		if !ok {
			break
		}
		s = strings.TrimRight(rest, blanks)
		c.ControlTokens++
	}
	t := strings.TrimLeft(s, blanks)
	if strings.ContainsAny(s[:len(s)-len(t)], "\n") {
		c.LeadingLines = 1
	}
	if t == "" {
		c.Empty = 1
	}
	return t, c
}

// trimControlToken removes <ctrlN> from the end.
func trimControlToken(s string) (string, bool) {
	head, ok := strings.CutSuffix(s, ">")
	if !ok {
		return s, false
	}
	name := strings.TrimRight(head, "0123456789")
	rest, ok := strings.CutSuffix(name, "<ctrl")
	return rest, ok && len(name) < len(head)
}

// scrub replaces hidden characters and bytes that are not UTF-8 by blanks and
// counts them. Line ends, of which \r becomes \n, and tabs stay.
func scrub(s string) (string, int) {
	s = strings.ReplaceAll(s, "\r", "\n")
	if _, found := badRune(s, true); !found {
		return s, 0
	}
	var b strings.Builder
	b.Grow(len(s))
	n := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || hidden(r) && r != '\n' && r != '\t' {
			b.WriteByte(' ')
			n++
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String(), n
}
