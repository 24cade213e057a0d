// Package endpoint is the way to a model server: one HTTP client with the limits
// and the care for keys that all backends share.
//
// Start with [New]. A key goes to the endpoint's own host only, never in clear text
// over a network, never through a redirect, and into no error. No answer is read
// beyond a limit, no request outlives its context, and an address that nobody
// answers at is known in less than five seconds.
package endpoint

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cellsentence/c2s/llm"
)

const (
	// DefaultTimeout is for one request. A model on a processor may read a long prompt
	// for minutes.
	DefaultTimeout = 10 * time.Minute
	// Quick is for requests that need no model, as for a version or a list. It leaves a
	// second of the five in which an absent server must be known.
	Quick = 3500 * time.Millisecond
	// maxBody is the most that is read of one answer. The largest expected ones are
	// unpooled embeddings: 1,000 tokens of 4,608 numbers are about 50 MB of JSON.
	maxBody = 128 << 20
	// maxLine is the most that one event of a stream may have: a token with some
	// hundred alternatives has less than 1 MB.
	maxLine = 8 << 20
	// maxError is as much of an error's body as is looked at.
	maxError = 64 << 10
)

// Config is how an endpoint is spoken to.
type Config struct {
	// Key is a bearer token, "" for none.
	Key string
	// Timeout is for one request (0: DefaultTimeout).
	Timeout time.Duration
	// Tip says how to start such a server.
	Tip string
}

// Endpoint is a server at an address. It is safe for concurrent use.
type Endpoint struct {
	base    *url.URL
	client  *http.Client
	key     string
	timeout time.Duration
	tip     string
}

// New checks an address ("http" or "https", without user, query or fragment) and
// the use of the key with it. It connects to nothing.
func New(base *url.URL, cfg Config) (*Endpoint, error) {
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, &Error{What: fmt.Sprintf("%s is no http or https address", base.Redacted()), Tip: "give it as in http://127.0.0.1:8080"}
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, &Error{What: fmt.Sprintf("%s://%s: an address has no user, query or fragment", base.Scheme, base.Host), Tip: "a key is given in C2S_API_KEY"}
	}
	if strings.ContainsAny(cfg.Key, "\r\n\x00") {
		return nil, &Error{What: "the API key has a line break within", Tip: "set C2S_API_KEY to the key alone"}
	}
	if cfg.Key != "" && base.Scheme == "http" && !loopback(base.Hostname()) {
		return nil, &Error{
			What: fmt.Sprintf("the API key would go to %s in clear text", base.Host),
			Tip:  "use +https, or unset C2S_API_KEY if the server needs none",
		}
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	u := *base
	u.Path = strings.TrimRight(u.Path, "/")
	e := &Endpoint{base: &u, key: cfg.Key, timeout: cfg.Timeout, tip: cfg.Tip}
	e.client = &http.Client{
		Transport: newTransport(e),
		// The server's word that it lives elsewhere must not carry prompts or keys there.
		CheckRedirect: func(to *http.Request, _ []*http.Request) error {
			return &Error{
				What: line(fmt.Sprintf("%s redirects to %s://%s", e, to.URL.Scheme, to.URL.Host)),
				Tip:  "name the address where the server is",
			}
		},
	}
	return e, nil
}

// String is the address.
func (e *Endpoint) String() string { return e.base.String() }

// Base is the address, to be copied before it is changed.
func (e *Endpoint) Base() *url.URL { return e.base }

// Client is the HTTP client with the limits of this package, for libraries that
// bring their own requests.
func (e *Endpoint) Client() *http.Client { return e.client }

// Close closes connections that are kept for later requests.
func (e *Endpoint) Close() error {
	e.client.CloseIdleConnections()
	return nil
}

// errTimeout is the cause when a request's time is over.
var errTimeout = errors.New("no complete answer in time")

// Within gives a context for one request, of the usual time or a shorter one.
func (e *Endpoint) Within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 || limit > e.timeout {
		limit = e.timeout
	}
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w (%v)", errTimeout, limit))
}

// Get asks for a path and decodes the JSON of the answer.
func (e *Endpoint) Get(ctx context.Context, path string, out any) error {
	return e.json(ctx, http.MethodGet, path, nil, out, Quick)
}

