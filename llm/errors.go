package llm

import (
	"fmt"
	"strings"

	"github.com/cellsentence/c2s/internal/spelling"
)

// ContextError says that a prompt, with room for at least one token of an answer,
// does not fit the model's context. Nothing was cut off and nothing was answered.
type ContextError struct {
	Prompt  int // tokens
	Context int // tokens
}

// Error gives both sizes.
func (e *ContextError) Error() string {
	return fmt.Sprintf("the prompt has %d tokens, the context %d", e.Prompt, e.Context)
}

// Hint is what can be done.
func (e *ContextError) Hint() string {
	return "take fewer genes or cells into a prompt, or give the model a larger context"
}

// ModelError says that a server has no model of the name.
type ModelError struct {
	Endpoint  string
	Model     string
	Available []string
}

// Error names the models that are there.
func (e *ModelError) Error() string {
	s := fmt.Sprintf("%s has no model %q", e.Endpoint, e.Model)
	if len(e.Available) == 0 {
		return s + ", nor any other"
	}
	return s + "; it has " + strings.Join(e.Available, ", ")
}

// BadInput is true: another name helps.
func (e *ModelError) BadInput() bool { return true }

// Hint names the model that was perhaps meant.
func (e *ModelError) Hint() string {
	if n := e.Nearest(); n != "" {
		return fmt.Sprintf("did you mean %s?", n)
	}
	return "c2s model import brings a model to a server"
}

// Nearest is the available name that is closest in spelling, "" if none is close.
func (e *ModelError) Nearest() string {
	best, name := len(e.Model)/2+1, ""
	for _, a := range e.Available {
		if d := spelling.Distance(strings.ToLower(e.Model), strings.ToLower(a)); d < best {
			best, name = d, a
		}
		// Ollama's names have a tag behind them that may be left out.
		if stem, _, ok := strings.Cut(a, ":"); ok {
			if d := spelling.Distance(strings.ToLower(e.Model), strings.ToLower(stem)); d < best {
				best, name = d, a
			}
		}
	}
	return name
}

// UnsupportedError says that a backend, or its model as it is loaded, cannot do
// what was asked.
type UnsupportedError struct {
	What   string // as in "embedding"
	Remedy string // what would make it possible, "" for nothing
}

// Error names what is not supported.
func (e *UnsupportedError) Error() string { return e.What + " is not supported here" }

// Hint is the remedy.
func (e *UnsupportedError) Hint() string { return e.Remedy }

// RepetitionError says that a server broke off an answer because the model
// repeated one token too often. What came until then is no answer.
type RepetitionError struct {
	Tokens int    // generated until then
	Text   string // of them
}

// Error says so.
func (e *RepetitionError) Error() string {
	return fmt.Sprintf("the server broke off: the model repeated itself for the last of %d tokens", e.Tokens)
}

// UnreachableError says that a server could not be asked, or went away while it
// answered. Another one may be asked instead.
type UnreachableError struct {
	Endpoint string
	Err      error
	Tip      string // how to start such a server
}

// Error names the server and the reason.
func (e *UnreachableError) Error() string { return fmt.Sprintf("%s: %v", e.Endpoint, e.Err) }

// Unwrap is the reason.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Hint is how to start such a server.
func (e *UnreachableError) Hint() string { return e.Tip }

// Unreachable is true; the command ends with exit code 4.
func (e *UnreachableError) Unreachable() bool { return true }
