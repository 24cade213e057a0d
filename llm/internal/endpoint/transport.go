package endpoint

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// transport adds the key to requests that go to the endpoint, and a limit to what
// is read of an answer.
type transport struct {
	e    *Endpoint
	next *http.Transport
}

func newTransport(e *Endpoint) *transport {
	dialer := &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}
	if e.key != "" && e.base.Scheme == "http" {
		// "localhost" is a name like any other: what it stands for is looked at, too.
		dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			host, _, err := net.SplitHostPort(address)
			if err != nil || !loopback(host) {
				return fmt.Errorf("the API key would go to %s in clear text", address)
			}
			return nil
		}
	}
	next := &http.Transport{
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   4 * time.Second,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       4 * time.Second, // llama-server closes after 5
		MaxIdleConnsPerHost:   64,              // as many as there are requests at a time, or each of the rest connects anew
		ForceAttemptHTTP2:     true,
		// Text that compresses well must not become a flood that the limit does not see.
		DisableCompression: true,
	}
	if e.base.Scheme == "https" || !loopback(e.base.Hostname()) {
		next.Proxy = http.ProxyFromEnvironment
	}
	return &transport{e: e, next: next}
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	// A server may close a connection that it has kept, just when it is used again. Asking
	// once more on a new one does no harm: no request changes anything. An empty list
	// says so to net/http and is not sent.
	req = req.Clone(req.Context())
	req.Header["Idempotency-Key"] = nil
	if t.e.key != "" && req.URL.Host == t.e.base.Host && req.URL.Scheme == t.e.base.Scheme {
		req.Header.Set("Authorization", "Bearer "+t.e.key)
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &limited{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

// CloseIdleConnections is called by the client's method of that name.
func (t *transport) CloseIdleConnections() { t.next.CloseIdleConnections() }

// limited fails, rather than ends, where an answer is too long.
type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, &Error{What: fmt.Sprintf("the server's answer has more than %d MB", maxBody>>20), Tip: "ask for less at a time"}
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.ReadCloser.Read(p)
	l.left -= int64(n)
	return n, err
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
