package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// secret is a key that must go to the server and nowhere else.
const secret = "sk-4f1c-never-to-be-seen"

// leaky plays an Ollama that fails every 16th request, in all ways there are, and quotes
// what it was sent.
type leaky struct {
	*httptest.Server
	mu      sync.Mutex
	n       int
	keys    int           // requests with the key
	prompts []string      // that were asked
	always  int           // a status with which every request about a cell fails
	hang    chan struct{} // closed at the end
}

func newLeaky(t *testing.T, always int) *leaky {
	l := &leaky{always: always, hang: make(chan struct{})}
	l.Server = httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(func() { close(l.hang); l.Close() })
	return l
}

func (l *leaky) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	l.mu.Lock()
	if r.Header.Get("Authorization") == "Bearer "+secret {
		l.keys++
	}
	l.mu.Unlock()
	switch r.URL.Path {
	case "/api/version":
		fmt.Fprint(w, `{"version": "0.32.15"}`)
	case "/api/tags":
		fmt.Fprint(w, `{"models": [{"name": "tiny:latest", "digest": "abc123"}]}`)
	case "/api/show":
		fmt.Fprint(w, `{"model_info": {"general.architecture": "gemma2", "gemma2.context_length": 8192}}`)
	case "/api/generate":
		l.answer(w, r, body)
	default:
		http.NotFound(w, r)
	}
}

func (l *leaky) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct{ Prompt string }
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	l.prompts = append(l.prompts, in.Prompt)
	l.n++
	n := l.n
	l.mu.Unlock()
	quote, _ := json.Marshal(fmt.Sprintf("cannot do %q with key %s", in.Prompt, r.Header.Get("Authorization")))
	fail := func(status int) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error": %s}`, quote)
	}
	switch {
	case l.always == http.StatusRequestTimeout:
		select {
		case <-l.hang:
		case <-r.Context().Done():
		}
	case l.always > 0:
		fail(l.always)
	case n%64 == 1:
		fail(http.StatusInternalServerError)
	case n%64 == 17:
		fail(http.StatusServiceUnavailable)
	case n%64 == 33: // an error after HTTP 200
		fail(http.StatusOK)
	case n%64 == 49:
		panic(http.ErrAbortHandler)
	default:
		fmt.Fprint(w, `{"model": "tiny", "response": " B cell.", "done": true, "done_reason": "stop", "prompt_eval_count": 40, "eval_count": 4}`+"\n")
	}
}

// leaks says which parts of a prompt, three words at least, or of the key stand in a text.
func leaks(text string, prompts []string) string {
	if strings.Contains(text, secret) {
		return "the key"
	}
	flat := strings.Join(strings.Fields(strings.NewReplacer(`\n`, " ", `\t`, " ", `\"`, " ", `"`, " ").Replace(text)), " ")
	for _, p := range prompts {
		words := strings.Fields(strings.ReplaceAll(p, `"`, " "))
		for i := 0; i+3 <= len(words); i++ {
			if part := strings.Join(words[i:i+3], " "); strings.Contains(flat, part) {
				return part
			}
		}
	}
	return ""
}

// TestNothingSecretIsLogged: whatever a server does and quotes, neither the key nor the
// words of a prompt come to the terminal, at either format of the log; the key is not in
// any file, and a prompt in none but the output that is made of it.
func TestNothingSecretIsLogged(t *testing.T) {
	for name, tc := range map[string]struct {
		always int
		args   []string
		exit   int
	}{
		"some fail, in a pool":       {0, []string{"--slots", "2"}, 0},
		"some fail":                  {0, nil, 1},
		"JSON logs":                  {0, []string{"--slots", "2", "--log-format", "json", "--progress", "json"}, 0},
		"every request is refused":   {http.StatusUnauthorized, nil, 1},
		"every request fails":        {http.StatusInternalServerError, nil, 1},
		"a bad request":              {http.StatusBadRequest, nil, 1},
		"nobody answers in time":     {http.StatusRequestTimeout, []string{"--timeout", "300ms"}, 4},
		"the servers are overloaded": {http.StatusServiceUnavailable, nil, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := []string{"annotate", inTestdata(t, "demo.h5ad"), "--model", "tiny", "-o", filepath.Join(dir, "types.tsv"), "--journal", filepath.Join(dir, "answers.db")}
			first := newLeaky(t, tc.always)
			servers := []*leaky{first}
			if strings.HasSuffix(name, "pool") || name == "JSON logs" {
				servers = append(servers, newLeaky(t, tc.always))
			}
			for _, s := range servers {
				args = append(args, "--backend", "ollama://"+strings.TrimPrefix(s.URL, "http://"))
			}
			cmd := c2s(t, append(args, tc.args...)...)
			cmd.Env = append(os.Environ(), "C2S_API_KEY="+secret)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			code := 0
			if err := cmd.Run(); err != nil {
				var exit *exec.ExitError
				if !errors.As(err, &exit) {
					t.Fatal(err)
				}
				code = exit.ExitCode()
			}
			if code != tc.exit {
				t.Errorf("exit code %d, expected %d: %s", code, tc.exit, stderr.String())
			}
			var prompts []string
			for _, s := range servers {
				s.mu.Lock()
				if s.keys == 0 || len(s.prompts) == 0 {
					t.Errorf("the server saw the key %d times, and %d prompts", s.keys, len(s.prompts))
				}
				prompts = append(prompts, s.prompts...)
				s.mu.Unlock()
			}
			for what, text := range map[string]string{"stdout": stdout.String(), "stderr": stderr.String()} {
				if part := leaks(text, prompts); part != "" {
					t.Errorf("%s holds %q: %s", what, part, text)
				}
			}
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				data, err := os.ReadFile(filepath.Join(dir, f.Name()))
				if err != nil {
					t.Fatal(err)
				}
				if part := leaks(string(data), prompts); part != "" {
					t.Errorf("%s holds %q", f.Name(), part)
				}
			}
		})
	}
}

// TestLeaksAreSeen: the test above can fail.
func TestLeaksAreSeen(t *testing.T) {
	prompts := []string{"The cell\nis MALAT1 \"B2M\" CD3D."}
	for text, want := range map[string]string{
		"Bearer " + secret:                  "the key",
		`{"error": "MALAT1 \"B2M\" CD3D."}`: "MALAT1 B2M CD3D.",
		`The cell\nis`:                      "The cell is",
		"The cell, is":                      "",
	} {
		if got := leaks(text, prompts); got != want {
			t.Errorf("%q: %q, expected %q", text, got, want)
		}
	}
}
