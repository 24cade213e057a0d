package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cellsentence/c2s/perturb/reward"
	"github.com/cellsentence/c2s/perturb/reward/server"
)

func scorer(t testing.TB, cfg reward.Config) *reward.Scorer {
	t.Helper()
	if cfg.Panel == nil {
		p, err := reward.NewPanel(strings.Fields("A B C D"))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Panel = p
	}
	s, err := reward.NewScorer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func handler(t testing.TB, cfg server.Config) http.Handler {
	t.Helper()
	if cfg.Scorer == nil {
		cfg.Scorer = scorer(t, reward.Config{})
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

// post sends a request and returns status and body.
func post(h http.Handler, path, body string, header ...string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

func get(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

const (
	// tau of the control is −1, of the replicate 2/3: (2/3+1)/(2/3+1) = 1, and a tau of
	// 1 gives 2/(5/3) = 1.2.
	truth = `{"real":"A B C D","control":"D C B A","replicate":"A B D C"}`
	// A control that is the real cell leaves no room for a reward.
	full = `{"real":"A B C D","control":"A B C D","replicate":"A B C D"}`
)

func TestForms(t *testing.T) {
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	h := handler(t, server.Config{})
	for _, c := range []struct{ name, path, body, want string }{
		{
			"openrlhf", "/get_reward",
			`{"query":["<bos>p: A B C D</s>","<bos>p: D C B A</s>"],"prompts":["p:","p:"],"labels":[` + quoted(truth) + `,` + quoted(truth) + `]}`,
			`{"extra_logs":{"undefined":[0,0],"valid":[0,0]},"rewards":[1.2000000000000002,0],"scores":[1,0]}`,
		},
		{
			"openrlhf, undefined", "/get_reward", `{"query":["pA"],"prompts":["p"],"labels":[` + full + `]}`,
			`{"extra_logs":{"undefined":[1],"valid":[0]},"rewards":[0],"scores":[0]}`,
		},
		{
			"trl", "/trl",
			`{"prompts":["p","q"],"completions":["A B D C","A"],"truth":[` + truth + `,` + full + `],"other":[1,2]}`,
			`{"rewards":[1,null]}`,
		},
		{
			"trl, conversations", "/trl",
			`{"prompts":[[{"role":"user","content":"p"}]],"completions":[[{"role":"assistant","content":"A B D C"}]],"truth":[` + truth + `]}`,
			`{"rewards":[1]}`,
		},
		{
			"verl", "/verl", `{"data_source":"x","solution_str":"A B D C","ground_truth":` + quoted(truth) + `,"extra_info":{"index":3,"split":"train"}}`,
			`{"score":1,"valid":false,"undefined":false}`,
		},
		{
			"verl, a batch", "/verl/batch",
			`{"data_sources":["x","x"],"solution_strs":["A B D C","A"],"ground_truths":[` + quoted(truth) + `,` + full + `],"extra_infos":[null,{}]}`,
			`{"scores":[{"score":1,"valid":false,"undefined":false},{"score":0,"valid":false,"undefined":true}]}`,
		},
	} {
		if code, got := post(h, c.path, c.body); code != 200 || !same(got, c.want) {
			t.Errorf("%s: %d %s, expected %s", c.name, code, got, c.want)
		}
	}
	_, text := get(h, "/metrics")
	for _, line := range []string{
		`c2s_reward_requests_total{form="openrlhf",code="200"} 2`,
		"c2s_reward_answers_total 9",
		"c2s_reward_undefined_total 3",
		"c2s_reward_in_flight 0",
		`c2s_reward_request_seconds_bucket{le="+Inf"} 6`,
		"c2s_reward_request_seconds_count 6",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
}

// same compares JSON, with numbers to 1e-12: the last digit of a quotient is no contract.
func same(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return alike(x, y)
}

func alike(x, y any) bool {
	switch x := x.(type) {
	case float64:
		y, ok := y.(float64)
		return ok && x-y < 1e-12 && y-x < 1e-12
	case []any:
		y, ok := y.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !alike(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := y.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k := range x {
			if !alike(x[k], y[k]) {
				return false
			}
		}
		return true
	}
	return x == y
}

func TestRefused(t *testing.T) {
	h := handler(t, server.Config{MaxBody: 2000, MaxAnswers: 2})
	for _, c := range []struct {
		name, path, body string
		code             int
		want             string
	}{
		{"no JSON", "/trl", `{"prompts":`, 400, "unexpected end"},
		{"two values", "/trl", `{} {}`, 400, "after top-level"},
		{"wrong type", "/get_reward", `{"query":3}`, 400, "query"},
		{"large", "/trl", strings.Repeat(" ", 2001), 413, "too large"},
		{"nothing", "/trl", `{}`, 422, "no answer"},
		{"many", "/trl", `{"prompts":["","",""],"completions":["","",""]}`, 422, "at most 2"},
		{"prompts", "/trl", `{"prompts":[],"completions":["A"]}`, 422, "1 answers have 0 prompts"},
		{"truths", "/trl", `{"prompts":["p"],"completions":["A"],"truth":[]}`, 422, "0 truths"},
		{"no truth", "/trl", `{"prompts":["p"],"completions":["A"]}`, 422, "answer 0: the truth has no real cell"},
		{"bad truth", "/trl", `{"prompts":["p"],"completions":["A"],"truth":[{"reel":"A"}]}`, 422, "reel"},
		{"no message", "/trl", `{"prompts":["p"],"completions":[[]]}`, 422, "no message"},
		{"no prompt in the query", "/get_reward", `{"query":["A B"],"prompts":["p"],"labels":["A"]}`, 422, "does not hold its prompt"},
		{"no prompts", "/get_reward", `{"query":["A B"]}`, 422, "must be known"},
		{"no solution", "/verl", `{}`, 422, "solution_str is missing"},
		{"batch lengths", "/verl/batch", `{"solution_strs":["A"]}`, 422, "0 data_sources"},
		{"no such path", "/score", `{}`, 404, ""},
	} {
		code, got := post(h, c.path, c.body)
		if code != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %s, expected %d %s", c.name, code, got, c.code, c.want)
		}
	}
	if code, _ := post(h, "/trl", `{}`, "Content-Type", "text/plain"); code != 415 {
		t.Errorf("text/plain: %d", code)
	}
	if code, _ := get(h, "/trl"); code != 405 {
		t.Errorf("GET /trl: %d", code)
	}
	locked := handler(t, server.Config{Token: "secret"})
	for token, want := range map[string]int{"": 401, "Bearer wrong": 401, "secret": 401, "Bearer secret": 422} {
		if code, _ := post(locked, "/trl", `{}`, "Authorization", token); code != want {
			t.Errorf("token %q: %d, expected %d", token, code, want)
		}
	}
	if code, _ := get(locked, "/metrics"); code != 401 {
		t.Errorf("/metrics without the token: %d", code)
	}
	if code, text := get(locked, "/healthz"); code != 200 || text != "ok\n" {
		t.Errorf("/healthz: %d %s", code, text)
	}
}

func TestListen(t *testing.T) {
	ctx := context.Background()
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		l, err := server.Listen(ctx, addr, "")
		if _, ok := errors.AsType[*server.TokenError](err); !ok {
			if err == nil {
				l.Close()
			}
			t.Errorf("%s without a token: %v", addr, err)
		}
	}
	for addr, token := range map[string]string{"127.0.0.1:0": "", "localhost:0": "", "0.0.0.0:0": "secret"} {
		l, err := server.Listen(ctx, addr, token)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		l.Close()
	}
	if _, err := server.Listen(ctx, "nothing", ""); err == nil {
		t.Error("an address without a port was taken")
	}
}

// running is a server that listens.
type running struct {
	url  string
	stop context.CancelFunc
	done chan error
}

func start(t testing.TB, cfg server.Config) *running {
	t.Helper()
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l, err := server.Listen(ctx, "127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{"http://" + l.Addr().String(), stop, make(chan error, 1)}
	go func() { r.done <- s.Serve(ctx, l) }()
	t.Cleanup(stop)
	return r
}

// slow is a scorer that waits until it may go on, or its request ends.
func slow(t *testing.T, entered chan<- struct{}, proceed <-chan struct{}) *reward.Scorer {
	return scorer(t, reward.Config{
		Kind: reward.KindMSE,
		Embed: func(ctx context.Context, s [][]string) ([][]float64, error) {
			entered <- struct{}{}
			select {
			case <-proceed:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			points := make([][]float64, len(s))
			for i := range points {
				points[i] = []float64{1}
			}
			return points, nil
		},
	})
}

const ask = `{"prompts":["p"],"completions":["A"],"truth":["B"]}`

// TestDrain: what is being answered when the server is told to stop is answered.
func TestDrain(t *testing.T) {
	entered, proceed := make(chan struct{}, 1), make(chan struct{})
	r := start(t, server.Config{Scorer: slow(t, entered, proceed)})
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Post(r.url+"/trl", "application/json", strings.NewReader(ask))
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		answer <- strings.TrimSpace(string(text))
	}()
	<-entered
	r.stop()
	// The listener is closed at once.
	for {
		c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			break
		}
		c.Close()
		time.Sleep(5 * time.Millisecond)
	}
	select {
	case err := <-r.done:
		t.Fatalf("the server ended before its request: %v", err)
	default:
	}
	close(proceed)
	if got := <-answer; got != `{"rewards":[0]}` && got != `{"rewards":[-0]}` {
		t.Errorf("answer %s", got)
	}
	if err := <-r.done; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestGrace: what takes longer than the grace is cut off, and said.
func TestGrace(t *testing.T) {
	entered := make(chan struct{}, 1)
	r := start(t, server.Config{Scorer: slow(t, entered, nil), Grace: 20 * time.Millisecond})
	go func() {
		if resp, err := http.Post(r.url+"/trl", "application/json", strings.NewReader(ask)); err == nil {
			resp.Body.Close()
		}
	}()
	<-entered
	r.stop()
	if err := <-r.done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
}

// TestKilledClient: a client that goes away takes its work, its slot and its goroutines
// with it.
func TestKilledClient(t *testing.T) {
	before := runtime.NumGoroutine()
	entered := make(chan struct{}, 100)
	r := start(t, server.Config{Scorer: slow(t, entered, nil), Slots: 2})
	ctx, kill := context.WithCancel(context.Background())
	ended := make(chan struct{})
	const clients = 8 // two in slots, six waiting
	for range clients {
		go func() {
			defer func() { ended <- struct{}{} }()
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/trl", strings.NewReader(ask))
			req.Header.Set("Content-Type", "application/json")
			if resp, err := http.DefaultClient.Do(req); err == nil {
				resp.Body.Close()
			}
		}()
	}
	<-entered
	<-entered
	kill()
	for range clients {
		<-ended
	}
	wait(t, "no request in flight", func() bool {
		resp, err := http.Get(r.url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return bytes.Contains(text, []byte("c2s_reward_in_flight 0\n")) && bytes.Contains(text, []byte("c2s_reward_waiting 0\n"))
	})
	r.stop()
	if err := <-r.done; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	wait(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("still not: %s", what)
}

// TestPythonClient runs the client of examples/rewards against the server.
func TestPythonClient(t *testing.T) {
	python := os.Getenv("C2S_PYTHON")
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("C2S_PYTHON names no Python")
		}
		t.Skip("C2S_PYTHON names no Python")
	}
	r := start(t, server.Config{Scorer: scorer(t, reward.Config{})})
	dir, err := filepath.Abs("../../../examples/rewards")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`
import c2s_reward as c
truth, full = %q, %q
print(c.trl_reward(prompts=["p", "q"], completions=["A B D C", "A"], truth=[truth, full], trainer_state=None))
print(c.compute_score("x", "A B D C", truth, {"index": 1, "array": object()})["score"])
print([s["undefined"] for s in c.compute_scores(["x", "x"], ["A B D C", "A"], [truth, full], [None, {}])])
try:
    c.trl_reward(["p"], ["A"], ["{"])
except RuntimeError as e:
    print(e)
`, truth, full)
	cmd := exec.Command(python, "-B", "-c", script)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+dir, "C2S_REWARD_URL="+r.url, "C2S_REWARD_TOKEN=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "[1, None]\n1\n[False, True]\n"
	if !strings.HasPrefix(string(out), want) || !strings.Contains(string(out), ": 422: ") {
		t.Errorf("got\n%s", out)
	}
}
