package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cellsentence/c2s/internal/stubserver"
)

func TestServerList(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		path := filepath.Join(dir, fmt.Sprintf("list%d", len(text)))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + path
	}
	for _, c := range []struct {
		names []string
		want  string
	}{
		{[]string{"demo"}, "demo"},
		{[]string{""}, ""}, // no backend: the error says how to choose
		{[]string{"llamacpp://a", "llamacpp://a"}, "llamacpp://a"},
		{[]string{file("# all of it\nllamacpp://n[1-2]:80\n\n ollama://b # big\n"), "slurm://llamacpp:80"}, "llamacpp://n1:80 llamacpp://n2:80 ollama://b llamacpp://n3:80"},
		{[]string{file("# none\n")}, "!no server in"},
		{[]string{file("llamacpp://n[1-\n")}, "!bad list of hosts"},
		{[]string{"@" + filepath.Join(dir, "absent")}, "!no such file"},
	} {
		got, err := (&serverList{names: c.names, nodes: "n[2-3]"}).read()
		if says, bad := strings.CutPrefix(c.want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%q: %v, %v, expected %q", c.names, got, err, says)
			}
			continue
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: %v, %v, expected %s", c.names, got, err, c.want)
		}
	}
}

// TestFollowedFile lets servers join and leave by a file while cells are asked about.
func TestFollowedFile(t *testing.T) {
	dir := t.TempDir()
	in, list := filepath.Join(dir, "in.h5ad"), filepath.Join(dir, "servers.txt")
	shardFile(t, in, 1)
	var stubs []*stubserver.Server
	var names []string
	for range 2 {
		stub := stubserver.New(stubserver.Config{Slots: 4, Delay: 6 * time.Millisecond})
		server := httptest.NewServer(stub)
		defer server.Close()
		stubs, names = append(stubs, stub), append(names, "openai://"+strings.TrimPrefix(server.URL, "http://")+"/v1\n")
	}
	write := func(text string) {
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write(names[0])
	joined := make(chan int64, 1)
	go func() {
		for stubs[0].Asked() < 100 {
			time.Sleep(time.Millisecond)
		}
		write(names[0] + names[1])
		for stubs[1].Asked() < 100 {
			time.Sleep(time.Millisecond)
		}
		write(names[1])
		joined <- stubs[1].Asked()
	}()
	code, text := inProcess(t, nil, "annotate", in, "--backend", "@"+list, "-o", filepath.Join(dir, "out.tsv"))
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, text)
	}
	select {
	case <-joined:
	default:
		t.Fatal("the second server never joined:", text)
	}
	for _, what := range []string{"model server joined", "model server left"} {
		if !strings.Contains(text, what) {
			t.Errorf("the log has no %q: %s", what, text)
		}
	}
}
