package checkpoint

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Registration is the body of Ollama's POST /api/create for a file whose bytes were
// sent to /api/blobs before. The template adds nothing to a prompt, and the
// parameters are those under which a model answers as it was trained to, whoever
// asks it: Ollama's own defaults punish repetition, which changes gene lists.
type Registration struct {
	Model      string            `json:"model"`
	Files      map[string]string `json:"files"` // digest by file name
	Template   string            `json:"template"`
	Parameters map[string]any    `json:"parameters"`
	Stream     bool              `json:"stream"`
}

// rawTemplate is the prompt alone.
const rawTemplate = "{{ .Prompt }}"

// maxServed is the context that a server is asked for where a model has more: the
// memory for it is taken at once.
const maxServed = 8192

// Registration says how Ollama shall know the file.
func (r *Result) Registration(model string) Registration {
	return Registration{
		Model:      model,
		Files:      map[string]string{filepath.Base(r.Path): r.Digest},
		Template:   rawTemplate,
		Parameters: r.parameters(),
	}
}

func (r *Result) parameters() map[string]any {
	p := map[string]any{}
	for _, kv := range r.parameterList() {
		p[kv.key] = kv.value
	}
	return p
}

type parameter struct {
	key   string
	value any
}

func (r *Result) parameterList() []parameter {
	list := []parameter{
		{"temperature", 0}, {"top_k", 0}, {"top_p", 1}, {"min_p", 0}, {"repeat_penalty", 1},
	}
	if r.Context > 0 {
		list = append(list, parameter{"num_ctx", min(r.Context, maxServed)})
	}
	return list
}

// Modelfile is the same as a file for `ollama create NAME -f Modelfile`.
func (r *Result) Modelfile() string {
	var b strings.Builder
	path := r.Path
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	fmt.Fprintf(&b, "FROM %s\nTEMPLATE \"%s\"\n", path, rawTemplate)
	for _, kv := range r.parameterList() {
		fmt.Fprintf(&b, "PARAMETER %s %v\n", kv.key, kv.value)
	}
	return b.String()
}
