package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cellsentence/c2s/internal/live"
)

// gate stands in front of a real server and counts the cells that are asked about, which
// it tells from probes by their limit of 32 tokens. When the server behind it is gone, it
// breaks connections as that would, and counts no more.
type gate struct {
	url string

	mu     sync.Mutex
	asked  int // cells
	inWork int
	at     int    // when so many cells were asked,
	then   func() // this is done
	lost   int    // cells in work then
}

func newGate(t *testing.T, server *url.URL, at int, then func()) *gate {
	g := &gate{at: at, then: then}
	through := httputil.NewSingleHostReverseProxy(server)
	through.FlushInterval = -1
	through.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte(`_predict":32`)) {
			if !g.begin() {
				panic(http.ErrAbortHandler)
			}
			defer g.end()
		}
		through.ServeHTTP(w, r)
	}))
	through.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	g.url = strings.TrimPrefix(s.URL, "http://")
	return g
}

func (g *gate) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lost > 0 {
		return false
	}
	g.asked++
	g.inWork++
	if g.asked == g.at {
		g.lost = g.inWork
		g.then()
	}
	return true
}

func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inWork--
}

func (g *gate) counts() (asked, lost int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked, g.lost
}

// TestRealPool: annotate asks a llama-server of three slots and an Ollama, and the first
// is killed in the middle. Nothing is lost, all answers are those of an undisturbed run,
// and at most what the dead server had in work is asked again: a slot takes nothing more
// once a request of its server has failed.
func TestRealPool(t *testing.T) {
	live.Program(t, "llama-server")
	dir := t.TempDir()
	prompts := demoPrompts(t, dir)
	const slots, half = 3, 40
	server, kill := live.Llama(t, demoFile(t), slots)
	bring(t, dir, demoFile(t), "demo", "C2S_OLLAMA")
	first := newGate(t, server, half, kill)
	second := newGate(t, live.Server(t, "C2S_OLLAMA"), -1, nil)
	task := []string{"annotate", inTestdata(t, "demo.h5ad"), "--prompts", prompts, "--top-k", "32"}
	good(t, dir, append(task, "--backend", "demo", "-o", "want.tsv")...)
	_, said := good(t, dir, append(task, "-o", "got.tsv", "--num-ctx", "512", "--threads", "1",
		"--backend", "llamacpp://"+first.url, "--backend", "ollama://"+second.url, "--model", "demo")...)
	want, got := table(t, filepath.Join(dir, "want.tsv")), table(t, filepath.Join(dir, "got.tsv"))
	for _, column := range []string{"cell_name", "c2s_cell_type", "c2s_answer", "c2s_stop"} {
		if !slices.Equal(want[column], got[column]) {
			t.Errorf("%s differs from that of an undisturbed run", column)
		}
	}
	cells := len(want["cell_name"])
	a, lost := first.counts()
	b, _ := second.counts()
	again := a + b - cells
	t.Logf("%d cells: %d asked of llama-server, killed with %d in work, %d of Ollama, %d asked again", cells, a, lost, b, again)
	if a < half || b < cells-a || again < 1 || again > slots {
		t.Errorf("%d cells asked again, of at most %d in work", again, slots)
	}
	if !strings.Contains(said, "model server is down") {
		t.Errorf("no word of the server that went away: %s", said)
	}
}
