package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/internal/stubserver"
)

// TestShardFaults: what goes wrong on a cluster is detected and named.
func TestShardFaults(t *testing.T) {
	made := t.TempDir()
	shardFile(t, filepath.Join(made, "in.h5ad"), 1)
	shardFile(t, filepath.Join(made, "other.h5ad"), 2)
	const n = 3
	for _, c := range []struct {
		what string
		verb string // "encode IN -o OUT" without it
		// spoil does the harm after all parts were written, and gives the command that
		// meets it.
		spoil func(f *faultyRun) []string
		code  int
		says  string
	}{
		{
			what: "a part that is missing", code: exitBadInput, says: "1 of 3 parts are missing: 1/3",
			spoil: func(f *faultyRun) []string { return f.merge(0, 2) },
		},
		{
			what: "a part named twice", code: exitBadInput, says: "it is shard 0, as is",
			spoil: func(f *faultyRun) []string { return f.merge(0, 1, 2, 0) },
		},
		{
			what: "a copy of a part", code: exitBadInput, says: "it is shard 0, as is",
			spoil: func(f *faultyRun) []string {
				f.copy(f.part(0), f.part(0)+".copy.jsonl")
				f.copy(f.part(0)+shard.DoneSuffix, f.part(0)+".copy.jsonl"+shard.DoneSuffix)
				return append(f.merge(0, 1, 2), f.part(0)+".copy.jsonl")
			},
		},
		{
			what: "a part that was changed", code: exitBadInput, says: "not the one that its record tells of",
			spoil: func(f *faultyRun) []string {
				b := f.read(f.part(1))
				b[len(b)/2] ^= 1
				f.write(f.part(1), b)
				return f.merge(0, 1, 2)
			},
		},
		{
			what: "a part cut short", code: exitBadInput, says: "not the one that its record tells of",
			spoil: func(f *faultyRun) []string {
				b := f.read(f.part(1))
				f.write(f.part(1), b[:len(b)/2])
				return f.merge(0, 1, 2)
			},
		},
		{
			what: "a job that was killed before its record", code: exitBadInput, says: "the part is not complete: it has no",
			spoil: func(f *faultyRun) []string {
				f.remove(f.part(1) + shard.DoneSuffix)
				return f.merge(0, 1, 2)
			},
		},
		{
			what: "a job of other options", code: exitBadInput, says: "it is of another run than",
			spoil: func(f *faultyRun) []string {
				f.run(1, "--top-k", "5")
				return f.merge(0, 1, 2)
			},
		},
		{
			what: "the options are named", code: exitBadInput, says: "other options",
			spoil: func(f *faultyRun) []string {
				f.run(1, "--seed", "7")
				return f.merge(0, 1, 2)
			},
		},
		{
			what: "an input that was changed between two jobs", code: exitBadInput, says: "other inputs",
			spoil: func(f *faultyRun) []string {
				f.copy(filepath.Join(made, "other.h5ad"), f.in)
				f.run(1)
				return f.merge(0, 1, 2)
			},
		},
		{
			what: "a stale part is made again", says: "cells, ",
			spoil: func(f *faultyRun) []string {
				f.copy(filepath.Join(made, "other.h5ad"), f.in)
				return f.args(1)
			},
		},
		{
			what: "a part that is current is left", says: "complete and current: nothing to do",
			spoil: func(f *faultyRun) []string { return f.args(1) },
		},
		{
			what: "an input that was changed since the plan", code: exitBadInput, says: "was changed since the plan was made",
			spoil: func(f *faultyRun) []string {
				must(t, "plan", f.in, "--shards", "3", "-o", f.in+".json", "-q")
				b := f.read(f.in)
				b[len(b)-1] ^= 1 // neither the size nor the name tells
				f.write(f.in, b)
				return append(f.args(1), "--plan", f.in+".json")
			},
		},
		{
			what: "a copy of the input is the input", says: "cells, ",
			spoil: func(f *faultyRun) []string {
				must(t, "plan", f.in, "--shards", "3", "-o", f.in+".json", "-q")
				late := time.Now().Add(time.Hour)
				if err := os.Chtimes(f.in, late, late); err != nil {
					t.Fatal(err)
				}
				f.remove(f.part(1))
				return append(f.args(1), "--plan", f.in+".json")
			},
		},
		{
			what: "an input that was changed before an .h5ad is merged", verb: "convert IN OUT.h5ad --normalize 100",
			code: exitBadInput, says: "not the file that the parts were made of",
			spoil: func(f *faultyRun) []string {
				f.copy(filepath.Join(made, "other.h5ad"), f.in)
				return f.merge(0, 1, 2)
			},
		},
		{
			what: "a moved input is found where it is said to be", verb: "convert IN OUT.h5ad --normalize 100", says: "rows of 3 parts",
			spoil: func(f *faultyRun) []string {
				f.copy(f.in, f.in+".moved.h5ad")
				f.remove(f.in)
				return append(f.merge(0, 1, 2), "--from", f.in+".moved.h5ad")
			},
		},
		{
			what: "parts of two commands", code: exitBadInput, says: "encode and convert",
			spoil: func(f *faultyRun) []string {
				other := f.part(1) + ".h5ad"
				must(t, "convert", f.in, other, "--shard", "1/3", "-q")
				return append(f.merge(0, 2), shard.Shard{Index: 1, Count: n}.PartPath(other))
			},
		},
		{
			what: "another number of shards", code: exitBadInput, says: "3 and 2 shards",
			spoil: func(f *faultyRun) []string {
				must(t, "encode", f.in, "-o", f.out, "--shard", "1/2", "-q")
				return append(f.merge(0, 2), shard.Shard{Index: 1, Count: 2}.PartPath(f.out))
			},
		},
		{
			what: "what is no record", code: exitBadInput, says: "no record of a part",
			spoil: func(f *faultyRun) []string {
				f.write(f.part(1)+shard.DoneSuffix, []byte("{"))
				return f.merge(0, 1, 2)
			},
		},
		{
			what: "an array with gaps", code: exitUsage, says: "a job array must be a range such as 0-2",
			spoil: func(f *faultyRun) []string {
				f.vars = map[string]string{"SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "1"}
				return append(f.args(0)[:len(f.args(0))-1], "auto")
			},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			f := &faultyRun{t: t, dir: t.TempDir(), verb: c.verb}
			f.in, f.out = filepath.Join(f.dir, "in.h5ad"), filepath.Join(f.dir, "out.jsonl")
			if c.verb != "" {
				f.out = filepath.Join(f.dir, "out.h5ad")
			}
			f.copy(filepath.Join(made, "in.h5ad"), f.in)
			for i := range n {
				f.run(i)
			}
			args := c.spoil(f)
			code, text := inProcess(t, f.vars, args...)
			if code != c.code || !strings.Contains(text, c.says) {
				t.Errorf("c2s %s: exit code %d, expected %d and %q:\n%s", strings.Join(args, " "), code, c.code, c.says, text)
			}
			if _, err := os.Stat(f.out); args[0] == "merge" && (err == nil) != (c.code == 0) {
				t.Errorf("the output: %v", err)
			}
		})
	}
}

