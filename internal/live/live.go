// Package live helps tests to use real servers, which are started outside of them
// and whose addresses stand in the environment.
package live

import (
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cellsentence/c2s/llm/llmtest"
)

// Server is the address in a variable of the environment. Without it the test is
// skipped, or in CI fails.
func Server(t testing.TB, variable string) *url.URL {
	t.Helper()
	u, err := url.Parse(os.Getenv(variable))
	if err != nil {
		t.Fatal(err)
	}
	if u.Host == "" {
		absent(t, "no server: "+variable+" is not set; .ci/servers.sh starts one")
	}
	return u
}

// Shared is a file of the shared data. Without it the test is skipped, or in CI fails.
func Shared(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("C2S_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		absent(t, "no shared data: "+err.Error())
	}
	return path
}

func absent(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("C2S_CI") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Reference is what torch makes of the model that the servers were started with.
func Reference(t testing.TB) *llmtest.Reference {
	t.Helper()
	r, err := llmtest.Load(Shared(t, "llm/tiny-trained-ref.json"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Mortal is a way to a server that can be cut at once, which looks as if the server
// was killed: other tests still need it.
func Mortal(t testing.TB, server *url.URL) (way *url.URL, kill func()) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{open: map[net.Conn]bool{}}
	p.wait.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Host)
			if err != nil {
				_ = from.Close()
				continue
			}
			p.join(from, to)
		}
	})
	kill = sync.OnceFunc(func() {
		_ = listener.Close()
		p.cut()
		p.wait.Wait()
	})
	t.Cleanup(kill)
	u := *server
	u.Host = listener.Addr().String()
	return &u, kill
}

type proxy struct {
	wait sync.WaitGroup
	mu   sync.Mutex
	dead bool
	open map[net.Conn]bool
}

func (p *proxy) join(from, to net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		_, _ = from.Close(), to.Close()
		return
	}
	p.open[from], p.open[to] = true, true
	for a, b := range map[net.Conn]net.Conn{from: to, to: from} {
		p.wait.Go(func() {
			carry(a, b)
			_, _ = a.Close(), b.Close()
			p.mu.Lock()
			delete(p.open, a)
			p.mu.Unlock()
		})
	}
}

// carry copies from b to a, about a token in a millisecond: on a busy machine a whole
// answer would else have arrived before its first token is looked at, and nothing
// is left to be cut.
func carry(a io.Writer, b io.Reader) {
	buf := make([]byte, 1<<10)
	for {
		n, err := b.Read(buf)
		if n > 0 {
			if _, err := a.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	for c := range p.open {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, as from a dead process
		}
		_ = c.Close()
	}
}
