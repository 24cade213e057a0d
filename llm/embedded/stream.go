package embedded

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cellsentence/c2s/llm"
)

// stream puts the text of an answer together from tokens, finds stop strings and
// holds back what may become part of one.
type stream struct {
	stops   []string
	onToken func(llm.Token) error

	text   []byte // all of it
	broken []byte // the beginning of a character
	tokens []llm.Token
	ends   []int // where each token's text ends
	given  int   // tokens that onToken has seen
}

// add takes a token that stands for these bytes. stopped says that a stop string
// came.
func (s *stream) add(t llm.Token, piece string) (stopped bool, err error) {
	s.broken = append(s.broken, piece...)
	from := len(s.text)
	for len(s.broken) > 0 && utf8.FullRune(s.broken) {
		r, n := utf8.DecodeRune(s.broken)
		s.text = utf8.AppendRune(s.text, r)
		s.broken = s.broken[n:]
	}
	t.Text = string(s.text[from:])
	s.tokens, s.ends = append(s.tokens, t), append(s.ends, len(s.text))
	if at := s.find(from); at >= 0 {
		s.cut(at)
		return true, s.give(len(s.tokens))
	}
	// A token whose last character is not complete waits, as its text may change.
	n := len(s.tokens)
	if len(s.broken) > 0 {
		n--
	}
	free := len(s.text) - s.held()
	for n > s.given && s.ends[n-1] > free {
		n--
	}
	return false, s.give(n)
}

// find is the place of the first stop string that ends behind from, or −1.
func (s *stream) find(from int) int {
	first := -1
	for _, stop := range s.stops {
		begin := max(0, from-len(stop)+1)
		if i := strings.Index(string(s.text[begin:]), stop); i >= 0 && (first < 0 || begin+i < first) {
			first = begin + i
		}
	}
	return first
}

// cut removes the text from a place on, and the tokens that lie behind it.
func (s *stream) cut(at int) {
	s.text, s.broken = s.text[:at], nil
	for n := len(s.tokens); n > 0; n-- {
		begin := 0
		if n > 1 {
			begin = s.ends[n-2]
		}
		if begin < at {
			t := &s.tokens[n-1]
			t.Text = t.Text[:min(len(t.Text), at-begin)]
			return
		}
		s.tokens, s.ends = s.tokens[:n-1], s.ends[:n-1]
	}
}

// held is the length of the longest end of the text that begins a stop string.
func (s *stream) held() int {
	longest := 0
	for _, stop := range s.stops {
		for n := min(len(stop)-1, len(s.text)); n > longest; n-- {
			if strings.HasSuffix(string(s.text[len(s.text)-n:]), stop[:n]) {
				longest = n
				break
			}
		}
	}
	return longest
}

// give shows onToken the tokens up to the n-th.
func (s *stream) give(n int) error {
	for ; s.given < n; s.given++ {
		if s.onToken != nil {
			if err := s.onToken(s.tokens[s.given]); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish ends the text. What remains of a character becomes U+FFFD.
func (s *stream) finish() error {
	if len(s.broken) > 0 {
		s.broken = nil
		s.text = utf8.AppendRune(s.text, utf8.RuneError)
		s.tokens[len(s.tokens)-1].Text += string(utf8.RuneError)
	}
	return s.give(len(s.tokens))
}

// top lists the most probable tokens.
func (s *sampler) most(logits []float32, n int, words *tokenizer) []llm.Token {
	if n == 0 {
		return nil
	}
	ids := s.sorted(logits)
	out := make([]llm.Token, 0, n)
	for _, id := range slices.Clone(ids[:min(n, len(ids))]) {
		out = append(out, llm.Token{ID: int(id), Text: strings.ToValidUTF8(words.piece(id), "\uFFFD"), Logprob: s.logprob(logits, id)})
	}
	return out
}