// Post sends JSON and decodes the JSON of the answer.
func (e *Endpoint) Post(ctx context.Context, path string, in, out any) error {
	return e.json(ctx, http.MethodPost, path, in, out, 0)
}

func (e *Endpoint) json(ctx context.Context, method, path string, in, out any, limit time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	within, cancel := e.Within(ctx, limit)
	defer cancel()
	resp, err := e.send(within, method, path, in)
	if err != nil {
		return e.Fail(ctx, within, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return e.Fail(ctx, within, err)
	}
	if err := json.Unmarshal(data, out); err != nil {
		return &Error{What: fmt.Sprintf("%s%s does not answer as expected: %v", e, path, err), Tip: "is this another kind of server?"}
	}
	return nil
}

// What the function that Events calls returns to end a request in good order.
var (
	// ErrStop ends it at once: the server is to stop, too.
	ErrStop = errors.New("stop")
	// ErrDone says that the answer is complete. What the server still sends is read, so
	// that the connection can be used again.
	ErrDone = errors.New("done")
)

// patience is how long a server may take to end a stream after the last event.
const patience = 50 * time.Millisecond

// Events sends JSON and calls each for the data of every server-sent event, the
// closing "[DONE]" left out. The data is valid during the call. An error of each is
// returned as it is. That the stream has ended does not say that the answer was
// complete.
func (e *Endpoint) Events(ctx context.Context, path string, in any, each func(data []byte) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	within, cancel := e.Within(ctx, 0)
	defer cancel()
	resp, err := e.send(within, http.MethodPost, path, in)
	if err != nil {
		return e.Fail(ctx, within, err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	// A small buffer at first: net/http fills it before it gives a token whose successor
	// has begun to come.
	lines.Buffer(make([]byte, 0, 2<<10), maxLine)
	lines.Split(whole)
	for lines.Scan() {
		line := lines.Bytes()
		// llama-server once wrote "error: {…}" where it now writes an event.
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok {
			if data, ok = bytes.CutPrefix(line, []byte("error:")); !ok {
				continue
			}
			request, err := marshal(in)
			if err != nil {
				return err
			}
			return parseError(http.StatusInternalServerError, append(append([]byte(`{"error":`), data...), '}'), request, e)
		}
		data = bytes.TrimSpace(data)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := ErrDone
		if !bytes.Equal(data, []byte("[DONE]")) {
			err = each(data)
		}
		if errors.Is(err, ErrDone) {
			timer := time.AfterFunc(patience, cancel)
			_, _ = io.Copy(io.Discard, resp.Body)
			timer.Stop()
			return nil
		}
		if errors.Is(err, ErrStop) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return e.Fail(ctx, within, err)
	}
	return nil
}

// whole splits into lines. A last one without an end is none: it was cut off.
func whole(data []byte, _ bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	return 0, nil, nil
}

// send gives the answer to a request if its status is good.
func (e *Endpoint) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	var request []byte
	if in != nil {
		var err error
		if request, err = marshal(in); err != nil {
			return nil, err
		}
		body = bytes.NewReader(request)
	}
	req, err := http.NewRequestWithContext(ctx, method, e.base.String()+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "c2s")
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(io.LimitReader(resp.Body, maxError))
	return nil, parseError(resp.StatusCode, data, request, e)
}

// marshal is JSON with the prompt's own characters: "<" is sent as "<".
func marshal(in any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// Fail makes the error of a request what the user is to see: the cause of a context
// that ended, what the server said, or that it cannot be reached. within is the
// context that Within made from ctx.
func (e *Endpoint) Fail(ctx, within context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var status *StatusError
	var own *Error
	var gone *llm.UnreachableError
	var over *llm.ContextError
	// Without what the HTTP client has wrapped around it: the target of a redirect.
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &status), errors.As(err, &gone), errors.As(err, &over):
		return err
	}
	if within.Err() != nil {
		err = context.Cause(within)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // it repeats the address
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the connection broke off: %w", err)
	}
	return e.Unreachable(err)
}

// Broken says that an error is one of the connection, not of what came over it.
func Broken(err error) bool {
	var u *url.Error
	var n net.Error
	return errors.As(err, &u) || errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Unreachable says that this server cannot be used for a request, for this reason.
func (e *Endpoint) Unreachable(err error) error {
	return &llm.UnreachableError{Endpoint: e.String(), Err: err, Tip: e.tip}
}
