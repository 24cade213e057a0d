package llmtest

import (
	"context"
	"errors"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cellsentence/c2s/llm"
)

// refused wants an UnsupportedError with a remedy.
func refused(t *testing.T, err error) {
	t.Helper()
	var no *llm.UnsupportedError
	if !errors.As(err, &no) || no.Remedy == "" {
		t.Errorf("%v, expected an UnsupportedError that names a remedy", err)
	}
}

func (s *suite) testScore(t *testing.T) {
	if !s.info.Score {
		_, err := s.Backend.Score(t.Context(), s.Reference.Scores[0].Prompt, []string{" x"})
		refused(t, err)
		return
	}
	worst := 0.0
	for _, r := range s.Reference.Scores {
		labels := slices.Sorted(maps.Keys(r.Labels))
		var texts []string
		for _, l := range labels {
			texts = append(texts, " "+l)
		}
		got, err := s.Backend.Score(t.Context(), r.Prompt, texts)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(labels) {
			t.Fatalf("%d scores of %d labels", len(got), len(labels))
		}
		sum := 0.0
		for i, l := range labels {
			worst = max(worst, math.Abs(got[i].Logprob-r.Labels[l]))
			sum += math.Exp(got[i].Logprob)
			if got[i].Tokens < 2 {
				t.Errorf("%q has %d tokens with its end", l, got[i].Tokens)
			}
		}
		if sum > 1+1e-6 {
			t.Errorf("the probabilities of exclusive answers sum to %g", sum)
		}
	}
	t.Logf("largest difference of a score from torch: %.2g", worst)
	if worst > s.ScoreTolerance {
		t.Errorf("a score is off by %g, more than %g", worst, s.ScoreTolerance)
	}
	none, err := s.Backend.Score(t.Context(), s.Reference.Scores[0].Prompt, nil)
	if err != nil || len(none) != 0 {
		t.Errorf("no labels: %v, %v", none, err)
	}
}

func (s *suite) testEmbed(t *testing.T) {
	for _, pooling := range []llm.Pooling{llm.PoolMean, llm.PoolLast} {
		if !slices.Contains(s.info.Pooling, pooling) {
			_, err := s.Backend.Embed(t.Context(), []string{"x"}, pooling)
			refused(t, err)
			continue
		}
		var texts []string
		for _, e := range s.Reference.Embeddings {
			texts = append(texts, e.Text)
		}
		got, err := s.Backend.Embed(t.Context(), texts, pooling)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(texts) {
			t.Fatalf("%d vectors of %d texts", len(got), len(texts))
		}
		for i, e := range s.Reference.Embeddings {
			want := e.Mean
			if pooling == llm.PoolLast {
				want = e.Last
			}
			c, length := compare(got[i], want)
			if !(c > 0.99999) || math.Abs(length-1) > 1e-4 {
				t.Errorf("%q, %s: a cosine of %.7f to torch, a length of %.6f", e.Text, pooling, c, length)
			}
		}
	}
}

// compare gives the cosine of a and b and the length of a.
func compare(a []float32, b []float64) (cosine, length float64) {
	if len(a) != len(b) {
		return math.NaN(), math.NaN()
	}
	var ab, aa, bb float64
	for i, v := range a {
		ab += float64(v) * b[i]
		aa += float64(v) * float64(v)
		bb += b[i] * b[i]
	}
	return ab / math.Sqrt(aa*bb), math.Sqrt(aa)
}

