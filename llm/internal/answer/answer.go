// Package answer puts answers together from what servers stream.
//
// Stop strings are looked for here, for all backends alike: servers tell an answer
// that ended by itself from one that a stop string ended in different ways or not
// at all, and some lose text that might have become a stop string.
package answer

import (
	"strings"
	"unicode/utf8"

	"github.com/cellsentence/c2s/llm"
)

// Builder joins tokens to a text, ends it at a stop string and holds back what may
// become part of one. The zero value has no stop strings.
type Builder struct {
	Stops   []string
	OnToken func(llm.Token) error // may be nil

	text   []byte // all of it
	broken []byte // the beginning of a character
	tokens []llm.Token
	ends   []int // where each token's text ends
	given  int   // tokens that OnToken has seen
}

// Add takes a token that stands for these bytes. stopped says that a stop string
// came; an error is OnToken's.
func (b *Builder) Add(t llm.Token, piece string) (stopped bool, err error) {
	b.broken = append(b.broken, piece...)
	from := len(b.text)
	for len(b.broken) > 0 && utf8.FullRune(b.broken) {
		r, n := utf8.DecodeRune(b.broken)
		b.text = utf8.AppendRune(b.text, r)
		b.broken = b.broken[n:]
	}
	t.Text = string(b.text[from:])
	b.tokens, b.ends = append(b.tokens, t), append(b.ends, len(b.text))
	if at := b.find(from); at >= 0 {
		b.cut(at)
		return true, b.give(len(b.tokens))
	}
	n := len(b.tokens)
	if len(b.broken) > 0 {
		n-- // its text may still change
	}
	free := len(b.text) - b.held()
	for n > b.given && b.ends[n-1] > free {
		n--
	}
	return false, b.give(n)
}

// find is the place of the first stop string that ends behind from, or −1.
func (b *Builder) find(from int) int {
	first := -1
	for _, stop := range b.Stops {
		begin := max(0, from-len(stop)+1)
		if i := strings.Index(string(b.text[begin:]), stop); i >= 0 && (first < 0 || begin+i < first) {
			first = begin + i
		}
	}
	return first
}

// cut removes the text from a place on, and the tokens that lie behind it.
func (b *Builder) cut(at int) {
	b.text, b.broken = b.text[:at], nil
	for n := len(b.tokens); n > 0; n-- {
		begin := 0
		if n > 1 {
			begin = b.ends[n-2]
		}
		if begin < at {
			t := &b.tokens[n-1]
			t.Text = t.Text[:min(len(t.Text), at-begin)]
			return
		}
		b.tokens, b.ends = b.tokens[:n-1], b.ends[:n-1]
	}
}

// held is the length of the longest end of the text that begins a stop string.
func (b *Builder) held() int {
	longest := 0
	for _, stop := range b.Stops {
		for n := min(len(stop)-1, len(b.text)); n > longest; n-- {
			if strings.HasSuffix(string(b.text[len(b.text)-n:]), stop[:n]) {
				longest = n
				break
			}
		}
	}
	return longest
}

func (b *Builder) give(n int) error {
	for ; b.given < n; b.given++ {
		if b.OnToken != nil {
			if err := b.OnToken(b.tokens[b.given]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Finish ends a text that no stop string ended. What remains of a character becomes
// U+FFFD.
func (b *Builder) Finish() error {
	if len(b.broken) > 0 {
		b.broken = nil
		b.text = utf8.AppendRune(b.text, utf8.RuneError)
		b.tokens[len(b.tokens)-1].Text += string(utf8.RuneError)
	}
	return b.give(len(b.tokens))
}

// Text is what has come, in valid UTF-8.
func (b *Builder) Text() string { return string(b.text) }

// Tokens are those of Text.
func (b *Builder) Tokens() []llm.Token { return b.tokens }
