package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cellsentence/c2s/llm"
)

const secret = "sk-very-secret"

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func open(t *testing.T, address string, cfg Config) *Endpoint {
	t.Helper()
	e, err := New(parsed(t, address), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// serve starts a server whose requests end with the test.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		address, key string
		good         bool
	}{
		{"http://127.0.0.1:8080", secret, true},
		{"http://[::1]:8080/v1", secret, true},
		{"http://localhost:8080", secret, true},
		{"https://models.example", secret, true},
		{"http://models.example", "", true},
		{"http://models.example", secret, false},
		{"http://10.0.0.7:8000", secret, false},
		{"http://localhost.example:80", secret, false},
		{"https://models.example", secret + "\n", false},
		{"https://user:" + secret + "@models.example", "", false},
		{"https://models.example?key=" + secret, "", false},
		{"ftp://models.example", "", false},
		{"http://", "", false},
	} {
		_, err := New(parsed(t, c.address), Config{Key: c.key})
		if (err == nil) != c.good {
			t.Errorf("%s, key %q: %v", c.address, c.key, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the key is in the error: %v", err)
		}
	}
}

// TestKey: the key comes to the endpoint and to nobody else.
func TestKey(t *testing.T) {
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed, with %q", r.Header.Get("Authorization"))
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer "+secret {
			t.Errorf("the endpoint got %q", got)
		}
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL+"/there?q="+secret, http.StatusTemporaryRedirect)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error": {"message": "the key %s is not known"}}`, secret)
	})
	e := open(t, s.URL, Config{Key: secret})
	for path, want := range map[string]string{"/away": "redirects to " + other.URL, "/": "the key [key] is not known"} {
		err := e.Post(t.Context(), path, map[string]string{"prompt": "x"}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, expected %q and no key", path, err, want)
		}
		var tip interface{ Hint() string }
		if !errors.As(err, &tip) || tip.Hint() == "" {
			t.Errorf("%s: no hint", path)
		}
	}
	// A request that a library makes elsewhere through the client.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, other.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	stranger := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the key came to another host")
		}
	})
	req.URL.Host = parsed(t, stranger.URL).Host
	resp, err := e.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// TestKeyClearText: what a name stands for is looked at when it is dialled.
func TestKeyClearText(t *testing.T) {
	e := open(t, "http://localhost:9", Config{Key: secret})
	e.base.Host = "192.0.2.1:9" // as if localhost were that (TEST-NET-1, RFC 5737)
	err := e.Get(t.Context(), "/", nil)
	if err == nil || !strings.Contains(err.Error(), "clear text") {
		t.Errorf("%v, expected a refusal", err)
	}
}

func TestKeyTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%t", r.Header.Get("Authorization") == "Bearer "+secret)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	e := open(t, s.URL, Config{Key: secret})
	var got bool
	// Its certificate is not one that this machine trusts.
	var gone *llm.UnreachableError
	if err := e.Get(t.Context(), "/", &got); !errors.As(err, &gone) {
		t.Errorf("an unknown certificate: %v", err)
	}
	e.client.Transport.(*transport).next.TLSClientConfig = &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if err := e.Get(t.Context(), "/", &got); err != nil || !got {
		t.Errorf("%v, %v", got, err)
	}
}

// TestUnreachable: known in less than five seconds, whatever is the matter.
func TestUnreachable(t *testing.T) {
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for what, address := range map[string]string{
		"nobody listens": "http://" + closed.Addr().String(),
		"no such name":   "http://no-such-host.invalid:8080", // RFC 2606
		"no answer":      silent.URL,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			err := open(t, address, Config{Tip: "start it"}).Get(t.Context(), "/", nil)
			var gone *llm.UnreachableError
			if !errors.As(err, &gone) || gone.Hint() != "start it" || !strings.Contains(err.Error(), address) {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("after %v", took)
			}
		})
	}
}

