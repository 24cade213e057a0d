package llamacpp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/answer"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// stream is an answer in the making.
//
// The server is not told stop strings: it would hold back the text of tokens that
// might become one, and give it with a later token, or not at all if the answer
// ends then. It stops within a token or two of the connection being closed.
type stream struct {
	b      *Backend
	prompt string
	out    answer.Builder
	answer llm.Answer
	listed int   // alternatives of each token
	empty  *prob // a token without text, which may be the end of text
	merged bool  // some tokens came as one
	ended  bool
}

func (s *stream) event(data []byte) error {
	var ev event
	if err := json.Unmarshal(data, &ev); err != nil {
		return s.strange(fmt.Sprintf("sends what is no event of /completion: %v", err))
	}
	if len(ev.Error) > 0 {
		return s.b.e.Refused(http.StatusInternalServerError, string(data), s.prompt)
	}
	if ev.Evaluated > s.answer.PromptTokens {
		return s.strange(fmt.Sprintf("read %d tokens of a prompt of %d", ev.Evaluated, s.answer.PromptTokens))
	}
	s.answer.CachedTokens = max(s.answer.CachedTokens, ev.Timings.Cached)
	before := s.answer.AnswerTokens
	s.answer.AnswerTokens = ev.Predicted
	if ev.Stop {
		return s.end(ev.StopType)
	}
	if len(ev.Probs) != 1 {
		return s.strange(fmt.Sprintf("sends %d log-probabilities with a token", len(ev.Probs)))
	}
	return s.add(&ev.Probs[0], ev.Content, ev.Predicted-before)
}

func (s *stream) end(why string) error {
	s.ended = true
	switch why {
	case "eos":
		s.answer.Stop = llm.StopEnd
		s.answer.AnswerTokens--
		if s.empty != nil {
			s.answer.EndLogprob = &s.empty.Logprob
			s.empty = nil
		}
	case "limit":
		s.answer.Stop = llm.StopLimit
	default:
		return s.strange(fmt.Sprintf("ended an answer by %q", why))
	}
	return endpoint.ErrDone
}

// add takes a token with what it adds to the text, and how many tokens have been
// generated since the last one that was sent: a token that ends within a character
// is not sent, its text comes with the one that completes the character.
func (s *stream) add(p *prob, text string, tokens int) error {
	if s.empty != nil {
		if _, err := s.out.Add(s.empty.token(s.listed), ""); err != nil {
			return err
		}
		s.empty = nil
	}
	if text == "" {
		s.empty = p
		return nil
	}
	t := p.token(s.listed)
	if tokens != 1 {
		t = llm.Token{ID: -1, Logprob: math.NaN()}
		s.merged = true
	}
	stopped, err := s.out.Add(t, text)
	if err != nil {
		return err
	}
	if stopped {
		s.ended, s.answer.Stop = true, llm.StopString
		return endpoint.ErrStop
	}
	return nil
}

func (s *stream) strange(what string) error {
	return &endpoint.Error{What: fmt.Sprintf("%s %s", s.b.e, what), Tip: "this version of llama-server is not understood: use another"}
}

// finish is called when nothing more comes.
func (s *stream) finish() (*llm.Answer, error) {
	if !s.ended {
		return nil, s.b.e.Unreachable(errors.New("the answer broke off"))
	}
	a := s.answer
	if a.Stop != llm.StopString {
		if err := s.out.Finish(); err != nil {
			return nil, err
		}
	}
	a.Text = s.out.Text()
	// The end of an answer may lie within a character: its tokens are not all known.
	if tokens := s.out.Tokens(); !s.merged && (a.Stop == llm.StopString || len(tokens) == a.AnswerTokens) {
		a.Tokens = tokens
	}
	return &a, nil
}