func (s *suite) testGrammar(t *testing.T) {
	opt := llm.Options{MaxTokens: 24, Grammar: `root ::= " NK cell"`}
	a, err := s.Backend.Generate(t.Context(), s.open.Prompt, opt, nil)
	if !s.info.Grammar {
		refused(t, err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if a.Text != " NK cell" {
		t.Errorf("%q under a grammar that allows one answer", a.Text)
	}
}

// reaction is how long a cancelled request may still take.
const reaction = 100 * time.Millisecond

// testCancel cancels before, while the prompt is read, and while the answer comes.
// Nothing stays behind, and the next request is answered.
func (s *suite) testCancel(t *testing.T) {
	g := s.open
	s.generate(t, g.Prompt, llm.Options{MaxTokens: 1}) // connections are open now
	before := runtime.NumGoroutine()
	cause := errors.New("the user left")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := s.Backend.Generate(ctx, g.Prompt, llm.Options{}, nil); !errors.Is(err, cause) {
		t.Errorf("cancelled before: %v", err)
	}
	if _, err := s.Backend.Score(ctx, g.Prompt, []string{" x"}); s.info.Score && !errors.Is(err, cause) {
		t.Errorf("score, cancelled before: %v", err)
	}
	for _, p := range s.info.Pooling {
		if _, err := s.Backend.Embed(ctx, []string{g.Prompt}, p); !errors.Is(err, cause) {
			t.Errorf("embed, cancelled before: %v", err)
		}
	}

	// While the answer comes. A busy machine may be late once, not three times.
	late := time.Duration(math.MaxInt64)
	for range 3 {
		ctx, cancel := context.WithCancelCause(t.Context())
		var at time.Time
		_, err := s.Backend.Generate(ctx, g.Prompt, llm.Options{Temperature: 1}, func(llm.Token) error {
			if at.IsZero() {
				at = time.Now()
				cancel(cause)
			}
			return nil
		})
		late = min(late, time.Since(at))
		if !errors.Is(err, cause) {
			t.Errorf("cancelled at the first token: %v", err)
		}
		cancel(nil)
	}
	if late > reaction {
		t.Errorf("a cancelled answer took %v more, expected at most %v", late, reaction)
	}

	// While the prompt is read.
	long := strings.Repeat(g.Prompt+"\n", max(1, (s.info.Context-8)/(len(g.IDs)+1)))
	late = time.Duration(math.MaxInt64)
	for range 3 {
		ctx, cancel := context.WithCancelCause(t.Context())
		fired := make(chan time.Time, 1)
		timer := time.AfterFunc(2*time.Millisecond, func() { fired <- time.Now(); cancel(cause) })
		_, err := s.Backend.Generate(ctx, long, llm.Options{MaxTokens: 1}, nil)
		end := time.Now()
		if timer.Stop() {
			t.Log("the prompt was read before it could be cancelled")
			late = 0
		} else if late = min(late, end.Sub(<-fired)); err != nil && !errors.Is(err, cause) {
			t.Errorf("cancelled while the prompt was read: %v", err)
		}
		cancel(nil)
	}
	if late > reaction {
		t.Errorf("a cancelled prompt took %v more, expected at most %v", late, reaction)
	}

	if a := s.generate(t, g.Prompt, llm.Options{MaxTokens: g.limit()}); a.Text != g.Text {
		t.Errorf("after cancelled requests: %q, expected %q", a.Text, g.Text)
	}
	for wait := 0; runtime.NumGoroutine() > before; wait++ {
		if wait == 200 {
			t.Fatalf("%d goroutines before, %d two seconds after cancelled requests", before, runtime.NumGoroutine())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// testDeath ends the server in the middle of an answer: that is no answer.
func (s *suite) testDeath(t *testing.T) {
	if s.Kill == nil {
		t.Skip("there is no server to kill")
	}
	var gone *llm.UnreachableError
	tokens := 0
	a, err := s.Backend.Generate(t.Context(), s.open.Prompt, llm.Options{Temperature: 3}, func(llm.Token) error {
		if tokens++; tokens == 1 {
			s.Kill()
		}
		return nil
	})
	if !errors.As(err, &gone) || a != nil {
		t.Errorf("the server died: %v, %v; expected no answer and an UnreachableError", a, err)
	}
	start := time.Now()
	if _, err := s.Backend.Generate(t.Context(), "x", llm.Options{MaxTokens: 1}, nil); !errors.As(err, &gone) {
		t.Errorf("a dead server: %v, expected an UnreachableError", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("that a server is dead was known after %v, expected five seconds at most", took)
	}
}

// testTally: what the model works on is told while it does, and not more than there
// is. A journal that knows the answer tells of nothing.
func (s *suite) testTally(t *testing.T) {
	var told atomic.Int64
	ctx := llm.WithTally(t.Context(), func(n int) {
		if n <= 0 {
			t.Errorf("%d tokens", n)
		}
		told.Add(int64(n))
	})
	g := leastCertain(s.Reference.Prompts)
	a, err := s.Backend.Generate(ctx, g.Prompt, llm.Options{MaxTokens: 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// At least the last token of the prompt and all but the last of the answer are read.
	if n := int(told.Load()); n != 0 && n < a.AnswerTokens || n > a.PromptTokens+a.AnswerTokens+1 {
		t.Errorf("%d tokens were told, of a prompt of %d and an answer of %d", n, a.PromptTokens, a.AnswerTokens)
	}
}