// TestLimit: an answer without end is an error, not all memory.
func TestLimit(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		if r.URL.Path == "/line" {
			_, _ = io.WriteString(w, "data: ")
		}
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	e := open(t, s.URL, Config{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := e.Post(t.Context(), "/", nil, new(any))
	if err == nil || !strings.Contains(err.Error(), "128 MB") {
		t.Errorf("%v", err)
	}
	if err := e.Events(t.Context(), "/line", nil, func([]byte) error { return nil }); err == nil {
		t.Error("a line without end was read")
	}
	runtime.ReadMemStats(&after)
	// ReadAll doubles its buffer.
	if took := after.TotalAlloc - before.TotalAlloc; took > 8*maxBody {
		t.Errorf("%d MB were allocated", took>>20)
	}
}

// TestCancel: at any time, within 100 ms, with nothing left.
func TestCancel(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			for range 3 {
				fmt.Fprint(w, "data: {}\n\n")
			}
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	e := open(t, s.URL, Config{})
	cause := errors.New("the user left")
	before := runtime.NumGoroutine()
	for _, path := range []string{"/silent", "/stream"} {
		late := time.Hour
		for range 3 { // a busy machine may be late once
			ctx, cancel := context.WithCancelCause(t.Context())
			fired := make(chan time.Time, 1)
			time.AfterFunc(30*time.Millisecond, func() { fired <- time.Now(); cancel(cause) })
			if err := e.Events(ctx, path, nil, func([]byte) error { return nil }); !errors.Is(err, cause) {
				t.Errorf("%s: %v", path, err)
			}
			late = min(late, time.Since(<-fired))
		}
		if late > 100*time.Millisecond {
			t.Errorf("%s: %v", path, late)
		}
	}
	e.Close()
	for wait := 0; runtime.NumGoroutine() > before; wait++ {
		if wait == 200 {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestTimeout(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	err := open(t, s.URL, Config{Timeout: 50 * time.Millisecond}).Post(t.Context(), "/", nil, nil)
	var gone *llm.UnreachableError
	if !errors.As(err, &gone) || !strings.Contains(err.Error(), "50ms") {
		t.Errorf("%v", err)
	}
}

// TestDone: the connection of a complete answer is used again.
func TestDone(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, ": a comment\n\ndata: %q\n\ndata: [DONE]\n\n", r.RemoteAddr)
	})
	e := open(t, s.URL, Config{})
	peers := map[string]bool{}
	for _, end := range []error{nil, ErrDone, nil} {
		if err := e.Events(t.Context(), "/", nil, func(data []byte) error { peers[string(data)] = true; return end }); err != nil {
			t.Fatal(err)
		}
	}
	if len(peers) != 1 {
		t.Errorf("%d connections for three answers", len(peers))
	}
}

func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		what, body string
		status     int
		want       string // of the error
		tokens     [2]int // of a ContextError
	}{
		{"llama-server, prompt too long", `{"error":{"code":400,"message":"request (131 tokens) exceeds the available context size (128 tokens)","type":"exceed_context_size_error","n_prompt_tokens":131,"n_ctx":128}}`, 400, "", [2]int{131, 128}},
		{"Ollama from 0.30 on, the same within", `{"error":"{\"error\":{\"code\":400,\"message\":\"too long\",\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":131,\"n_ctx\":128}}"}`, 400, "", [2]int{131, 128}},
		{"vLLM, prompt and answer too long", `{"object":"error","message":"This model's maximum context length is 512 tokens. However, you requested 600 tokens (100 in the prompt, 500 in the completion). Please reduce the length.","type":"BadRequestError","code":400}`, 400, "", [2]int{100, 512}},
		{"vLLM since 0.10", `{"error":{"message":"This model's maximum context length is 512 tokens. However, your request has 600 input tokens. Please reduce the length of the input messages.","type":"BadRequestError","code":400}}`, 400, "", [2]int{600, 512}},
		{"FastAPI", `{"detail":[{"loc":["body","top_k"],"msg":"top_k must be positive","input":"the prompt"}]}`, 422, "HTTP 422: top_k must be positive", [2]int{}},
		{"text", "the prompt\n<html>", 500, "HTTP 500 Internal Server Error", [2]int{}},
		{"control characters", `{"error":"a\u001b[31mred\nline"}`, 500, "HTTP 500: a [31mred line", [2]int{}},
		{"busy", `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`, 503, "Loading model", [2]int{}},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		err := open(t, s.URL, Config{}).Post(t.Context(), "/", nil, nil)
		if over, ok := errors.AsType[*llm.ContextError](err); ok {
			if got := [2]int{over.Prompt, over.Context}; got != c.tokens {
				t.Errorf("%s: %v, expected %v", c.what, got, c.tokens)
			}
			continue
		}
		if c.want == "" || err == nil || !strings.HasSuffix(err.Error(), ": "+c.want) {
			t.Errorf("%s: %v, expected %q", c.what, err, c.want)
		}
		var gone *llm.UnreachableError
		if errors.As(err, &gone) != (c.status == 503) {
			t.Errorf("%s: %T", c.what, err)
		}
	}
}

// TestMemo: a model that is exchanged during a run is noticed.
func TestMemo(t *testing.T) {
	e := open(t, "http://127.0.0.1:1", Config{})
	clock := time.Unix(0, 0)
	memo := Memo[string]{Now: func() time.Time { return clock }}
	asked, model := 0, "a"
	get := func() error {
		_, err := memo.Get(t.Context(), e, func(context.Context) (*string, error) { asked++; m := model; return &m, nil }, func(s *string) string { return *s })
		return err
	}
	for i, c := range []struct {
		wait  time.Duration
		model string
		asked int
		good  bool
	}{
		{0, "a", 1, true},
		{9 * time.Second, "a", 1, true},
		{2 * time.Second, "a", 2, true},
		{11 * time.Second, "b", 3, false},
		{0, "b", 4, false},
		{0, "a", 5, true},
	} {
		clock, model = clock.Add(c.wait), c.model
		if err := get(); (err == nil) != c.good || asked != c.asked {
			t.Errorf("step %d: %v after asking %d times", i, err, asked)
		}
	}
	memo.Forget()
	if err := get(); err != nil || asked != 6 {
		t.Errorf("%v, %d", err, asked)
	}
	b := "b"
	memo.Set(&b)
	if err := get(); err != nil || *memo.Last() != "b" {
		t.Errorf("%v", err)
	}
}

// TestCut: half a line is no event, and no answer.
func TestCut(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "data: 1\n\ndata: 2")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	var got []string
	err := open(t, s.URL, Config{}).Events(t.Context(), "/", nil, func(data []byte) error { got = append(got, string(data)); return nil })
	var gone *llm.UnreachableError
	if !errors.As(err, &gone) || strings.Join(got, " ") != "1" {
		t.Errorf("%v, %v", got, err)
	}
}
