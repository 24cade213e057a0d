package llmtest

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/cellsentence/c2s/llm"
)

// limit is the number of tokens to ask for, to get the answer of the reference.
func (g *Greedy) limit() int {
	if g.Stop == "limit" {
		return len(g.Tokens)
	}
	return len(g.Tokens) + 8
}

func (s *suite) generate(t *testing.T, prompt string, opt llm.Options) *llm.Answer {
	t.Helper()
	a, err := s.Backend.Generate(t.Context(), prompt, opt, nil)
	if err != nil {
		t.Fatalf("%q: %v", prompt, err)
	}
	return a
}

func (s *suite) testInfo(t *testing.T) {
	i := s.info
	if i.Backend == "" || i.Model == "" || i.Context <= 0 || i.Slots <= 0 {
		t.Errorf("backend %q, model %q, a context of %d, %d slots", i.Backend, i.Model, i.Context, i.Slots)
	}
	if i.TopLogprobs > 0 && !i.Logprobs {
		t.Error("alternatives without log-probabilities")
	}
	again, err := s.Backend.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest != i.Digest || again.Model != i.Model {
		t.Errorf("the model was %s %s, is %s %s", i.Model, i.Digest, again.Model, again.Digest)
	}
}

// testGreedy holds the most probable answers against the reference. That the
// number of the prompt's tokens is right shows that all of it has arrived, with
// one beginning of text and without a template.
func (s *suite) testGreedy(t *testing.T) {
	worst := 0.0
	for i := range s.Reference.Prompts {
		g := &s.Reference.Prompts[i]
		a := s.generate(t, g.Prompt, llm.Options{MaxTokens: g.limit()})
		if a.PromptTokens != len(g.IDs) {
			t.Errorf("%q: %d tokens reached the model, expected %d", g.Prompt, a.PromptTokens, len(g.IDs))
		}
		if a.Text != g.Text {
			t.Fatalf("%q:\n%q, expected\n%q", g.Prompt, a.Text, g.Text)
		}
		if (a.Stop == llm.StopEnd) != (g.Stop == "eos") {
			t.Errorf("%q: stopped by %q, expected %q", g.Prompt, a.Stop, g.Stop)
		}
		if a.AnswerTokens != len(g.Tokens) {
			t.Errorf("%q: %d tokens, expected %d", g.Prompt, a.AnswerTokens, len(g.Tokens))
		}
		if s.info.TokenIDs {
			if got := ids(a.Tokens); !slices.Equal(got, g.Tokens) {
				t.Errorf("%q:\n%v, expected\n%v", g.Prompt, got, g.Tokens)
			}
		}
		if !s.info.Logprobs {
			continue
		}
		if len(a.Tokens) != len(g.Tokens) {
			t.Fatalf("%q: log-probabilities of %d tokens, expected %d", g.Prompt, len(a.Tokens), len(g.Tokens))
		}
		for j, tok := range a.Tokens {
			worst = max(worst, math.Abs(tok.Logprob-g.Logprobs[j]))
		}
		if a.EndLogprob != nil && g.Stop == "eos" {
			worst = max(worst, math.Abs(*a.EndLogprob-g.Logprobs[len(g.Tokens)]))
		}
	}
	t.Logf("largest difference of a log-probability from torch: %.2g", worst)
	if worst > s.Tolerance {
		t.Errorf("a log-probability is off by %g, more than %g", worst, s.Tolerance)
	}
}

func ids(tokens []llm.Token) []int {
	var out []int
	for _, t := range tokens {
		out = append(out, t.ID)
	}
	return out
}

func text(tokens []llm.Token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(t.Text)
	}
	return b.String()
}

