package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
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
	// Two of four words are genes not named before.
	serveOnce(t, []string{"--reward", "validity"}, `{"prompts":["p"],"completions":["B2M TAP1 NONE B2M"]}`, regexp.MustCompile(`^\{"rewards":\[0\.5\]\}$`))
}

// TestServeRewardInASpace scores by −MSE in fitted components and where the demo model
// places cells: the real cell itself is at no distance, an empty answer farther than one
// that names the same genes in another order.
func TestServeRewardInASpace(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, args := range [][]string{
		{"embed", "../../testdata/demo.h5ad", "--method", "pca", "--components", "5", "--save", at("pca.json"), "-o", at("x.npy"), "-q"},
		{"fidelity", "../../testdata/demo.h5ad", "--normalize", "10000", "--log1p", "e", "-o", at("fidelity"), "-q"},
		{"fidelity", "../../testdata/demo.h5ad", "-o", at("median"), "-q"},
	} {
		e, _, stderr := testEnv()
		if got := run(t.Context(), args, e); got != 0 {
			t.Fatalf("%v: exit code %d, %s", args, got, stderr)
		}
	}
	const ask = `{"prompts":["p","p","p"],"completions":["CD3D CD3E IL7R CCR7 LTB","LTB CCR7 CD3E CD3D IL7R",""],"truth":["CD3D CD3E IL7R CCR7 LTB","CD3D CD3E IL7R CCR7 LTB","CD3D CD3E IL7R CCR7 LTB"]}`
	for _, flags := range [][]string{
		{"--embed", at("pca.json"), "--rank-model", at("fidelity/rank.json")},
		{"--backend", "demo"},
	} {
		got := serveOnce(t, append(flags, "--reward", "mse"), ask, regexp.MustCompile(`^\{"rewards":\[-?0,-[0-9.e-]+,-[0-9.e-]+\]\}$`))
		var answer struct{ Rewards []float64 }
		if err := json.Unmarshal([]byte(got), &answer); err != nil || len(answer.Rewards) != 3 || !(answer.Rewards[1] > answer.Rewards[2]) {
			t.Errorf("%v: %s, %v", flags, got, err)
		}
	}
	for _, c := range []struct {
		flags []string
		code  int
		want  string
	}{
		{[]string{"--reward", "mse", "--embed", at("pca.json"), "--rank-model", at("median/rank.json")}, 3, "fit it with c2s fidelity FILE --normalize 10000"},
		{[]string{"--reward", "mse", "--embed", at("fidelity/rank.json"), "--rank-model", at("fidelity/rank.json")}, 3, "not a PCA model"},
		{[]string{"--reward", "mse", "--embed", at("pca.json")}, 2, "--embed and --rank-model go together"},
		{[]string{"--reward", "tau", "--backend", "demo"}, 2, "for --reward mse, not tau"},
		{[]string{"--reward", "mse", "--backend", "demo", "--embed", "a", "--rank-model", "b"}, 2, "exclude each other"},
		{[]string{"--pooling", "max"}, 2, "neither mean nor last"},
	} {
		e, _, stderr := testEnv()
		args := append([]string{"perturb", "serve-reward", "--genes", "../../examples/rewards/genes.txt", "--listen", "127.0.0.1:0"}, c.flags...)
		if got := run(t.Context(), args, e); got != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit code %d, %s", c.flags, got, stderr)
		}
	}
}

// serveOnce starts the server with some flags, posts ask to /trl and ends it; the answer
// must match.
func serveOnce(t *testing.T, flags []string, ask string, want *regexp.Regexp) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
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
		code <- run(ctx, append([]string{"perturb", "serve-reward", "--genes", "../../examples/rewards/genes.txt", "--listen", "127.0.0.1:0"}, flags...), e)
	}()
	url := ""
	for range 3000 {
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
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/trl", strings.NewReader(ask))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	text := strings.TrimSpace(string(body))
	if !want.MatchString(text) {
		t.Errorf("%v: %d %s", flags, resp.StatusCode, text)
	}
	stop()
	if got := <-code; got != 0 || !strings.Contains(stderr.String(), "all requests were answered") {
		t.Errorf("exit code %d, %s", got, stderr)
	}
	return text
}
