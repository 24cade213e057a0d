package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asking are the commands that ask a model.
func asking(t *testing.T) map[string][]string {
	t.Helper()
	demo, dir := inTestdata(t, "demo.h5ad"), t.TempDir()
	return map[string][]string{
		"annotate":    {"annotate", demo, "-o", filepath.Join(dir, "types.tsv")},
		"generate":    {"generate", "--cell-type", "B cell", "--vocab", demo, "-o", filepath.Join(dir, "cells.jsonl")},
		"embed":       {"embed", demo, "--method", "model", "-o", filepath.Join(dir, "placed.npy")},
		"model check": {"model", "check"},
	}
}

// failing runs c2s, which must fail, and gives its exit code and what it said.
func failing(t *testing.T, args ...string) (code int, stderr string) {
	t.Helper()
	cmd := c2s(t, args...)
	var log bytes.Buffer
	cmd.Stderr = &log
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("c2s %s: %v", strings.Join(args, " "), err)
	}
	return exit.ExitCode(), log.String()
}

// TestModelNotFound: every command lists the models that are there and the nearest name.
func TestModelNotFound(t *testing.T) {
	serve := func(models string) (host string) {
		mux := http.NewServeMux()
		for path, body := range map[string]string{
			"/api/version": `{"version": "0.32.15"}`,
			"/api/tags":    `{"models": [{"name": "c2s-scale-2b:latest", "digest": "a"}, {"name": "gemma2:27b", "digest": "b"}]}`,
			"/props":       `{"default_generation_settings": {"n_ctx": 512}, "total_slots": 1, "build_info": "b1"}`,
			"/v1/models":   `{"data": [` + models + `]}`,
		} {
			mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		}
		s := httptest.NewServer(mux)
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	one := `{"id": "c2s-scale-2b:latest", "meta": {"n_ctx_train": 512}}`
	several := serve(one + `, {"id": "gemma2:27b"}`)
	for name, args := range asking(t) {
		for _, backend := range []string{"ollama://" + several, "openai://" + several + "/v1", "llamacpp://" + serve(one)} {
			code, said := failing(t, append(args, "--backend", backend, "--model", "c2s-scale-3b")...)
			if code != 3 || !strings.Contains(said, `has no model "c2s-scale-3b"; it has c2s-scale-2b:latest`) || !strings.Contains(said, "did you mean c2s-scale-2b:latest?") {
				t.Errorf("%s at %s: exit code %d: %s", name, backend, code, said)
			}
		}
	}
}

// TestSilentServer: one that takes connections and says nothing is known for what it is
// within five seconds, of which the machine's load may take some here.
func TestSilentServer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	host := strings.TrimPrefix(s.URL, "http://")
	for name, args := range asking(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			code, said := failing(t, append(args, "--backend", "ollama://"+host)...)
			took := time.Since(start)
			t.Logf("after %.1f s: %s", took.Seconds(), said)
			if code != 4 || !strings.Contains(said, host) || !strings.Contains(said, "start one with") {
				t.Errorf("exit code %d: %s", code, said)
			}
			if took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