// testStream compares what came bit by bit with the whole.
func (s *suite) testStream(t *testing.T) {
	for i := range s.Reference.Prompts {
		g := &s.Reference.Prompts[i]
		var seen []llm.Token
		a, err := s.Backend.Generate(t.Context(), g.Prompt, llm.Options{MaxTokens: g.limit()}, func(tok llm.Token) error {
			seen = append(seen, tok)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if a.Text != g.Text || text(seen) != a.Text {
			t.Errorf("%q: streamed %q, answered %q, expected %q", g.Prompt, text(seen), a.Text, g.Text)
		}
		if len(g.Tokens) > 3 && len(seen) < 2 {
			t.Errorf("%q: the answer came in one piece", g.Prompt)
		}
		if s.info.TokenIDs && !slices.Equal(ids(seen), ids(a.Tokens)) {
			t.Errorf("%q: streamed %v, answered %v", g.Prompt, ids(seen), ids(a.Tokens))
		}
	}
}

// testAlternatives: the first of them is what greedy takes, they fall, and they are
// probabilities.
func (s *suite) testAlternatives(t *testing.T) {
	if s.info.TopLogprobs == 0 {
		t.Skip("the backend lists no alternatives")
	}
	g := s.open
	n := min(3, s.info.TopLogprobs)
	a := s.generate(t, g.Prompt, llm.Options{MaxTokens: 4, TopLogprobs: n})
	for i, tok := range a.Tokens {
		if len(tok.Top) != n {
			t.Fatalf("token %d has %d alternatives, expected %d", i, len(tok.Top), n)
		}
		if tok.Top[0].ID != tok.ID || math.Abs(tok.Top[0].Logprob-tok.Logprob) > 1e-9 {
			t.Errorf("token %d is %+v, the first alternative %+v", i, tok, tok.Top[0])
		}
		sum := 0.0
		for j, alt := range tok.Top {
			sum += math.Exp(alt.Logprob)
			if j > 0 && alt.Logprob > tok.Top[j-1].Logprob {
				t.Errorf("token %d: alternative %d is better than the one before", i, j)
			}
		}
		if sum > 1+1e-6 {
			t.Errorf("token %d: the alternatives' probabilities sum to %g", i, sum)
		}
	}
}

// testSampling: seeds repeat where the backend says so, seeds differ, and cutting
// down to one token is greedy at any temperature. No option stays behind for the
// next request.
func (s *suite) testSampling(t *testing.T) {
	g := s.open
	answers := map[string]bool{}
	for seed := range uint64(8) {
		opt := llm.Options{MaxTokens: g.limit(), Temperature: 1, Seed: seed}
		a := s.generate(t, g.Prompt, opt)
		answers[a.Text] = true
		if s.info.Repeats {
			if again := s.generate(t, g.Prompt, opt); again.Text != a.Text {
				t.Errorf("seed %d gave %q, then %q", seed, a.Text, again.Text)
			}
		}
	}
	if len(answers) < 2 {
		t.Error("eight seeds gave one answer at temperature 1")
	}
	for _, opt := range []llm.Options{
		{Temperature: 1, TopK: 1},
		{Temperature: 1, TopP: 1e-6},
		{Temperature: 1, MinP: 1},
		{Temperature: 0.001},
		{},
	} {
		opt.MaxTokens, opt.Seed = g.limit(), 7
		if a := s.generate(t, g.Prompt, opt); a.Text != g.Text {
			t.Errorf("%+v: %q, expected %q", opt, a.Text, g.Text)
		}
	}
}

// testStop stops at a word, across tokens, and at a string that begins but does
// not come.
func (s *suite) testStop(t *testing.T) {
	g := s.open
	words := strings.Fields(g.Text)
	if len(words) < 6 {
		t.Fatalf("the longest answer of the reference is %q", g.Text)
	}
	across := words[1][len(words[1])-1:] + " " + words[2][:1]
	for _, c := range []struct {
		stops []string
		want  string
		why   llm.Stop
	}{
		{[]string{" " + words[3]}, g.Text[:strings.Index(g.Text, " "+words[3])], llm.StopString},
		{[]string{"nothing like this", across}, g.Text[:strings.Index(g.Text, across)], llm.StopString},
		{[]string{words[4] + " never"}, g.Text, llm.StopEnd},
	} {
		if c.why == llm.StopEnd && g.Stop == "limit" {
			c.why = llm.StopLimit
		}
		var streamed strings.Builder
		a, err := s.Backend.Generate(t.Context(), g.Prompt, llm.Options{MaxTokens: g.limit(), Stop: c.stops}, func(tok llm.Token) error {
			streamed.WriteString(tok.Text)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if a.Text != c.want || a.Stop != c.why {
			t.Errorf("stops %q: %q by %q, expected %q by %q", c.stops, a.Text, a.Stop, c.want, c.why)
		}
		if streamed.String() != a.Text {
			t.Errorf("stops %q: streamed %q, answered %q", c.stops, streamed.String(), a.Text)
		}
	}
}

func (s *suite) testLimits(t *testing.T) {
	g := s.open
	for _, n := range []int{1, 2, 3} {
		a := s.generate(t, g.Prompt, llm.Options{MaxTokens: n})
		if a.AnswerTokens != n || a.Stop != llm.StopLimit || !strings.HasPrefix(g.Text, a.Text) {
			t.Errorf("at most %d tokens: %d, %q by %q, expected the beginning of %q", n, a.AnswerTokens, a.Text, a.Stop, g.Text)
		}
	}
	// No limit: the answer ends where the model ends it.
	if a := s.generate(t, g.Prompt, llm.Options{}); g.Stop == "eos" && (a.Text != g.Text || a.Stop != llm.StopEnd) {
		t.Errorf("without a limit: %q by %q, expected %q", a.Text, a.Stop, g.Text)
	}
}

func (s *suite) testOptions(t *testing.T) {
	for _, opt := range []llm.Options{
		{MaxTokens: -1}, {Temperature: -1}, {Temperature: math.NaN()}, {TopK: -1}, {TopP: 1.5}, {MinP: -0.1}, {TopLogprobs: -1}, {Stop: []string{""}},
	} {
		if a, err := s.Backend.Generate(t.Context(), "x", opt, nil); err == nil {
			t.Errorf("%+v was taken and answered by %q", opt, a.Text)
		}
	}
}

// testContext: a prompt that does not fit is refused with both sizes, and one that
// fills the context is answered to its end, not by forgetting its beginning.
func (s *suite) testContext(t *testing.T) {
	g := s.open
	long := strings.Repeat(g.Prompt+"\n", 2+s.info.Context/(len(g.IDs)-1))
	a, err := s.Backend.Generate(t.Context(), long, llm.Options{MaxTokens: 4}, nil)
	var over *llm.ContextError
	if !errors.As(err, &over) {
		t.Fatalf("a prompt of more than %d tokens: %v, %v", s.info.Context, a, err)
	}
	if over.Prompt <= over.Context || over.Context <= 0 || over.Context > s.info.Context {
		t.Errorf("the error says %d tokens in a context of %d; Info says %d", over.Prompt, over.Context, s.info.Context)
	}
	if s.info.Context > 4096 {
		t.Logf("the context of %d tokens is not filled: that would take long", s.info.Context)
		return
	}
	prompt := g.Prompt
	for {
		more := prompt + "\n" + g.Prompt
		a, err := s.Backend.Generate(t.Context(), more, llm.Options{MaxTokens: 1}, nil)
		if errors.As(err, &over) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if a.PromptTokens <= len(g.IDs) {
			t.Fatalf("%d tokens of a prompt that holds the first one twice", a.PromptTokens)
		}
		prompt = more
	}
	a = s.generate(t, prompt, llm.Options{})
	if a.PromptTokens+a.AnswerTokens > s.info.Context {
		t.Errorf("%d and %d tokens in a context of %d", a.PromptTokens, a.AnswerTokens, s.info.Context)
	}
}

func (s *suite) testUnicode(t *testing.T) {
	for _, prompt := range []string{"Ünknown → 細胞 🧬\u0301", "a  b\t\tc\r\n\n d", "\u00a0\u2028\u200b", "é", strings.Repeat("🧬", 20)} {
		var seen strings.Builder
		a, err := s.Backend.Generate(t.Context(), prompt, llm.Options{MaxTokens: 8, Temperature: 2, Seed: 5}, func(tok llm.Token) error {
			if !utf8.ValidString(tok.Text) {
				t.Errorf("%q: the token %q is no UTF-8", prompt, tok.Text)
			}
			seen.WriteString(tok.Text)
			return nil
		})
		if err != nil {
			t.Fatalf("%q: %v", prompt, err)
		}
		if !utf8.ValidString(a.Text) || seen.String() != a.Text {
			t.Errorf("%q: answered %q, streamed %q", prompt, a.Text, seen.String())
		}
	}
}

// testConcurrent asks everything at once: nothing of one request shows in another.
func (s *suite) testConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 3 * len(s.Reference.Prompts) {
		wg.Go(func() {
			g := &s.Reference.Prompts[i%len(s.Reference.Prompts)]
			a, err := s.Backend.Generate(t.Context(), g.Prompt, llm.Options{MaxTokens: g.limit()}, nil)
			if err != nil {
				t.Error(err)
			} else if a.Text != g.Text {
				t.Errorf("%q:\n%q, expected\n%q", g.Prompt, a.Text, g.Text)
			}
		})
	}
	wg.Wait()
}

// testCallback: the error of the callback comes back and ends the request.
func (s *suite) testCallback(t *testing.T) {
	stop := errors.New("enough")
	calls := 0
	_, err := s.Backend.Generate(context.WithoutCancel(t.Context()), s.open.Prompt, llm.Options{MaxTokens: 20}, func(llm.Token) error {
		calls++
		return stop
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%v after %d calls, expected the callback's error after one", err, calls)
	}
}