// faultyRun is a run in three shards that something happens to.
type faultyRun struct {
	t       *testing.T
	dir     string
	verb    string
	in, out string
	vars    map[string]string
}

func (f *faultyRun) args(i int) []string {
	line := f.verb
	if line == "" {
		line = "encode IN -o OUT"
	}
	args := strings.Fields(line)
	for k, a := range args {
		switch {
		case a == "IN":
			args[k] = f.in
		case strings.HasPrefix(a, "OUT"):
			args[k] = f.out
		}
	}
	return append(args, "--shard", fmt.Sprintf("%d/3", i))
}

func (f *faultyRun) run(i int, more ...string) {
	f.t.Helper()
	must(f.t, append(f.args(i), append(more, "-q")...)...)
}

func (f *faultyRun) part(i int) string { return shard.Shard{Index: i, Count: 3}.PartPath(f.out) }

func (f *faultyRun) merge(parts ...int) []string {
	args := []string{"merge", "-o", f.out}
	for _, i := range parts {
		args = append(args, f.part(i))
	}
	return args
}

func (f *faultyRun) read(path string) []byte {
	f.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

func (f *faultyRun) write(path string, b []byte) {
	f.t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *faultyRun) copy(from, to string) { f.t.Helper(); f.write(to, f.read(from)) }

func (f *faultyRun) remove(path string) {
	f.t.Helper()
	if err := os.Remove(path); err != nil {
		f.t.Fatal(err)
	}
}

// TestKilledShard kills a job in the middle of its answers: nothing but what its
// journal holds is left, merge says so, and the job that starts again asks for the rest
// and leaves the part of an undisturbed run.
func TestKilledShard(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no kill -9 on Windows")
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "in.h5ad")
	shardFile(t, in, 1)
	stub := stubserver.New(stubserver.Config{Slots: 4, Delay: time.Millisecond})
	server := httptest.NewServer(stub)
	defer server.Close()
	args := func(out string) []string {
		return []string{"annotate", in, "--backend", "llamacpp://" + strings.TrimPrefix(server.URL, "http://"), "-o", filepath.Join(dir, out), "--shard", "2/3", "-q"}
	}
	part := func(out string) string {
		return shard.Shard{Index: 2, Count: 3}.PartPath(filepath.Join(dir, out))
	}
	must(t, args("whole.tsv")...)
	want, err := os.ReadFile(part("whole.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	journal := []string{"--journal", filepath.Join(dir, "journal.db")}
	before := stub.Asked()
	cmd := c2s(t, append(args("part.tsv"), journal...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for stub.Asked() < before+40 { // of 100 cells and some
		time.Sleep(time.Millisecond)
	}
	_ = cmd.Process.Kill()
	if cmd.Wait() == nil {
		t.Fatal("it came to its end before it was killed")
	}
	code, text := inProcess(t, nil, "merge", part("part.tsv"), "-o", filepath.Join(dir, "merged.tsv"))
	if code != exitBadInput || !strings.Contains(text, "the part is not complete") {
		t.Errorf("merge: exit code %d, %s", code, text)
	}
	must(t, append(args("part.tsv"), journal...)...)
	got, err := os.ReadFile(part("part.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the part differs from that of a job that was not killed")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*part.shard-*")); len(left) != 2 {
		t.Errorf("beside the part and its record: %v", left)
	}
}

// TestCutOffHost takes one of two hosts away in the middle of a job: the log names it,
// and the part is that of a job with both. Without any host the job fails, and says of
// each host why.
func TestCutOffHost(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.h5ad")
	shardFile(t, in, 1)
	var hosts []*stubserver.Server
	var servers []*httptest.Server
	var backends []string
	for range 2 {
		h := stubserver.New(stubserver.Config{Slots: 4, Delay: time.Millisecond})
		s := httptest.NewServer(h)
		defer s.Close()
		hosts, servers = append(hosts, h), append(servers, s)
		backends = append(backends, "--backend", "llamacpp://"+strings.TrimPrefix(s.URL, "http://"))
	}
	args := func(out string) []string {
		return append([]string{"annotate", in, "-o", filepath.Join(dir, out), "--shard", "0/3"}, backends...)
	}
	must(t, args("both.tsv")...)
	seen := hosts[1].Asked()
	go func() {
		for hosts[1].Asked() < seen+200 { // of 4,096 cells
			time.Sleep(time.Millisecond)
		}
		servers[1].CloseClientConnections()
		servers[1].Listener.Close()
		servers[1].CloseClientConnections()
	}()
	code, text := inProcess(t, nil, args("one.tsv")...)
	if code != 0 || !strings.Contains(text, "model server is down") || !strings.Contains(text, servers[1].Listener.Addr().String()) {
		t.Errorf("exit code %d, and the log does not name %s:\n%s", code, servers[1].Listener.Addr(), text)
	}
	part := func(out string) []byte {
		b, err := os.ReadFile(shard.Shard{Index: 0, Count: 3}.PartPath(filepath.Join(dir, out)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(part("one.tsv"), part("both.tsv")) {
		t.Error("the answers of one host differ from those of two")
	}
	servers[0].Close()
	code, text = inProcess(t, nil, args("none.tsv")...)
	if code != exitUnreachable || !strings.Contains(text, servers[0].Listener.Addr().String()) {
		t.Errorf("without a host: exit code %d, %s", code, text)
	}
}
