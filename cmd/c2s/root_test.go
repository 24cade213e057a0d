package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// testEnv is an environment without a terminal, and what is written in it.
func testEnv() (e env, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	return env{
		stdin: strings.NewReader(""), stdout: stdout, stderr: stderr,
		getenv:   func(string) string { return "" },
		terminal: func() bool { return false },
		columns:  func() int { return 0 },

		limitMemory: func(int64) {},
		useKernels:  func(int) {},
	}, stdout, stderr
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "500MB": 500e6, "2GiB": 2 << 30, "2 gib": 2 << 30, "1.5G": 3 << 29, "64k": 64 << 10, "10B": 10, "1TB": 1e12,
		"": -1, "0": -1, "0.5": -1, "-1MB": -1, "nan": -1, "inf": -1, "1e300GB": -1, "many": -1, "MB": -1, "2 2GB": -1,
	} {
		got, err := parseSize(text)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q: %d, %v, expected %d", text, got, err, want)
		}
	}
}

type badInput struct{ error }

func (badInput) BadInput() bool { return true }

func TestReport(t *testing.T) {
	plain := errors.New("no")
	for _, tc := range []struct {
		err  error
		code int
		want string
	}{
		{plain, 1, "c2s: no\n"},
		{&usageError{plain, "c2s encode"}, 2, "c2s: no\nhint: run \"c2s help encode\"\n"},
		{&usageError{plain, "c2s"}, 2, "c2s: no\nhint: run \"c2s help\"\n"},
		{&usageError{&inputError{plain, "do this"}, "c2s"}, 2, "c2s: no\nhint: do this\n"},
		{fmt.Errorf("a.h5ad: %w", badInput{plain}), 3, "c2s: a.h5ad: no\n"},
		{errors.Join(plain, &inputError{plain, "look"}), 3, "c2s: no no\nhint: look\n"},
		{&inputError{plain, ""}, 3, "c2s: no\n"},
		{fmt.Errorf("reading: %w", context.Canceled), 130, "c2s: interrupted; no output was left half-written, run the command again\n"},
		{context.DeadlineExceeded, 1, "c2s: context deadline exceeded\n"},
		{fmt.Errorf("write: %w", syscall.EPIPE), 0, ""},
		// What a file holds does not move the cursor or hide text.
		{errors.New("gene \"\x1b[2J\r\u202e\x00\xff\" twice"), 1, "c2s: gene \"\\u001b[2J\\u000d\\u202e\\u0000\ufffd\" twice\n"},
	} {
		e, _, b := testEnv()
		if code := (&globals{env: e}).tell(tc.err); code != tc.code || b.String() != tc.want {
			t.Errorf("%q: %d and %q, expected %d and %q", tc.err, code, b.String(), tc.code, tc.want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"force", "json", "layer", "out", "raw", "top-k", "x"}
	for word, want := range map[string]string{
		"top-j": "top-k", "topk": "top-k", "lay": "layer", "jsn": "json", "forc": "force", "outt": "out",
		"q": "", "zz": "", "": "", "threads": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q: %q, expected %q", word, got, want)
		}
	}
}

// TestLog has the level, the form and the attributes of what is logged.
func TestLog(t *testing.T) {
	for _, tc := range []struct {
		flags globals
		want  string
	}{
		{globals{logFormat: "text"}, "c2s: hello run.file=a\\u001bb run.n=1\nc2s: warning: oh run.file=a\\u001bb\n"},
		{globals{logFormat: "text", quiet: true}, ""},
		{globals{logFormat: "text", verbose: true}, "c2s: detail run.file=a\\u001bb\nc2s: hello run.file=a\\u001bb run.n=1\nc2s: warning: oh run.file=a\\u001bb\n"},
	} {
		e, _, stderr := testEnv()
		tc.flags.env = e
		log := tc.flags.logger().WithGroup("run").With("file", "a\x1bb")
		log.Debug("detail")
		log.Info("hello", "n", 1)
		log.Warn("oh")
		if got := stderr.String(); got != tc.want {
			t.Errorf("%q, expected %q", got, tc.want)
		}
	}
	e, _, stderr := testEnv()
	g := &globals{env: e, logFormat: "json"}
	g.logger().Warn("oh", slog.Int("n", 1))
	if got := stderr.String(); !strings.Contains(got, `"level":"WARN","msg":"oh","n":1}`) {
		t.Errorf("%q is no JSON record", got)
	}
}

// TestProgressFlag shows what --progress and the terminal ask for.
func TestProgressFlag(t *testing.T) {
	for _, tc := range []struct {
		flags    globals
		terminal bool
		term     string
		want     string // within what is written in 31 s; empty: nothing
	}{
		{globals{progress: "auto"}, true, "xterm", "\renc\\u000d: 1/2 (50%)"},
		{globals{progress: "auto"}, true, "dumb", "c2s: enc"},
		{globals{progress: "auto"}, false, "", "c2s: enc"},
		{globals{progress: "always"}, false, "", "\renc\\u000d: 1/2 (50%)"},
		{globals{progress: "json"}, true, "", `"event":"progress"`},
		{globals{progress: "never"}, true, "", ""},
		{globals{progress: "always", quiet: true}, true, "", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			e, _, stderr := testEnv()
			e.terminal = func() bool { return tc.terminal }
			e.getenv = func(string) string { return tc.term }
			tc.flags.env = e
			bar := tc.flags.start("enc\r", "cells", 2)
			bar.Add(1)
			time.Sleep(31 * time.Second)
			bar.Stop()
			got := stderr.String()
			if !strings.Contains(got, tc.want) || tc.want == "" && got != "" {
				t.Errorf("--progress %s: %q, expected %q within", tc.flags.progress, got, tc.want)
			}
		})
	}
}

// TestRun runs in an environment of its own: nothing of the machine is touched.
func TestRun(t *testing.T) {
	e, stdout, stderr := testEnv()
	if code := run(t.Context(), []string{"version"}, e); code != 0 || !strings.HasPrefix(stdout.String(), "c2s "+version+" (commit ") || stderr.Len() > 0 {
		t.Errorf("%d, %q, %q", code, stdout, stderr)
	}
	e, stdout, stderr = testEnv()
	if code := run(t.Context(), []string{"nonsense"}, e); code != 2 || stdout.Len() > 0 || stderr.String() != "c2s: unknown command \"nonsense\"\nhint: run \"c2s help\"\n" {
		t.Errorf("%d, %q, %q", code, stdout, stderr)
	}
}

// TestHelpPages holds every command to the form of help that the contract names.
func TestHelpPages(t *testing.T) {
	e, _, _ := testEnv()
	for _, c := range newRoot(&globals{env: e}).Commands() {
		var stdout bytes.Buffer
		e.stdout = &stdout
		if code := run(t.Context(), []string{"help", c.Name()}, e); code != 0 {
			t.Errorf("help %s: exit code %d", c.Name(), code)
		}
		_, end, found := strings.Cut(stdout.String(), "\nExample:\n  c2s ")
		if !found || !strings.Contains(end, "\n\nExit codes: "+exitCodes+"\n") {
			t.Errorf("help %s does not end with an example and the exit codes", c.Name())
		}
		if c.GroupID == "" {
			t.Errorf("%s is in no group", c.Name())
		}
	}
}
