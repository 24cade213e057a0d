package live

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Program is a program of llama.cpp in the folder that C2S_LLAMACPP_BIN names. Without
// it the test is skipped, or in CI fails.
func Program(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("C2S_LLAMACPP_BIN")
	if dir == "" {
		absent(t, "C2S_LLAMACPP_BIN, a folder with llama-server and llama-quantize, is not set; .ci/servers.sh makes one")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		absent(t, err.Error())
	}
	return path
}

// Llama starts a llama-server of the test's own on a model, with some slots of 512
// tokens, one thread, attention in float32 (answers are compared with those of a
// reference), and all states for embedding. kill ends it as kill -9 does; what is still
// running at the end of the test is told to stop.
func Llama(t testing.TB, model string, slots int) (server *url.URL, kill func()) {
	t.Helper()
	program := Program(t, "llama-server")
	port := freePort(t)
	var log bytes.Buffer
	cmd := exec.Command(program, "-m", model, "-c", fmt.Sprint(512*slots), "-np", fmt.Sprint(slots), "-t", "1", "--offline", "--no-ui",
		"-fa", "off", "-ctk", "f32", "-ctv", "f32", "--embeddings", "--pooling", "none", "--host", "127.0.0.1", "--port", fmt.Sprint(port))
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			kill()
		}
	})
	server = &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	for range 600 {
		select {
		case <-ended:
			t.Fatalf("llama-server ended:\n%s", log.String())
		case <-time.After(100 * time.Millisecond):
		}
		if resp, err := http.Get(server.String() + "/health"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return server, kill
			}
		}
	}
	t.Fatal("llama-server does not answer")
	return nil, nil
}

// freePort is a port that is free now. Between this and the server's start another
// program may take it: then the server ends, and the test fails with what it says.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
