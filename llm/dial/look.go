package dial

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cellsentence/c2s/llm/internal/endpoint"
)

// Usual are the servers on this machine at their usual ports, and the one that
// OLLAMA_HOST names if it is not empty. Two of OpenAI's kind are vLLM and LM Studio.
func Usual(ollamaHost string) []string {
	names := []string{"ollama://127.0.0.1:11434", "llamacpp://127.0.0.1:8080", "openai://127.0.0.1:8000/v1", "openai://127.0.0.1:1234/v1"}
	if name := FromOllamaHost(ollamaHost); name != "" && name != names[0] {
		names = append([]string{name}, names...)
	}
	return names
}

// FromOllamaHost makes a name of the variable OLLAMA_HOST, in any of the forms that
// Ollama takes; "" if it is empty or none of them. An address that a server listens
// on everywhere is taken for this machine.
func FromOllamaHost(value string) string {
	value = strings.Trim(strings.TrimSpace(value), `"'`)
	if value == "" {
		return ""
	}
	scheme := "ollama"
	if rest, ok := strings.CutPrefix(value, "https://"); ok {
		scheme, value = "ollama+https", rest
	}
	value = strings.TrimPrefix(value, "http://")
	if strings.Contains(value, "://") {
		return ""
	}
	if strings.HasPrefix(value, ":") {
		value = "127.0.0.1" + value
	}
	u, err := url.Parse(scheme + "://" + value)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	if h := u.Hostname(); h == "0.0.0.0" || h == "::" {
		u.Host = strings.TrimSuffix("127.0.0.1:"+u.Port(), ":")
	}
	s, err := Parse(u.String())
	if err != nil {
		return ""
	}
	return s.String()
}

// Found is a server that answers.
type Found struct {
	Name    string // as Open takes it
	Version string
	Models  []string
}

// lookTime is for one place: Look is part of an error that must come in five seconds.
const lookTime = time.Second

// Look tries names of servers, all at a time, and gives those that answer as the kind
// that their name says, in the same order. It sends no key and takes a second
// at most.
func Look(ctx context.Context, names []string) []Found {
	all := make([]*Found, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { all[i] = look(ctx, name) })
	}
	wg.Wait()
	var out []Found
	for _, f := range all {
		if f != nil {
			out = append(out, *f)
		}
	}
	return out
}

func look(ctx context.Context, name string) *Found {
	s, err := Parse(name)
	if err != nil || s.URL == nil {
		return nil
	}
	e, err := endpoint.New(s.URL, endpoint.Config{})
	if err != nil {
		return nil
	}
	defer func() { _ = e.Close() }()
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	f := &Found{Name: s.String()}
	type model struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Owner string `json:"owned_by"`
	}
	var list struct {
		Models []model `json:"models"` // Ollama
		Data   []model `json:"data"`
	}
	switch s.Kind {
	case "ollama":
		var v struct {
			Version string `json:"version"`
		}
		if e.Get(ctx, "/api/version", &v) != nil || v.Version == "" {
			return nil
		}
		f.Version = v.Version
		_ = e.Get(ctx, "/api/tags", &list)
		for _, m := range list.Models {
			f.Models = append(f.Models, m.Name)
		}
	case "llamacpp":
		var v struct {
			Build string `json:"build_info"`
		}
		if e.Get(ctx, "/props", &v) != nil || v.Build == "" {
			return nil
		}
		f.Version = v.Build
		_ = e.Get(ctx, "/v1/models", &list)
	case "openai":
		if e.Get(ctx, "/models", &list) != nil {
			return nil
		}
		if len(list.Data) > 0 {
			f.Version = list.Data[0].Owner
		}
	}
	for _, m := range list.Data {
		f.Models = append(f.Models, m.ID)
	}
	return f
}

// NoneError says that no backend was named.
type NoneError struct {
	Found  []Found
	Looked []string
}

// Error says where was looked and what was found.
func (e *NoneError) Error() string {
	s := "no backend is named"
	if len(e.Looked) == 0 {
		return s
	}
	s += "; looked for " + strings.Join(e.Looked, ", ")
	if len(e.Found) == 0 {
		return s + ": nobody answers there"
	}
	return s + ": there is " + describe(e.Found)
}

// Hint is how to choose.
func (e *NoneError) Hint() string {
	if len(e.Found) > 0 {
		return fmt.Sprintf("choose it with --backend %s or C2S_BACKEND, or --backend demo for a toy model on simulated cells", e.Found[0].Name)
	}
	return "start a server, as in: ollama serve, and give --backend ollama://127.0.0.1:11434; or --backend demo for a toy model on simulated cells"
}

// Unreachable is true; the command ends with exit code 4.
func (e *NoneError) Unreachable() bool { return true }

func describe(found []Found) string {
	var parts []string
	for _, f := range found {
		s := f.Name
		if len(f.Models) > 0 {
			s += " with " + strings.Join(f.Models, ", ")
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}
