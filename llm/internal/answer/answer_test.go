package answer

import (
	"errors"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/llm"
)

func TestBuilder(t *testing.T) {
	for _, c := range []struct {
		what   string
		stops  []string
		pieces []string
		text   string
		tokens []string
		given  []int // tokens that were shown after each piece
	}{
		{"plain", nil, []string{" A", "B"}, " AB", []string{" A", "B"}, []int{1, 2}},
		{"a stop string in a token", []string{"B"}, []string{" A", "BC", "D"}, " A", []string{" A"}, []int{1, 1}},
		{"a stop string within a token", []string{"B"}, []string{" ABC"}, " A", []string{" A"}, []int{1}},
		{"a stop string across tokens", []string{"BC"}, []string{" AB", "CD"}, " A", []string{" A"}, []int{0, 1}},
		{"the first of two", []string{"D", "CD"}, []string{" A", "CD"}, " A", []string{" A"}, []int{1, 1}},
		{"one that does not come", []string{"BX"}, []string{" AB", "C"}, " ABC", []string{" AB", "C"}, []int{0, 2}},
		{"one that begins at the end", []string{"BX"}, []string{" A", "B"}, " AB", []string{" A", "B"}, []int{1, 1}},
		{"one that begins twice", []string{"BBX"}, []string{"B", "B", "B", "X"}, "B", []string{"B"}, []int{0, 0, 1, 1}},
		{"a character of two tokens", nil, []string{"\xc3", "\xa9"}, "é", []string{"", "é"}, []int{0, 2}},
		{"half a character", nil, []string{"a", "\xc3"}, "a\uFFFD", []string{"a", "\uFFFD"}, []int{1, 1}},
		{"bytes of no character", nil, []string{"\xff", "a"}, "\uFFFDa", []string{"\uFFFD", "a"}, []int{1, 2}},
	} {
		var streamed strings.Builder
		given := 0
		b := Builder{Stops: c.stops, OnToken: func(tok llm.Token) error {
			given++
			streamed.WriteString(tok.Text)
			return nil
		}}
		stopped := false
		for i, p := range c.pieces {
			var err error
			if stopped, err = b.Add(llm.Token{ID: i}, p); err != nil {
				t.Fatal(err)
			}
			if given != c.given[i] {
				t.Errorf("%s: %d tokens were shown after piece %d, expected %d", c.what, given, i, c.given[i])
			}
			if stopped {
				break
			}
		}
		if !stopped {
			if err := b.Finish(); err != nil {
				t.Fatal(err)
			}
		}
		var tokens []string
		for _, tok := range b.Tokens() {
			tokens = append(tokens, tok.Text)
		}
		if b.Text() != c.text || strings.Join(tokens, "|") != strings.Join(c.tokens, "|") || streamed.String() != c.text {
			t.Errorf("%s: %q of %q, streamed %q; expected %q of %q", c.what, b.Text(), tokens, streamed.String(), c.text, c.tokens)
		}
	}
	enough := errors.New("enough")
	b := Builder{OnToken: func(llm.Token) error { return enough }}
	if _, err := b.Add(llm.Token{}, "a"); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}
