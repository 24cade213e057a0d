package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedBuffer is written by a command while a test reads it.
type lockedBuffer struct {
	lock sync.Mutex
	b    bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.b.String()
}

// TestServeReward asks the server once and ends it as a signal does.
func TestServeReward(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	e, _, _ := testEnv()
	stderr := new(lockedBuffer)
	e.stderr = stderr
	e.getenv = func(name string) string {
		if name == "C2S_REWARD_TOKEN" {
			return "secret"
		}
		return ""
	}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"perturb", "serve-reward", "--genes", "../../examples/rewards/genes.txt", "--reward", "validity", "--listen", "127.0.0.1:0"}, e)
	}()
	url := ""
	for range 1000 {
		if _, after, ok := strings.Cut(stderr.String(), "rewards on "); ok && strings.Contains(after, "\n") {
			url, _, _ = strings.Cut(after, "\n")
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if url == "" {
		stop()
		t.Fatalf("no server: exit code %d, %s", <-code, stderr)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/trl", strings.NewReader(`{"prompts":["p"],"completions":["B2M TAP1 NONE B2M"]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	// Two of four words are genes not named before.
	if string(text) != "{\"rewards\":[0.5]}\n" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	stop()
	if got := <-code; got != 0 || !strings.Contains(stderr.String(), "all requests were answered") {
		t.Errorf("exit code %d, %s", got, stderr)
	}
}
