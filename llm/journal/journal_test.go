package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cellsentence/c2s/llm"
)

// TestKnown: every kind of answer is asked once, comes back the same after the journal
// was closed and the server went, and is another one for any other request.
func TestKnown(t *testing.T) {
	path := temp(t)
	s := newStub()
	opts := []llm.Options{{}, {MaxTokens: 1}, {Temperature: 1}, {TopK: 1}, {TopP: 0.5}, {MinP: 0.5}, {Seed: 1}, {Stop: []string{"a"}}, {Stop: []string{"a", "b"}}, {Stop: []string{"ab"}}, {TopLogprobs: 1}, {Grammar: "g"}}
	requests := 0
	ask := func(b llm.Backend) {
		requests = 0
		for _, prompt := range []string{"p", "q", "", "\x00", "é\xff"} {
			for _, o := range opts {
				requests++
				seen := ""
				a, err := b.Generate(t.Context(), prompt, o, func(t llm.Token) error { seen += t.Text; return nil })
				if err != nil || prompt != "é\xff" && !reflect.DeepEqual(a, answerTo(prompt)) {
					t.Fatalf("%q, %+v: %+v, %v", prompt, o, a, err)
				}
				if prompt != "é\xff" && seen != a.Text {
					t.Errorf("%q: streamed %q", prompt, seen)
				}
			}
			for _, c := range [][]string{{}, {" a"}, {" a", " b"}, {" b", " a"}, {" a b"}} {
				requests++
				got, err := b.Score(t.Context(), prompt, c)
				want, _ := newStub().Score(t.Context(), prompt, c)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("%q, %q: %v, %v", prompt, c, got, err)
				}
			}
		}
		texts := []string{"x", "y", "x", "z"}
		want, _ := newStub().Embed(t.Context(), texts, llm.PoolMean)
		for _, p := range []llm.Pooling{llm.PoolMean, llm.PoolLast} {
			requests += 3
			got, err := b.Embed(t.Context(), texts, p)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%v, %v, expected %v", got, err, want)
			}
		}
	}
	j := start(t, path)
	b := wrap(t, j, s)
	ask(b)
	if known, asked := b.Counts(); known != 0 || asked != int64(requests) {
		t.Errorf("%d known, %d asked, expected %d new requests", known, asked, requests)
	}
	if n, err := j.Len(); err != nil || n != requests {
		t.Errorf("%d answers, %v, expected %d", n, err, requests)
	}
	s.err = errDown
	ask(b)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Generate(t.Context(), "p", llm.Options{}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed journal: %v", err)
	}
	b = wrap(t, start(t, path), s)
	ask(b)
	if known, asked := b.Counts(); known != int64(requests) || asked != 0 {
		t.Errorf("%d known, %d asked, expected all %d to be known", known, asked, requests)
	}
	// A top-p of 1 means what 0 does.
	if _, err := b.Generate(t.Context(), "p", llm.Options{TopP: 1}, nil); err != nil {
		t.Error(err)
	}
	// Another model has answers of its own, and errors are not kept.
	s.info.Digest = "sha256:2"
	b = wrap(t, b.journal, s)
	for range 2 {
		if _, err := b.Generate(t.Context(), "p", llm.Options{}, nil); !errors.Is(err, errDown) {
			t.Errorf("another model: %v", err)
		}
	}
	if _, err := b.Embed(t.Context(), []string{"x"}, llm.PoolMean); !errors.Is(err, errDown) {
		t.Errorf("another model: %v", err)
	}
}

