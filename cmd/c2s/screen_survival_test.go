package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// sentence is the cell in a prompt: more than ten genes in a row.
var sentence = regexp.MustCompile(`(?:[A-Z][A-Z0-9-]+ ){10,}[A-Z][A-Z0-9-]+`)

// countingServer plays a model behind the OpenAI protocol: the cell of the prompt with
// some genes exchanged, by the prompt and the seed, and antigen presentation in front for
// some drugs. It counts what it is asked.
type countingServer struct {
	*httptest.Server
	dies int // after so many requests, if above 0

	mu    sync.Mutex
	n     int
	asked map[string]int // by prompt and seed
}

const countingSlots = 4

func newCountingServer(t *testing.T) *countingServer {
	s := &countingServer{asked: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/models", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data": [{"id": "counting", "owned_by": "test", "meta": {"n_ctx": 2048}}]}`)
	})
	mux.HandleFunc("/v1/completions", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Prompt string
			Seed   uint64
			Stream bool
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			panic(http.ErrAbortHandler)
		}
		if !in.Stream { // a probe
			fmt.Fprint(w, `{"choices": [{"index": 0, "text": "b", "finish_reason": "length"}]}`)
			return
		}
		s.mu.Lock()
		s.n++
		dead := s.dies > 0 && s.n > s.dies
		if !dead {
			s.asked[fmt.Sprint(in.Seed, in.Prompt)]++
		}
		s.mu.Unlock()
		if dead {
			panic(http.ErrAbortHandler)
		}
		time.Sleep(5 * time.Millisecond) // a model takes its time, and a kill may meet it
		genes := strings.Fields(sentence.FindString(in.Prompt))
		luck := rand.New(rand.NewPCG(in.Seed, uint64(len(in.Prompt))))
		luck.Shuffle(min(len(genes), 12), func(i, j int) { genes[i], genes[j] = genes[j], genes[i] })
		if strings.Contains(in.Prompt, "GOOD") {
			genes = slices.DeleteFunc(genes, func(g string) bool { return g == "HLA-A" || g == "HLA-B" || g == "B2M" })
			genes = slices.Insert(genes, luck.IntN(3), "HLA-A", "B2M", "HLA-B")
		}
		for _, event := range []map[string]any{
			{"choices": []any{map[string]any{"index": 0, "text": " " + strings.Join(genes, " ") + ".", "finish_reason": nil}}},
			{"choices": []any{map[string]any{"index": 0, "text": "", "finish_reason": "stop"}}},
			{"choices": []any{}, "usage": map[string]any{"prompt_tokens": 100, "completion_tokens": 60}},
		} {
			text, err := json.Marshal(event)
			if err != nil {
				panic(err)
			}
			fmt.Fprintf(w, "data: %s\n\n", text)
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// counts are the different requests, and those that came again.
func (s *countingServer) counts() (different, again int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.asked {
		different++
		again += n - 1
	}
	return different, again
}

// countedScreen is a folder with a screen for countingServer.
func countedScreen(t *testing.T, vehicle int) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"compounds.tsv": "name\nGOODUMAB\nVERYGOOD\nnothing\nsomething\nwhatever\nplacebo\n",
		"screen.yaml": fmt.Sprintf(`
contexts:
  positive: {file: %[1]q, where: 'context == "interferon-positive"', donor: donor, cell_type: cell_type}
  neutral: {file: %[1]q, where: 'context == "interferon-low"', donor: donor, cell_type: cell_type}
cells: 4
genes: 32
compounds: compounds.tsv
predictor: {temperature: 1}
design: racing
racing: {first: 2}
controls: {vehicle_replicates: %[2]d, positive: [GOODIFN]}
`, inTestdata(t, "demo.h5ad"), vehicle),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// countedRun is the command that runs it with some servers.
func countedRun(dir, out string, servers ...*countingServer) []string {
	args := []string{"screen", "run", "-c", filepath.Join(dir, "screen.yaml"), "-o", filepath.Join(dir, out), "-q", "--slots", strconv.Itoa(countingSlots)}
	for _, s := range servers {
		args = append(args, "--backend", "openai://"+strings.TrimPrefix(s.URL, "http://")+"/v1")
	}
	return args
}

// TestScreenOutlivesItsServer: where one of two servers dies, the other one answers; where
// the only one does, the run ends with the code for that, and goes on with another.
// Ctrl-C ends it with its own.
func TestScreenOutlivesItsServer(t *testing.T) {
	dir := countedScreen(t, 8)
	calm := newCountingServer(t)
	want := filepath.Join("calm", "scores.tsv.gz")
	if text, err := c2s(t, countedRun(dir, "calm", calm)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	all, _ := calm.counts()
	same := func(out string) {
		t.Helper()
		a, errA := os.ReadFile(filepath.Join(dir, want))
		b, errB := os.ReadFile(filepath.Join(dir, out, "scores.tsv.gz"))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: the scores differ: %v, %v", out, errA, errB)
		}
	}
	first, second := newCountingServer(t), newCountingServer(t)
	first.dies = 100
	if text, err := c2s(t, countedRun(dir, "pool", first, second)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	same("pool")

	only := newCountingServer(t)
	only.dies = 100
	cmd := c2s(t, countedRun(dir, "only", only)...)
	text, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); err == nil || code != 4 {
		t.Errorf("exit code %d, expected 4: %s", code, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "only", "scores.tsv.gz")); err == nil {
		t.Error("scores of a run that did not end")
	}
	other := newCountingServer(t)
	cmd = c2s(t, countedRun(dir, "only", other)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < 50; n, _ = other.counts() {
		time.Sleep(time.Millisecond)
	}
	if runtime.GOOS != "windows" {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); runtime.GOOS != "windows" && code != 130 {
		t.Errorf("exit code %d after an interrupt, expected 130", code)
	}
	if text, err := c2s(t, countedRun(dir, "only", other)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	same("only")
	a, _ := only.counts()
	b, again := other.counts()
	if a+b > all+2*countingSlots || again > countingSlots {
		t.Errorf("%d and %d requests, %d of them again; %d are needed", a, b, again, all)
	}
}

// TestKilledScreenResumes kills a screen at random moments, 3 times or C2S_KILLS times:
// it ends with the hits of a run that nothing disturbed, byte for byte, and asks again at
// most for what was in flight.
func TestKilledScreenResumes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no kill -9 on Windows")
	}
	kills := 3
	if n, err := strconv.Atoi(os.Getenv("C2S_KILLS")); err == nil {
		kills = n
	}
	dir := countedScreen(t, max(8, 5*kills)) // long enough to be killed so often
	run := func(s *countingServer, out string) []string { return countedRun(dir, out, s) }
	hits := func(out string) []byte {
		t.Helper()
		if text, err := c2s(t, "screen", "analyse", filepath.Join(dir, out), "-q").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		text, err := os.ReadFile(filepath.Join(dir, out, "analysis", "hits.tsv"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	calm := newCountingServer(t)
	start := time.Now()
	if text, err := c2s(t, run(calm, "calm")...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	whole := time.Since(start)
	want := hits("calm")
	all, again := calm.counts()
	if again != 0 {
		t.Errorf("%d requests came twice in a run that nothing disturbed", again)
	}

	hard := newCountingServer(t)
	luck := rand.New(rand.NewPCG(7, 8))
	killed, ended := 0, false
	for range kills {
		cmd := c2s(t, run(hard, "hard")...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Each run gets further than the one before, which is in the journal.
		time.Sleep(time.Duration(luck.Int64N(3*int64(whole)/int64(2*max(kills, 1)) + 1)))
		_ = cmd.Process.Kill()
		if ended = cmd.Wait() == nil; ended {
			break
		}
		killed++
	}
	if !ended {
		if text, err := c2s(t, run(hard, "hard")...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	if got := hits("hard"); !bytes.Equal(got, want) {
		t.Errorf("the hits are not those of an undisturbed run:\n%s\n%s", got, want)
	}
	for _, name := range []string{"scores.tsv.gz", "plan.json", "examples.tsv.gz"} {
		a, errA := os.ReadFile(filepath.Join(dir, "calm", name))
		b, errB := os.ReadFile(filepath.Join(dir, "hard", name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v, %v", name, errA, errB)
		}
	}
	different, again := hard.counts()
	t.Logf("killed %d times; %d requests, %d asked again, %d in flight at most at a time", killed, different, again, countingSlots)
	if different != all || again > killed*countingSlots {
		t.Errorf("%d different requests, %d without a kill; %d asked again", different, all, again)
	}
	// Everything is known now.
	if text, err := c2s(t, run(hard, "hard")...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if _, after := hard.counts(); after != again {
		t.Errorf("%d answers of the journal were asked for", after-again)
	}
}
