package llamacpp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/internal/answer"
	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// stream is an answer in the making.
//
// Two texts come: "content", which the server holds back while it may become a stop
// string and does not give at all if the answer ends then, and the bytes of each
// token, which are lost for a token that ends within a character. The tokens
// count; the content is what they are checked by, and fills the gap.
type stream struct {
	b      *Backend
	out    answer.Builder
	answer llm.Answer
	listed int    // alternatives of each token
	held   string // text of tokens that is not in any content yet
	empty  *prob  // a token without text, which may be the end of text
	merged bool   // some tokens came as one
	found  bool   // a stop string
	ended  bool
}

func (s *stream) event(data []byte) error {
	var ev event
	if err := json.Unmarshal(data, &ev); err != nil {
		return s.strange(fmt.Sprintf("sends what is no event of /completion: %v", err))
	}
	if len(ev.Error) > 0 {
		return s.b.e.Refused(http.StatusInternalServerError, string(data))
	}
	if ev.Evaluated > s.answer.PromptTokens {
		return s.strange(fmt.Sprintf("read %d tokens of a prompt of %d", ev.Evaluated, s.answer.PromptTokens))
	}
	s.answer.CachedTokens = max(s.answer.CachedTokens, ev.Timings.Cached)
	if s.found {
		// The server has found it as well and says so. If not, it need not go on.
		if ev.Stop {
			return endpoint.ErrDone
		}
		return endpoint.ErrStop
	}
	if ev.Predicted > 0 {
		s.answer.AnswerTokens = ev.Predicted
	}
	if ev.Stop {
		return s.end(ev.StopType)
	}
	if len(ev.Probs) != 1 {
		return s.strange(fmt.Sprintf("sends %d log-probabilities with a token", len(ev.Probs)))
	}
	return s.add(&ev.Probs[0], ev.Content)
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
		return s.strange(fmt.Sprintf("ended an answer by %q, which is not in its tokens", why))
	}
	return endpoint.ErrDone
}

func (s *stream) add(p *prob, content string) error {
	if s.empty != nil {
		if _, err := s.out.Add(s.empty.token(s.listed), ""); err != nil {
			return err
		}
		s.empty = nil
	}
	piece := p.piece()
	if piece == "" && content == "" {
		s.empty = p
		return nil
	}
	t := p.token(s.listed)
	all := s.held + piece
	switch {
	case strings.HasPrefix(all, content):
	case strings.HasPrefix(content, s.held):
		// The bytes of the tokens before, which began this character, were not sent.
		all, piece = content, content[len(s.held):]
		t = llm.Token{ID: -1, Logprob: math.NaN()}
		s.merged = true
	default:
		return s.strange("sends a text that is not that of the tokens")
	}
	s.held = all[len(content):]
	stopped, err := s.out.Add(t, piece)
	if stopped {
		s.found, s.ended, s.answer.Stop = true, true, llm.StopString
	}
	return err
}

func (s *stream) strange(what string) error {
	return &endpoint.Error{What: fmt.Sprintf("%s %s", s.b.e, what), Tip: "this version of llama-server is not understood: use another"}
}

// finish is called when nothing more comes.
func (s *stream) finish() (*llm.Answer, error) {
	if !s.ended {
		return nil, s.b.e.Unreachable(errors.New("the answer broke off"))
	}
	if !s.found {
		if err := s.out.Finish(); err != nil {
			return nil, err
		}
	}
	a := s.answer
	a.Text = s.out.Text()
	// The end of an answer may lie within a character: its tokens are not all known.
	if tokens := s.out.Tokens(); !s.merged && (s.found || len(tokens) == a.AnswerTokens) {
		a.Tokens = tokens
	}
	return &a, nil
}