// TestModes: a journal on a network is a rollback journal and keeps the same answers,
// and one that moved between disks goes on.
func TestModes(t *testing.T) {
	path := temp(t)
	for i, local := range []bool{true, false, true, false} {
		j, err := open(t.Context(), path, local)
		if err != nil {
			t.Fatal(err)
		}
		mode, err := j.value(`PRAGMA journal_mode`)
		sync, err2 := j.value(`PRAGMA synchronous`)
		if want := map[bool]string{true: "wal 1", false: "delete 2"}[local]; err != nil || err2 != nil || mode+" "+sync != want {
			t.Errorf("%s %s, expected %s", mode, sync, want)
		}
		s := newStub()
		b := wrap(t, j, s)
		for k := range i + 1 {
			if _, err := b.Generate(t.Context(), fmt.Sprint(k), llm.Options{}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if known, asked := b.Counts(); known != int64(i) || asked != 1 {
			t.Errorf("opened for time %d: %d known, %d asked", i+1, known, asked)
		}
		for _, f := range []string{path, path + "-wal", path + "-journal"} {
			st, err := os.Stat(f)
			if err == nil && st.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %o", f, st.Mode())
			}
			if want := f == path || local && strings.HasSuffix(f, "wal"); want && err != nil {
				t.Error(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// TestOne: nobody else opens a journal that is open.
func TestOne(t *testing.T) {
	for _, local := range []bool{true, false} {
		path := temp(t)
		j, err := open(t.Context(), path, local)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		_, err = open(t.Context(), path, local)
		var e *Error
		if !errors.As(err, &e) || e.BadInput() || !strings.Contains(err.Error(), "another process") || !strings.Contains(e.Hint(), "merge") {
			t.Errorf("local %v: %v", local, err)
		}
		if _, err := Merge(t.Context(), temp(t), path); err == nil {
			t.Error("an open journal was merged")
		}
	}
}

// TestNames: any file name is one.
func TestNames(t *testing.T) {
	for _, name := range []string{"a b.db", "100%.db", "q?mode=memory.db", "h#x.db", "a+b&c=d.db", "é.db", ":memory:", "file:x.db", "%41.db"} {
		path := filepath.Join(t.TempDir(), name)
		j := start(t, path)
		if _, err := wrap(t, j, newStub()).Generate(t.Context(), "p", llm.Options{}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		st, err := os.Stat(path + "-wal")
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, st, err)
		}
		j.Close()
		if st, err := os.Stat(path); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	change := func(name, query string) string {
		path := filepath.Join(dir, name)
		j := start(t, path)
		if _, err := wrap(t, j, newStub()).Generate(t.Context(), "p", llm.Options{}, nil); err != nil {
			t.Fatal(err)
		}
		if err := j.db.Exec(query); err != nil {
			t.Fatal(err)
		}
		j.Close()
		return path
	}
	for _, c := range []struct {
		what, path, want string
		bad              bool
	}{
		{"text", write("text", strings.Repeat("this is no database ", 300)), "not a database", true},
		{"other database", change("other", `PRAGMA application_id = 5`), "something else", true},
		{"newer", change("newer", `PRAGMA user_version = 2`), "version 2", true},
		{"no table", change("none", `DROP TABLE answers`), "no such table", true},
		{"a folder", dir, "", false},
		{"in no folder", filepath.Join(dir, "no", "x"), "no such file", false},
	} {
		before, _ := os.ReadFile(c.path)
		j, err := Open(t.Context(), c.path)
		var e *Error
		if !errors.As(err, &e) || j != nil || e.BadInput() != c.bad || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v", c.what, err)
		}
		if after, _ := os.ReadFile(c.path); string(before) != string(after) {
			t.Errorf("%s was changed", c.what)
		}
	}
	for _, query := range []string{
		`UPDATE answers SET text = '{"text": 3}'`, `UPDATE answers SET text = NULL`, `UPDATE answers SET data = x'00'`,
		`UPDATE answers SET data = zeroblob(1000)`, `UPDATE answers SET data = substr(data, 1, 20)`,
	} {
		b := wrap(t, start(t, change("damaged"+fmt.Sprint(len(query)), query)), newStub())
		_, err := b.Generate(t.Context(), "p", llm.Options{}, nil)
		var e *Error
		if !errors.As(err, &e) || !e.BadInput() {
			t.Errorf("%s: %v", query, err)
		}
	}
	if _, err := Merge(t.Context(), temp(t), filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("merging what is not there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "absent")); err == nil {
		t.Error("merge made its source")
	}
}

// TestGood: an answer that another server cut, or told less of, is asked again.
func TestGood(t *testing.T) {
	for _, c := range []struct {
		what string
		a    llm.Answer
		max  int
		want bool
	}{
		{"ended", llm.Answer{Stop: llm.StopEnd, PromptTokens: 100, AnswerTokens: 10, Tokens: make([]llm.Token, 10)}, 0, true},
		{"as long as asked for", llm.Answer{Stop: llm.StopLimit, PromptTokens: 100, AnswerTokens: 10, Tokens: make([]llm.Token, 10)}, 10, true},
		{"this context was full", llm.Answer{Stop: llm.StopLimit, PromptTokens: 500, AnswerTokens: 10, Tokens: make([]llm.Token, 10)}, 20, true},
		{"a smaller one was", llm.Answer{Stop: llm.StopLimit, PromptTokens: 100, AnswerTokens: 10, Tokens: make([]llm.Token, 10)}, 20, false},
		{"and without limit", llm.Answer{Stop: llm.StopLimit, PromptTokens: 100, AnswerTokens: 10, Tokens: make([]llm.Token, 10)}, 0, false},
		{"tokens not counted", llm.Answer{Stop: llm.StopLimit, Text: "x"}, 20, true},
		{"no log-probabilities", llm.Answer{Stop: llm.StopEnd, AnswerTokens: 10}, 0, false},
		{"nothing", llm.Answer{Stop: llm.StopEnd}, 0, true},
	} {
		b := wrap(t, start(t, temp(t)), newStub())
		k, _ := generateKey(b.model, "p", llm.Options{MaxTokens: c.max})
		r := &row{key: k, kind: kindGenerate, model: b.model}
		if err := r.encodeAnswer(&c.a); err != nil {
			t.Fatal(err)
		}
		if err := b.journal.store(r); err != nil {
			t.Fatal(err)
		}
		a, err := b.Generate(t.Context(), "p", llm.Options{MaxTokens: c.max}, nil)
		if known, _ := b.Counts(); err != nil || (known == 1) != c.want {
			t.Errorf("%s: %+v, %v; known %d", c.what, a, err, known)
		}
		// What was asked again replaces what was there.
		if n, err := b.journal.Len(); n != 1 || err != nil {
			t.Errorf("%s: %d answers", c.what, n)
		}
	}
	r := &row{}
	if err := r.encodeScores([]llm.Score{{Logprob: math.NaN()}}); err == nil {
		t.Error("a probability that is no number was kept")
	}
}

// TestConcurrent: equal requests at the same time are asked once, and if that one
// fails, the next is.
func TestConcurrent(t *testing.T) {
	s := newStub()
	s.gate = make(chan struct{})
	b := wrap(t, start(t, temp(t)), s)
	leaves, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the user left")
	first := make(chan error)
	go func() {
		_, err := b.Generate(leaves, "p", llm.Options{}, nil)
		first <- err
	}()
	for s.count("p") == 0 {
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if a, err := b.Generate(t.Context(), "p", llm.Options{}, nil); err != nil || !reflect.DeepEqual(a, answerTo("p")) {
				t.Errorf("%v, %v", a, err)
			}
		})
		// Texts in any order do not wait for each other for ever.
		wg.Go(func() {
			texts := []string{"x", "y", "z"}
			if s.count("x")%2 == 0 {
				slices.Reverse(texts)
			}
			if _, err := b.Embed(t.Context(), texts, llm.PoolMean); err != nil {
				t.Error(err)
			}
		})
	}
	cancel(gone)
	if err := <-first; !errors.Is(err, gone) {
		t.Errorf("who left: %v", err)
	}
	close(s.gate)
	wg.Wait()
	if s.count("p") != 2 || s.count("x") != 1 || s.count("z") != 1 {
		t.Errorf("asked: %v, expected p again after the first left, and the others once", s.asked)
	}
}

func (s *stub) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[what]
}

func TestMerge(t *testing.T) {
	dir := t.TempDir()
	fill := func(name string, from, to int, s *stub) string {
		path := filepath.Join(dir, name)
		b := wrap(t, start(t, path), s)
		for i := from; i < to; i++ {
			if _, err := b.Generate(t.Context(), fmt.Sprint(i), llm.Options{}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Embed(t.Context(), []string{"e" + name}, llm.PoolMean); err != nil {
			t.Fatal(err)
		}
		b.journal.Close()
		return path
	}
	a, b := fill("a", 0, 1100, newStub()), fill("b", 1000, 1200, newStub())
	into := filepath.Join(dir, "both")
	for i, want := range []int64{1101 + 101, 0} {
		n, err := Merge(t.Context(), into, a, b)
		if err != nil || n != want {
			t.Fatalf("merge %d: %d new answers, %v, expected %d", i+1, n, err, want)
		}
	}
	s := newStub()
	s.err = errDown
	w := wrap(t, start(t, into), s)
	for i := range 1200 {
		if got, err := w.Generate(t.Context(), fmt.Sprint(i), llm.Options{}, nil); err != nil || !reflect.DeepEqual(got, answerTo(fmt.Sprint(i))) {
			t.Fatal(i, got, err)
		}
	}
	if _, err := w.Embed(t.Context(), []string{"ea", "eb"}, llm.PoolMean); err != nil {
		t.Error(err)
	}
	w.journal.Close()
	for _, src := range []string{into, filepath.Join(dir, ".", "both")} {
		if _, err := Merge(t.Context(), into, src); err == nil {
			t.Error("a journal was merged into itself")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Merge(ctx, into, a); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
