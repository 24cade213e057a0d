package endpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/cellsentence/c2s/llm"
)

// Error is a fault of the address, the key or the kind of server.
type Error struct {
	What string
	Tip  string
}

// Error says what is wrong.
func (e *Error) Error() string { return e.What }

// Hint is what to do.
func (e *Error) Hint() string { return e.Tip }

// BadInput is true: another address or key helps.
func (e *Error) BadInput() bool { return true }

// StatusError is a server's refusal.
type StatusError struct {
	Endpoint string
	Status   int    // of HTTP
	Kind     string // the server's own name of the error, "" for none
	Message  string // the server's, cut to a line, "" if it gave none that is known to be one
}

// Error is the endpoint, the status and the message.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s: HTTP %d", e.Endpoint, e.Status)
	if e.Message == "" {
		return s + " " + http.StatusText(e.Status)
	}
	return s + ": " + e.Message
}

// Hint is what to do, "" if nothing can be said.
func (e *StatusError) Hint() string {
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
		return "set C2S_API_KEY to a key of this server"
	}
	return ""
}

// parseError makes an error of a refusal: a ContextError, an UnreachableError where
// another server, or this one later, may well answer, or a StatusError. request is the
// body of what is refused.
func parseError(status int, body, request []byte, e *Endpoint) error {
	s := &StatusError{Endpoint: e.String(), Status: status}
	var prompt, context int
	s.Message, s.Kind, prompt, context = message(body)
	return e.refused(s, prompt, context, textsOf(request))
}

// Refused is parseError for a body that a library has read: the text is the message
// of the error, or JSON that holds it. private is what the request was about.
func (e *Endpoint) Refused(status int, text string, private ...string) error {
	s := &StatusError{Endpoint: e.String(), Status: status}
	var prompt, context int
	if s.Message, s.Kind, prompt, context = message([]byte(text)); s.Message == "" {
		s.Message = text
	}
	return e.refused(s, prompt, context, private)
}

func (e *Endpoint) refused(s *StatusError, prompt, context int, private []string) error {
	if e.key != "" {
		s.Message = strings.ReplaceAll(s.Message, e.key, "[key]")
	}
	s.Message = line(hide(s.Message, private))
	if context > 0 && prompt > 0 {
		return &llm.ContextError{Prompt: prompt, Context: context}
	}
	switch s.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if s.Message == "" {
			s.Message = http.StatusText(s.Status)
		}
		return e.Unreachable(errors.New(s.Message))
	}
	return s
}

// overLong is how servers say in words that a prompt is too long: vLLM "maximum
// context length is 512 tokens. However, you requested 600 tokens (590 in the prompt,
// 10 in the completion)" and, since 0.10, "However, your request has 600 input tokens".
var overLong = regexp.MustCompile(`maximum context length is (\d+) tokens.*?(?:requested|request has|contains at least|contains) (\d+)(?:.*?\((\d+) in the (?:prompt|messages))?`)

// message finds in the JSON of an error its message and kind, and the sizes of a
// prompt that did not fit. The shapes are those of OpenAI, llama.cpp, vLLM and
// Ollama, whose "error" may be a text that is JSON again. Any other text is not
// shown, as it may hold the prompt.
func message(body []byte) (text, kind string, prompt, context int) {
	var outer struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return "", "", 0, 0
	}
	inner := struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Prompt  int    `json:"n_prompt_tokens"`
		Context int    `json:"n_ctx"`
	}{Message: outer.Message}
	switch {
	case json.Unmarshal(outer.Error, &text) == nil && text != "":
		if t, k, p, c := message([]byte(text)); t != "" {
			return t, k, p, c
		}
		inner.Message = text
	case len(outer.Error) > 0:
		_ = json.Unmarshal(outer.Error, &inner)
	case json.Unmarshal(outer.Detail, &text) == nil && text != "":
		inner.Message = text
	case len(outer.Detail) > 0:
		var list []struct {
			Msg string `json:"msg"`
		}
		if json.Unmarshal(outer.Detail, &list) == nil && len(list) > 0 {
			inner.Message = list[0].Msg
		}
	}
	if m := overLong.FindStringSubmatch(inner.Message); m != nil {
		inner.Context, _ = strconv.Atoi(m[1])
		inner.Prompt, _ = strconv.Atoi(m[2])
		if n, err := strconv.Atoi(m[3]); err == nil {
			inner.Prompt = n
		}
	}
	return inner.Message, inner.Type, inner.Prompt, inner.Context
}

// line is a text as one line of at most 300 characters without control characters.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}
