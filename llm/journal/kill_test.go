//go:build unix

package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/batch"
)

// The test binary is also the program that gets killed: it asks for the answers to
// 300 prompts, eight at a time, and writes to one file what it asks, to another what
// it has been answered.
const (
	helper   = "JOURNAL_TEST_FOLDER"
	prompts  = 300
	inFlight = 8
)

func TestMain(m *testing.M) {
	dir := os.Getenv(helper)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := victim(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// slow writes what it is asked before it answers.
type slow struct {
	*stub
	log *os.File
}

func (s *slow) Generate(ctx context.Context, prompt string, opt llm.Options, onToken func(llm.Token) error) (*llm.Answer, error) {
	if _, err := fmt.Fprintln(s.log, prompt); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Millisecond)
	return s.stub.Generate(ctx, prompt, opt, onToken)
}

func allPrompts() []string {
	var out []string
	for i := range prompts {
		out = append(out, fmt.Sprintf("prompt-%d", i))
	}
	return out
}

func victim(dir string) error {
	ctx := context.Background()
	appendTo := func(name string) (*os.File, error) {
		return os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	}
	asked, err := appendTo("asked")
	if err != nil {
		return err
	}
	answered, err := appendTo("answered")
	if err != nil {
		return err
	}
	j, err := open(ctx, filepath.Join(dir, "j.db"), os.Getenv("JOURNAL_TEST_LOCAL") == "1")
	if err != nil {
		return err
	}
	defer j.Close()
	b, err := j.Wrap(ctx, &slow{newStub(), asked})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for a, err := range batch.Map(ctx, inFlight, slices.Values(allPrompts()), func(ctx context.Context, prompt string) (*llm.Answer, error) {
		a, err := b.Generate(ctx, prompt, llm.Options{}, nil)
		if err == nil {
			_, err = fmt.Fprintln(answered, prompt)
		}
		return a, err
	}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%+v\n", a.Tokens)
	}
	return os.WriteFile(filepath.Join(dir, "output"), out.Bytes(), 0o600)
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Fields(string(data))
}

// TestKill kills a run at moments of chance until it gets through. What was answered
// is in the journal, what is in the journal is not asked again, and what is asked
// again is at most what was in flight at the kills.
func TestKill(t *testing.T) {
	for _, local := range []string{"1", "0"} {
		t.Run("local "+local, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "j.db")
			seed := uint64(time.Now().UnixNano())
			rng := rand.New(rand.NewPCG(seed, 0))
			kills := 0
			for {
				before := len(lines(t, filepath.Join(dir, "asked")))
				known := map[string]bool{}
				if _, err := os.Stat(path); err == nil {
					j := start(t, path)
					for _, p := range allPrompts() {
						k, err := generateKey("sha256:1", p, llm.Options{})
						if err != nil {
							t.Fatal(err)
						}
						r, err := j.find(k)
						if err != nil {
							t.Fatal(err)
						}
						known[p] = r != nil
					}
					j.Close()
				}
				for _, p := range lines(t, filepath.Join(dir, "answered")) {
					if !known[p] {
						t.Fatalf("seed %d: after %d kills %s was answered and is not in the journal", seed, kills, p)
					}
				}
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), helper+"="+dir, "JOURNAL_TEST_LOCAL="+local)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- cmd.Wait() }()
				var end error
				killed := false
				// The first answers are awaited, so that a slow machine gets anywhere.
				for kills < 12 && !killed && len(done) == 0 {
					time.Sleep(time.Millisecond)
					if len(lines(t, filepath.Join(dir, "asked"))) > before+inFlight {
						time.Sleep(time.Duration(rng.IntN(40)) * time.Millisecond)
						_ = cmd.Process.Signal(syscall.SIGKILL)
						killed = true
					}
				}
				end = <-done
				for _, p := range lines(t, filepath.Join(dir, "asked"))[before:] {
					if known[p] {
						t.Errorf("seed %d: after %d kills %s was asked, which the journal holds", seed, kills, p)
					}
				}
				if end == nil {
					break
				}
				if !killed {
					t.Fatalf("%v\n%s", end, stderr.String())
				}
				kills++
			}
			again := len(lines(t, filepath.Join(dir, "asked"))) - prompts
			t.Logf("%d kills: %d of %d prompts asked again, %d at a time were in flight", kills, again, prompts, inFlight)
			if kills == 0 || again < 0 || again > kills*inFlight {
				t.Errorf("seed %d: %d kills and %d requests asked again, expected at most %d", seed, kills, again, kills*inFlight)
			}
			var want bytes.Buffer
			for _, p := range allPrompts() {
				fmt.Fprintf(&want, "%+v\n", answerTo(p).Tokens)
			}
			if got, err := os.ReadFile(filepath.Join(dir, "output")); err != nil || !bytes.Equal(got, want.Bytes()) {
				t.Errorf("the output differs from that of a run that nobody disturbed: %v", err)
			}
		})
	}
}

// TestFull fills the database to its limit: the answer that does not fit is an error,
// what was there stays, and there is room again once the limit is gone.
func TestFull(t *testing.T) {
	for _, local := range []bool{true, false} {
		path := temp(t)
		j, err := open(t.Context(), path, local)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if err := j.db.Exec(`PRAGMA max_page_count = 40`); err != nil {
			t.Fatal(err)
		}
		fill(t, j, func() {
			if err := j.db.Exec(`PRAGMA max_page_count = 100000`); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// fill asks until the disk is full, makes room, and goes on.
func fill(t *testing.T, j *Journal, room func()) {
	t.Helper()
	s := newStub()
	b := wrap(t, j, s)
	n := 0
	for ; ; n++ {
		_, err := b.Generate(t.Context(), fmt.Sprint(n, strings.Repeat("x", 1000)), llm.Options{}, nil)
		if err == nil && n < 100000 {
			continue
		}
		var e *Error
		if !errors.As(err, &e) || e.BadInput() || !strings.Contains(err.Error()+e.Hint(), "full") || !strings.Contains(e.Hint(), "room") {
			t.Fatalf("after %d answers: %v, expected that the disk is full", n, err)
		}
		break
	}
	if got, err := j.Len(); err != nil || got != n {
		t.Errorf("%d answers, %v, expected %d", got, err, n)
	}
	room()
	for i := range n + 10 {
		if _, err := b.Generate(t.Context(), fmt.Sprint(i, strings.Repeat("x", 1000)), llm.Options{}, nil); err != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	if known, asked := b.Counts(); known != int64(n) || asked != int64(n+1+10) {
		t.Errorf("%d known, %d asked; %d were in before the disk was full", known, asked, n)
	}
	if got, err := j.value(`PRAGMA integrity_check`); err != nil || got != "ok" {
		t.Errorf("%s, %v", got, err)
	}
}
